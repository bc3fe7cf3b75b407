//! Network cards: frames of Ethernet, over a ring.
//!
//! ```text
//!   client (network stack)            ring                       driver
//!   TRANSMIT, buffer: a frame ──────────────────> taken by the card: completed
//!   RECEIVE, buffer: room     ──────────────────> kept until a frame has come: completed
//! ```
//!
//! | operation | buffer | the completion's value |
//! |---|---|---|
//! | [`TRANSMIT`] | a frame, from its destination address to the end of its data | its length |
//! | [`RECEIVE`] | room for a frame: [`MAX_FRAME`] bytes for every one | length of the frame in it |
//!
//! Checksums of frames (FCS) are the card's. Frames of less than the smallest length are filled up
//! by it. A buffer belongs to the driver until its submission is completed.
//!
//! **Each may be repeated**, and is after a restart of the driver: a frame that is transmitted
//! again arrives twice or not at all, one that was received and whose completion was lost is lost.
//! Ethernet promises no more, and what is above it (TCP) lives with that.
//!
//! **Back-pressure.** What is transmitted faster than the wire takes it stays in the ring. Frames
//! for which no buffer is posted wait in the card as far as it has room; then they are lost.
//!
//! Without a card all operations answer [`EthernetError::NoDevice`].

use libipc::{Memory, Notification, interface};

/// Operation of the ring: transmits the frame in the buffer; may be repeated.
pub const TRANSMIT: u32 = 1;
/// Operation of the ring: fills the buffer with the next frame; may be repeated.
pub const RECEIVE: u32 = 2;

/// Bytes of a frame's header: two addresses and the type (IEEE 802.3-2018 3.1.1).
pub const HEADER: usize = 14;
/// Most bytes of data in a frame (IEEE 802.3-2018 3.2.7).
pub const MTU: usize = 1500;
/// Most bytes of a frame, without its checksum.
pub const MAX_FRAME: usize = HEADER + MTU;

/// Why a driver refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum EthernetError {
    /// The machine has no such card, or it does not work.
    NoDevice = 1,
    /// The memory holds no ring, or the kernel refused it.
    Ring = 2,
    /// The frame is shorter than its header, or longer than the card takes.
    Length = 3,
    /// The buffer has no room for the frame, which is lost.
    NoRoom = 4,
    /// The ring has no such operation.
    Operation = 5,
}

/// Whether a card is connected.
#[derive(libipc::Word, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Link {
    /// Frames go nowhere.
    Down = 0,
    /// Frames go out and come in.
    Up = 1,
}

/// A card.
#[derive(libipc::Words, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Card {
    /// Its address.
    pub address: [u8; 6],
    /// Most bytes of data in a frame.
    pub mtu: u32,
    /// Whether it is connected.
    pub link: Link,
}

/// What went through a card since its driver's start.
#[derive(libipc::Words, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Traffic {
    /// Frames that the card took.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Frames given to the client.
    pub received: u64,
    /// Their bytes.
    pub received_bytes: u64,
    /// Frames that came and were not given to anybody.
    pub dropped: u64,
    /// Interrupts.
    pub interrupts: u64,
}

/// The driver of one network card, and its one client.
#[interface(number = 21, error = EthernetError)]
pub trait Ethernet {
    /// Opens the ring, in place of the last one; returns the driver's doorbell.
    #[operation(1, idempotent)]
    fn open(&mut self, memory: Memory, bell: Notification) -> Result<Notification, EthernetError>;
    /// Returns what the card is.
    #[operation(2, idempotent)]
    fn card(&mut self) -> Result<Card, EthernetError>;
    /// Returns what went through it.
    #[operation(3, idempotent)]
    fn traffic(&mut self) -> Result<Traffic, EthernetError>;
}

#[cfg(test)]
mod tests;
