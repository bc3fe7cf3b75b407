//! The name server: services by name, and file servers by the path that they cover.
//!
//! Two small tables of capabilities. Clients walk paths themselves; they ask here once, which
//! file server covers a path. The tables outlive the server: their names in memory that init keeps,
//! their capabilities with init itself.
//!
//! ```text
//!   servers ── register, mount ──> services, mounts <── find, resolve ── programs
//!                                     │ keeper
//!                                     v
//!                                    init ──> the next life
//! ```
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

pub mod keeper;
mod mounts;
mod server;
mod services;

pub use mounts::{Covered, MOUNTS_MAX, Mounts};
pub use server::Server;
pub use services::{SERVICES_MAX, Services};
