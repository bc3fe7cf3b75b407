//! Descriptors of processes, and calls that only newer programs make.

use super::{CLOSE, DATA, OPEN};
use crate::Errno;
use crate::fake::{Bench, SCRATCH};
use crate::linux::signals;
use crate::process::Pid;
use crate::unix::Reply;

const CLONE: u32 = 56;
const WAIT4: u32 = 61;
const SETUID: u32 = 105;
const ADJTIMEX: u32 = 159;
const EXIT_GROUP: u32 = 231;
const WAITID: u32 = 247;
const CLOCK_ADJTIME: u32 = 305;
const MEMFD_CREATE: u32 = 319;
const SEND_SIGNAL: u32 = 424;
const PIDFD_OPEN: u32 = 434;
const CLOSE_RANGE: u32 = 436;
const GETFD: u32 = 438;
const POLL: u32 = 7;

const EXITED: u64 = 4;
const BY_DESCRIPTOR: u64 = 3;
const NON_BLOCKING: u64 = 0o4000;

fn child(bench: &mut Bench, parent: Pid) -> (Pid, u64) {
    let child = super::fork(bench, parent);
    let fd = bench.value(parent, PIDFD_OPEN, &[child.0.into(), 0]);
    (child, fd)
}

#[test]
fn a_descriptor_tells_the_end_of_its_process_and_waits_for_it() {
    let mut bench = Bench::new();
    let parent = bench.launch();
    let (child, fd) = child(&mut bench, parent);
    bench.poke(parent, DATA, &(fd | 1 << 32).to_le_bytes());
    assert_eq!(bench.value(parent, POLL, &[DATA, 1, 0]), 0);
    bench.waits(parent, POLL, &[DATA, 1, !0]);
    bench.call(child, EXIT_GROUP, [7, 0, 0, 0, 0, 0]);
    assert_eq!(bench.answer(parent), Some(Reply::Value(1)));
    // Of one that has ended, who has not been waited for, a signal has no effect and no error.
    assert_eq!(bench.value(parent, SEND_SIGNAL, &[fd, 15, 0, 0]), 0);
    assert_eq!(bench.value(parent, WAITID, &[BY_DESCRIPTOR, fd, DATA, EXITED, 0]), 0);
    let told = bench.peek(parent, DATA, 28);
    assert_eq!(told[16..20], child.0.to_le_bytes());
    assert_eq!(told[24..28], 7u32.to_le_bytes());
    bench.error(parent, WAITID, &[BY_DESCRIPTOR, fd, DATA, EXITED, 0], Errno::ECHILD);
    bench.error(parent, SEND_SIGNAL, &[fd, 0, 0, 0], Errno::ESRCH);
    bench.poke(parent, DATA, &(fd | 1 << 32).to_le_bytes());
    assert_eq!(bench.value(parent, POLL, &[DATA, 1, 0]), 1);
}

#[test]
fn a_number_that_is_given_out_again_is_not_the_process() {
    let mut bench = Bench::new();
    let parent = bench.launch();
    let (first, fd) = child(&mut bench, parent);
    bench.call(first, EXIT_GROUP, [0; 6]);
    assert_eq!(bench.value(parent, WAIT4, &[first.0.into(), 0, 0, 0]), first.0.into());
    bench.pass(1000);
    bench.unix.last_pid = first.0 - 1;
    let again = super::fork(&mut bench, parent);
    assert_eq!(again, first);
    bench.error(parent, SEND_SIGNAL, &[fd, signals::SIGKILL.into(), 0, 0], Errno::ESRCH);
    assert!(bench.unix.processes.contains_key(&again));
}

#[test]
fn a_descriptor_that_does_not_block_does_not_wait() {
    let mut bench = Bench::new();
    let parent = bench.launch();
    let child = super::fork(&mut bench, parent);
    let fd = bench.value(parent, PIDFD_OPEN, &[child.0.into(), NON_BLOCKING]);
    bench.error(parent, WAITID, &[BY_DESCRIPTOR, fd, 0, EXITED, 0], Errno::EAGAIN);
    bench.error(parent, PIDFD_OPEN, &[child.0.into(), 1], Errno::EINVAL);
    bench.error(parent, PIDFD_OPEN, &[0, 0], Errno::EINVAL);
    bench.error(parent, PIDFD_OPEN, &[20_000, 0], Errno::ESRCH);
    bench.error(parent, WAITID, &[BY_DESCRIPTOR, 99, 0, EXITED, 0], Errno::EBADF);
    bench.error(parent, SEND_SIGNAL, &[1, 0, 0, 0], Errno::EBADF);
    bench.error(parent, SEND_SIGNAL, &[fd, 65, 0, 0], Errno::EINVAL);
    bench.error(parent, SEND_SIGNAL, &[fd, 0, 0, 1], Errno::EINVAL);
}

