//! What a native program needs beneath `main`: entry, heap, panic, memory functions.
//!
//! A program is `#![no_std] #![no_main]` with
//! `kamen_rt::entry!(main)` and `fn main(start: &Start) -> i32`. Only `main.rs` of a program
//! imports this crate; what can be tested stands in its `lib.rs`.
//!
//! ```text
//!   _start (entry) ── Start from the message page ── log ── main ── exit (process protocol)
//!                           panic ── log line ─────────────────────── exit, status 101
//! ```
#![no_std]

extern crate alloc;

#[cfg(kamen)]
mod backtrace;
mod capabilities;
mod entry;
pub mod heap;
mod mem;
#[cfg(kamen)]
mod panic;

pub use entry::{boot_archive, exit};
pub use libipc::{debug, error, log, start::Start, trace, warn};
