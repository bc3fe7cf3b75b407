//! Shows that a process's threads have messages of their own, and work beside its loop.
//!
//! ```text
//!   crowd:      three clients (main, two workers) ──sums of bytes──> one endpoint, two workers
//!   naps:       tasks of the loop answer later (kit's executor), while it answers others
//!   meanwhile:  a worker that counts ──bell──> the loop <──sums── a worker that calls
//! ```
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod adder;
mod crowd;
mod meanwhile;
mod naps;

pub use adder::{Adder, AdderError, Adding, AddingClient, adding_label, serve_adding};
pub use crowd::crowd;
pub use meanwhile::{Meanwhile, Source, make};
pub use naps::{Nap, NapClient, NapError, Naps, doze, nap_label, serve_nap};
