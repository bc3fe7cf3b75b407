//! A native program that ends badly on purpose: `crash overflow|panic|gone|spin|eat`.
//!
//! For the tests of crash containment, and for whoever wants to see it.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use core::hint::black_box;
use kamen_kit::Arguments;
use kamen_rt::{Start, log};
use libipc::abi::boot;
use libipc::{Quota, map_constant};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    let arguments = Arguments::parse(start.arguments()).unwrap_or_default();
    match arguments.argv.get(1).map(Vec::as_slice) {
        Some(b"overflow") | None => overflow(&[1; 512], u64::MAX),
        Some(b"panic") => fail(),
        Some(b"gone") => gone(),
        Some(b"spin") => loop {
            core::hint::spin_loop();
        },
        Some(b"eat") => eat(),
        Some(_) => {
            log!("usage: crash overflow|panic|gone|spin|eat");
            2
        }
    }
}

/// Uses the stack up, long before the depth.
fn overflow(above: &[u8; 512], depth: u64) -> i32 {
    let mut here = *above;
    here[0] = here[0].wrapping_add(1);
    match depth {
        0 => 0,
        _ => black_box(overflow(black_box(&here), depth - 1)) + i32::from(here[1]), // backtrace: overflow
    }
}

/// Panics.
#[inline(never)]
fn fail() -> i32 {
    panic!("as asked") // backtrace: fail
}

/// Reads memory that is gone, three functions further in.
fn gone() -> i32 {
    let memory = Quota(boot::QUOTA).create_memory(1);
    let bytes = memory.and_then(|memory| {
        let bytes = map_constant(memory)?;
        memory.resize(0)?;
        Ok(bytes)
    });
    bytes.map_or(1, outer)
}

#[inline(never)]
fn outer(bytes: &[u8]) -> i32 {
    black_box(middle(black_box(bytes))) + 1 // backtrace: outer
}

#[inline(never)]
fn middle(bytes: &[u8]) -> i32 {
    black_box(inner(black_box(bytes))) + 1 // backtrace: middle
}

#[inline(always)]
fn inner(bytes: &[u8]) -> i32 {
    i32::from(bytes[0]) // backtrace: inner
}

/// Uses the quota up.
fn eat() -> i32 {
    let mut eaten = Vec::new();
    loop {
        eaten.push(black_box([1u8; 65536]));
    }
}
