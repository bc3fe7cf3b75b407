//! Threads: where each is, and what its parked call waits for.

use libipc::{OpenCall, Thread as Handle};

use crate::kept::{Marked, Row, Tables, Touched, texts, thread as field};
use crate::linux::signals::alt_stack;
use crate::process::Pid;
use crate::process::record::{pending_bytes, pending_of};
use crate::signal::{Pending, SignalSet};
use crate::wake::{Channel, Channels};

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
    /// Whether plain fields may have changed since they were written there.
    pub is_touched: bool,
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
    pub pending: Marked<Pending>,
    /// The stack for handlers that ask for it.
    pub alt_stack: AltStack,
    /// Where to write 0 and wake waiters when it ends (`set_tid_address`).
    pub clear_tid: u64,
    /// Where its list of robust futexes is (`set_robust_list`), 0 if it has none.
    pub robust_list: u64,
    /// Its last exception, as signal frames tell it.
    pub trap: Trap,
}

impl Touched for Thread {
    fn touch(&mut self) {
        self.is_touched = true;
    }
}

impl Thread {
    /// Writes what has changed to its row.
    pub(crate) fn keep(&mut self, kept: &Tables) {
        let (table, row) = (&kept.threads, self.row);
        if core::mem::take(&mut self.is_touched) {
            table.put_all(row, field::NUMBER, &self.identity());
            table.put_all(row, field::MASK, &self.plain());
        }
        if let Some(pending) = self.pending.take_changed() {
            let bytes = pending_bytes(pending);
            let before = table.get(row, field::PENDING + 1);
            if !bytes.is_empty() || before != 0 {
                texts::free(&kept.chunks, before);
                // Without room for them they are lost with this life.
                let name = texts::put(&kept.chunks, &bytes).unwrap_or(0);
                table.put_all(row, field::PENDING, &[bytes.len() as u64, name]);
            }
        }
    }

    fn identity(&self) -> [u64; 3] {
        let process = u64::from(self.tid.0) << 32 | u64::from(self.pid.0);
        [self.number.0, process, self.handle.0.0.into()]
    }

    fn plain(&self) -> [u64; 10] {
        let AltStack { base, len, is_disarmed } = self.alt_stack;
        let flags = u64::from(self.mask_after.is_some()) | u64::from(is_disarmed) << 1;
        let after = self.mask_after.unwrap_or_default().0;
        let Trap { vector, error, address } = self.trap;
        let (mask, tid, robust) = (self.mask.0, self.clear_tid, self.robust_list);
        [mask, after, flags, base, len, tid, robust, vector, error, address]
    }

    /// Returns what is kept otherwise than it is, if anything.
    pub(crate) fn differs_from(&self, kept: &Tables) -> Option<&'static str> {
        let get = |place| kept.threads.get(self.row, place);
        let identity = core::array::from_fn(|at| get(field::NUMBER + at));
        let plain = core::array::from_fn(|at| get(field::MASK + at));
        let pending =
            texts::get(&kept.chunks, get(field::PENDING + 1), get(field::PENDING) as usize);
        [
            ("identity", identity == self.identity()),
            ("fields", plain == self.plain()),
            ("signals", pending == pending_bytes(&self.pending)),
        ]
        .into_iter()
        .find_map(|(what, is_same)| (!is_same).then_some(what))
    }

    /// Returns a thread that an earlier life kept; it runs its program, or will make its call
    /// again.
    pub(crate) fn take_up(kept: &Tables, row: Row) -> Thread {
        let get = |place| kept.threads.get(row, place);
        let (process, flags) = (get(field::PROCESS), get(field::FLAGS));
        let pending =
            texts::get(&kept.chunks, get(field::PENDING + 1), get(field::PENDING) as usize);
        Thread {
            number: ThreadNumber(get(field::NUMBER)),
            row,
            is_touched: false,
            pid: Pid(process as u32),
            tid: Pid((process >> 32) as u32),
            handle: Handle(libipc::Handle(get(field::HANDLE) as u16)),
            state: State::Running,
            mask: SignalSet(get(field::MASK)),
            mask_after: Some(SignalSet(get(field::MASK_AFTER))).filter(|_| flags & 1 != 0),
            pending: Marked::new(pending_of(&pending)),
            alt_stack: AltStack {
                base: get(field::ALT_STACK),
                len: get(field::ALT_STACK + 1),
                is_disarmed: flags & 2 != 0,
            },
            clear_tid: get(field::CLEAR_TID),
            robust_list: get(field::ROBUST),
            trap: Trap {
                vector: get(field::TRAP),
                error: get(field::TRAP + 1),
                address: get(field::TRAP + 2),
            },
        }
    }

    /// Gives its row up.
    pub(crate) fn give_up(&self, kept: &Tables) {
        texts::free(&kept.chunks, kept.threads.get(self.row, field::PENDING + 1));
        kept.threads.free(self.row);
    }
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

impl Parked {
    /// Returns whether only what ends its thread may end it: its memory and its stack are lent to
    /// a child (`wait_for_vfork_done`, kernel/fork.c), or it makes a pause that Linux has not.
    pub fn is_killable(&self) -> bool {
        matches!(self.channels, Channels::One(Channel::Borrowed(_) | Channel::Turn(_)))
    }
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
