//! What the benchmark measures with: samples, and the line that reports them.
//!
//! ```text
//!   bench (main.rs) ── measure ──> Figure ── "row NAME MIN MEDIAN P99" ──> cargo xtask bench
//! ```
//!
//! The clock is the kernel's. Under QEMU's instruction clock a nanosecond is an instruction, so
//! that the same program reports instructions there and time elsewhere.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

pub mod serving;

use alloc::string::String;
use alloc::vec::Vec;

/// Samples of each figure.
pub const SAMPLES: usize = 101;

/// What one operation takes, in hundredths of the clock's unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Figure {
    /// The least of all samples.
    pub min: u64,
    /// The middle one.
    pub median: u64,
    /// What 99 of 100 samples do not exceed.
    pub p99: u64,
}

impl Figure {
    /// Returns the figure of samples that each took the given time for `batch` operations;
    /// nothing where there is no sample or no operation.
    pub fn of(mut totals: Vec<u64>, batch: u64) -> Option<Figure> {
        totals.sort_unstable();
        let at = |place: usize| totals.get(place)?.checked_mul(100)?.checked_div(batch);
        let last = totals.len().checked_sub(1)?;
        Some(Figure { min: at(0)?, median: at(last / 2)?, p99: at(last * 99 / 100)? })
    }

    /// Returns the line that reports the figure under a name.
    pub fn row(&self, name: &str) -> String {
        let part = |value: u64| alloc::format!("{}.{:02}", value / 100, value % 100);
        let (min, median, p99) = (part(self.min), part(self.median), part(self.p99));
        alloc::format!("row {name} {min} {median} {p99}\n")
    }
}

/// Measures an operation: [`SAMPLES`] times a batch of it, after one batch to warm up.
pub fn measure(now: impl Fn() -> u64, batch: u64, mut operation: impl FnMut()) -> Option<Figure> {
    let mut sample = || {
        let start = now();
        for _ in 0..batch {
            operation();
        }
        now() - start
    };
    sample();
    Figure::of((0..SAMPLES).map(|_| sample()).collect(), batch)
}

#[cfg(test)]
mod tests {
    use super::{Figure, measure};
    use core::cell::Cell;

    #[test]
    fn a_figure_is_taken_from_sorted_samples() {
        let figure = Figure::of((1..=101).rev().collect(), 2).unwrap();
        assert_eq!(figure, Figure { min: 50, median: 2550, p99: 5000 });
        assert_eq!(figure.row("x"), "row x 0.50 25.50 50.00\n");
    }

    #[test]
    fn nothing_is_no_figure() {
        assert_eq!(Figure::of([].into(), 1), None);
        assert_eq!(Figure::of([1].into(), 0), None);
    }

    #[test]
    fn a_steady_operation_measures_what_it_takes() {
        let clock = Cell::new(0);
        let figure = measure(|| clock.get(), 10, || clock.set(clock.get() + 7)).unwrap();
        assert_eq!((figure.min, figure.p99), (700, 700));
    }
}
