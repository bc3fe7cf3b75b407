//! Many processes, one after the other: nothing of them stays.

use crate::numbers as n;
use crate::raw::{call3, error};
use crate::state::{State, settled};
use std::time::{Duration, Instant};

/// Cycles before the first count, after which everything that is kept is there.
const WARM: u64 = 50;
/// How long a process may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Forks, executes and ends so many; returns whether nothing is left of them.
pub fn run(cycles: u64) -> bool {
    let failed = (0..WARM).filter(|_| !cycle()).count();
    let before = State::read();
    let start = Instant::now();
    let failed = failed + (0..cycles).filter(|_| !cycle()).count();
    let took = start.elapsed();
    let left = settled(&before);
    println!("cycles: {cycles}, failed: {failed}, {} ms", took.as_millis());
    println!("before: {:?}", before.counts);
    println!("after: {:?}", State::read().counts);
    for one in &left {
        println!("left: {one}");
    }
    println!("left: {}", left.len());
    failed == 0 && left.is_empty()
}

fn cycle() -> bool {
    let program = c"/bin/fuzz".as_ptr() as u64;
    let arguments = [program, c"nothing".as_ptr() as u64, 0];
    let pid = call3(n::FORK, 0, 0, 0);
    if pid == 0 {
        call3(n::EXECVE, program, arguments.as_ptr() as u64, 0);
        call3(n::EXIT_GROUP, 1, 0, 0);
    }
    error(pid).is_none() && ended(pid) == Some(0)
}

fn ended(pid: u64) -> Option<u32> {
    let mut status = u32::MAX;
    let result = call3(n::WAIT4, pid, (&raw mut status) as u64, 0);
    if result == pid {
        Some(std::hint::black_box(status))
    } else {
        crate::state::wait(pid, PATIENCE)
    }
}
