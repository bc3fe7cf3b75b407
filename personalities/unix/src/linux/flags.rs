//! Flags of open, fcntl, mmap, clone, wait and their relatives.
#![expect(missing_docs, reason = "the names are Linux's, explained in its manual")]

/// open(2), asm-generic/fcntl.h.
pub mod open {
    pub const ACCESS: u32 = 0o3;
    pub const WRITE_ONLY: u32 = 0o1;
    pub const READ_WRITE: u32 = 0o2;
    pub const CREATE: u32 = 0o100;
    pub const EXCLUSIVE: u32 = 0o200;
    pub const NO_CONTROL: u32 = 0o400;
    pub const TRUNCATE: u32 = 0o1000;
    pub const APPEND: u32 = 0o2000;
    pub const NON_BLOCKING: u32 = 0o4000;
    pub const DIRECTORY: u32 = 0o200_000;
    pub const NO_FOLLOW: u32 = 0o400_000;
    pub const CLOSE_ON_EXEC: u32 = 0o2_000_000;
    pub const NO_ACCESS_TIME: u32 = 0o1_000_000;
    pub const PATH: u32 = 0o10_000_000;
    /// `__O_TMPFILE`, the bit of `O_TMPFILE` besides [`DIRECTORY`].
    pub const UNNAMED: u32 = 0o20_000_000;
    /// `O_LARGEFILE`, which fcntl(F_GETFL) shows on 64-bit systems.
    pub const LARGE: u32 = 0o100_000;
    /// `O_DSYNC`, `O_DIRECT` and `__O_SYNC`: everything is written at once here.
    pub const SYNC: u32 = 0o4_050_000;
    /// `FASYNC`, `O_ASYNC`.
    pub const ASYNC: u32 = 0o20_000;
    /// The flags that there are (`VALID_OPEN_FLAGS`, linux/fcntl.h).
    pub const KNOWN: u32 =
        STATUS | CREATE | EXCLUSIVE | NO_CONTROL | TRUNCATE | NO_FOLLOW | CLOSE_ON_EXEC | ASYNC;
    /// The flags that stay with an open file description.
    pub const STATUS: u32 =
        ACCESS | APPEND | NON_BLOCKING | PATH | DIRECTORY | NO_ACCESS_TIME | UNNAMED | SYNC | LARGE;
    /// The flags that `F_SETFL` can change.
    pub const CHANGEABLE: u32 = APPEND | NON_BLOCKING | NO_ACCESS_TIME;
}

/// Permission bits, linux/stat.h.
pub mod permission {
    pub const SET_UID: u32 = 0o4000;
    pub const SET_GID: u32 = 0o2000;
    pub const GROUP_EXECUTE: u32 = 0o010;
}

/// The *at() calls, linux/fcntl.h.
pub mod at {
    /// The file descriptor that stands for the working directory.
    pub const WORKING_DIRECTORY: u64 = -100i64 as u64;
    pub const NO_FOLLOW: u64 = 0x100;
    pub const REMOVE_DIRECTORY: u64 = 0x200;
    pub const FOLLOW: u64 = 0x400;
    pub const NO_AUTOMOUNT: u64 = 0x800;
    pub const EMPTY_PATH: u64 = 0x1000;
    /// `AT_STATX_SYNC_TYPE`: how much statx asks of a remote file system.
    pub const SYNC_TYPE: u64 = 0x6000;
}

/// fcntl(2), asm-generic/fcntl.h and linux/fcntl.h.
pub mod fcntl {
    pub const DUP: u64 = 0;
    pub const GET_FD: u64 = 1;
    pub const SET_FD: u64 = 2;
    pub const GET_FLAGS: u64 = 3;
    pub const SET_FLAGS: u64 = 4;
    pub const GET_LOCK: u64 = 5;
    pub const SET_LOCK: u64 = 6;
    pub const SET_LOCK_WAIT: u64 = 7;
    pub const OPEN_GET_LOCK: u64 = 36;
    pub const OPEN_SET_LOCK: u64 = 37;
    pub const OPEN_SET_LOCK_WAIT: u64 = 38;
    pub const DUP_CLOSE_ON_EXEC: u64 = 1030;
    pub const SET_PIPE_SIZE: u64 = 1031;
    pub const GET_PIPE_SIZE: u64 = 1032;
    /// The descriptor flag.
    pub const CLOSE_ON_EXEC: u64 = 1;
}

