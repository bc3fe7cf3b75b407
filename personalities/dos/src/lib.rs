//! The DOS server: what DOS sessions share.
//!
//! ```text
//!   dos-session ──┐
//!   dos-session ──┼── protocol dos ── Server ── drives, open files and their sharing modes
//!   dos-session ──┘
//! ```
//!
//! Each session is a process of its own with a DOS inside (kamen-dos-machine); files go straight
//! from there to the file server. The server keeps nothing that a session could not tell it again.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod locks;
mod server;
mod settings;
mod sharing;

pub use locks::{LOCKS_MAX, Lock, LockTable};
pub use server::{SESSIONS_MAX, Server};
pub use settings::Settings;
pub use sharing::{OPEN_MAX, Open, SharingTable};
