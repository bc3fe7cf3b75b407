//! A row: batches of an operation between two looks at the clock, and the line that tells it.
//!
//! A batch is a counted loop; what an empty one takes is subtracted, so that a row holds the
//! operation and its stub alone. The two looks at the clock are a few instructions in a hundred
//! operations and stay in.

use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;

use kamen_bench::{Figure, SAMPLES};
use libipc::abi::boot;
use libipc::{Ports, now};

use crate::raw;

/// Operations of a sample, where a row says nothing else.
pub const BATCH: u64 = 100;
/// Where in the shared words samples of other threads begin.
pub const SAMPLES_AT: usize = 1024;

const DEBUG_PORT: u16 = 0xe9;

/// Prints a line of the log.
pub fn print(line: &str) {
    // Without the log there is nobody to tell.
    let _ = Ports(boot::PORTS).write_bytes(DEBUG_PORT, line.as_bytes());
}

/// Tells how many ticks of the processor's clock make how many nanoseconds of the
/// kernel's.
pub fn calibrate() {
    let (from_ns, from) = (now().0, raw::ticks());
    while now().0 < from_ns + 20_000_000 {}
    let (ns, ticks) = (now().0 - from_ns, raw::ticks() - from);
    print(&alloc::format!("clock {ticks} {ns}\n"));
}

/// Returns the ticks that `batch` operations take.
#[inline(always)]
pub fn sample(batch: u64, mut operation: impl FnMut()) -> u64 {
    let start = raw::ticks();
    for _ in 0..batch {
        operation();
    }
    raw::ticks() - start
}

/// Returns what an empty loop takes.
#[inline(never)]
fn empty(batch: u64) -> u64 {
    sample(batch, raw::nothing);
    (0..SAMPLES).map(|_| sample(batch, raw::nothing)).min().unwrap_or(0)
}

/// Measures an operation and prints its row. Callers look at what the last one did and report the
/// row as missing where that is not what it should: a figure of failures is none.
#[inline(always)]
pub fn row(name: &str, batch: u64, mut operation: impl FnMut()) {
    let mut totals = Vec::with_capacity(SAMPLES);
    sample(batch, &mut operation);
    for _ in 0..SAMPLES {
        totals.push(sample(batch, &mut operation));
    }
    print_row(name, totals, batch, batch);
}

/// Prints the row of samples of `operations` each, taken in a loop of `rounds`, whose own part is
/// subtracted.
pub fn print_row(name: &str, mut totals: Vec<u64>, rounds: u64, operations: u64) {
    let empty = empty(rounds);
    totals.iter_mut().for_each(|total| *total = total.saturating_sub(empty));
    print_figure(name, totals, operations);
}

/// Prints the row of samples as they are.
pub fn print_figure(name: &str, totals: Vec<u64>, batch: u64) {
    if let Some(figure) = Figure::of(totals, batch) {
        print(&figure.row(name));
    }
}

/// Measures as [`row`] does, in a thread that has no heap: samples go to the shared words.
#[inline(always)]
pub fn sample_into_shared(batch: u64, mut operation: impl FnMut()) {
    sample(batch, &mut operation);
    for place in 0..SAMPLES {
        let ticks = sample(batch, &mut operation);
        raw::shared()[SAMPLES_AT + place].store(ticks, Relaxed);
    }
}

/// Returns the samples that another thread has taken.
pub fn shared_samples() -> Vec<u64> {
    (0..SAMPLES).map(|place| raw::shared()[SAMPLES_AT + place].load(Relaxed)).collect()
}
