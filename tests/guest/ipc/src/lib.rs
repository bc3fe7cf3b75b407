//! libipc against the kernel: a client and a server in two address spaces.
//!
//! `ipc-test` starts its own file a second time as server of the protocol [`Probe`], tries every
//! kind of argument, and ends with a verdict. It runs as a native program, or alone as first task
//! from its own file in the boot archive. On the host the same client and server meet over loopback.
//!
//! ```text
//!   first process: client ── Probe (calls, leases, capabilities) ──> second process: server
//!        │  reader ───────── ring (submissions, completions, data) ──────> │
//!        ^──────────────── fault of the server ────────────────────────┘ (bad instruction)
//! ```
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod client;
mod probe;
mod reader;
mod server;

pub use client::{Check, Setting, checks};
pub use probe::{Answered, Probe, ProbeClient, ProbeError, Sum, probe_reply, serve_probe};
pub use reader::Reader;
pub use server::{RING_BIT, Server};

#[cfg(test)]
mod tests;
