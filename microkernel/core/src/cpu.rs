//! What belongs to one processor: who runs, who could, and what is set up for whom.
//!
//! The kernel works for one processor at a time. Its state is [`Kernel::cpu`](crate::Kernel);
//! those of the others are parked until they enter in their turn (`across.rs`).

use kamen_abi::FOREVER;

use crate::arena::{Arena, Slots};
use crate::machine::Machine;
use crate::meter::Meter;
use crate::queue::NIL;
use crate::schedule::{RunQueue, SLICE_NS};
use crate::thread::{Obstacles, State, Thread};

/// What becomes of the current time slice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Slice {
    /// It, or none, goes on.
    AsBefore,
    /// The current thread has equals now, and its slice begins.
    Begins,
}

/// When a thread may run that is switched to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    /// At once.
    Now,
    /// At once, and a time slice begins, which ends then; the timer will interrupt before.
    WithSlice(u64),
    /// Not before others.
    Later,
}

/// What belongs to one processor.
pub struct Cpu {
    /// Which processor it is, from 0.
    pub number: u8,
    /// What keeps a thread from being switched to at once on this processor.
    pub obstacles: Obstacles,
    /// The thread that runs; NIL while idle. It is Ready and in no queue.
    pub current: u16,
    /// The threads that could.
    pub ready: RunQueue,
    /// The thread whose bases and extended state are set up; NIL: none.
    pub(crate) loaded: u16,
    /// The thread whose bases and extended state are set up while its handler runs, which has
    /// neither, so that nothing need be loaded when it goes on; NIL: none. `loaded` is NIL then.
    pub(crate) beneath: u16,
    /// The handler in question, which may find the bases in the processor but not the extended
    /// state: it may read both.
    pub(crate) guest: u16,
    /// The thread whose extended state is in the processor; NIL: nobody's that matters. Such a
    /// thread runs nowhere else.
    pub(crate) extended_owner: u16,
    pub(crate) extended_enabled: bool,
    /// When the current time slice ends; FOREVER while nobody waits for it to.
    pub(crate) slice_end: u64,
    /// A thread that was preempted before its slice ended, and the end; NIL: none. Else whoever
    /// has it preempted often enough would run for ever.
    pub(crate) preempted: (u16, u64),
    /// The slice has ended; the next switch to a thread with equals waiting goes to them instead.
    pub slice_over: bool,
    /// Whose time runs.
    pub meter: Meter,
    /// What the machine's timer is set to.
    pub(crate) armed: u64,
    /// The lowest priority that may run at once when it is switched to: nobody else is to run
    /// before, and no slice is to begin. Kept by [`Kernel::next`](crate::Kernel::next), and so
    /// right whenever user space runs.
    pub(crate) bar: u8,
    /// Whether what is loaded is burdened (see [`Thread::is_burdened`]), so that even for a thread
    /// that is not there is more to do.
    pub(crate) is_burdened: bool,
}

impl Cpu {
    pub(crate) fn new(number: u8) -> Self {
        Cpu {
            number,
            obstacles: Obstacles::on(number),
            current: NIL,
            ready: RunQueue::default(),
            loaded: NIL,
            beneath: NIL,
            guest: NIL,
            extended_owner: NIL,
            extended_enabled: false,
            slice_end: FOREVER,
            preempted: (NIL, FOREVER),
            slice_over: false,
            meter: Meter::default(),
            armed: FOREVER,
            bar: u8::MAX,
            is_burdened: true,
        }
    }

    /// Forgets what the processor holds of a thread that is about to go.
    pub(crate) fn unload(&mut self, thread: u16) {
        self.reload(thread);
        self.meter.forget(thread);
        if self.extended_owner == thread {
            self.extended_owner = NIL;
        }
        if self.current == thread {
            self.current = NIL;
        }
        if self.preempted.0 == thread {
            self.preempted = (NIL, FOREVER);
        }
    }

    /// Makes the processor set a thread up anew before it runs there.
    pub(crate) fn reload(&mut self, thread: u16) {
        if self.loaded == thread {
            self.loaded = NIL;
        }
        if self.beneath == thread || self.guest == thread {
            self.put(NIL, NIL);
        }
    }

    /// Notes that nobody's bases and extended state are set up.
    pub(crate) fn unload_all(&mut self) {
        self.loaded = NIL;
        self.put(NIL, NIL);
    }

    /// Notes which handler runs on top of what is set up for which thread.
    #[inline(always)]
    pub(crate) fn put(&mut self, guest: u16, beneath: u16) {
        (self.guest, self.beneath) = (guest, beneath);
    }

