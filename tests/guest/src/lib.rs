//! Tests that need a booted machine, as a list for `cargo xtask test`.
//!
//! ```text
//!   areas (what is run, what it must print) ──> Case ──> xtask: image, QEMU, verdict
//!   programs (small executables, made here)  ──┘
//! ```
//!
//! A [`Case`] boots once, does one thing and says what must come out of it. To add a test, add a
//! case to the file of its area.

mod case;
mod dos;
mod native;
pub mod programs;
mod table;
mod terminal;
mod unix;

pub use case::{Action, Case, Expected, File, Step, Way};
pub use table::cases;
