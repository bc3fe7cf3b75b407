//! A thousand kills of servers at random moments, under clients that check every answer.
//!
//! ```text
//!   campaign ──spawn──> clients: native (one process each), UNIX scripts, DOS programs in pipes
//!      │ ^                 │ calls                  look v   (Sheet: kills announced, done)
//!      │ └── reports ──────┘                         sheet
//!      └──spawn──> campaign-killer ── kill ──> ramfs, names, console, counters ── (init) ──> again
//! ```
//!
//! The killer runs above the servers, so that its timer finds them in the middle of whatever they
//! do; clients run below. Each native client knows from its model what every answer must be
//! ([`worker`]), and from the sheet whether a restart has its reason ([`watched`]); UNIX and DOS
//! clients are scripts that check what they read ([`scripts`]). The program that conducts all
//! ([`conduct`]) compares memory, objects and init's capabilities before and after, when
//! everything is quiet, and prints what all saw ([`verdict`]).
//!
//! Run it by hand, with other numbers: `campaign seed=7 kills=100`.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

pub mod conduct;
pub mod counters;
pub mod killer;
mod kind;
pub mod protocol;
pub mod scripts;
pub mod settings;
pub mod sheet;
pub mod tally;
pub mod verdict;
pub mod watched;
pub mod worker;

pub use kind::Kind;
