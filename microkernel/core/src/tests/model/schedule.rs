//! Who runs: priorities, equals in turn, slices that are lent with a call.

use super::Model;
use super::objects::{Name, State};
use crate::schedule::SLICE_NS;
use std::collections::VecDeque;
use std::vec::Vec;

/// The processor. Where there are several, who runs is the kernel's choice: the model is told
/// before each operation (`across.rs`), and only knows who could.
#[derive(Clone, Debug)]
pub struct Processor {
    /// How many there are.
    pub processors: u64,
    pub current: Option<Name>,
    /// Who could run, by priority.
    pub ready: Vec<VecDeque<Name>>,
    /// When the slice ends; nothing while nobody waits for it to.
    pub slice: Option<u64>,
    /// The slice has ended, and nobody was switched to since.
    pub over: bool,
    /// Who was interrupted before his slice ended, and the end.
    pub interrupted: Option<(Name, u64)>,
}

impl Processor {
    pub fn new() -> Self {
        let ready = std::vec![VecDeque::new(); kamen_abi::PRIORITIES];
        let (processors, current, slice, interrupted) = (1, None, None, None);
        Processor { processors, current, ready, slice, over: false, interrupted }
    }

    /// Returns whether the model is told who runs.
    pub fn is_told(&self) -> bool {
        self.processors > 1
    }

    fn has_at(&self, priority: u8) -> bool {
        !self.ready[priority as usize].is_empty()
    }

    fn has_above(&self, priority: u8) -> bool {
        self.ready[priority as usize + 1..].iter().any(|queue| !queue.is_empty())
    }

    /// Takes a thread out of whatever queue it is in.
    pub fn remove(&mut self, thread: Name) {
        self.ready.iter_mut().for_each(|queue| queue.retain(|ready| *ready != thread));
    }
}

impl Model {
    /// Lets the first of the highest run, where nobody does.
    pub fn settle(&mut self) {
        if self.cpu.current.is_some() || self.cpu.is_told() {
            return;
        }
        let Some(queue) = self.cpu.ready.iter_mut().rev().find(|queue| !queue.is_empty()) else {
            return;
        };
        let thread = queue.pop_front().unwrap();
        self.cpu.current = Some(thread);
        match self.cpu.interrupted {
            Some((interrupted, end)) if interrupted == thread => {
                self.cpu.interrupted = None;
                self.cpu.slice = Some(end);
                self.cpu.over = false;
            }
            _ => self.new_slice(),
        }
    }

    /// A thread that waited goes on.
    pub fn wake(&mut self, thread: Name) {
        self.make_ready(thread);
        self.share(Some(self.thread(thread).priority));
    }

    /// A thread could go on, but nobody makes way for it yet.
    pub fn make_ready(&mut self, thread: Name) {
        self.thread_mut(thread).state = State::Ready;
        if !self.cpu.is_told() {
            let priority = self.thread(thread).priority;
            self.cpu.ready[priority as usize].push_back(thread);
        }
    }

    /// The current thread lets go of the processor if somebody above it is ready, or begins a
    /// slice if an equal is.
    pub fn give_way(&mut self) {
        self.share(None);
    }

    fn share(&mut self, woken: Option<u8>) {
        let Some(current) = self.cpu.current.filter(|_| !self.cpu.is_told()) else { return };
        let own = self.thread(current).priority;
        let above = woken.map_or(self.cpu.has_above(own), |woken| woken > own);
        let equal = woken.map_or(self.cpu.has_at(own), |woken| woken == own);
        if above {
            self.cpu.current = None;
            self.cpu.ready[own as usize].push_front(current);
            if let Some(end) = self.cpu.slice {
                self.cpu.interrupted = Some((current, end));
            }
        } else if equal && self.cpu.slice.is_none() {
            self.new_slice();
        }
    }

    /// The current thread waits on behalf of another, who goes on in its slice.
    pub fn switch_to(&mut self, thread: Name) {
        if self.cpu.is_told() {
            self.cpu.current = None;
            return self.make_ready(thread);
        }
        self.thread_mut(thread).state = State::Ready;
        let priority = self.thread(thread).priority;
        let equals = self.cpu.has_at(priority);
        if self.cpu.over && equals || self.cpu.has_above(priority) {
            self.cpu.ready[priority as usize].push_back(thread);
            self.cpu.current = None;
        } else {
            self.cpu.current = Some(thread);
            if self.cpu.slice.is_none() && equals {
                self.new_slice();
            }
        }
    }

    /// Operation Yield.
    pub fn yield_now(&mut self) {
        let Some(current) = self.cpu.current else { return };
        let priority = self.thread(current).priority;
        if self.cpu.has_at(priority) {
            self.cpu.ready[priority as usize].push_back(current);
            self.cpu.current = None;
        }
    }

    fn new_slice(&mut self) {
        self.cpu.over = false;
        self.cpu.slice = None;
        if let Some(current) = self.cpu.current
            && self.cpu.has_at(self.thread(current).priority)
        {
            self.cpu.slice = Some(self.now + SLICE_NS);
        }
    }

    /// Returns when something happens by itself.
    pub fn next_event(&self) -> u64 {
        let slice = if self.cpu.current.is_some() { self.cpu.slice } else { None };
        let threads = self.threads().filter_map(|(_, thread)| thread.deadline);
        let timers = self.timers().filter_map(|(_, timer)| timer.deadline);
        threads.chain(timers).chain(slice).min().unwrap_or(u64::MAX)
    }

    /// The timer's interrupt: whatever was to happen until now happens, in its order.
    pub fn timer(&mut self) {
        loop {
            let threads = self.threads().filter_map(|(name, it)| Some((it.deadline?, name)));
            let timers = self.timers().filter_map(|(name, it)| Some((it.deadline?, name)));
            let Some((at, name)) = threads.chain(timers).min() else { break };
            if at > self.now {
                break;
            }
            self.expire(name);
        }
        if self.cpu.slice.is_some_and(|end| end <= self.now) {
            self.cpu.slice = None;
            self.cpu.over = true;
            self.yield_now();
        }
    }
}
