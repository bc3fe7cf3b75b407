//! Tests of locks, without processes and with them.

use super::*;
use crate::fake::{Bench, SCRATCH};
use crate::linux::structures::Fields;
use crate::unix::Reply;

const KEY: Key = Key::Node(Node(5));
const OPEN: u32 = 2;
const CLOSE: u32 = 3;
const DUP: u32 = 32;
const FORK: u32 = 57;
const FCNTL: u32 = 72;
const FLOCK: u32 = 73;
const EXIT_GROUP: u32 = 231;
const SET: u64 = 6;
const SET_WAIT: u64 = 7;
const GET: u64 = 5;
const OPEN_SET: u64 = 37;
const OPEN_SET_WAIT: u64 = 38;
const READ_LOCK: u16 = 0;
const WRITE_LOCK: u16 = 1;
const UNLOCK: u16 = 2;
const READ_WRITE: u64 = 2;

fn lock(pid: u32, kind: Kind, first: u64, last: u64) -> Lock {
    Lock { owner: Owner::Process(Pid(pid)), kind, first, last }
}

fn locks() -> Locks {
    Locks::new(&Wakes::default())
}

#[test]
fn shared_locks_meet_and_exclusive_ones_do_not() {
    let mut locks = locks();
    locks.set(KEY, lock(1, Kind::Shared, 0, 9)).unwrap();
    locks.set(KEY, lock(2, Kind::Shared, 5, 20)).unwrap();
    assert_eq!(locks.set(KEY, lock(2, Kind::Exclusive, 9, 9)), Err(Errno::EAGAIN));
    locks.set(KEY, lock(2, Kind::Exclusive, 10, 20)).unwrap();
    assert_eq!(locks.set(KEY, lock(3, Kind::Shared, 10, 10)), Err(Errno::EAGAIN));
    assert_eq!(locks.blocker(KEY, &lock(3, Kind::Shared, 8, 10)).unwrap().first, 10);
}

#[test]
fn unlocking_the_middle_leaves_both_ends_and_locking_joins_them() {
    let mut locks = locks();
    locks.set(KEY, lock(1, Kind::Exclusive, 0, 99)).unwrap();
    locks.clear(KEY, Owner::Process(Pid(1)), 40, 59);
    assert_eq!(locks.wakes.take(), [Channel::Lock(KEY)]);
    assert_eq!(locks.held[&KEY].len(), 2);
    assert!(locks.blocker(KEY, &lock(2, Kind::Shared, 40, 59)).is_none());
    assert!(locks.blocker(KEY, &lock(2, Kind::Shared, 39, 39)).is_some());
    locks.set(KEY, lock(1, Kind::Exclusive, 40, 59)).unwrap();
    assert_eq!(locks.held[&KEY], [lock(1, Kind::Exclusive, 0, 99)]);
    locks.release_process(Pid(1));
    assert!(locks.held.is_empty());
}

#[test]
fn the_table_has_an_end() {
    let mut locks = locks();
    let errors = (0..MAX_LOCKS as u64 + 8)
        .filter(|at| locks.set(KEY, lock(1, Kind::Shared, at * 2, at * 2)) == Err(Errno::ENOLCK));
    assert_eq!(errors.count(), 9);
}

#[test]
fn waiting_in_a_circle_is_seen_whatever_its_length() {
    let mut locks = locks();
    for pid in 0..4 {
        let at = u64::from(pid);
        locks.set(KEY, lock(pid, Kind::Exclusive, at, at)).unwrap();
    }
    for pid in 0..3 {
        let next = u64::from(pid) + 1;
        let wanted = lock(pid, Kind::Exclusive, next, next);
        assert!(!locks.would_deadlock(KEY, &wanted, |_| true));
        locks.want(ThreadNumber(pid.into()), Some((KEY, wanted)));
    }
    let last = lock(3, Kind::Shared, 0, 0);
    assert!(locks.would_deadlock(KEY, &last, |_| true));
    assert!(!locks.would_deadlock(KEY, &last, |thread| thread != ThreadNumber(1)));
}

fn record(bench: &mut Bench, pid: Pid, kind: u16, first: u64, len: u64) -> u64 {
    let fields = Fields::default().u16(kind).u16(0).u32(0).u64(first).u64(len).u64(0);
    bench.poke(pid, SCRATCH + 0x100, &fields.0);
    SCRATCH + 0x100
}

fn open(bench: &mut Bench, pid: Pid) -> u64 {
    let path = bench.string(pid, "/etc/words");
    bench.value(pid, OPEN, &[path, READ_WRITE])
}

