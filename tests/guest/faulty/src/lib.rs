//! Servers that fail on purpose, and a client that sees what becomes of them.
//!
//! ```text
//!   survivor (checks) ── faulty protocol ──> faulty (server): "hanging", "crashing"
//!      │                                        ▲
//!      └── system protocol ──> init ────────────┘ restarts, asks, gives up
//! ```
//!
//! Both are in images for tests only (tests/guest/system.toml).
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

pub mod checks;
mod leaks;
mod protocol;
mod server;
pub mod world;

pub use protocol::{Faulty, FaultyClient, FaultyError, serve_faulty};
pub use server::{Plan, Server};
