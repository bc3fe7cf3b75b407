//! Signals: their numbers, default actions, and the frame that a handler returns through.
//!
//! Layouts: asm-generic/signal.h, asm/sigcontext.h, asm/ucontext.h, asm-generic/siginfo.h.
#![expect(missing_docs, reason = "the names are POSIX's")]

pub const SIGHUP: u8 = 1;
pub const SIGINT: u8 = 2;
pub const SIGQUIT: u8 = 3;
pub const SIGILL: u8 = 4;
pub const SIGTRAP: u8 = 5;
pub const SIGABRT: u8 = 6;
pub const SIGBUS: u8 = 7;
pub const SIGFPE: u8 = 8;
pub const SIGKILL: u8 = 9;
pub const SIGUSR1: u8 = 10;
pub const SIGSEGV: u8 = 11;
pub const SIGUSR2: u8 = 12;
pub const SIGPIPE: u8 = 13;
pub const SIGALRM: u8 = 14;
pub const SIGTERM: u8 = 15;
pub const SIGCHLD: u8 = 17;
pub const SIGCONT: u8 = 18;
pub const SIGSTOP: u8 = 19;
pub const SIGTSTP: u8 = 20;
pub const SIGTTIN: u8 = 21;
pub const SIGTTOU: u8 = 22;
pub const SIGURG: u8 = 23;
pub const SIGXCPU: u8 = 24;
pub const SIGXFSZ: u8 = 25;
pub const SIGWINCH: u8 = 28;
pub const SIGVTALRM: u8 = 26;
pub const SIGPROF: u8 = 27;
pub const SIGSYS: u8 = 31;
/// The first realtime signal of the kernel (`SIGRTMIN`).
pub const FIRST_REALTIME: u8 = 32;
/// The highest signal number (`_NSIG`).
pub const MAX: u8 = 64;

/// Handler address that asks for the default action.
pub const DEFAULT: u64 = 0;
/// Handler address that asks to ignore.
pub const IGNORE: u64 = 1;

/// Flags of sigaction.
pub mod action {
    pub const NO_CHILD_STOP: u64 = 1;
    pub const NO_CHILD_WAIT: u64 = 2;
    pub const ON_STACK: u64 = 0x0800_0000;
    pub const RESTART: u64 = 0x1000_0000;
    pub const NO_DEFER: u64 = 0x4000_0000;
    pub const RESET: u64 = 0x8000_0000;
    /// All that there are: the others are shown as not set (sigaction(2), "Dynamically probing for
    /// flag bit support").
    pub const KNOWN: u64 = NO_CHILD_STOP
        | NO_CHILD_WAIT
        | 4
        | ON_STACK
        | RESTART
        | NO_DEFER
        | RESET
        | 0x0400_0000
        | 0x800;
}

/// `ss_flags` of sigaltstack (asm-generic/signal.h, linux/signal.h).
pub mod alt_stack {
    pub const ON_STACK: u32 = 1;
    pub const DISABLED: u32 = 2;
    pub const AUTO_DISARM: u32 = 1 << 31;
    /// `MINSIGSTKSZ`
    pub const SMALLEST: u64 = 2048;
}

/// Where a signal came from (`si_code`).
pub mod code {
    pub const USER: i32 = 0;
    pub const KERNEL: i32 = 0x80;
    pub const QUEUE: i32 = -1;
    pub const TIMER: i32 = -2;
    pub const TKILL: i32 = -6;
    pub const CHILD_EXITED: i32 = 1;
    pub const CHILD_KILLED: i32 = 2;
    pub const CHILD_STOPPED: i32 = 5;
    pub const CHILD_CONTINUED: i32 = 6;
    /// Nothing is mapped at the address (SIGSEGV).
    pub const NOT_MAPPED: i32 = 1;
    /// The mapping does not allow the access (SIGSEGV).
    pub const NO_ACCESS: i32 = 2;
    /// The file that is mapped has ended before the address (SIGBUS, `BUS_ADRERR`).
    pub const NO_SUCH_ADDRESS: i32 = 2;
    /// `BUS_ADRALN`.
    pub const MISALIGNED: i32 = 1;
    /// `FPE_INTDIV`.
    pub const DIVIDED_BY_ZERO: i32 = 1;
    /// `FPE_FLTINV`.
    pub const INVALID_NUMBER: i32 = 7;
    /// `ILL_ILLOPN`.
    pub const ILLEGAL_OPERAND: i32 = 2;
    /// `TRAP_TRACE`.
    pub const TRACED: i32 = 2;
}

/// What happens to a process that has no handler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Default {
    /// It ends.
    End,
    /// Nothing.
    Ignore,
    /// It stops.
    Stop,
    /// It goes on.
    Continue,
}

/// Returns the default action of a signal (signal(7)).
pub const fn default(signal: u8) -> Default {
    match signal {
        SIGCHLD | SIGURG | SIGWINCH => Default::Ignore,
        SIGSTOP | SIGTSTP | SIGTTIN | SIGTTOU => Default::Stop,
        SIGCONT => Default::Continue,
        _ => Default::End,
    }
}

/// Returns what strsignal(3) says of the signals that faults cause.
pub const fn fault_name(signal: u8) -> &'static str {
    match signal {
        SIGILL => "illegal instruction",
        SIGKILL => "killed",
        SIGTRAP => "trap",
        SIGBUS => "bus error",
        SIGFPE => "arithmetic error",
        _ => "segmentation fault",
    }
}
