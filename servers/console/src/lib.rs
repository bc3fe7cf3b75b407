//! The console server: a serial line with a line discipline, shared by the system's programs.
//!
//! ```text
//!   interrupt ──> Uart ──> (escapes) ──> Tty ──> readers, parked or polling
//!                  ^                      │ echo
//!                  └────── Ring <─────────┴───── writers
//! ```
//!
//! [`Server`] serves the stream and console protocols. It never waits: what cannot be moved now
//! is moved at the next interrupt, and the calls of those who want to wait are answered then.
//! Other servers do not wait; they `take` the console and are told of events.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod chip;
pub mod escape;
pub mod keeper;
mod listeners;
mod parked;
mod protocol;
mod ring;
mod server;
mod settings;
mod sources;
#[cfg(test)]
mod tests;
pub mod uart;

pub use chip::Chip;
pub use listeners::LISTENERS_MAX;
pub use parked::PARKED_MAX;
pub use ring::RING_BYTES;
pub use server::Server;
pub use settings::{Line, Settings};
pub use sources::Source;
