//! Tests of processor time as programs are told it.

use super::{DATA, EXIT_GROUP, WAIT4, fork};
use crate::Errno;
use crate::fake::Bench;
use crate::linux::signals;
use crate::linux::structures::{Fields, SECOND};
use crate::process::Pid;

const SETITIMER: u32 = 38;
const GETRUSAGE: u32 = 98;
const TIMES: u32 = 100;
const CLOCK_SETTIME: u32 = 227;
const CLOCK_GETTIME: u32 = 228;
const CLOCK_NANOSLEEP: u32 = 230;
const MS: u64 = 1_000_000;

/// What every thread has run from now on.
fn run(bench: &Bench, user: u64, system: u64) {
    let mut world = bench.machine.0.borrow_mut();
    (world.run_time, world.system_time) = (Some(user), system);
}

fn words(bench: &mut Bench, pid: Pid, count: usize) -> alloc::vec::Vec<u64> {
    let bytes = bench.peek(pid, DATA, 8 * count);
    bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect()
}

/// The clock of a process or thread (linux/posix-timers.h, MAKE_PROCESS_CPUCLOCK and its thread's).
fn named(id: u32, kind: i32) -> u64 {
    (!(id as i32) << 3 | kind) as u64
}

#[test]
fn user_and_system_time_are_told_apart() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    run(&bench, 3 * SECOND + 4000, 250 * MS);
    assert_eq!(bench.value(pid, GETRUSAGE, &[0, DATA]), 0);
    assert_eq!(words(&mut bench, pid, 4), [3, 4, 0, 250_000]);
    bench.value(pid, TIMES, &[DATA]);
    assert_eq!(words(&mut bench, pid, 4), [300, 25, 0, 0]);
    let child = fork(&mut bench, pid);
    bench.call(child, EXIT_GROUP, [0; 6]);
    assert_eq!(bench.value(pid, WAIT4, &[child.0.into(), 0, 0, DATA]), child.0.into());
    assert_eq!(words(&mut bench, pid, 4), [3, 4, 0, 250_000]);
    assert_eq!(bench.value(pid, GETRUSAGE, &[ANY_CHILD, DATA]), 0);
    assert_eq!(words(&mut bench, pid, 4), [3, 4, 0, 250_000]);
}

/// `RUSAGE_CHILDREN`.
const ANY_CHILD: u64 = u64::MAX;

#[test]
fn clocks_of_running_time_have_names() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    run(&bench, 5 * SECOND, SECOND);
    let own = [(2, 6), (3, 6), (named(0, 2), 6), (named(pid.0, 1), 5), (named(pid.0, 6), 6)];
    for (clock, seconds) in own {
        assert_eq!(bench.value(pid, CLOCK_GETTIME, &[clock, DATA]), 0, "{clock:x}");
        assert_eq!(words(&mut bench, pid, 2), [seconds, 0], "{clock:x}");
    }
    let child = fork(&mut bench, pid);
    assert_eq!(bench.value(pid, CLOCK_GETTIME, &[named(child.0, 2), DATA]), 0);
    for clock in [named(child.0, 6), named(30_000, 2), named(0, 3), 12] {
        bench.error(pid, CLOCK_GETTIME, &[clock, DATA], Errno::EINVAL);
    }
    bench.poke(pid, DATA, &Fields::default().u64(1).u64(0).0);
    bench.error(pid, CLOCK_SETTIME, &[2, DATA], Errno::EINVAL);
    bench.error(pid, CLOCK_SETTIME, &[named(0, 2), DATA], Errno::EPERM);
    bench.error(pid, CLOCK_NANOSLEEP, &[3, 0, DATA, 0], Errno::EOPNOTSUPP);
    bench.error(pid, CLOCK_NANOSLEEP, &[named(0, 6), 0, DATA, 0], Errno::EINVAL);
}

#[test]
fn a_sleep_by_running_time_waits_for_that_time() {
    let mut bench = Bench::new();
    let pid = bench.launch();
    run(&bench, SECOND, 0);
    bench.poke(pid, DATA, &Fields::default().u64(2).u64(0).0);
    bench.waits(pid, CLOCK_NANOSLEEP, &[2, 0, DATA, 0]);
    bench.pass(10 * SECOND);
    assert_eq!(bench.answer(pid), None, "it has not run");
    run(&bench, 2 * SECOND, SECOND);
    bench.pass(10 * SECOND);
    assert_eq!(bench.answer(pid), Some(crate::unix::Reply::Value(0)));
}

#[test]
fn a_virtual_timer_measures_the_program_alone() {
    for (which, signal) in [(1, signals::SIGVTALRM), (2, signals::SIGPROF)] {
        let mut bench = Bench::new();
        let pid = bench.launch();
        super::handle(&mut bench, pid, signal, 0);
        run(&bench, SECOND, SECOND);
        bench.poke(pid, DATA, &Fields::default().u64(0).u64(0).u64(1).u64(0).0);
        assert_eq!(bench.value(pid, SETITIMER, &[which, DATA, 0]), 0);
        let sent = |bench: &mut Bench| {
            bench.pass(2 * SECOND);
            bench.unix.processes[&pid].pending.set().contains(signal)
        };
        run(&bench, SECOND, 2 * SECOND);
        assert_eq!(sent(&mut bench), which == 2);
        run(&bench, 2 * SECOND, 2 * SECOND);
        assert!(sent(&mut bench));
    }
}
