//! Shows that extended state (x87, SSE, AVX) stays its thread's own.
//!
//! ```text
//!   parent (first task, uses none) ── registers, code ──> two threads, each in its own space
//!       ^── `ud2`: the code has come to its end ─────────┘    load patterns; XSAVE; messages
//! ```
//!
//! What a thread finds in its registers it saves to memory, where the parent looks at it: its own
//! pattern, or the initial state where it never had one. This program itself is built without
//! SSE; the code of the threads is written here byte by byte.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod checks;
mod code;
mod subject;

pub use checks::{Check, checks};
pub use code::{Entry, code};
pub use subject::{Saved, Subject};