    /// Sets the processor up for a handler without bases and extended state, on top of what it was
    /// called by, which stays.
    #[inline(always)]
    pub(crate) fn dive(&mut self, machine: &mut impl Machine, slot: u16, below: u16, to: &Thread) {
        self.loaded = NIL;
        self.put(slot, below);
        self.set_extended(machine, false);
        if let Some(root) = to.root {
            machine.activate(root);
        }
    }

    /// Sets the processor up for the thread that its handler was on top of.
    #[inline(always)]
    pub(crate) fn surface(&mut self, machine: &mut impl Machine, slot: u16, thread: &Thread) {
        self.loaded = slot;
        self.put(NIL, NIL);
        self.set_extended(machine, thread.extended.is_some());
        if let Some(root) = thread.root {
            machine.activate(root);
        }
    }

    /// Lets what runs use the extended state, or takes that away.
    #[inline(always)]
    fn set_extended(&mut self, machine: &mut impl Machine, enabled: bool) {
        if enabled != self.extended_enabled {
            machine.enable_extended(enabled);
            self.extended_enabled = enabled;
        }
    }

    /// Adds a thread to those that could run here, behind its equals.
    #[inline(always)]
    pub(crate) fn enqueue(&mut self, threads: &mut Slots<'_, Thread>, thread: u16) {
        threads[thread].queue = self.number;
        self.ready.push(threads, thread);
    }

    /// Adds a thread before its equals: one that was preempted.
    #[inline(always)]
    pub(crate) fn enqueue_first(&mut self, threads: &mut Slots<'_, Thread>, thread: u16) {
        threads[thread].queue = self.number;
        self.ready.push_front(threads, thread);
    }

    /// Lets a thread run that waited; it preempts the current one if it is above it.
    #[inline(always)]
    pub(crate) fn wake(&mut self, threads: &mut Slots<'_, Thread>, thread: u16) -> Slice {
        threads[thread].state = State::Ready;
        if self.current == NIL {
            self.enqueue(threads, thread);
            return Slice::AsBefore;
        }
        let (new, old) = (threads[thread].priority, threads[self.current].priority);
        if new > old {
            self.set_aside(threads);
            if !self.ready.has_from(new) && self.preempted.0 != thread {
                // It has no equals, and so no slice.
                self.current = thread;
                self.slice_over = false;
                self.slice_end = FOREVER;
                return Slice::AsBefore;
            }
        }
        self.enqueue(threads, thread);
        if new == old && self.slice_end == FOREVER { Slice::Begins } else { Slice::AsBefore }
    }

    /// Puts the current thread before its equals; it keeps what is left of its slice.
    #[inline(always)]
    pub(crate) fn set_aside(&mut self, threads: &mut Slots<'_, Thread>) {
        let current = core::mem::replace(&mut self.current, NIL);
        self.enqueue_first(threads, current);
        if self.slice_end != FOREVER {
            self.preempted = (current, self.slice_end);
        }
    }

    /// Returns one more than the priority of the first that runs or waits here; 0 while idle.
    pub(crate) fn level(&self, threads: &Arena<Thread>) -> u8 {
        let running = match self.current {
            NIL => 0,
            current => threads[current].priority + 1,
        };
        running.max(self.ready.level())
    }

    /// Returns whether a thread of that priority may run at once: nobody is to run before it,
    /// and no slice is to begin with it.
    #[inline(always)]
    pub fn admits(&self, priority: u8) -> bool {
        priority >= self.bar
    }

    /// Returns when a thread of that priority may run that is switched to.
    #[inline(always)]
    pub(crate) fn turn(&self, machine: &mut impl Machine, priority: u8) -> Turn {
        if self.admits(priority) { Turn::Now } else { self.turn_below_bar(machine, priority) }
    }

    #[inline(never)]
    fn turn_below_bar(&self, machine: &mut impl Machine, priority: u8) -> Turn {
        // Equals are ready, then, as the bar is at most one above the first that is ready.
        if self.slice_over || self.slice_end != FOREVER || self.ready.has_above(priority) {
            return Turn::Later;
        }
        let end = machine.now().saturating_add(SLICE_NS);
        // Until then the timer arms itself anew, whenever it interrupts.
        if end < self.armed { Turn::Later } else { Turn::WithSlice(end) }
    }

    /// Has a turn begin.
    #[inline(always)]
    pub(crate) fn take(&mut self, turn: Turn) {
        if let Turn::WithSlice(end) = turn {
            self.slice_end = end;
            self.bar = self.bar_by_ready();
        }
    }

    /// Returns what the bar is to be, by who is ready.
    pub fn bar_by_ready(&self) -> u8 {
        let level = self.ready.level();
        match self.slice_end {
            _ if self.slice_over => u8::MAX,
            FOREVER => level,
            _ => level.saturating_sub(1),
        }
    }
}