/// mmap(2) and mremap(2): asm-generic/mman-common.h, asm-generic/mman.h, asm/mman.h.
pub mod map {
    pub const READ: u64 = 1;
    pub const WRITE: u64 = 2;
    pub const EXECUTE: u64 = 4;
    /// Mask of the type.
    pub const TYPE: u64 = 0xf;
    pub const SHARED: u64 = 1;
    pub const PRIVATE: u64 = 2;
    pub const SHARED_VALIDATE: u64 = 3;
    pub const FIXED: u64 = 0x10;
    pub const ANONYMOUS: u64 = 0x20;
    pub const IN_31_BITS: u64 = 0x40;
    pub const GROWS_DOWN: u64 = 0x100;
    pub const LOCKED: u64 = 0x2000;
    pub const POPULATE: u64 = 0x8000;
    pub const HUGE: u64 = 0x4_0000;
    pub const FIXED_NO_REPLACE: u64 = 0x10_0000;
    /// All that `MAP_SHARED_VALIDATE` does not refuse (`LEGACY_MAP_MASK`, linux/mman.h).
    pub const KNOWN: u64 = 0x17_fd7f;
    pub const REMAP_MAY_MOVE: u64 = 1;
    pub const REMAP_FIXED: u64 = 2;
    pub const REMAP_KEEP: u64 = 4;
}

/// madvise(2), asm-generic/mman-common.h.
pub mod advice {
    pub const DONT_NEED: u64 = 4;
    pub const FREE: u64 = 8;
    pub const REMOVE: u64 = 9;
    pub const DONT_FORK: u64 = 10;
    pub const DO_FORK: u64 = 11;
    pub const WIPE_ON_FORK: u64 = 18;
    pub const KEEP_ON_FORK: u64 = 19;
    pub const POPULATE_READ: u64 = 22;
    pub const POPULATE_WRITE: u64 = 23;
    pub const DONT_NEED_LOCKED: u64 = 24;
    /// All that is known: also how memory will be used (0 to 3), whether it goes into huge pages
    /// (14, 15) or core dumps (16, 17), and that it is not needed soon (20, 21). Merging of pages
    /// (12, 13), huge pages at once (25) and injected errors (100, 101) are refused as by a kernel
    /// that is built without.
    pub const KNOWN: &[u64] =
        &[0, 1, 2, 3, 4, 8, 9, 10, 11, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24];
}

/// clone(2), linux/sched.h.
pub mod clone {
    pub const SIGNAL: u64 = 0xff;
    pub const NEW_TIME: u64 = 0x80;
    pub const MEMORY: u64 = 0x100;
    pub const FS: u64 = 0x200;
    pub const FILES: u64 = 0x400;
    pub const HANDLERS: u64 = 0x800;
    pub const PIDFD: u64 = 0x1000;
    pub const VFORK: u64 = 0x4000;
    pub const PARENT: u64 = 0x8000;
    pub const THREAD: u64 = 0x1_0000;
    pub const SET_TLS: u64 = 0x8_0000;
    pub const PARENT_SET_TID: u64 = 0x10_0000;
    pub const CHILD_CLEAR_TID: u64 = 0x20_0000;
    pub const DETACHED: u64 = 0x40_0000;
    pub const CHILD_SET_TID: u64 = 0x100_0000;
    pub const CLEAR_HANDLERS: u64 = 0x1_0000_0000;
    /// New namespaces: of mounts, control groups, names, IPC, users, processes, networks.
    pub const NEW_SPACES: u64 = 0x7e02_0000;
    /// All flags that clone3 knows; those of namespaces, `CLONE_PIDFD` and `CLONE_INTO_CGROUP`
    /// are refused.
    pub const KNOWN: u64 = 0x3_ffff_ff80;
    /// `CLONE_INTO_CGROUP`.
    pub const INTO_CGROUP: u64 = 0x2_0000_0000;
}

