//! The card: a virtio network device (virtio 1.2 5.1), with its features, header and queues.
//!
//! Each frame stands in a buffer behind a header that says nothing here, as neither checksums nor
//! segments are left to the device.

use bitflags::bitflags;
use driver_kit::{DeviceStatus, Incoming, Options, Outgoing, QueueError, Transport};
use protocols::ethernet::{HEADER, Link, MAX_FRAME, MTU};

/// Buffers of each queue.
pub(crate) const BUFFERS: usize = 64;
/// Queues of the device (virtio 1.2 5.1.2).
const RECEIVE: u16 = 0;
const TRANSMIT: u16 = 1;
/// Bytes of a frame's header in a buffer; a device of before virtio 1.0 has no `num_buffers`
/// (virtio 1.2 5.1.6).
const VIRTIO_HEADER: usize = 12;
const LEGACY_HEADER: usize = 10;
/// Where the configuration has the address and the state of the link (virtio 1.2 5.1.4).
const ADDRESS_AT: usize = 0;
const STATUS_AT: usize = 6;
/// Bit of the status: the link is up.
const LINK_UP: u16 = 1;
/// How often the device is asked whether it has been reset.
const RESET_LOOKS: usize = 1000;

bitflags! {
    /// What the driver wants of what the device can do (virtio 1.2 5.1.3, 6).
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    struct Features: u64 {
        /// The configuration has an address.
        const ADDRESS = 1 << 5;
        /// The configuration has the state of the link.
        const STATUS = 1 << 16;
        /// Each side says from which entry on it wants to hear.
        const EVENT_INDEX = 1 << 29;
        /// The device is one of virtio 1.0 or later.
        const VERSION_1 = 1 << 32;
    }
}

/// Why a card does not work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CardError {
    /// It does not reset.
    Stuck,
    /// It refuses what it has offered.
    Features,
    /// It tells no address.
    Address,
    /// A queue failed.
    Queue(QueueError),
}

impl From<QueueError> for CardError {
    fn from(error: QueueError) -> Self {
        CardError::Queue(error)
    }
}

/// A card.
#[derive(Debug)]
pub struct Card<T> {
    transport: T,
    address: [u8; 6],
    features: Features,
    /// Bytes before each frame.
    header: usize,
    incoming: Incoming<BUFFERS>,
    outgoing: Outgoing<BUFFERS>,
}

impl<T: Transport> Card<T> {
    /// Resets the device, whatever an earlier life of the driver has told it, and sets it up.
    ///
    /// # Errors
    /// What the device does not do as virtio says.
    pub fn new(mut transport: T) -> Result<Self, CardError> {
        reset(&mut transport)?;
        // The order of steps is virtio 1.2 3.1.1's.
        let features = transport.begin_init(Features::all());
        if !transport.get_status().contains(DeviceStatus::FEATURES_OK) {
            return Err(CardError::Features);
        }
        let address = transport.read_consistent(|| transport.read_config_space(ADDRESS_AT));
        let address = address.ok().filter(|_| features.contains(Features::ADDRESS));
        let is_modern = features.contains(Features::VERSION_1);
        let header = if is_modern { VIRTIO_HEADER } else { LEGACY_HEADER };
        let options = Options { event_index: features.contains(Features::EVENT_INDEX) };
        let len = header + MAX_FRAME;
        let incoming = Incoming::new(&mut transport, RECEIVE, len, options)?;
        let outgoing = Outgoing::new(&mut transport, TRANSMIT, len, options)?;
        transport.finish_init();
        let address = address.ok_or(CardError::Address)?;
        let mut card = Card { transport, address, features, header, incoming, outgoing };
        card.incoming.post(&mut card.transport)?;
        Ok(card)
    }

    /// Returns its address.
    pub fn address(&self) -> [u8; 6] {
        self.address
    }

    /// Returns whether it is connected; a card that cannot tell is.
    pub fn link(&self) -> Link {
        if !self.features.contains(Features::STATUS) {
            return Link::Up;
        }
        let status = self.transport.read_config_space::<u16>(STATUS_AT);
        if status.is_ok_and(|status| status & LINK_UP != 0) { Link::Up } else { Link::Down }
    }

    /// Takes back what the device has interrupted for, so that it no longer does.
    pub fn acknowledge(&mut self) {
        self.transport.ack_interrupt();
    }

    /// Transmits a frame of `len` bytes, which `fill` writes.
    ///
    /// # Errors
    /// Full: an interrupt tells when there is room; Length: it is no frame; Broken.
    pub fn transmit(&mut self, len: usize, fill: impl FnOnce(&mut [u8])) -> Result<(), QueueError> {
        if !(HEADER..=HEADER + MTU).contains(&len) {
            return Err(QueueError::Length);
        }
        let header = self.header;
        self.outgoing.send(&mut self.transport, header + len, |buffer| {
            let (before, frame) = buffer.split_at_mut(header);
            before.fill(0);
            fill(frame);
        })
    }

    /// Has `take` read the next frame, if one has come; what is no frame is empty.
    ///
    /// # Errors
    /// Broken.
    pub fn receive<R>(&mut self, take: impl FnOnce(&[u8]) -> R) -> Result<Option<R>, QueueError> {
        let header = self.header;
        self.incoming.receive(|buffer| take(buffer.get(header..).unwrap_or(&[])))
    }

    /// Returns whether a frame has come.
    pub fn is_ready(&self) -> bool {
        self.incoming.is_ready()
    }

    /// Gives the device all buffers that frames were taken from.
    ///
    /// # Errors
    /// Broken.
    pub fn post(&mut self) -> Result<(), QueueError> {
        self.incoming.post(&mut self.transport)
    }
}

/// Resets a device: it forgets its queues, and touches no memory any more (virtio 1.2 2.4).
fn reset(transport: &mut impl Transport) -> Result<(), CardError> {
    transport.set_status(DeviceStatus::empty());
    let is_reset = (0..RESET_LOOKS).any(|_| transport.get_status().is_empty());
    if is_reset { Ok(()) } else { Err(CardError::Stuck) }
}
