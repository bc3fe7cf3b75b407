//! Several processors: where a thread runs, and how it is taken off another processor.
//!
//! One processor at a time is in the kernel; its [`Cpu`] is `Kernel::cpu`, the others' are parked.
//! A thread runs wherever it is made ready, so that servers follow their callers, with two
//! exceptions, both noted in its [`Obstacles`](crate::thread::Obstacles): it was moved to a
//! processor (Operation SetProcessor), or its extended state is in one.
//!
//! ```text
//!   made ready ──> may run here, and would at once ────────────────> here
//!              ──> elsewhere it would run at once, or it must ─────> there; that one is nudged
//!              ──> nowhere at once ────────────────────────────────> waits here
//!   a processor without work ──> takes the first thread that waits elsewhere and may be moved,
//!                                of the first few of each priority
//! ```

use kamen_abi::{Error, PRIORITIES, Rights};

use crate::cpu::Cpu;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::queue::NIL;
use crate::thread::State;

/// What SetProcessor takes for "wherever it is made ready".
const ANYWHERE: u64 = u64::MAX;

impl<M: Machine> Kernel<M> {
    /// Makes another processor the one that the kernel works for; it has entered the kernel.
    pub fn take_over(&mut self, processor: u8) {
        let parked = self.parked.iter_mut().find(|cpu| cpu.number == processor);
        if let Some(parked) = parked {
            core::mem::swap(&mut self.cpu, parked);
            self.vm.machine.take_over(processor);
        }
    }

    /// Handles another processor's word that this one has got something to do.
    pub fn reschedule(&mut self) {
        self.give_way();
    }

    /// Returns how many processors run threads.
    pub(crate) fn processors(&self) -> u64 {
        self.parked.len() as u64 + 1
    }

    /// Makes every processor set a thread up anew: its space, bases or extended state changed.
    pub(crate) fn reload(&mut self, thread: u16) {
        self.cpu.reload(thread);
        self.parked.iter_mut().for_each(|cpu| cpu.reload(thread));
    }

    /// Makes all processors forget a thread that is about to go.
    pub(crate) fn unload(&mut self, thread: u16) {
        self.cpu.unload(thread);
        self.parked.iter_mut().for_each(|cpu| cpu.unload(thread));
    }

    /// Lets a thread wait for its turn, without taking the processor from the current one.
    pub(crate) fn make_ready(&mut self, thread: u16) {
        if self.parked.is_empty() || !self.send_off(thread) {
            self.threads[thread].state = State::Ready;
            self.cpu.enqueue(&mut self.threads.slots(), thread);
        }
    }

    /// Makes a thread that is woken ready on another processor, as [`Kernel::send_off`] does; where
    /// it stays and is above the current thread, that one goes to a processor that idles. Returns
    /// whether the thread went.
    #[inline(never)]
    pub(crate) fn wake_elsewhere(&mut self, thread: u16) -> bool {
        if self.send_off(thread) {
            return true;
        }
        let current = self.cpu.current;
        let is_above = |below: u16| self.threads[thread].priority > self.threads[below].priority;
        if current != NIL && is_above(current) && self.send_to_idle(current) {
            self.cpu.current = NIL;
        }
        false
    }

    /// Makes a thread ready on another processor, if it may not run here, or would run there at
    /// once and not here. Returns whether it did.
    pub(crate) fn send_off(&mut self, thread: u16) -> bool {
        let may_stay = self.threads[thread].obstacles.may_run_on(self.cpu.number);
        let priority = self.threads[thread].priority;
        if may_stay && self.cpu.level(&self.threads) <= priority {
            return false;
        }
        let Some((level, place)) = self.quietest(thread) else { return false };
        if may_stay && level > priority {
            return false;
        }
        self.send(place, thread);
        true
    }

    /// Lets a preempted thread go on elsewhere if a processor idles; returns whether one does.
    pub(crate) fn send_to_idle(&mut self, thread: u16) -> bool {
        match self.quietest(thread) {
            Some((0, place)) => {
                self.send(place, thread);
                true
            }
            _ => false,
        }
    }

    /// Returns the parked processor with the least to do of those where a thread may run.
    fn quietest(&self, thread: u16) -> Option<(u8, usize)> {
        let obstacles = self.threads[thread].obstacles;
        let parked = self.parked.iter().enumerate();
        let allowed = parked.filter(|(_, cpu)| obstacles.may_run_on(cpu.number));
        allowed.map(|(place, cpu)| (cpu.level(&self.threads), place)).min()
    }

    fn send(&mut self, place: usize, thread: u16) {
        self.threads[thread].state = State::Ready;
        let cpu = &mut self.parked[place];
        let level = cpu.level(&self.threads);
        cpu.enqueue(&mut self.threads.slots(), thread);
        cpu.bar = cpu.bar_by_ready();
        // An equal, too: where it is the first to wait, a time slice begins.
        if level <= self.threads[thread].priority + 1 {
            self.vm.machine.nudge(cpu.number);
        }
    }

