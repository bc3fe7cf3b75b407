//! Random Linux system calls: nearly valid ones, with bad pointers, numbers and flags.
//!
//! ```text
//!   signatures ── which argument is what ──> Generator ── Call ──> the fake machine's bench (host)
//!   Ground ────── what a process has ────────^              └────> `syscall` (tests/guest/fuzz)
//! ```
//!
//! Everything is drawn from a seed, so that a run can be repeated. The same generator plays on the
//! host, against the personality on a fake machine, and in QEMU, as several processes.
#![no_std]
#![deny(unsafe_code)]

mod dice;
mod generate;
mod signatures;

pub use dice::Dice;
pub use generate::{Call, Ground, draw, scramble};
pub use signatures::{SIGNATURES, Use, signature};