#[test]
fn clone_opens_the_child_for_its_parent_only() {
    const PIDFD: u64 = 0x1000;
    const PARENT_SET_TID: u64 = 0x10_0000;
    let mut bench = Bench::new();
    let parent = bench.launch();
    let sigchld = u64::from(signals::SIGCHLD);
    let both = PIDFD | PARENT_SET_TID | sigchld;
    bench.error(parent, CLONE, &[both, 0, DATA, 0, 0], Errno::EINVAL);
    let count = bench.unix.processes.len();
    bench.error(parent, CLONE, &[PIDFD | sigchld, 0, 8, 0, 0], Errno::EFAULT);
    assert_eq!(bench.unix.processes.len(), count, "no child, and no descriptor of it");
    let child = bench.value(parent, CLONE, &[PIDFD | sigchld, 0, DATA, 0, 0]);
    let fd = u32::from_le_bytes(bench.peek(parent, DATA, 4).try_into().unwrap());
    assert_eq!(bench.value(parent, SEND_SIGNAL, &[fd.into(), 0, 0, 0]), 0);
    bench.error(Pid(child as u32), CLOSE, &[fd.into()], Errno::EBADF);
}

#[test]
fn a_file_is_taken_from_another_process_of_the_same_user() {
    let mut bench = Bench::new();
    let parent = bench.launch();
    let (child, fd) = child(&mut bench, parent);
    let path = bench.string(child, "/tmp");
    let theirs = bench.value(child, OPEN, &[path, 0, 0]);
    let own = bench.value(parent, GETFD, &[fd, theirs, 0]);
    assert_eq!(bench.value(parent, CLOSE, &[own]), 0);
    bench.error(parent, GETFD, &[fd, 77, 0], Errno::EBADF);
    bench.error(parent, GETFD, &[fd, theirs, 1], Errno::EINVAL);
    bench.error(parent, GETFD, &[theirs + 50, 0, 0], Errno::EBADF);
    assert_eq!(bench.value(parent, SETUID, &[1000]), 0);
    bench.error(parent, GETFD, &[fd, theirs, 0], Errno::EPERM);
    bench.error(parent, SEND_SIGNAL, &[fd, 0, 0, 0], Errno::EPERM);
}

#[test]
fn descriptors_of_processes_have_a_bound() {
    use crate::events::MAX_OF_A_KIND;
    let mut bench = Bench::new();
    let parent = bench.launch();
    let started = bench.unix.processes[&parent].started;
    for number in 0..MAX_OF_A_KIND as u64 {
        bench.unix.process_files.add(number, parent, started).unwrap();
    }
    bench.error(parent, PIDFD_OPEN, &[parent.0.into(), 0], Errno::ENFILE);
}

#[test]
fn the_clock_is_not_disciplined() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    bench.poke(pid, SCRATCH, &[0; 208]);
    assert_eq!(bench.value(pid, ADJTIMEX, &[SCRATCH]), 5);
    let told = bench.peek(pid, SCRATCH, 208);
    let word = |at: usize| u64::from_le_bytes(told[at..at + 8].try_into().unwrap());
    // As the first boot of Linux tells: STA_UNSYNC, tolerance, us of a tick.
    assert_eq!((word(40), word(64), word(88)), (0x40, 32_768_000, 10_000));
    assert_eq!(bench.value(pid, CLOCK_ADJTIME, &[0, SCRATCH]), 5);
    bench.error(pid, CLOCK_ADJTIME, &[1, SCRATCH], Errno::EOPNOTSUPP);
    bench.error(pid, CLOCK_ADJTIME, &[10, SCRATCH], Errno::EINVAL);
    bench.poke(pid, SCRATCH, &2u32.to_le_bytes());
    bench.error(pid, ADJTIMEX, &[SCRATCH], Errno::EOPNOTSUPP);
    assert_eq!(bench.value(pid, SETUID, &[1000]), 0);
    bench.error(pid, ADJTIMEX, &[SCRATCH], Errno::EPERM);
    bench.error(pid, ADJTIMEX, &[8], Errno::EFAULT);
}

#[test]
fn names_of_memory_files_have_a_bound_and_ranges_are_unshared() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let longest = bench.string(pid, &"n".repeat(249));
    let fd = bench.value(pid, MEMFD_CREATE, &[longest, 1]);
    assert_eq!(bench.value(pid, CLOSE_RANGE, &[fd, fd, 2]), 0);
    bench.error(pid, CLOSE, &[fd], Errno::EBADF);
    bench.error(pid, CLOSE_RANGE, &[3, 9, 8], Errno::EINVAL);
    let longer = bench.string(pid, &"n".repeat(250));
    bench.error(pid, MEMFD_CREATE, &[longer, 0], Errno::EINVAL);
    bench.error(pid, MEMFD_CREATE, &[longest, 2], Errno::EINVAL);
}