/// wait4(2), linux/wait.h.
pub mod wait {
    pub const NO_HANG: u64 = 1;
    pub const STOPPED: u64 = 2;
    pub const EXITED: u64 = 4;
    pub const CONTINUED: u64 = 8;
    pub const NO_WAIT: u64 = 0x100_0000;
    /// `__WNOTHREAD`: children of other threads do not count; all are the process's here.
    pub const NO_THREAD: u64 = 0x2000_0000;
    pub const ALL: u64 = 0x4000_0000;
    pub const CLONE: u64 = 0x8000_0000;
    /// The flags that say which kinds of children are meant.
    pub const KINDS: u64 = NO_THREAD | ALL | CLONE;
}

/// poll(2), asm-generic/poll.h.
pub mod poll {
    pub const IN: u16 = 0x1;
    pub const URGENT: u16 = 0x2;
    pub const OUT: u16 = 0x4;
    pub const ERROR: u16 = 0x8;
    pub const HANG_UP: u16 = 0x10;
    pub const INVALID: u16 = 0x20;
    pub const READ_NORMAL: u16 = 0x40;
    pub const WRITE_NORMAL: u16 = 0x100;
    pub const WRITE_BAND: u16 = 0x200;
    pub const READ_HANG_UP: u16 = 0x2000;
}

/// epoll_ctl(2), linux/eventpoll.h; the events themselves are poll(2)'s.
pub mod epoll {
    pub const ADD: u64 = 1;
    pub const DELETE: u64 = 2;
    pub const MODIFY: u64 = 3;
    pub const EXCLUSIVE: u32 = 1 << 28;
    pub const WAKE_UP: u32 = 1 << 29;
    pub const ONE_SHOT: u32 = 1 << 30;
    pub const EDGE: u32 = 1 << 31;
    /// The flags among the events (`EP_PRIVATE_BITS`, fs/eventpoll.c).
    pub const MODES: u32 = EXCLUSIVE | WAKE_UP | ONE_SHOT | EDGE;
    /// Events that come from the side that sends: in, urgent, hung up, and their bands.
    pub const READS: u32 = 0x1 | 0x2 | 0x40 | 0x80 | 0x2000;
    /// Events that come from the side that receives: room, and its bands.
    pub const WRITES: u32 = 0x4 | 0x100 | 0x200;
    /// What may go with `EPOLLEXCLUSIVE` (epoll_ctl(2)).
    pub const WITH_EXCLUSIVE: u32 = 0x1 | 0x4 | 0x8 | 0x10 | WAKE_UP | EDGE | EXCLUSIVE;
    /// The descriptor flag of epoll_create1(2).
    pub const CLOSE_ON_EXEC: u32 = 0o2_000_000;
}

/// futex(2), linux/futex.h.
pub mod futex {
    pub const WAIT: u64 = 0;
    pub const WAKE: u64 = 1;
    pub const REQUEUE: u64 = 3;
    pub const CMP_REQUEUE: u64 = 4;
    pub const WAKE_OP: u64 = 5;
    pub const LOCK_PI: u64 = 6;
    pub const UNLOCK_PI: u64 = 7;
    pub const TRYLOCK_PI: u64 = 8;
    pub const WAIT_BITSET: u64 = 9;
    pub const WAKE_BITSET: u64 = 10;
    pub const LOCK_PI2: u64 = 13;
    pub const PRIVATE: u64 = 128;
    pub const REAL_TIME: u64 = 256;
}
