//! A DOS session's wiring: the machine's host, made of the system's streams and files.
//!
//! ```text
//!   dos-session (this process)
//!   ┌────────────────────────────────┐   stream, console ──► whoever gave the streams
//!   │ dos_machine::Session           │   file ──► file server
//!   │      └─ Host = SystemHost ─────┼── dos ───► DOS server (drives, sharing)
//!   └────────────────────────────────┘   clock ─► clock
//! ```
//!
//! The session is started with `dos-session PROGRAM ARGUMENTS…` through `process.spawn`, and ends
//! with the DOS program's exit code.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod environment;
mod files;
mod foreign;
mod host;
mod marks;
mod run;
mod streams;

pub use environment::{start_of, version};
pub use files::Files;
pub use run::run;
