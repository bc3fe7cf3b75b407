//! Tests that need a booted machine, as a list for `cargo xtask test`.
//!
//! ```text
//!   areas (what is run, what it must print) ──> Case ──> xtask: image, QEMU, verdict
//!   programs (small executables, made here)  ──┘
//! ```
//!
//! A [`Case`] boots once, does one thing and says what must come out of it. To add a test, add a
//! case to the file of its area.
//!
//! A program that needs more than any native program has, and a server that only tests need, get an
//! entry in `tests/guest/system.toml`, which images for tests append to `servers/system.toml`.
//!
//! A program that needs the kernel for itself runs as first task, in init's place. To add one:
//! make a package `tests/guest/NAME` as `tests/guest/ipc` is (a binary with
//! `required-features = ["image"]`), list it in the workspace, find its own file and its arguments
//! with `FirstTask::new(kamen_rt::boot_archive(start))` (tests/guest/first), end with
//! `kamen_first_task::leave(status)`, and add a line to `first.rs`:
//! `first("area: fact", "binary", "arguments")`, with `.on(2)` for two processors, `.by(Way::Q35)`
//! for another board and clock, `.within(seconds)` for another limit than 60, and `.logs(…)` for
//! what the log must show.

mod applets;
mod backtrace;
mod campaign;
mod capabilities;
mod case;
mod debian;
mod debug;
mod dos;
mod expected;
mod first;
mod fuzz;
mod languages;
mod memory;
mod native;
mod net;
pub mod programs;
mod restart;
mod shells;
mod supply;
mod table;
mod terminal;
mod top;
mod tracing;
mod traffic;
mod tutorial;
mod unix;
mod viewable;
mod worker;

pub use campaign::campaign;
pub use capabilities::Holder;
pub use case::{Action, Case, File, Kernel, Step, Way};
pub use expected::Expected;
pub use first::{chaos, stresses};
pub use fuzz::{calls, cycles};
pub use supply::{Built, Packaged, Recipe};
pub use table::cases;
pub use traffic::{Breaks, Interface, Plug, Traffic};
