//! Threads: registers, what they wait for, and whom their faults go to.

use kamen_abi::{Handle, Kind, Registers, Tag};

use crate::arena::Id;
use crate::endpoint::Endpoint;
use crate::machine::Frame;
use crate::meter::Times;
use crate::notification::Notification;
use crate::queue::Link;
use crate::quota::Quota;
use crate::space::Space;
use crate::table::{Object, Table};

/// What a thread is doing, and so which queue it is in.
///
/// ```text
///            Start                 switch
///   Stopped ───────> Ready <─────────────────> (running: Ready, and current)
///      ^               │ call          │ receive          │ wait
///      │ Stop          v               v                  v
///   any state      Calling ──> Open  Receiving         Waiting
///                  (queued)  (received)
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum State {
    /// Not started, or stopped; in no queue.
    #[default]
    Stopped,
    /// In the run queue, or running.
    Ready,
    /// In an endpoint's queue of senders, to be answered.
    Calling(Id<Endpoint>),
    /// In an endpoint's queue of senders, only to be received.
    Sending(Id<Endpoint>),
    /// In an endpoint's queue of receivers.
    Receiving(Id<Endpoint>),
    /// Its call was received, at that endpoint, and is not answered yet; in no queue.
    Open(Id<Endpoint>),
    /// In a notification's queue of waiters.
    Waiting(Id<Notification>),
}

/// Where a thread's faults, and a foreign thread's system calls, go.
#[derive(Clone, Copy, Debug)]
pub struct Handler {
    /// The endpoint on which they become calls.
    pub endpoint: Id<Endpoint>,
    /// The badge that the receiver sees.
    pub badge: u64,
    /// Whether system calls and software interrupts go there, too.
    pub foreign: bool,
}

/// Whose a thread's system calls are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Calls {
    /// The kernel's.
    #[default]
    Native = 0,
    /// Its handler's.
    Foreign = 1,
    /// The in-process entry's, and the kernel's where the entry makes them.
    Branching = 2,
}

/// Where a thread's system calls branch to; see [`Operation::SetEntry`](kamen_abi::Operation).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct Entry {
    /// The entry's first instruction.
    pub start: u64,
    /// The end of the entry's code: system calls from before it are native.
    pub end: u64,
    /// What the entry finds in r11.
    pub block: u64,
}

/// What keeps a thread from being switched to at once: that it has a deadline among the kernel's,
/// which is to be removed first; and that it may not run on the processor in question.
///
/// ```text
///   15: has a deadline     7..0: may not run on processor n
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Obstacles(u16);

/// Processors that the kernel can work for.
pub const MAX_PROCESSORS: u8 = 8;

impl Obstacles {
    const TIMED: u16 = 1 << 15;
    const PROCESSORS: u16 = (1 << MAX_PROCESSORS) - 1;

    /// Returns the obstacles that count on a processor.
    pub const fn on(processor: u8) -> Self {
        Obstacles(Self::TIMED | 1 << processor)
    }

    /// Returns whether one of these is among `others`.
    #[inline(always)]
    pub const fn meet(self, others: Obstacles) -> bool {
        self.0 & others.0 != 0
    }

    /// Returns whether the thread may run on a processor.
    #[inline]
    pub const fn may_run_on(self, processor: u8) -> bool {
        // Processors are numbered below 8.
        self.0 & 1_u16.wrapping_shl(processor as u32) == 0
    }

    /// Returns whether the thread has a deadline among the kernel's.
    pub const fn is_timed(self) -> bool {
        self.0 & Self::TIMED != 0
    }

    /// Notes a deadline.
    #[inline]
    pub fn set_timed(&mut self) {
        self.0 |= Self::TIMED;
    }

    /// Notes that there is no deadline any more; returns whether there was.
    #[inline]
    pub fn take_timed(&mut self) -> bool {
        let was = self.is_timed();
        self.0 &= !Self::TIMED;
        was
    }

    /// Keeps the thread to one processor.
    pub fn keep_to(&mut self, processor: u8) {
        self.0 |= Self::PROCESSORS;
        self.0 &= !(1 << processor);
    }

    /// Lets the thread run on any processor.
    pub fn allow_all(&mut self) {
        self.0 &= !Self::PROCESSORS;
    }
}

