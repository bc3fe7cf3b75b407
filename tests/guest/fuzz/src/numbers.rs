//! Numbers of the system calls that the programs make on purpose (asm/unistd_64.h).

pub const READ: u32 = 0;
pub const WRITE: u32 = 1;
pub const CLOSE: u32 = 3;
pub const OPEN: u32 = 2;
pub const POLL: u32 = 7;
pub const MMAP: u32 = 9;
pub const SIGACTION: u32 = 13;
pub const SIGPROCMASK: u32 = 14;
pub const PIPE2: u32 = 293;
pub const DUP: u32 = 32;
pub const DUP2: u32 = 33;
pub const PAUSE: u32 = 34;
pub const NANOSLEEP: u32 = 35;
pub const SETITIMER: u32 = 38;
pub const GETPID: u32 = 39;
pub const FORK: u32 = 57;
pub const VFORK: u32 = 58;
pub const EXECVE: u32 = 59;
pub const EXIT: u32 = 60;
pub const WAIT4: u32 = 61;
pub const KILL: u32 = 62;
pub const MKDIR: u32 = 83;
pub const CHDIR: u32 = 80;
pub const SETUID: u32 = 105;
pub const SETPGID: u32 = 109;
pub const SETSID: u32 = 112;
pub const SIGQUEUEINFO: u32 = 129;
pub const SIGSUSPEND: u32 = 130;
pub const MKNOD: u32 = 133;
pub const FUTEX: u32 = 202;
pub const EXIT_GROUP: u32 = 231;

/// Bits of wait4(2).
pub const NO_HANG: u64 = 1;
/// Signals.
pub const SIGKILL: u64 = 9;
pub const SIGALRM: u64 = 14;
pub const SIGSTOP: u64 = 19;
/// Errors.
pub const EAGAIN: u64 = 11;
