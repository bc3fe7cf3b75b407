//! What drivers share: a device found, its registers mapped, memory that it reaches.
//!
//! ```text
//!   capabilities ──> Hardware ──find──> transport (PCI or MMIO) + interrupt line
//!   "ports, registers, DMA"│
//!                          └─provide──> arena (dma) ──> Outgoing, Incoming: queues with buffers
//! ```
//!
//! The one place for drivers where code may be `unsafe`: a driver above it is safe code that hands
//! bytes to queues and gets bytes from them. What a device is told is the address of a queue or of
//! a buffer here, so that a driver's mistake sends wrong frames, not wrong addresses.
//!
//! Decisions/0032 says what is trusted.
#![no_std]

extern crate alloc;

mod arena;
#[cfg(not(kamen))]
pub mod fake;
mod hardware;
mod mmio;
mod pci;
mod queue;
mod registers;

pub use hardware::{Found, Hardware, HardwareError, Place};
pub use queue::{Incoming, Options, Outgoing, QueueError};
pub use virtio_drivers::transport::{DeviceStatus, DeviceType, SomeTransport, Transport};
