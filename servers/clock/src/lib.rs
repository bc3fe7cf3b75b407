//! The clock server: the time of day, from the PC's battery-backed clock.
//!
//! The chip is read once, when the server starts; from then on the time is the kernel's clock
//! plus an offset, which clients keep themselves. Setting the time changes the offset for those
//! who ask later, not the chip.
//!
//! ```text
//!   clients ── clock protocol ──> server ──> offset <── date <── rtc <── ports 0x70, 0x71
//! ```
#![no_std]
#![deny(unsafe_code)]

mod date;
mod rtc;
mod server;

pub use date::{DateTime, SECOND};
pub use rtc::{Cmos, read};
pub use server::{Server, TIME_MAX};
