//! `unix-bench`: what a Linux program's system calls take, a line each.
//!
//! An ordinary static Linux program: what it calls goes through the UNIX personality.

use kamen_bench::measure;
use std::os::unix::process::parent_id;
use std::time::Instant;

/// Operations of a sample.
const BATCH: u64 = 100;

fn main() {
    let begin = Instant::now();
    let now = || u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
    // The cheapest call that the server must answer: getppid(2).
    let figure = measure(now, BATCH, || {
        std::hint::black_box(parent_id());
    });
    if let Some(figure) = figure {
        print!("{}", figure.row("getppid"));
    }
}