#[test]
fn a_child_waits_for_its_parent_s_lock_and_gets_it_when_that_closes_any_descriptor() {
    let mut bench = Bench::new();
    let parent = bench.launch();
    let (fd, other) = (open(&mut bench, parent), open(&mut bench, parent));
    let address = record(&mut bench, parent, WRITE_LOCK, 4, 0);
    assert_eq!(bench.value(parent, FCNTL, &[fd, SET, address]), 0);
    let child = Pid(bench.value(parent, FORK, &[]) as u32);
    let address = record(&mut bench, child, READ_LOCK, 0, 10);
    bench.error(child, FCNTL, &[fd, SET, address], Errno::EAGAIN);
    assert_eq!(bench.value(child, FCNTL, &[fd, GET, address]), 0);
    let found = bench.peek(child, address, 28);
    assert_eq!((found[0], found[8], found[24]), (1, 4, parent.0 as u8));
    bench.waits(child, FCNTL, &[fd, SET_WAIT, address]);
    assert_eq!(bench.answer(child), None);
    assert_eq!(bench.value(parent, CLOSE, &[other]), 0);
    assert_eq!(bench.answer(child), Some(Reply::Value(0)));
    let address = record(&mut bench, parent, UNLOCK, 0, 0);
    assert_eq!(bench.value(parent, FCNTL, &[fd, SET, address]), 0);
    let address = record(&mut bench, parent, WRITE_LOCK, 4, 1);
    bench.waits(parent, FCNTL, &[fd, SET_WAIT, address]);
    bench.call(child, EXIT_GROUP, [0; 6]);
    assert_eq!(bench.answer(parent), Some(Reply::Value(0)));
}

#[test]
fn two_that_wait_for_each_other_are_told() {
    let mut bench = Bench::new();
    let parent = bench.launch();
    let fd = open(&mut bench, parent);
    let child = Pid(bench.value(parent, FORK, &[]) as u32);
    for (pid, at) in [(parent, 0), (child, 1)] {
        let address = record(&mut bench, pid, WRITE_LOCK, at, 1);
        assert_eq!(bench.value(pid, FCNTL, &[fd, SET, address]), 0);
    }
    let address = record(&mut bench, parent, WRITE_LOCK, 1, 1);
    bench.waits(parent, FCNTL, &[fd, SET_WAIT, address]);
    let address = record(&mut bench, child, WRITE_LOCK, 0, 1);
    bench.error(child, FCNTL, &[fd, SET_WAIT, address], Errno::EDEADLK);
}

#[test]
fn locks_of_descriptions_are_shared_by_forks_and_end_with_the_last_descriptor() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let (fd, other) = (open(&mut bench, pid), open(&mut bench, pid));
    let copy = bench.value(pid, DUP, &[fd]);
    let address = record(&mut bench, pid, WRITE_LOCK, 0, 0);
    assert_eq!(bench.value(pid, FCNTL, &[fd, OPEN_SET, address]), 0);
    assert_eq!(bench.value(pid, FCNTL, &[copy, OPEN_SET, address]), 0);
    bench.error(pid, FCNTL, &[other, OPEN_SET, address], Errno::EAGAIN);
    bench.error(pid, FCNTL, &[other, SET, address], Errno::EAGAIN);
    bench.value(pid, CLOSE, &[fd]);
    bench.waits(pid, FCNTL, &[other, OPEN_SET_WAIT, address]);
    // Nobody but the waiting thread could close the copy; a signal would end its call.
    assert_eq!(bench.answer(pid), None);
}

#[test]
fn flock_keeps_others_out_and_is_not_seen_by_fcntl() {
    let mut bench = Bench::new();
    let parent = bench.launch();
    let (fd, other) = (open(&mut bench, parent), open(&mut bench, parent));
    assert_eq!(bench.value(parent, FLOCK, &[fd, 2]), 0);
    bench.error(parent, FLOCK, &[other, 1 | 4], Errno::EAGAIN);
    let address = record(&mut bench, parent, WRITE_LOCK, 0, 0);
    assert_eq!(bench.value(parent, FCNTL, &[other, SET, address]), 0);
    let child = Pid(bench.value(parent, FORK, &[]) as u32);
    bench.waits(child, FLOCK, &[other, 1]);
    assert_eq!(bench.value(parent, CLOSE, &[fd]), 0);
    // The child's copy of the descriptor still holds it.
    assert_eq!(bench.answer(child), None);
    assert_eq!(bench.value(parent, FLOCK, &[other, 8]), 0);
    bench.error(parent, FLOCK, &[other, 3], Errno::EINVAL);
    bench.error(parent, FLOCK, &[99, 1], Errno::EBADF);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    let path = bench.string(pid, "/etc/words");
    let fd = bench.value(pid, OPEN, &[path, 0]);
    let address = record(&mut bench, pid, WRITE_LOCK, 0, 0);
    bench.error(pid, FCNTL, &[fd, SET, address], Errno::EBADF);
    let address = record(&mut bench, pid, READ_LOCK, 3, -4i64 as u64);
    bench.error(pid, FCNTL, &[fd, SET, address], Errno::EINVAL);
    let address = record(&mut bench, pid, 9, 0, 0);
    bench.error(pid, FCNTL, &[fd, SET, address], Errno::EINVAL);
    let address = record(&mut bench, pid, READ_LOCK, i64::MAX as u64, 2);
    bench.error(pid, FCNTL, &[fd, SET, address], Errno::EOVERFLOW);
    bench.error(pid, FCNTL, &[fd, SET, 0], Errno::EFAULT);
}
