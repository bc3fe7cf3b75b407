//! Which calls leave something with this server, so that they end first when little is left.

use super::NUMBERS;

/// What a call may have this server keep when it has returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keeps {
    /// Processes or threads.
    Processes,
    /// Open files.
    Files,
    /// Something else: bytes in files, regions, what was registered.
    Things,
}

/// The calls that may, by number: those that end, close, read or only ask are not among them, so
/// that they work when there is nothing left; nor is brk, which has no error, and mprotect, without
/// which no program starts: what these two keep is bounded for each process.
#[rustfmt::skip]
const KEEPING: &[u32] = &[
    // mmap, mremap, writes and sends, copies between files
    9, 25, 1, 18, 20, 40, 44, 46, 296, 307, 328, 275, 276, 278, 326,
    // bind, execve, execveat, sigqueue, pidfd_send_signal, timers, epoll_ctl, inotify_add_watch, System V IPC
    49, 59, 322, 129, 297, 424, 222, 286, 233, 254, 29, 64, 68, 69,
];
/// Of these, those that open files.
#[rustfmt::skip]
const OPENING: &[u32] = &[
    // open, creat, openat, openat2, dup, dup2, dup3, fcntl, socket, socketpair, accept, accept4
    2, 85, 257, 437, 32, 33, 292, 72, 41, 53, 43, 288,
    // pipe, pipe2, memfd, epoll, eventfd, signalfd, timerfd, inotify, pidfd_open, pidfd_getfd
    22, 293, 319, 213, 291, 284, 290, 282, 289, 283, 253, 294, 434, 438,
];
/// clone, fork, vfork, clone3.
const FORKING: &[u32] = &[56, 57, 58, 435];

static KEEPS: [Option<Keeps>; NUMBERS] = {
    let keeps = mark([None; NUMBERS], KEEPING, Keeps::Things);
    mark(mark(keeps, OPENING, Keeps::Files), FORKING, Keeps::Processes)
};

type Kept = [Option<Keeps>; NUMBERS];

const fn mark(mut keeps: Kept, numbers: &[u32], what: Keeps) -> Kept {
    let mut at = 0;
    while at < numbers.len() {
        keeps[numbers[at] as usize] = Some(what);
        at += 1;
    }
    keeps
}

/// Returns what a call may have this server keep.
#[inline]
pub fn keeps(number: u32) -> Option<Keeps> {
    *KEEPS.get(number as usize)?
}
