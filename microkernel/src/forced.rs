//! A kernel that ends once it is up, for the tests of its backtrace; nobody gets it.
//!
//! On one processor it panics; on several it uses up its stack, which the processor tells as a
//! double fault, on another stack.

use core::hint::black_box;

use kamen_core::Machine;

/// Ends the kernel.
pub fn end(machine: &impl Machine) {
    let depth = if machine.processors() > 1 { u64::MAX } else { 0 };
    black_box(outer(black_box(depth)));
}

#[inline(never)]
fn outer(depth: u64) -> u64 {
    black_box(middle(black_box(depth))) + 1 // backtrace: kernel outer
}

#[inline(never)]
fn middle(depth: u64) -> u64 {
    black_box(use_up(&[1; 64], depth)) + inner(depth) // backtrace: kernel middle
}

#[inline(always)]
fn inner(depth: u64) -> u64 {
    assert!(black_box(depth) != 0, "as asked"); // backtrace: kernel inner
    depth
}

/// Uses the stack up, long before the depth.
#[inline(never)]
fn use_up(above: &[u64; 64], depth: u64) -> u64 {
    let mut here = *above;
    here[0] = here[0].wrapping_add(1);
    match depth {
        0 => 0,
        _ => black_box(use_up(black_box(&here), depth - 1)).wrapping_add(here[1]), // backtrace: kernel deep
    }
}
