//! The kernel's state, and which thread runs next.

use alloc::vec::Vec;
use kamen_abi::trace::{EventKind, TIMER};
use kamen_abi::{Error, FOREVER, Handle, NOW, ObjectKind, Rights};

use crate::arena::{Arena, Id};
use crate::cpu::{Cpu, Slice};
use crate::deadline::{Deadlines, Timer, Waiter};
use crate::endpoint::Endpoint;
use crate::machine::{Machine, Next};
use crate::notice::Notices;
use crate::notification::Notification;
use crate::queue::NIL;
use crate::schedule::SLICE_NS;
use crate::space::Vm;
use crate::steps;
use crate::table::{Capability, Table};
use crate::thread::{State, Thread};
use crate::trace::Trace;

/// The kernel's state over a machine.
pub struct Kernel<M: Machine> {
    /// Memory, with the machine in it.
    pub vm: Vm<M>,
    /// Threads, by slot; the capacity is at most 65,535.
    pub threads: Arena<Thread>,
    /// Capability tables.
    pub tables: Arena<Table>,
    /// Endpoints.
    pub endpoints: Arena<Endpoint>,
    /// Notifications.
    pub notifications: Arena<Notification>,
    /// Notices of calls that were cancelled, by the slot of the caller.
    pub notices: Notices,
    /// Timers.
    pub timers: Arena<Timer>,
    /// Whom the kernel wakes when.
    pub deadlines: Deadlines,
    /// What each interrupt line signals.
    pub lines: Vec<Option<(Id<Notification>, u64)>>,
    /// Where the sequence numbers of new threads begin: past those of all threads that are gone,
    /// so that an open call never names a call of whoever got its caller's slot.
    pub first_sequence: u64,
    /// Pages of RAM, the kernel's own and the boot archive's included.
    pub ram_pages: usize,
    /// What is recorded of all this.
    pub trace: Trace,
    /// The processor that is in the kernel.
    pub cpu: Cpu,
    /// The other processors, in any order.
    pub parked: Vec<Cpu>,
    /// The processor whose timer is set to the earliest deadline, or before it.
    pub keeper: u8,
    /// What the keeper's timer is set to.
    pub kept: u64,
}

impl<M: Machine> Kernel<M> {
    /// Returns the machine.
    pub fn machine(&mut self) -> &mut M {
        &mut self.vm.machine
    }

