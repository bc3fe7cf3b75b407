//! Flags and operations of system calls: which are served, and which are refused and how.
//!
//! Only calls that have some are here; names are those of their manual pages.

/// Served and refused flags by the calls' names.
static FLAGS: &[(&str, &str, &str)] = &[
    ("adjtimex, clock_adjtime", "modes 0, ADJ_OFFSET_SS_READ", "others: EOPNOTSUPP"),
    (
        "clone",
        "signal, CLONE_VM, VFORK, THREAD, SETTLS, PARENT_SETTID, CHILD_SETTID, CHILD_CLEARTID, \
         PARENT, PIDFD; FILES, FS, SIGHAND with THREAD",
        "FILES, FS, SIGHAND without THREAD, namespaces: EINVAL; others have no effect",
    ),
    (
        "clone3",
        "as clone, CLEAR_SIGHAND; 64 bytes and more",
        "shorter arguments: EINVAL; others have no effect",
    ),
    (
        "close_range",
        "CLOSE_RANGE_CLOEXEC, CLOSE_RANGE_UNSHARE",
        "UNSHARE with other threads: EINVAL",
    ),
    ("dup3", "O_CLOEXEC", "others: EINVAL"),
    ("execveat", "AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW", "others: EINVAL"),
    ("faccessat2", "AT_EACCESS, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH", "others: EINVAL"),
    (
        "fallocate",
        "0, KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE",
        "COLLAPSE_RANGE, INSERT_RANGE, UNSHARE_RANGE: EOPNOTSUPP",
    ),
    ("fchownat", "AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH", "others: EINVAL"),
    (
        "fcntl",
        "F_DUPFD(_CLOEXEC), F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW, \
         F_OFD_*, F_GETPIPE_SZ, F_SETPIPE_SZ (stays)",
        "others: EINVAL",
    ),
    ("flock", "LOCK_SH, LOCK_EX, LOCK_UN, LOCK_NB", "others: EINVAL"),
    (
        "futex",
        "WAIT, WAKE, REQUEUE, CMP_REQUEUE, WAKE_OP, WAIT_BITSET, WAKE_BITSET, LOCK_PI, LOCK_PI2, \
         TRYLOCK_PI, UNLOCK_PI (no priority is inherited; an owner that dies hands over robust ones \
         only); PRIVATE, CLOCK_REALTIME",
        "WAIT_REQUEUE_PI, CMP_REQUEUE_PI, FD: ENOSYS",
    ),
    ("getpriority", "PRIO_PROCESS, PRIO_PGRP, PRIO_USER", "others: EINVAL"),
    ("getrandom", "GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE", "others: EINVAL"),
    (
        "ioprio_set",
        "IOPRIO_WHO_*; classes none, real-time, best effort, idle (kept)",
        "others: EINVAL",
    ),
    ("linkat", "AT_SYMLINK_FOLLOW, AT_EMPTY_PATH", "others: EINVAL"),
    (
        "membarrier",
        "QUERY, GLOBAL, PRIVATE_EXPEDITED, REGISTER_PRIVATE_EXPEDITED",
        "others, as QUERY tells: EINVAL",
    ),
    ("memfd_create", "MFD_CLOEXEC", "MFD_ALLOW_SEALING, MFD_HUGETLB: EINVAL"),
    ("mount", "", "all: EPERM, once the place is found"),
    (
        "open, openat",
        "O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_NONBLOCK, O_DIRECTORY, \
         O_NOFOLLOW, O_CLOEXEC, O_NOATIME, O_PATH, O_TMPFILE, O_LARGEFILE",
        "unknown ones are ignored, as on Linux",
    ),
    (
        "openat2",
        "as open; RESOLVE_NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH, IN_ROOT, CACHED (EAGAIN)",
        "others: EINVAL",
    ),
    ("personality", "PER_LINUX32 (uname), others are kept", ""),
    ("pidfd_open", "PIDFD_NONBLOCK", "others: EINVAL"),
    ("pipe2", "O_CLOEXEC, O_NONBLOCK", "O_DIRECT: EINVAL"),
    (
        "prctl",
        "PR_SET/GET_NAME, PDEATHSIG, DUMPABLE, KEEPCAPS, SECUREBITS, TIMERSLACK, CHILD_SUBREAPER, \
         NO_NEW_PRIVS, TIMING, TSC (as they are), PR_CAPBSET_READ/DROP, PR_CAP_AMBIENT, \
         PR_GET_TID_ADDRESS",
        "others, SECCOMP among them: EINVAL",
    ),
    (
        "prlimit64, setrlimit",
        "enforced: AS, CPU, DATA, FSIZE, MEMLOCK, NOFILE, NPROC, STACK; told: all 16",
        "NOFILE above 4096: EPERM",
    ),
    ("reboot", "POWER_OFF, HALT, RESTART (all end the machine), CAD_ON, CAD_OFF", "others: EINVAL"),
    ("renameat2", "RENAME_NOREPLACE, RENAME_EXCHANGE", "RENAME_WHITEOUT: EINVAL"),
    (
        "sched_setscheduler, sched_setattr",
        "SCHED_OTHER, SCHED_BATCH, SCHED_IDLE (kept), RESET_ON_FORK",
        "SCHED_FIFO, SCHED_RR, SCHED_DEADLINE: EPERM",
    ),
    ("umount2", "", "all: EPERM, once the place is found"),
    ("unlinkat", "AT_REMOVEDIR", "others: EINVAL"),
    (
        "unshare",
        "CLONE_FS, CLONE_FILES, CLONE_SYSVSEM of a single thread",
        "namespaces: EPERM; with other threads: EINVAL",
    ),
    ("utimensat", "AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH", "others: EINVAL"),
    ("wait4", "WNOHANG, WUNTRACED, WCONTINUED", "others have no effect"),
];

/// Returns served and refused flags of a call, both empty where it has none.
pub fn flags(name: &str) -> (&'static str, &'static str) {
    let has = |(names, ..): &&(&str, &str, &str)| names.split(", ").any(|one| one == name);
    FLAGS.iter().find(has).map_or(("", ""), |(_, served, refused)| (*served, *refused))
}

#[cfg(test)]
mod tests {
    use super::{FLAGS, flags};
    use crate::table::CALLS;

    #[test]
    fn flags_are_of_calls_that_are_served() {
        let served = |name: &str| CALLS.iter().any(|entry| entry.name == name);
        assert!(FLAGS.iter().all(|(names, ..)| names.split(", ").all(served)));
        assert!(flags("openat").0.contains("O_CLOEXEC") && flags("getpid").0.is_empty());
    }
}