    /// Takes a thread that waits for another processor and may run here.
    pub(crate) fn steal(&mut self) -> Option<u16> {
        let here = self.cpu.number;
        let threads = &self.threads;
        let may_come = |thread: &u16| threads[*thread].obstacles.may_run_on(here);
        let first = |cpu: &Cpu| cpu.ready.firsts(threads).find(may_come);
        let found = self.parked.iter().enumerate();
        let found = found.filter_map(|(place, cpu)| first(cpu).map(|thread| (place, thread)));
        let (place, thread) = found.max_by_key(|(_, thread)| threads[*thread].priority)?;
        self.parked[place].ready.remove(&mut self.threads.slots(), thread);
        Some(thread)
    }

    /// Takes a ready thread off the processor that runs it, or out of the queue it is in. Its
    /// registers are saved then, as if it had not entered the kernel since.
    pub(crate) fn take_off(&mut self, thread: u16) {
        if self.cpu.current == thread {
            self.cpu.current = NIL;
        } else if let Some(cpu) = self.parked.iter_mut().find(|cpu| cpu.current == thread) {
            self.vm.machine.fetch(cpu.number);
            cpu.current = NIL;
        } else {
            self.dequeue(thread);
        }
    }

    /// Returns whether a processor runs the thread.
    pub(crate) fn is_current(&self, thread: u16) -> bool {
        self.cpu.current == thread || self.parked.iter().any(|cpu| cpu.current == thread)
    }

    /// Takes a thread out of the queue of ready threads that it is in.
    pub(crate) fn dequeue(&mut self, thread: u16) {
        let number = self.threads[thread].queue;
        let parked = self.parked.iter_mut().find(|cpu| cpu.number == number);
        parked.unwrap_or(&mut self.cpu).ready.remove(&mut self.threads.slots(), thread);
    }

    /// Lets the processor that runs a thread think again: the thread's priority has changed.
    pub(crate) fn reconsider(&mut self, thread: u16) {
        match self.parked.iter().find(|cpu| cpu.current == thread) {
            Some(cpu) => self.vm.machine.nudge(cpu.number),
            None => self.give_way(),
        }
    }

    /// Writes a thread's extended state to its frame, if another processor has it.
    pub(crate) fn fetch_extended(&mut self, thread: u16) {
        let Some(state) = self.threads[thread].extended else { return };
        if let Some(cpu) = self.parked.iter_mut().find(|cpu| cpu.extended_owner == thread) {
            self.vm.machine.fetch_extended(cpu.number, state);
            cpu.extended_owner = NIL;
            cpu.unload_all();
            self.threads[thread].release();
        }
    }

    /// Operation Now.
    pub(crate) fn now(&mut self) {
        let (now, processors) = (self.vm.machine.now(), self.processors());
        let [start, scale] = self.vm.machine.clock_scale();
        let (current, number) = (self.cpu.current, self.cpu.number);
        let registers = &mut self.threads[current].registers;
        (registers.rdi, registers.rsi, registers.rdx) = (now, u64::from(number), processors);
        (registers.r10, registers.r8) = (start, scale);
    }

    /// Operation SetPriority.
    pub(crate) fn set_priority(&mut self, target: u64, priority: u64) -> Result<(), Error> {
        let thread = self.thread(target, Rights::CONTROL)?.index() as u16;
        let own = self.threads[self.cpu.current].priority;
        if priority >= PRIORITIES as u64 || priority as u8 > own {
            return Err(Error::InvalidArgument);
        }
        let queued = self.threads[thread].state == State::Ready && !self.is_current(thread);
        if queued {
            self.dequeue(thread);
        }
        let sender = self.take_from_senders(thread);
        self.threads[thread].priority = priority as u8;
        sender.inspect(|endpoint| self.push_sender(*endpoint, thread));
        if queued {
            self.wake(thread);
        } else {
            self.reconsider(thread);
        }
        Ok(())
    }

    /// Operation SetProcessor.
    pub(crate) fn set_processor(&mut self, target: u64, processor: u64) -> Result<(), Error> {
        let thread = self.thread(target, Rights::CONTROL)?.index() as u16;
        if processor != ANYWHERE && processor >= self.processors() {
            return Err(Error::InvalidArgument);
        }
        if processor == ANYWHERE {
            self.threads[thread].home = None;
            let all = core::iter::once(&self.cpu).chain(&self.parked);
            if all.into_iter().all(|cpu| cpu.extended_owner != thread) {
                self.threads[thread].release();
            }
            return Ok(());
        }
        let ready = self.threads[thread].state == State::Ready;
        let stays = self.cpu.current == thread && u64::from(self.cpu.number) == processor;
        if ready && !stays {
            self.take_off(thread);
        }
        self.store_extended(thread);
        self.threads[thread].home = Some(processor as u8);
        self.threads[thread].release();
        if ready && !stays {
            self.wake(thread);
        }
        Ok(())
    }
}
