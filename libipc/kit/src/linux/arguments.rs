//! Arguments of Linux' system calls as a person reads them: `openat(AT_FDCWD, 0x4c5010, O_RDONLY)`.
//!
//! Only words are known here: strings lie in the caller's memory and are shown as addresses.
//! Flags: asm-generic/fcntl.h, mman-common.h, linux/sched.h, linux/wait.h, linux/futex.h.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// Writes a call's words with their meaning; nothing for calls whose words nobody described.
pub fn arguments(name: &str, words: &[u64]) -> Option<String> {
    let (_, kinds) = SIGNATURES.iter().find(|(one, _)| *one == name)?;
    let mut texts: Vec<String> = Vec::new();
    let mut creates = false;
    for (kind, &word) in kinds.bytes().zip(words) {
        // A mode counts only where something is created.
        if kind == b'm' && kinds.contains('o') && !creates {
            break;
        }
        creates |= kind == b'o' && word & 0o100 != 0;
        texts.push(argument(kind, word));
    }
    Some(format!("({})", texts.join(", ")))
}

fn argument(kind: u8, word: u64) -> String {
    match kind {
        b'd' if word as i32 == -100 => "AT_FDCWD".to_string(),
        b'd' | b'f' | b'n' => (word as i32).to_string(),
        b'u' => (word as i64).to_string(),
        b'p' if word == 0 => "NULL".to_string(),
        b'm' => format!("{:#o}", word as u32).replacen("0o", "0", 1),
        b'o' => flags(word & !3, ACCESS.get((word & 3) as usize).copied(), OPEN),
        b'r' => flags(word, (word == 0).then_some("PROT_NONE"), PROTECTION),
        b'M' => flags(word, None, MAP),
        b'c' => flags(word & !0xff, signal(word & 0xff), CLONE),
        b'w' => flags(word, None, WAIT),
        b'a' => flags(word, None, AT),
        b's' => signal(word).map_or_else(|| (word as i32).to_string(), ToString::to_string),
        b't' => flags(word & !0x7f, FUTEX.get((word & 0x7f) as usize).copied(), FUTEX_FLAGS),
        b'h' => WHENCE.get(word as usize).map_or_else(|| word.to_string(), |name| name.to_string()),
        b'k' => FCNTL.get(word as usize).map_or_else(|| word.to_string(), |name| name.to_string()),
        _ => format!("{word:#x}"),
    }
}

/// Returns names of the bits that are set, `first` before them, and what has no name.
fn flags(word: u64, first: Option<&str>, names: &[(u64, &str)]) -> String {
    let mut rest = word;
    let mut parts: Vec<String> = first.map(ToString::to_string).into_iter().collect();
    for (bits, name) in names {
        if rest & bits == *bits {
            rest &= !bits;
            parts.push(name.to_string());
        }
    }
    if rest != 0 || parts.is_empty() {
        parts.push(if rest == 0 { "0".to_string() } else { format!("{rest:#x}") });
    }
    parts.join("|")
}

fn signal(number: u64) -> Option<&'static str> {
    SIGNALS.get(usize::try_from(number).ok()?.checked_sub(1)?).copied()
}

