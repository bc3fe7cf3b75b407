//! The UNIX personality: the system calls of x86-64 Linux, for unmodified static programs.
//!
//! ```text
//!   Linux program ── syscall ──> kernel ── open call ──> Unix::foreign ──> table ──> calls::*
//!                                                           │
//!        Machine (spaces, threads, memory)   FileSystem (protocol file)   Servers (console, init)
//! ```
//!
//! Everything here decides; what acts is behind three traits ([`machine::Machine`],
//! [`filesystem::FileSystem`], [`servers::Servers`]), so that the personality is tested on the
//! host. One event is handled at a time; calls that cannot be answered yet are parked (`unix`).
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

pub mod cache;
pub mod calls;
pub mod context;
pub mod credentials;
mod errno;
pub mod events;
pub mod exec;
#[cfg(test)]
mod fake;
pub mod fifo;
pub mod filesystem;
pub mod futex;
pub mod io;
pub mod kept;
pub mod kernel;
pub mod linux;
pub mod locks;
pub mod machine;
pub mod memory;
pub mod numbered;
pub mod open;
pub mod path;
pub mod pipe;
pub mod proc;
pub mod process;
pub mod readiness;
pub mod serve;
pub mod servers;
pub mod signal;
pub mod socket;
pub mod table;
pub mod terminal;
pub mod timers;
pub mod unix;
pub mod wake;

pub use errno::Errno;
