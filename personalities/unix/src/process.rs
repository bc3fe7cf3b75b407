//! Processes and their threads: what the personality knows of them.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use libipc::Notification;
use protocols::process::{ExitStatus, Pid as NativePid};

use crate::credentials::Credentials;
use crate::kept::{Marked, Row};
use crate::memory::Mm;
use crate::open::Descriptors;
use crate::path::Directory;
use crate::signal::{Actions, Pending};

mod all;
mod limits;
mod record;
mod run_time;
mod settings;
mod thread;

pub use all::{Processes, Threads};
pub use limits::{Limit, Limits, RESOURCES, Resource, UNLIMITED};
pub use run_time::RunTime;
pub use settings::{Policy, Settings, TIMER_SLACK};
pub use thread::{AltStack, Answer, Held, Parked, State, Thread, ThreadNumber, Trap};

/// Most processes.
pub const MAX_PROCESSES: usize = 256;

/// Most threads of all processes together.
pub const MAX_THREADS: usize = 1024;

/// Names a process, a thread, a process group or a session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pid(pub u32);

impl Pid {
    /// The process that adopts orphans: this server, which no program ever sees run.
    pub const INIT: Pid = Pid(1);
    /// The highest number.
    pub const MAX: u32 = 32_767;
}

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It exited with a code.
    Code(u8),
    /// A signal ended it.
    Signal(u8),
}

impl Ending {
    /// Returns the status that wait4(2) reports.
    pub fn wait_status(self) -> u32 {
        match self {
            Ending::Code(code) => u32::from(code) << 8,
            Ending::Signal(signal) => signal.into(),
        }
    }

    /// Returns the status that the protocol `process` reports.
    pub fn exit_status(self) -> ExitStatus {
        match self {
            Ending::Code(code) => ExitStatus(code.into()),
            Ending::Signal(signal) => ExitStatus(256 + u64::from(signal)),
        }
    }

    /// Returns the ending that a status of the protocol `process` stands for.
    pub fn from_exit_status(status: ExitStatus) -> Ending {
        match status.0 {
            0..=255 => Ending::Code(status.0 as u8),
            _ => Ending::Signal((status.0 & 0x7f) as u8),
        }
    }
}

/// Where a process is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Life {
    /// It runs or waits.
    Running,
    /// A signal stopped it.
    Stopped(u8),
    /// It has ended, and its parent has not asked how.
    Zombie(Ending),
}

/// A change of state that the parent has not asked about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Report {
    /// A signal stopped it.
    Stopped(u8),
    /// It goes on.
    Continued,
}

/// A timer that sends SIGALRM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Alarm {
    /// When, in ns since boot.
    pub at: u64,
    /// How often from then on, in ns; 0: once.
    pub interval: u64,
}

/// A process.
#[derive(Debug)]
pub struct Process {
    /// Its number.
    pub pid: Pid,
    /// Where it is in kept memory.
    pub row: Row,
    /// Whether plain fields may have changed since they were written there.
    pub is_touched: bool,
    /// Its parent.
    pub parent: Pid,
    /// Its process group.
    pub group: Pid,
    /// Its session.
    pub session: Pid,
    /// Whether it has executed a program since it was forked.
    pub has_executed: bool,
    /// Whom it acts for.
    pub credentials: Marked<Credentials>,
    /// Permission bits that new files don't get.
    pub umask: u32,
    /// Its resource limits.
    pub limits: Marked<Limits>,
    /// What it has set for itself.
    pub settings: Marked<Settings>,
    /// Its working directory.
    pub cwd: Marked<Directory>,
    /// Its root directory, if that is not the tree's.
    pub root: Marked<Option<Rc<Directory>>>,
    /// Its file descriptors.
    pub descriptors: Descriptors,
    /// What it does on signals.
    pub actions: Marked<Actions>,
    /// Signals for whichever thread takes them.
    pub pending: Marked<Pending>,
    /// Its memory; nothing when it has ended or is played by a native program.
    pub mm: Option<Rc<RefCell<Mm>>>,
    /// Its threads.
    pub threads: Vec<ThreadNumber>,
    /// Where it is in its life.
    pub life: Life,
    /// What its parent may want to know.
    pub report: Option<Report>,
    /// The short name of its program (`comm`).
    pub name: Vec<u8>,
    /// The path of its program.
    pub executable: Marked<Vec<u8>>,
    /// Its arguments, each followed by a NUL.
    pub command_line: Marked<Vec<u8>>,
    /// Where its first environment lies: first byte and the one after the last.
    pub environment: (u64, u64),
    /// Where its auxiliary vector lies.
    pub auxiliary: (u64, u64),
    /// When it started, in ns since boot.
    pub started: u64,
    /// How long children that it has waited for have run, theirs included.
    pub children_time: RunTime,
    /// How long its ended threads have run.
    pub ended_time: RunTime,
    /// When its processor time is to be looked at, in ns since boot (`RLIMIT_CPU`).
    pub time_watch: Option<u64>,
    /// The processor time, in ns, from which on it is warned next.
    pub time_warned: u64,
    /// SIGALRM to come.
    pub alarm: Option<Alarm>,
    /// The signal that its parent gets when it ends (0: none).
    pub exit_signal: u8,
    /// The parent's thread that waits until this process ends or executes a program (vfork).
    pub borrowed_from: Option<ThreadNumber>,
    /// The native program that plays it (a DOS session).
    pub native: Option<NativePid>,
    /// Whether that program has the terminal itself, and so its keys instead of this server.
    pub has_keys: bool,
    /// The badges under which that program uses this process's streams.
    pub exported: Vec<u64>,
    /// The client of the protocol `process` that started it and is told of its end.
    pub client: Option<Client>,
}

/// A client of the protocol `process`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Client {
    /// The badge that it calls with.
    pub badge: u64,
    /// What to signal when the process ends.
    pub exited: Notification,
}

impl Process {
    /// Returns whether it has ended.
    pub fn is_zombie(&self) -> bool {
        matches!(self.life, Life::Zombie(_))
    }

    /// Returns whether a signal has stopped it.
    pub fn is_stopped(&self) -> bool {
        matches!(self.life, Life::Stopped(_))
    }

    /// Returns the name for messages.
    pub fn display_name(&self) -> alloc::string::String {
        alloc::string::String::from_utf8_lossy(&self.name).into_owned()
    }
}
