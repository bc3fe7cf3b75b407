//! The supervisor: starts the system as its manifest says, and watches over it.
//!
//! ```text
//!   kernel ──starts──> init ──starts, watches──> servers ─ personalities ─ native programs
//!                        │ process, system protocols      ▲
//!                        └────────────────────────────────┘
//! ```
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

pub mod manifest;
mod processes;
mod run;
pub mod supervisor;
