//! Memory that others provide: a pager, and hardware.
//!
//! `memory-test` runs as first task. It starts its own file a second time as a client whose memory
//! object it is the pager of; then it looks at contiguous memory and at a device.
//!
//! ```text
//!   second process: client ── page requests ──> first task: pager ── Supply ──> object
//!          └──────── Errand: found, sum, fill, take ──────┘  (copies that stop and go on)
//! ```
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

pub mod client;
mod errand;
pub mod hardware;
mod pager;

pub use errand::{Errand, ErrandClient, ErrandError, serve_errand};
pub use pager::{OBJECT, Pager};

/// Pages of the paged object.
pub const PAGES: u64 = 16;

/// Returns the byte that a page of the object is full of.
pub const fn content(page: u64) -> u8 {
    (page as u8).wrapping_mul(37).wrapping_add(11)
}