    /// Returns what the processor does next; called once before every return from the kernel but
    /// by the fast ways.
    #[inline(always)]
    #[expect(clippy::should_implement_trait, reason = "a kernel is no iterator")]
    pub fn next(&mut self) -> Next<'_> {
        if self.cpu.current == NIL && !self.pick() {
            self.arm();
            self.charge(NIL);
            self.trace_switch(NIL);
            return Next::Idle;
        }
        self.cpu.bar = self.cpu.bar_by_ready();
        let current = self.cpu.current;
        self.trace_switch(current);
        if current != self.cpu.loaded && self.threads[current].is_burdened | self.cpu.is_burdened {
            return Next::Run(self.load_burdened(current));
        }
        let Some(thread) = self.threads.slots().into_at(current) else { return Next::Idle };
        if current != self.cpu.loaded {
            self.cpu.loaded = current;
            if let Some(root) = thread.root {
                self.vm.machine.activate(root);
            }
        }
        Next::Run(thread)
    }

    /// Makes the first ready thread the current one.
    #[inline(always)]
    fn pick(&mut self) -> bool {
        let Some(thread) = self.cpu.ready.pop(&mut self.threads.slots()) else {
            return self.pick_elsewhere();
        };
        self.cpu.current = thread;
        self.cpu.charge(&self.vm.machine, &mut self.threads.slots(), thread);
        if self.cpu.preempted.0 == thread {
            self.resume_slice();
        } else {
            self.renew_slice();
        }
        true
    }

    /// Gives a thread that was preempted what is left of its slice.
    #[inline(never)]
    fn resume_slice(&mut self) {
        (_, self.cpu.slice_end) = core::mem::replace(&mut self.cpu.preempted, (NIL, FOREVER));
        self.cpu.slice_over = false;
        self.arm();
    }

    /// Makes a thread the current one that waits for another processor.
    #[cold]
    #[inline(never)]
    fn pick_elsewhere(&mut self) -> bool {
        let Some(thread) = self.steal() else { return false };
        self.cpu.current = thread;
        self.charge(thread);
        self.renew_slice();
        true
    }

    /// Sets the processor up for a thread that has bases or extended state, or follows one that has.
    #[inline(never)]
    fn load_burdened(&mut self, slot: u16) -> &mut Thread {
        if !self.load_on_top(slot) {
            let Thread { root, registers, is_burdened, .. } = &self.threads[slot];
            root.inspect(|root| self.vm.machine.activate(*root));
            self.cpu.loaded = slot;
            self.cpu.put(NIL, NIL);
            self.vm.machine.set_bases(registers.fs_base, registers.gs_base);
            self.cpu.is_burdened = *is_burdened;
            self.load_extended(slot);
        }
        &mut self.threads[slot]
    }

    /// Sets the processor up for the handler of the thread that is set up, or for that thread after
    /// its handler; returns whether it is one of these.
    fn load_on_top(&mut self, slot: u16) -> bool {
        let below = if self.cpu.beneath == NIL { self.cpu.loaded } else { self.cpu.beneath };
        if below == NIL {
            return false;
        }
        if slot == below {
            let thread = &self.threads[slot];
            self.cpu.surface(&mut self.vm.machine, slot, thread);
            return true;
        }
        let (thread, open) = (&self.threads[slot], &self.threads[below]);
        let handles = || {
            let is_open = matches!(open.state, State::Open(_));
            is_open && open.is_controlled() && open.answerer == thread.space
        };
        let is_guest = !thread.is_burdened && (slot == self.cpu.guest || handles());
        if is_guest {
            self.cpu.dive(&mut self.vm.machine, slot, below, thread);
        }
        is_guest
    }

    /// Gives a thread the processor's extended state, or takes the use of it away.
    pub(crate) fn load_extended(&mut self, thread: u16) {
        let wanted = self.threads[thread].extended;
        self.cpu.is_burdened |= wanted.is_some();
        if wanted.is_some() != self.cpu.extended_enabled {
            self.vm.machine.enable_extended(wanted.is_some());
            self.cpu.extended_enabled = wanted.is_some();
        }
        let owner = self.cpu.extended_owner;
        if let Some(state) = wanted
            && owner != thread
        {
            if owner != NIL
                && let Some(state) = self.threads[owner].extended
            {
                self.vm.machine.save_extended(state);
                self.threads[owner].release();
            }
            self.vm.machine.load_extended(state);
            self.cpu.extended_owner = thread;
            self.threads[thread].obstacles.keep_to(self.cpu.number);
        }
    }

    /// Writes a thread's extended state to its frame, if a processor has it.
    pub(crate) fn store_extended(&mut self, thread: u16) {
        self.fetch_extended(thread);
        if self.cpu.extended_owner == thread
            && let Some(state) = self.threads[thread].extended
        {
            let enabled = self.cpu.extended_enabled;
            if !enabled {
                self.vm.machine.enable_extended(true);
            }
            self.vm.machine.save_extended(state);
            if !enabled {
                self.vm.machine.enable_extended(false);
            }
            self.cpu.extended_owner = NIL;
            self.cpu.unload_all();
            self.threads[thread].release();
        }
    }

    /// Lets a thread run that waited; it preempts the current one if it is above it.
    #[inline(never)]
    pub(crate) fn wake(&mut self, thread: u16) {
        if self.parked.is_empty() || !self.wake_elsewhere(thread) {
            let slice = self.cpu.wake(&mut self.threads.slots(), thread);
            self.charge_woken(thread);
            self.begin_slice(slice);
        }
    }

    /// Switches to a thread on whose behalf the current one waits now: a server gets its client's
    /// time slice, a client its own back.
    #[inline]
    pub(crate) fn switch_to(&mut self, thread: u16) {
        self.threads[thread].state = State::Ready;
        let priority = self.threads[thread].priority;
        if self.cpu.slice_over && self.cpu.ready.has_at(priority)
            || self.cpu.ready.has_above(priority)
            || !self.threads[thread].obstacles.may_run_on(self.cpu.number)
        {
            self.cpu.current = NIL;
            self.make_ready(thread);
        } else {
            self.cpu.current = thread;
            if self.cpu.slice_end == FOREVER && self.cpu.ready.has_at(priority) {
                self.renew_slice();
            }
        }
    }

    /// Takes the processor from the current thread, which waits now or has been stopped.
    pub(crate) fn give_up(&mut self) {
        self.cpu.current = NIL;
    }

    /// Lets a thread above the current one run, which an operation has made ready without waking
    /// it; and one that is its equal in time.
    pub(crate) fn give_way(&mut self) {
        let current = self.cpu.current;
        if current == NIL {
            return;
        }
        let priority = self.threads[current].priority;
        if self.cpu.ready.has_above(priority) {
            self.preempt();
        } else if self.cpu.slice_end == FOREVER && self.cpu.ready.has_at(priority) {
            self.renew_slice();
        }
    }

    /// Takes the processor from the current thread, which could go on.
    fn preempt(&mut self) {
        let current = self.cpu.current;
        if !self.parked.is_empty() && self.send_to_idle(current) {
            self.cpu.current = NIL;
        } else {
            self.cpu.set_aside(&mut self.threads.slots());
        }
    }

    /// Puts the current thread behind its equals.
    pub(crate) fn rotate(&mut self) {
        let current = core::mem::replace(&mut self.cpu.current, NIL);
        if current != NIL {
            self.cpu.enqueue(&mut self.threads.slots(), current);
        }
    }

    /// Starts a time slice, where the current thread has equals that wait for its end.
    #[inline(always)]
    fn renew_slice(&mut self) {
        let current = self.cpu.current;
        self.cpu.slice_over = false;
        self.cpu.slice_end = FOREVER;
        if current != NIL && self.cpu.ready.has_at(self.threads[current].priority) {
            self.begin_slice(Slice::Begins);
        }
    }

    /// Starts a time slice, if one begins.
    #[inline(always)]
    pub(crate) fn begin_slice(&mut self, slice: Slice) {
        if slice == Slice::Begins {
            self.cpu.slice_over = false;
            self.cpu.slice_end = self.vm.machine.now().saturating_add(SLICE_NS);
            // Until then the timer arms itself anew, whenever it interrupts.
            if self.cpu.slice_end < self.cpu.armed {
                self.arm();
            }
        }
    }

    /// Sets the machine's timer to whatever comes first. Of the deadlines, which all processors
    /// share, one takes care: the keeper, or whoever brings one that is too early for the keeper.
    pub(crate) fn arm(&mut self) {
        let mut first = if self.cpu.current == NIL { FOREVER } else { self.cpu.slice_end };
        let earliest = self.deadlines.earliest().unwrap_or(FOREVER);
        if self.keeper == self.cpu.number || earliest < self.kept {
            first = first.min(earliest);
            (self.keeper, self.kept) = (self.cpu.number, first);
        }
        // A timer that is set too early interrupts for nothing once, which is rarer than this.
        if first < self.cpu.armed {
            self.cpu.armed = first;
            self.vm.machine.set_timer(first);
        }
    }

    /// Handles the timer's interrupt, which may come for nothing.
    pub fn timer(&mut self) {
        self.cpu.armed = FOREVER;
        self.trace(EventKind::Interrupt, self.cpu.current, TIMER, [0; 2]);
        let now = self.vm.machine.now();
        self.vm.steps.renew();
        // What is left when the steps are spent has the timer interrupt again at once.
        while !self.vm.steps.are_spent()
            && let Some(waiter) = self.deadlines.pop_until(now)
        {
            self.vm.steps.note(steps::THREAD);
            self.expire(waiter);
        }
        if self.cpu.slice_end <= now {
            self.cpu.slice_end = FOREVER;
            self.cpu.slice_over = true;
            let current = self.cpu.current;
            if current != NIL && self.cpu.ready.has_at(self.threads[current].priority) {
                self.rotate();
            }
        }
        self.arm();
    }

    fn expire(&mut self, waiter: Waiter) {
        match waiter {
            Waiter::Thread(thread) => self.interrupt_wait(thread, Error::TimedOut),
            Waiter::Timer(slot) => {
                let timer = &self.timers[slot];
                if let Some(notification) = timer.notification {
                    self.signal(notification, timer.bits);
                }
            }
        }
    }

    /// Handles an interrupt on a line, which the machine acknowledged to its controller and
    /// has masked.
    pub fn interrupt(&mut self, line: u32) {
        self.trace(EventKind::Interrupt, self.cpu.current, line, [0; 2]);
        if let Some(Some((notification, bits))) = self.lines.get(line as usize).copied() {
            self.signal(notification, bits);
        }
    }

    /// Notes when a thread is to stop waiting.
    ///
    /// # Errors
    /// WouldBlock for the deadline NOW.
    #[inline]
    pub(crate) fn set_deadline(&mut self, thread: u16, deadline: u64) -> Result<(), Error> {
        match deadline {
            FOREVER => Ok(()),
            NOW => Err(Error::WouldBlock),
            _ => {
                self.threads[thread].obstacles.set_timed();
                self.deadlines.insert(deadline, Waiter::Thread(thread));
                self.arm();
                Ok(())
            }
        }
    }

    /// Forgets a thread's deadline, if it has one.
    #[inline]
    pub(crate) fn clear_deadline(&mut self, thread: u16) {
        if self.threads[thread].obstacles.take_timed() {
            self.deadlines.remove(Waiter::Thread(thread));
        }
    }

    /// Returns what the current thread calls `handle`, an object of a kind that may be gone, with
    /// the capability's rights and badge.
    #[inline]
    pub(crate) fn named<T>(
        &self,
        handle: u64,
        kind: ObjectKind,
        rights: Rights,
    ) -> Result<(Id<T>, Rights, u64), Error> {
        let handle = u16::try_from(handle).map_err(|_| Error::InvalidHandle)?;
        self.handles()?.named(&self.vm.machine, Handle(handle), kind, rights)
    }

    /// Returns the capability that the current thread calls `handle`.
    pub(crate) fn capability(&self, handle: Handle, rights: Rights) -> Result<Capability, Error> {
        let capability = self.handles()?.get(&self.vm.machine, handle)?;
        if capability.rights.contains(rights) { Ok(capability) } else { Err(Error::NoRights) }
    }

    /// Returns the current thread's table.
    #[inline]
    fn handles(&self) -> Result<&Table, Error> {
        let table = self.threads[self.cpu.current].table;
        table.and_then(|id| self.tables.get(id)).ok_or(Error::InvalidHandle)
    }
}
