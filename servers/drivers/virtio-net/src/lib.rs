//! The driver of virtio network cards: frames between a ring and the card's two queues.
//!
//! ```text
//!   client ── ring ──> Driver ──> Card ── queue 1 ──> device
//!      ^                │ ^        │ ^                  │
//!      └─── doorbell ───┘ │        │ └── queue 0 <──────┤
//!                         └────────┴──── interrupt <────┘
//! ```
//!
//! [`Card`] is the device of virtio 1.2 5.1, [`Driver`] the server of the ethernet protocol. Neither
//! waits: what the device does not take now is moved at its next interrupt, and what the client has
//! no buffer for stays in the device's queue. A machine without such a card has a driver that says
//! so and answers `NoDevice`.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod card;
mod driver;
mod program;
#[cfg(test)]
mod tests;

pub use card::{Card, CardError};
pub use driver::{Driver, Turn};
pub use program::{Program, Source};
