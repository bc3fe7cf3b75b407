//! `unix-bench [ROW…]`: what a Linux program's system calls take, a line each.
//!
//! ```text
//!   main ── rows ──> kamen_bench::measure ──> "row NAME MIN MEDIAN P99", in ticks
//!            └─ raw: libc, the tick counter            └──> "clock TICKS NS"
//! ```
//!
//! An ordinary static Linux program: the same file runs through the UNIX personality and on Linux,
//! there as first process (`cargo xtask bench unix`). Its ticks are the time-stamp counter's, which
//! counts instructions under QEMU's instruction clock. It has C's main, not the standard library's,
//! whose beginning would be a part of the row that executes this program again.
#![no_main]

mod raw;
mod rows;

use rows::ROWS;
use std::time::Instant;

/// The argument with which the program ends at once: what a child executes.
const END: &str = "end";

/// Begins the program, after the C library's own beginning.
#[unsafe(no_mangle)]
pub extern "C" fn main() -> i32 {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if wanted.first().is_some_and(|word| word == END) {
        return 0;
    }
    let (begin, first_tick) = (Instant::now(), raw::ticks());
    let mut missing = 0;
    for (name, row) in ROWS {
        if !wanted.is_empty() && !wanted.iter().any(|word| word == name) {
            continue;
        }
        match row() {
            Ok(figure) => print!("{}", figure.row(name)),
            Err(error) => {
                missing += 1;
                println!("missing {name} {error}");
            }
        }
    }
    println!("clock {} {}", raw::ticks() - first_tick, begin.elapsed().as_nanos());
    if raw::is_first_process() {
        raw::restart_machine();
    }
    i32::from(missing != 0)
}
