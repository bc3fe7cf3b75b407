//! The card as the stack sees it: frames in and out of the driver's ring.
//!
//! ```text
//!   data area   | receive buffers, always posted | transmit buffers, free or in flight |
//! ```

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

use libipc::ring::{Buffer, Client, Pending, RingError, Shape, Submission};
use libipc::{Memory, Notification};
use protocols::ethernet::{MAX_FRAME, RECEIVE, TRANSMIT};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

/// Submissions that the ring takes: half of them receive, half transmit.
pub const ENTRIES: u32 = 64;
/// Bytes of a buffer: a frame, up to a multiple of 8.
const BUFFER: u32 = (MAX_FRAME as u32).next_multiple_of(8);

/// Returns the shape of the ring, for the manifest's pages.
///
/// # Panics
/// Never: its numbers are constants that a test has seen.
pub const fn shape() -> Shape {
    match Shape::new(ENTRIES, ENTRIES * BUFFER) {
        Some(shape) => shape,
        None => panic!("a power of two, and far fewer pages than a ring may have"),
    }
}

/// What a submission in flight has its buffer for.
#[derive(Clone, Copy, Debug)]
enum Use {
    Receive(Buffer),
    Transmit(Buffer),
}

/// The card.
#[derive(Debug)]
pub struct Card {
    ring: Ring,
    /// Buffers with frames that the stack has not taken yet.
    filled: VecDeque<(Buffer, u32)>,
    /// The frame that the stack looks at.
    frame: Vec<u8>,
    /// Frames that have come.
    pub(crate) received: u64,
}

#[derive(Debug)]
struct Ring {
    client: Client,
    pending: Pending<Use>,
    /// Buffers for frames to be transmitted.
    free: Vec<Buffer>,
    /// Why a submission was refused, for the next look.
    failed: Option<RingError>,
    sent: u64,
}

impl Card {
    /// Makes the ring in its memory; nobody serves it before [`Card::connect`].
    ///
    /// # Errors
    /// As [`Client::create`].
    pub fn new(memory: Memory, bell: Notification) -> Result<Self, RingError> {
        let client = Client::create(memory, bell, shape())?;
        let (pending, free) = (Pending::new(), Vec::new());
        let ring = Ring { client, pending, free, failed: None, sent: 0 };
        let frame = vec![0; MAX_FRAME];
        Ok(Card { ring, filled: VecDeque::new(), frame, received: 0 })
    }

    /// Has the driver open the ring: at first, or after its death. Frames in flight are lost.
    ///
    /// # Errors
    /// As [`Client::connect`] and [`Client::flush`].
    pub fn connect<E: From<RingError>>(
        &mut self,
        open: impl FnOnce(Memory, Notification) -> Result<Notification, E>,
    ) -> Result<(), E> {
        self.ring.client.connect(open)?;
        self.filled.clear();
        self.ring.failed = None;
        self.ring.pending = Pending::new();
        let mut buffers = self.ring.client.area().buffers(BUFFER).take(ENTRIES as usize);
        let receiving: Vec<Buffer> = buffers.by_ref().take(ENTRIES as usize / 2).collect();
        self.ring.free = buffers.collect();
        receiving.into_iter().for_each(|buffer| self.ring.post(buffer));
        self.ring.client.flush()?;
        Ok(())
    }

    /// Takes what the driver has completed.
    ///
    /// # Errors
    /// As [`Client::poll`].
    pub fn pump(&mut self) -> Result<(), RingError> {
        let ring = &mut self.ring;
        if let Some(error) = ring.failed.take() {
            return Err(error);
        }
        for _ in 0..ENTRIES {
            let Some(done) = ring.client.poll()? else { break };
            match ring.pending.remove(done.token) {
                Some(Use::Transmit(buffer)) => ring.free.push(buffer),
                Some(Use::Receive(buffer)) => match u32::try_from(done.value) {
                    Ok(len @ 1..=BUFFER) if done.status == 0 => {
                        self.received += 1;
                        self.filled.push_back((buffer, len));
                    }
                    // The driver has lost it, or says what cannot be.
                    _ => ring.post(buffer),
                },
                // A token that it has made up.
                None => {}
            }
        }
        Ok(())
    }

    /// Shows the driver what is to be done, and has it ring; returns whether there is nothing to
    /// do until it does. Frames that have come wait until there is room for what answers them.
    ///
    /// # Errors
    /// As [`Client::rest`].
    pub fn rest(&mut self) -> Result<bool, RingError> {
        Ok(self.ring.client.rest()? && (self.filled.is_empty() || !self.has_room()))
    }

    /// Returns whether a frame can be transmitted now.
    pub fn has_room(&self) -> bool {
        !self.ring.free.is_empty()
    }

    /// Returns how many frames were handed to the driver.
    pub fn sent(&self) -> u64 {
        self.ring.sent
    }
}

impl Ring {
    fn post(&mut self, buffer: Buffer) {
        let token = self.pending.insert(Use::Receive(buffer));
        self.submit(Submission::new(token, RECEIVE).with_buffer(buffer));
    }

    fn transmit(&mut self, frame: &[u8]) {
        let Some(buffer) = self.free.pop() else { return };
        self.client.area().write(buffer, frame);
        let token = self.pending.insert(Use::Transmit(buffer));
        let buffer = buffer.first(frame.len() as u32);
        self.submit(Submission::new(token, TRANSMIT).with_buffer(buffer));
        self.sent += 1;
    }

    /// There are as many buffers as entries, so that only a ring that is closed refuses.
    fn submit(&mut self, submission: Submission) {
        if let Err(error) = self.client.submit(submission) {
            self.failed.get_or_insert(error);
        }
    }
}

impl Device for Card {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Room<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received<'_>, Room<'_>)> {
        if !self.has_room() {
            return None;
        }
        let (buffer, len) = self.filled.pop_front()?;
        let len = self.ring.client.area().read(buffer.first(len), &mut self.frame);
        self.ring.post(buffer);
        Some((Received(self.frame.get(..len)?), Room(&mut self.ring)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Room<'_>> {
        self.has_room().then_some(Room(&mut self.ring))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = MAX_FRAME;
        capabilities
    }
}

/// A frame that has come.
pub struct Received<'a>(&'a [u8]);

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, take: F) -> R {
        take(self.0)
    }
}

/// Room for a frame to be transmitted.
pub struct Room<'a>(&'a mut Ring);

impl TxToken for Room<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, fill: F) -> R {
        let mut frame = vec![0; len];
        let result = fill(&mut frame);
        self.0.transmit(&frame);
        result
    }
}
