//! `top`: processes of all personalities, their share of the processor, memory and messages.
//!
//! ```text
//!   timers ── interrupts ── kernel's trace ──> count: time by thread ┐
//!   Trace::threads (calls, badges) ──────────> view: threads ────────┼──> table ──> terminal, pipe
//!   init, unix: lists, badges, usage ────────> view: processes ──────┘      keys ──> kill, restart
//! ```
//!
//! What runs is told by the thread that each of 1,000 interrupts a second meets: the kernel records
//! interrupts without closing its fast ways, so that what is seen is what runs otherwise, too
//! (decisions/0037).
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod count;
mod keys;
mod options;
mod session;
mod table;
mod view;

pub use session::run;