const ACCESS: &[&str] = &["O_RDONLY", "O_WRONLY", "O_RDWR"];
const OPEN: &[(u64, &str)] = &[
    (0o100, "O_CREAT"),
    (0o200, "O_EXCL"),
    (0o400, "O_NOCTTY"),
    (0o1000, "O_TRUNC"),
    (0o2000, "O_APPEND"),
    (0o4000, "O_NONBLOCK"),
    (0o20_200_000, "O_TMPFILE"),
    (0o4_010_000, "O_SYNC"),
    (0o10_000, "O_DSYNC"),
    (0o40_000, "O_DIRECT"),
    (0o100_000, "O_LARGEFILE"),
    (0o200_000, "O_DIRECTORY"),
    (0o400_000, "O_NOFOLLOW"),
    (0o1_000_000, "O_NOATIME"),
    (0o2_000_000, "O_CLOEXEC"),
    (0o10_000_000, "O_PATH"),
];
const PROTECTION: &[(u64, &str)] = &[(1, "PROT_READ"), (2, "PROT_WRITE"), (4, "PROT_EXEC")];
const MAP: &[(u64, &str)] = &[
    (3, "MAP_SHARED_VALIDATE"),
    (1, "MAP_SHARED"),
    (2, "MAP_PRIVATE"),
    (0x10, "MAP_FIXED"),
    (0x20, "MAP_ANONYMOUS"),
    (0x100, "MAP_GROWSDOWN"),
    (0x800, "MAP_DENYWRITE"),
    (0x4000, "MAP_NORESERVE"),
    (0x8000, "MAP_POPULATE"),
    (0x2_0000, "MAP_STACK"),
    (0x10_0000, "MAP_FIXED_NOREPLACE"),
];
const CLONE: &[(u64, &str)] = &[
    (0x100, "CLONE_VM"),
    (0x200, "CLONE_FS"),
    (0x400, "CLONE_FILES"),
    (0x800, "CLONE_SIGHAND"),
    (0x4000, "CLONE_VFORK"),
    (0x1_0000, "CLONE_THREAD"),
    (0x4_0000, "CLONE_SYSVSEM"),
    (0x8_0000, "CLONE_SETTLS"),
    (0x10_0000, "CLONE_PARENT_SETTID"),
    (0x20_0000, "CLONE_CHILD_CLEARTID"),
    (0x100_0000, "CLONE_CHILD_SETTID"),
];
const WAIT: &[(u64, &str)] = &[(1, "WNOHANG"), (2, "WUNTRACED"), (8, "WCONTINUED")];
const AT: &[(u64, &str)] = &[
    (0x100, "AT_SYMLINK_NOFOLLOW"),
    (0x200, "AT_REMOVEDIR"),
    (0x400, "AT_SYMLINK_FOLLOW"),
    (0x1000, "AT_EMPTY_PATH"),
];
const FUTEX: &[&str] = &[
    "FUTEX_WAIT",
    "FUTEX_WAKE",
    "FUTEX_FD",
    "FUTEX_REQUEUE",
    "FUTEX_CMP_REQUEUE",
    "FUTEX_WAKE_OP",
    "FUTEX_LOCK_PI",
    "FUTEX_UNLOCK_PI",
    "FUTEX_TRYLOCK_PI",
    "FUTEX_WAIT_BITSET",
    "FUTEX_WAKE_BITSET",
];
const FUTEX_FLAGS: &[(u64, &str)] = &[(128, "FUTEX_PRIVATE_FLAG"), (256, "FUTEX_CLOCK_REALTIME")];
const WHENCE: &[&str] = &["SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA", "SEEK_HOLE"];
const FCNTL: &[&str] = &[
    "F_DUPFD", "F_GETFD", "F_SETFD", "F_GETFL", "F_SETFL", "F_GETLK", "F_SETLK", "F_SETLKW",
    "F_SETOWN", "F_GETOWN",
];
/// From 1 on (asm/signal.h).
const SIGNALS: &[&str] = &[
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

/// What each word of a call is, a letter each, as `argument` reads them: d directory, f
/// descriptor, n number, u length, p address, m mode, s signal, x hexadecimal; flags of o open,
/// r protection, M mmap, c clone, w wait, a *at; t futex, h whence, k fcntl.
#[rustfmt::skip]
static SIGNATURES: &[(&str, &str)] = &[
    ("read", "fpu"), ("write", "fpu"), ("open", "pom"), ("close", "f"), ("stat", "pp"),
    ("fstat", "fp"), ("lstat", "pp"), ("poll", "pun"), ("lseek", "fuh"), ("mmap", "purMfx"),
    ("mprotect", "pur"), ("munmap", "pu"), ("brk", "p"), ("rt_sigaction", "sppu"),
    ("rt_sigprocmask", "nppu"), ("rt_sigreturn", ""), ("ioctl", "fxx"), ("pread64", "fpuu"),
    ("pwrite64", "fpuu"), ("readv", "fpn"), ("writev", "fpn"), ("access", "pn"), ("pipe", "p"),
    ("sched_yield", ""), ("madvise", "pun"), ("dup", "f"), ("dup2", "ff"), ("pause", ""),
    ("nanosleep", "pp"), ("alarm", "u"), ("getpid", ""), ("socket", "nnn"), ("connect", "fpu"),
    ("clone", "cpppp"), ("fork", ""), ("vfork", ""), ("execve", "ppp"), ("exit", "n"),
    ("wait4", "npwp"), ("kill", "ns"), ("uname", "p"), ("fcntl", "fkx"), ("fsync", "f"),
    ("ftruncate", "fu"), ("truncate", "pu"), ("getcwd", "pu"), ("chdir", "p"), ("fchdir", "f"),
    ("rename", "pp"), ("mkdir", "pm"), ("rmdir", "p"), ("creat", "pm"), ("link", "pp"),
    ("unlink", "p"), ("symlink", "pp"), ("readlink", "ppu"), ("chmod", "pm"), ("fchmod", "fm"),
    ("chown", "pnn"), ("fchown", "fnn"), ("umask", "m"), ("getuid", ""), ("getgid", ""),
    ("geteuid", ""), ("getegid", ""), ("setuid", "n"), ("setgid", "n"), ("getppid", ""),
    ("getpgrp", ""), ("setsid", ""), ("setpgid", "nn"), ("getpgid", "n"), ("arch_prctl", "xp"),
    ("gettid", ""), ("tkill", "ns"), ("futex", "ptnppn"), ("getdents64", "fpu"),
    ("set_tid_address", "p"), ("clock_gettime", "np"), ("exit_group", "n"), ("tgkill", "nns"),
    ("openat", "dpom"), ("mkdirat", "dpm"), ("newfstatat", "dppa"), ("unlinkat", "dpa"),
    ("renameat", "dpdp"), ("linkat", "dpdpa"), ("symlinkat", "pdp"), ("readlinkat", "dppu"),
    ("fchmodat", "dpm"), ("faccessat", "dpn"), ("set_robust_list", "pu"), ("dup3", "ffo"),
    ("pipe2", "po"), ("prlimit64", "nnpp"), ("getrandom", "pux"), ("statx", "dpaxp"),
    ("rseq", "puxx"), ("clone3", "pu"), ("close_range", "nnx"), ("faccessat2", "dpna"),
    ("sendfile", "ffpu"), ("epoll_create1", "x"), ("epoll_ctl", "fnfp"), ("epoll_wait", "fpnn"),
];

#[cfg(test)]
mod tests {
    use super::{SIGNATURES, arguments};

    #[test]
    fn words_are_told_as_what_they_are() {
        let told = |name: &str, words: &[u64]| arguments(name, words).unwrap();
        let here = -100i64 as u64;
        let opened = told("openat", &[here, 0x4c5010, 0o2_000_000, 0o644]);
        assert_eq!(opened, "(AT_FDCWD, 0x4c5010, O_RDONLY|O_CLOEXEC)");
        assert_eq!(told("open", &[0, 0o101, 0o644]), "(NULL, O_WRONLY|O_CREAT, 0644)");
        let mapped = told("mmap", &[0, 4096, 3, 0x22, u64::MAX, 0]);
        assert_eq!(
            mapped,
            "(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0x0)"
        );
        assert_eq!(told("kill", &[7, 15]), "(7, SIGTERM)");
        assert_eq!(told("wait4", &[u64::MAX, 0, 3, 0]), "(-1, NULL, WNOHANG|WUNTRACED, NULL)");
        assert_eq!(
            told("clone", &[0x120_0011]),
            "(SIGCHLD|CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID)"
        );
        assert_eq!(told("getpid", &[9, 9]), "()");
        assert_eq!(told("futex", &[16, 129, 1]), "(0x10, FUTEX_WAKE|FUTEX_PRIVATE_FLAG, 1)");
        assert_eq!(arguments("no_such_call", &[]), None);
    }

    #[test]
    fn every_signature_is_of_a_call_and_known_letters() {
        let names: alloc::vec::Vec<_> = (0..512).filter_map(crate::linux::system_call).collect();
        for (name, letters) in SIGNATURES {
            assert!(names.contains(name), "{name}");
            assert!(letters.bytes().all(|one| b"dfnupmsxorMcwathk".contains(&one)), "{letters}");
        }
    }
}
