//! The supervisor: starts the system as its manifest says, and watches over it.
//!
//! ```text
//!   kernel ──starts──> init ──starts, watches──> servers ─ personalities ─ native programs
//!                        │ process, system protocols      ▲
//!                        └────────────────────────────────┘
//!   supervisor (what it does) ── manifest (what is declared) ── policy (when to start again),
//!        │                                              heartbeat (who hangs)
//!        └── processes (who runs) ── run (what this start of the machine is for)
//! ```
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod heartbeat;
pub mod manifest;
mod policy;
mod processes;
mod run;
pub mod supervisor;
