//! The run queue: fixed priorities with a bitmap, first in first out inside one.
//!
//! Threads that wait at an endpoint to be received stand in a queue of the same form.

use kamen_abi::PRIORITIES;

use crate::arena::{Arena, Slots};
use crate::queue::Queue;
use crate::thread::Thread;

/// Nanoseconds that a thread runs before its equals get their turn.
pub const SLICE_NS: u64 = 10_000_000;

/// Threads of a priority that another processor looks at, for one that may come to it.
const LOOKED_AT: usize = 8;

/// Threads by priority: those that are ready and not running, on one processor, or those that
/// wait to be received at an endpoint.
#[derive(Default)]
pub struct RunQueue {
    queues: [Queue; PRIORITIES],
    /// Bit p is set where `queues[p]` is not empty.
    bitmap: u32,
}

const _: () = assert!(PRIORITIES == u32::BITS as usize);

impl RunQueue {
    /// Returns whether no thread is in the queue.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.bitmap == 0
    }

    /// Returns the thread that `pop` would take.
    pub fn first(&self) -> Option<u16> {
        self.queues[self.highest()? as usize].first()
    }

    /// Returns the bits of a priority and those above it. Each priority is below 32, and so is never
    /// too far to shift.
    #[inline(always)]
    fn from(&self, priority: u8) -> u32 {
        self.bitmap.wrapping_shr(u32::from(priority))
    }

    /// Returns whether a thread above `priority` is ready.
    #[inline]
    pub fn has_above(&self, priority: u8) -> bool {
        self.from(priority) > 1
    }

    /// Returns whether a thread at `priority` or above is ready.
    #[inline]
    pub fn has_from(&self, priority: u8) -> bool {
        self.from(priority) != 0
    }

    /// Returns the highest priority at which a thread is ready.
    #[inline]
    pub fn highest(&self) -> Option<u8> {
        self.bitmap.checked_ilog2().map(|priority| priority as u8)
    }

    /// Returns whether a thread at `priority` is ready.
    pub fn has_at(&self, priority: u8) -> bool {
        self.from(priority) & 1 != 0
    }

    /// Returns one more than the highest priority of a ready thread; 0 where there is none.
    pub fn level(&self) -> u8 {
        (u32::BITS - self.bitmap.leading_zeros()) as u8
    }

    /// Returns the first few threads of each priority, the highest first.
    pub fn firsts<'a>(&'a self, threads: &'a Arena<Thread>) -> impl Iterator<Item = u16> + 'a {
        self.queues.iter().rev().flat_map(|queue| queue.iter(threads).take(LOOKED_AT))
    }

    /// Adds a thread behind its equals.
    #[inline(always)]
    pub fn push(&mut self, threads: &mut Slots<'_, Thread>, thread: u16) {
        let priority = threads[thread].priority;
        self.queues[priority as usize].push(threads, thread);
        self.bitmap |= 1 << priority;
    }

    /// Adds a thread before its equals: one that was preempted.
    #[inline(always)]
    pub fn push_front(&mut self, threads: &mut Slots<'_, Thread>, thread: u16) {
        let priority = threads[thread].priority;
        self.queues[priority as usize].push_front(threads, thread);
        self.bitmap |= 1 << priority;
    }

    /// Takes the first thread of the highest priority.
    #[inline(always)]
    pub fn pop(&mut self, threads: &mut Slots<'_, Thread>) -> Option<u16> {
        let priority = self.bitmap.checked_ilog2()?;
        let queue = &mut self.queues[priority as usize];
        let thread = queue.pop(threads);
        if queue.is_empty() {
            self.bitmap &= !(1 << priority);
        }
        thread
    }

    /// Takes a ready thread out.
    pub fn remove(&mut self, threads: &mut Slots<'_, Thread>, thread: u16) {
        let priority = threads[thread].priority;
        let queue = &mut self.queues[priority as usize];
        queue.remove(threads, thread);
        if queue.is_empty() {
            self.bitmap &= !(1 << priority);
        }
    }
}

#[cfg(test)]
impl RunQueue {
    /// Returns all threads in the queues, which are those of their priorities.
    pub fn members(&self, threads: &Arena<Thread>) -> std::vec::Vec<u16> {
        let mut all = std::vec::Vec::new();
        for (priority, queue) in self.queues.iter().enumerate() {
            let members = queue.members(threads);
            assert_eq!(self.has_at(priority as u8), !members.is_empty());
            assert!(members.iter().all(|at| threads[*at].priority as usize == priority));
            all.extend(members);
        }
        all
    }
}
