//! The system's contracts: one file for each protocol between its servers and their clients.
//!
//! `#[interface]` (libipc) turns each trait into the server's trait, its dispatch and a client.
//!
//! ```text
//!   programs, personalities ── XClient ──┐                    ┌── serve_x ── servers
//!                                        ├── protocols ───────┤
//!                                        │  (this crate)      │
//!                                        └── libipc ── kernel ┘
//! ```
#![no_std]
#![deny(unsafe_code)]

pub mod clock;
pub mod console;
pub mod dos;
pub mod ethernet;
pub mod file;
pub mod keep;
pub mod names;
pub mod net;
pub mod process;
pub mod registry;
pub mod sample;
pub mod stream;
pub mod system;
