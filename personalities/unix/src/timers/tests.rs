//! Tests of timers as programs see them.

use crate::Errno;
use crate::fake::{Bench, SCRATCH};
use crate::linux::signals;
use crate::process::Pid;
use crate::unix::Reply;

const SIGPROCMASK: u32 = 14;
const PAUSE: u32 = 34;
const GETITIMER: u32 = 36;
const SETITIMER: u32 = 38;
const FORK: u32 = 57;
const SIGTIMEDWAIT: u32 = 128;
const CREATE: u32 = 222;
const SETTIME: u32 = 223;
const GETTIME: u32 = 224;
const GETOVERRUN: u32 = 225;
const DELETE: u32 = 226;

const DATA: u64 = SCRATCH + 0x800;
const MS: u64 = 1_000_000;

fn poke(bench: &mut Bench, pid: Pid, words: &[u64]) {
    let bytes: alloc::vec::Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    bench.poke(pid, DATA, &bytes);
}

fn block(bench: &mut Bench, pid: Pid, signal: u8) {
    poke(bench, pid, &[1 << (signal - 1)]);
    assert_eq!(bench.value(pid, SIGPROCMASK, &[0, DATA, 0, 8]), 0);
}

#[test]
fn a_timer_sends_one_signal_and_counts_what_it_did_not_send() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    block(&mut bench, pid, 40);
    poke(&mut bench, pid, &[0x1234, 40, 0]);
    assert_eq!(bench.value(pid, CREATE, &[1, DATA, DATA + 64]), 0);
    assert_eq!(bench.peek(pid, DATA + 64, 4), [0; 4]);
    poke(&mut bench, pid, &[0, 10 * MS, 0, 5 * MS]);
    assert_eq!(bench.value(pid, SETTIME, &[0, 0, DATA, 0]), 0);
    bench.pass(36 * MS);
    bench.pass(10 * MS);
    poke(&mut bench, pid, &[1 << 39]);
    assert_eq!(bench.value(pid, SIGTIMEDWAIT, &[DATA, DATA + 64, 0, 8]), 40);
    let info = bench.peek(pid, DATA + 64, 32);
    assert_eq!(info[8..12], (-2i32).to_le_bytes(), "SI_TIMER");
    assert_eq!((info[20], &info[24..26]), (4, &[0x34, 0x12][..]), "15, 25, 35, 45 ms");
    assert_eq!(bench.value(pid, GETOVERRUN, &[0]), 4);
    assert_eq!(bench.value(pid, GETTIME, &[0, DATA]), 0);
    assert_eq!(bench.peek(pid, DATA + 24, 8), (9 * MS).to_le_bytes());
    let child = Pid(bench.value(pid, FORK, &[]) as u32);
    bench.error(child, DELETE, &[0], Errno::EINVAL);
    assert_eq!(bench.value(pid, DELETE, &[0]), 0);
    bench.error(pid, GETOVERRUN, &[0], Errno::EINVAL);
}

#[test]
fn a_waiting_thread_takes_a_blocked_signal() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    block(&mut bench, pid, signals::SIGALRM);
    bench.value(pid, CREATE, &[0, 0, DATA]);
    poke(&mut bench, pid, &[0, 0, 0, MS]);
    bench.value(pid, SETTIME, &[0, 0, DATA, 0]);
    poke(&mut bench, pid, &[1 << (signals::SIGALRM - 1)]);
    bench.waits(pid, SIGTIMEDWAIT, &[DATA, 0, 0, 8]);
    bench.pass(MS);
    assert_eq!(bench.answer(pid), Some(Reply::Value(signals::SIGALRM.into())));
}

#[test]
fn time_that_a_process_runs_ends_it() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    poke(&mut bench, pid, &[0, 0, 0, 2000]);
    assert_eq!(bench.value(pid, SETITIMER, &[2, DATA, 0]), 0);
    assert_eq!(bench.value(pid, GETITIMER, &[2, DATA]), 0);
    assert!(bench.unix.timers.len() == 1);
    bench.error(pid, SETITIMER, &[3, DATA, 0], Errno::EINVAL);
    bench.waits(pid, PAUSE, &[]);
    bench.pass(MS);
    assert!(bench.unix.processes.contains_key(&pid), "it has not run");
}

#[test]
fn what_is_no_timer_is_refused() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    poke(&mut bench, pid, &[0, 65, 0]);
    bench.error(pid, CREATE, &[1, DATA, DATA], Errno::EINVAL);
    poke(&mut bench, pid, &[0, 4 << 32 | 10, 9999]);
    bench.error(pid, CREATE, &[1, DATA, DATA], Errno::EINVAL);
    bench.error(pid, CREATE, &[77, 0, DATA], Errno::EINVAL);
    bench.error(pid, CREATE, &[1, 0, 8], Errno::EFAULT);
    assert!(bench.unix.timers.is_empty());
    for _ in 0..super::MAX_TIMERS {
        assert_eq!(bench.value(pid, CREATE, &[1, 0, DATA]), 0);
    }
    bench.error(pid, CREATE, &[1, 0, DATA], Errno::EAGAIN);
}
