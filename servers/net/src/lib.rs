//! The network stack: smoltcp between the card's ring and the services that the system offers.
//!
//! ```text
//!   driver ── ring ── Card ──┐ frames           ┌── echo, port 7 of TCP
//!                            ├── Stack (smoltcp) ┼── answers to ICMP echo requests
//!   clock, timer ── time ────┘                  └── DHCP, requests of the net protocol
//! ```
//!
//! [`Stack`] takes time and frames as arguments and never waits. [`Card`] has the ring's frames;
//! when the driver dies, it opens the ring again and the stack goes on: what was lost meanwhile, TCP
//! sends again. The stack's own death ends its connections; its next life begins anew.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod card;
mod echo;
mod ping;
mod server;
mod settings;
mod stack;
#[cfg(test)]
mod tests;

pub use card::{Card, ENTRIES, shape};
pub use echo::{CONNECTIONS, PORT};
pub use ping::PINGS_MAX;
pub use server::{Server, Source};
pub use settings::Settings;
pub use stack::Stack;