/// A thread. The machine's entry and exit paths know the places of the first four fields.
#[derive(Default)]
#[repr(C)]
pub struct Thread {
    /// Saved at each entry into the kernel, loaded at each return. After a system call rcx and
    /// r11 are not: they equal rip and rflags then.
    pub registers: Registers,
    /// Where its system calls branch to, if they do.
    pub entry: Entry,
    /// Whose its system calls are; [`Thread::note_calls`] keeps it right.
    pub calls: Calls,
    /// Whether rcx and r11 are their own: it was interrupted, or its registers were written.
    pub is_interrupted: bool,
    /// Whether running it takes more than loading registers and address space: it has bases of FS
    /// and GS, or extended state; [`Thread::note_burden`] keeps it right.
    pub is_burdened: bool,
    /// Neighbours in the queue that `state` names.
    pub link: Link,
    /// What it does.
    pub state: State,
    /// From 0 to [`kamen_abi::PRIORITIES`] - 1.
    pub priority: u8,
    /// The address space it runs in; nothing only in a free slot.
    pub space: Option<Id<Space>>,
    /// Root page table of that space.
    pub root: Option<Frame>,
    /// Where its handles are looked up; foreign threads have none.
    pub table: Option<Id<Table>>,
    /// Frame of its message page.
    pub message_page: Option<Frame>,
    /// Where its faults go.
    pub handler: Option<Handler>,

    /// The sequence number of its open call; the next one gets the next number.
    pub sequence: u64,
    /// While Calling, Sending or Open: the message's tag as its receiver sees it.
    pub tag: Tag,
    /// While Calling, Sending or Open: the badge that its receiver sees.
    pub badge: u64,
    /// While Open: the address space that may answer.
    pub answerer: Option<Id<Space>>,
    /// What keeps it from being switched to at once.
    pub obstacles: Obstacles,
    /// While Ready and not running: the processor in whose queue it is.
    pub queue: u8,
    /// The processor that it was moved to, if it was.
    pub home: Option<u8>,
    /// Error code and address of the exception that it met last, or page and access of the
    /// missing page.
    pub fault: [u64; 2],

    /// The notification that its receives serve, too.
    pub bound: Option<Id<Notification>>,
    /// Where its extended state is kept while others use the processor's; threads that never
    /// used it have none.
    pub extended: Option<Frame>,
    /// What it is destroying, by that handle, while the operation is to be repeated.
    pub destroying: Option<(Handle, Object)>,
    /// What it is charged to; nothing only in a free slot.
    pub quota: Option<Id<Quota>>,
    /// How long it has had a processor.
    pub times: Times,
    /// Where its sequence numbers began: what is above is the number of its calls.
    pub first_sequence: u64,
}

impl Thread {
    /// Returns whether who has the thread's open call may control it: its handler may, but neither
    /// the server of a message nor a pager.
    pub fn is_controlled(&self) -> bool {
        match self.tag.kind() {
            Kind::SystemCall | Kind::Interrupt | Kind::Exception | Kind::Recall => true,
            Kind::Message | Kind::Page | Kind::Notification | Kind::Cancelled => false,
        }
    }

    /// Returns the registers as user space had them.
    pub fn user_registers(&self) -> Registers {
        let Registers { rip, rflags, .. } = self.registers;
        let own = self.is_interrupted;
        let (rcx, r11) = if own { (self.registers.rcx, self.registers.r11) } else { (rip, rflags) };
        Registers { rcx, r11, ..self.registers }
    }

    /// Sets the registers, which are validated.
    pub fn set_registers(&mut self, registers: Registers) {
        self.is_interrupted = (registers.rcx, registers.r11) != (registers.rip, registers.rflags);
        self.registers = registers;
        self.note_burden();
    }

    /// Moves the thread: sets rip, rsp and rflags, which are validated here; nothing, and no change,
    /// where rip is not in the user half.
    pub fn go_on_at(&mut self, rip: u64, rsp: u64, rflags: u64) -> Option<()> {
        let Registers { rip, rsp, rflags, .. } =
            Registers { rip, rsp, rflags, ..Registers::default() }.validated()?;
        let Registers { rcx, r11, .. } = self.user_registers();
        self.is_interrupted = (rcx, r11) != (rip, rflags);
        self.registers = Registers { rcx, r11, rip, rsp, rflags, ..self.registers };
        Some(())
    }

    /// Notes whether the thread has bases or extended state, after either changed.
    pub fn note_burden(&mut self) {
        let bases = self.registers.fs_base | self.registers.gs_base;
        self.is_burdened = bases != 0 || self.extended.is_some();
    }

    /// Notes whose the thread's system calls are, after its handler or its entry changed.
    pub fn note_calls(&mut self) {
        let foreign = self.handler.is_some_and(|handler| handler.foreign);
        self.calls = match (foreign, self.entry.start) {
            (false, _) => Calls::Native,
            (true, 0) => Calls::Foreign,
            (true, _) => Calls::Branching,
        };
    }

    /// Lets the thread run wherever it may: its extended state is in no processor any more.
    pub fn release(&mut self) {
        match self.home {
            Some(processor) => self.obstacles.keep_to(processor),
            None => self.obstacles.allow_all(),
        }
    }
}
