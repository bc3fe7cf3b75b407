//! Tests of futexes that name their owner, between a process and its child.

use super::{FUTEX, fork};
use crate::Errno;
use crate::fake::{Bench, SCRATCH};
use crate::linux::signals;
use crate::linux::structures::{Fields, SECOND};
use crate::process::Pid;
use crate::unix::Reply;

const MMAP: u32 = 9;
const EXIT_GROUP: u32 = 231;
const SET_ROBUST_LIST: u32 = 273;
const LOCK: u64 = 6;
const UNLOCK: u64 = 7;
const TRY: u64 = 8;
const WAITERS: u32 = 0x8000_0000;
const OWNER_DIED: u32 = 0x4000_0000;

/// Returns a process and its child with a page that both see.
fn relatives() -> (Bench, Pid, Pid, u64) {
    let mut bench = Bench::new();
    let parent = bench.launch();
    let at = bench.value(parent, MMAP, &[0, 4096, 3, 0x21, !0, 0]);
    let child = fork(&mut bench, parent);
    (bench, parent, child, at)
}

fn word(bench: &mut Bench, pid: Pid, at: u64) -> u32 {
    u32::from_le_bytes(bench.peek(pid, at, 4).try_into().unwrap())
}

#[test]
fn a_futex_is_handed_to_who_waited_longest() {
    let (mut bench, parent, child, at) = relatives();
    let third = fork(&mut bench, parent);
    assert_eq!(bench.value(parent, FUTEX, &[at, LOCK, 0, 0]), 0);
    assert_eq!(word(&mut bench, parent, at), parent.0);
    bench.error(parent, FUTEX, &[at, LOCK, 0, 0], Errno::EDEADLK);
    bench.error(parent, FUTEX, &[at, TRY, 0, 0], Errno::EDEADLK);
    bench.error(child, FUTEX, &[at, TRY, 0, 0], Errno::EAGAIN);
    bench.error(child, FUTEX, &[at, UNLOCK, 0, 0], Errno::EPERM);
    bench.waits(child, FUTEX, &[at, LOCK, 0, 0]);
    bench.waits(third, FUTEX, &[at, LOCK, 0, 0]);
    assert_eq!(word(&mut bench, parent, at), parent.0 | WAITERS);
    assert_eq!(bench.value(parent, FUTEX, &[at, 1, 9, 0]), 0, "an ordinary wake-up is for others");
    assert_eq!(bench.value(parent, FUTEX, &[at, UNLOCK, 0, 0]), 0);
    assert_eq!(bench.answer(child), Some(Reply::Value(0)));
    assert_eq!(bench.answer(third), None);
    assert_eq!(word(&mut bench, parent, at), child.0 | WAITERS);
    assert_eq!(bench.value(child, FUTEX, &[at, UNLOCK, 0, 0]), 0);
    assert_eq!(bench.answer(third), Some(Reply::Value(0)));
    assert_eq!(bench.value(third, FUTEX, &[at, UNLOCK, 0, 0]), 0);
    assert_eq!(word(&mut bench, parent, at), 0);
    assert_eq!(bench.value(child, FUTEX, &[at, TRY, 0, 0]), 0);
}

#[test]
fn who_waits_to_own_a_futex_has_a_time_and_an_owner_that_lives() {
    let (mut bench, parent, child, at) = relatives();
    assert_eq!(bench.value(parent, FUTEX, &[at, LOCK, 0, 0]), 0);
    // The time of day, whatever the flags.
    let boot = bench.unix.machine.boot_time();
    let until = boot + bench.unix.machine.now() + SECOND;
    bench.poke(child, SCRATCH + 0x800, &Fields::default().time(until).0);
    bench.waits(child, FUTEX, &[at, LOCK, 0, SCRATCH + 0x800]);
    bench.pass(2 * SECOND);
    assert_eq!(bench.answer(child), Some(Reply::Value(Errno::ETIMEDOUT.to_rax())));
    bench.poke(parent, at, &30_000u32.to_le_bytes());
    bench.error(child, FUTEX, &[at, LOCK, 0, 0], Errno::ESRCH);
    bench.error(child, FUTEX, &[at + 1, LOCK, 0, 0], Errno::EINVAL);
}

#[test]
fn a_handler_does_not_end_the_wait() {
    let (mut bench, parent, child, at) = relatives();
    super::handle(&mut bench, child, signals::SIGUSR1, 0);
    assert_eq!(bench.value(parent, FUTEX, &[at, LOCK, 0, 0]), 0);
    bench.waits(child, FUTEX, &[at, LOCK, 0, 0]);
    let rip = bench.registers(child).rip;
    assert_eq!(bench.value(parent, super::KILL, &[child.0.into(), signals::SIGUSR1.into()]), 0);
    assert_eq!(bench.answer(child), Some(Reply::Resume));
    let frame = bench.registers(child).rsp;
    // uc_mcontext: rax and rip to go back to (asm/sigcontext.h).
    let saved = bench.peek(child, frame + 8 + 40 + 8 * 13, 32);
    let saved = |place: usize| u64::from_le_bytes(saved[8 * place..][..8].try_into().unwrap());
    assert_eq!((saved(0), saved(3)), (FUTEX.into(), rip - 2), "the call is made again");
}

#[test]
fn a_robust_futex_goes_to_who_waits_when_its_owner_ends() {
    let (mut bench, parent, child, at) = relatives();
    // A list of one entry, at the futex (linux/futex.h, struct robust_list_head).
    let list = Fields::default().u64(at + 24).u64(8).u64(0).u64(at).u64(0).0;
    bench.poke(parent, at, &list);
    let futex = at + 32;
    assert_eq!(bench.value(child, SET_ROBUST_LIST, &[at, 24]), 0);
    assert_eq!(bench.value(child, FUTEX, &[futex, LOCK, 0, 0]), 0);
    bench.waits(parent, FUTEX, &[futex, LOCK, 0, 0]);
    bench.call(child, EXIT_GROUP, [0; 6]);
    assert_eq!(bench.answer(parent), Some(Reply::Value(0)));
    assert_eq!(word(&mut bench, parent, futex), parent.0 | WAITERS | OWNER_DIED);
}
