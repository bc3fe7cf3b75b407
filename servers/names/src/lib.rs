//! The name server: services by name, and file servers by the path that they cover.
//!
//! Two small tables of capabilities. Clients walk paths themselves; they ask here once, which
//! file server covers a path. The tables are lost when the server dies: what the system mounts
//! at the start, `main` mounts again; others register when they notice.
//!
//! ```text
//!   servers ── register, mount ──> services, mounts <── find, resolve ── programs
//! ```
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod mounts;
mod server;
mod services;

pub use mounts::{Covered, MOUNTS_MAX, Mounts};
pub use server::Server;
pub use services::{SERVICES_MAX, Services};
