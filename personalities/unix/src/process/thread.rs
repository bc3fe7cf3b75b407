//! Threads: where each is, and what its parked call waits for.

use libipc::{OpenCall, Thread as Handle};

use crate::kept::Row;
use crate::linux::signals::alt_stack;
use crate::process::Pid;
use crate::signal::{Pending, SignalSet};
use crate::wake::Channels;

/// The number under which a thread's calls come in: the badge of its handler.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ThreadNumber(pub u64);

/// A thread of a process.
#[derive(Debug)]
pub struct Thread {
    /// Its number.
    pub number: ThreadNumber,
    /// Where it is in kept memory ([`crate::kept::thread`]).
    pub row: Row,
    /// Its process.
    pub pid: Pid,
    /// Its number as programs see it; the process's number for the first thread.
    pub tid: Pid,
    /// The kernel's thread.
    pub handle: Handle,
    /// Where it is.
    pub state: State,
    /// Signals that it does not take now.
    pub mask: SignalSet,
    /// The mask to go back to after a call that set one for its own length (sigsuspend).
    pub mask_after: Option<SignalSet>,
    /// Signals for this thread.
    pub pending: Pending,
    /// The stack for handlers that ask for it.
    pub alt_stack: AltStack,
    /// Where to write 0 and wake waiters when it ends (`set_tid_address`).
    pub clear_tid: u64,
    /// Where its list of robust futexes is (`set_robust_list`), 0 if it has none.
    pub robust_list: u64,
    /// Its last exception, as signal frames tell it.
    pub trap: Trap,
}

/// An exception: `trapno`, `err` and `cr2` of `struct sigcontext` (asm/sigcontext.h).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Trap {
    /// Its vector.
    pub vector: u64,
    /// Its error code.
    pub error: u64,
    /// The address of the last page fault.
    pub address: u64,
}

/// An alternate signal stack (sigaltstack(2)); none where its length is 0.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct AltStack {
    /// First byte.
    pub base: u64,
    /// Length in bytes.
    pub len: u64,
    /// Whether it is taken away while a handler runs on it (`SS_AUTODISARM`).
    pub is_disarmed: bool,
}

impl AltStack {
    /// Returns the stack of `stack_t`.
    pub fn new(base: u64, flags: u32, len: u64) -> AltStack {
        if flags & alt_stack::DISABLED != 0 {
            return AltStack::default();
        }
        AltStack { base, len, is_disarmed: flags & alt_stack::AUTO_DISARM != 0 }
    }

    /// Returns `ss_flags` as a thread with a stack pointer sees them.
    pub fn flags(&self, pointer: u64) -> u32 {
        let disarm = if self.is_disarmed { alt_stack::AUTO_DISARM } else { 0 };
        let state = match self.len {
            0 => alt_stack::DISABLED,
            _ if !self.is_disarmed && self.contains(pointer) => alt_stack::ON_STACK,
            _ => 0,
        };
        state | disarm
    }

    /// Returns whether a stack pointer lies on it.
    pub fn contains(&self, pointer: u64) -> bool {
        pointer > self.base && pointer - self.base <= self.len
    }
}

/// Where a thread is.
///
/// ```text
///             call                 cannot be answered yet
///   Running ──────> (handler) ──────────────────────────> Parked
///      ^               │  │   process is stopped   ^ retry   │ answered
///      └───── reply ───┘  └──────────> Held ────────────────-┘
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// It runs its program, or its call is being handled.
    Running,
    /// Its call waits for something.
    Parked(Parked),
    /// Its call is answered, but its process is stopped.
    Held(Held),
}

/// A call that waits for something; it is made again when that has changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parked {
    /// The call.
    pub call: OpenCall,
    /// The number of the system call.
    pub number: u32,
    /// Its arguments.
    pub words: [u64; 6],
    /// What it waits for.
    pub channels: Channels,
    /// When it ends in any case, in ns since boot.
    pub deadline: Option<u64>,
    /// How much of it is done, in bytes.
    pub progress: u64,
}

/// An answer that waits until the process is continued.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Held {
    /// The call.
    pub call: OpenCall,
    /// Its answer.
    pub answer: Answer,
}

/// How a thread goes back to its program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// With a value in rax.
    Value(u64),
    /// With its registers as they are, or were set.
    Registers,
    /// Not yet, if no signal handler has to run: the call waits on.
    Wait(Parked),
}
