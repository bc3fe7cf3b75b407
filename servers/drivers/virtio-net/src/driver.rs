//! The driver as a server: one ring, its submissions to the card, the card's frames to it.

use alloc::collections::VecDeque;

use driver_kit::{QueueError, Transport};
use libipc::ring::{RingError, Served, Server, Submission, Ticket};
use libipc::{Caller, Memory, Notification, Object};
use protocols::ethernet::{
    self, Ethernet, EthernetError, HEADER, MAX_FRAME, MTU, RECEIVE, TRANSMIT, Traffic,
};

use crate::card::{BUFFERS, Card};

/// Whether a turn has come to an end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "nobody signals for what was left over"]
pub enum Turn {
    /// There is nothing more to do until somebody signals.
    Done,
    /// There is more, for after the others have had a turn.
    More,
}

/// The driver of a card, or of none.
#[derive(Debug)]
pub struct Driver<T> {
    card: Option<Card<T>>,
    ring: Option<Server>,
    /// Frames to be transmitted that the card has no room for; at most as many as the ring's
    /// entries, as are buffers for frames.
    waiting: VecDeque<(Ticket, Submission)>,
    /// Buffers for frames.
    posted: VecDeque<(Ticket, Submission)>,
    /// What clients ring.
    bell: Notification,
    traffic: Traffic,
}

impl<T: Transport> Driver<T> {
    /// Returns the driver of a card, whose client rings `bell`.
    pub fn new(card: Option<Card<T>>, bell: Notification) -> Self {
        Driver {
            card,
            ring: None,
            waiting: VecDeque::new(),
            posted: VecDeque::new(),
            bell,
            traffic: Traffic::default(),
        }
    }

    // ANCHOR: turn
    /// The card has interrupted: moves what can be moved now.
    ///
    /// # Errors
    /// Broken: the device breaks its rules, and is to be reset.
    pub fn interrupted(&mut self) -> Result<Turn, QueueError> {
        self.traffic.interrupts += 1;
        if let Some(card) = &mut self.card {
            // First this: what the device does from here on interrupts again.
            card.acknowledge();
        }
        self.go_on()
    }

    /// The client has rung, or more was left over: moves what can be moved now, a whole ring and a
    /// whole queue at most.
    ///
    /// # Errors
    /// As [`Driver::interrupted`].
    pub fn go_on(&mut self) -> Result<Turn, QueueError> {
        let Some(card) = &mut self.card else { return Ok(Turn::Done) };
        let Some(ring) = &mut self.ring else { return drop_frames(card, &mut self.traffic) };
        let (waiting, posted) = (&mut self.waiting, &mut self.posted);
        let served = ring.serve(|ring, ticket, submission| match submission.operation {
            TRANSMIT => waiting.push_back((ticket, submission)),
            RECEIVE => posted.push_back((ticket, submission)),
            _ => ring.complete(ticket, Err(EthernetError::Operation)),
        });
        transmit(card, ring, waiting, &mut self.traffic)?;
        let received = receive(card, ring, posted, &mut self.traffic)?;
        match (served, ring.flush()) {
            (Ok(Served::All), Ok(())) => Ok(received),
            (Ok(Served::More), Ok(())) => Ok(Turn::More),
            (Err(error), _) | (_, Err(error)) => {
                self.close(error);
                Ok(Turn::More)
            }
        }
    }
    // ANCHOR_END: turn

    /// Drops the ring: its client has ended, or breaks the rules.
    fn close(&mut self, error: RingError) {
        if error != RingError::Ended {
            libipc::warn!("the client's ring is closed: {error:?}");
        }
        self.ring = None;
        self.waiting.clear();
        self.posted.clear();
    }
}

impl<T: Transport> Ethernet for Driver<T> {
    fn open(
        &mut self,
        _: &Caller,
        memory: Memory,
        bell: Notification,
    ) -> Result<Notification, EthernetError> {
        if self.card.is_none() {
            // They came with the request; gone or not, they are of no use.
            let _ = (memory.delete(), bell.delete());
            return Err(EthernetError::NoDevice);
        }
        // The working ring is closed only for another one that works as well.
        let ring = Server::attach(memory, bell).map_err(|_| EthernetError::Ring)?;
        self.close(RingError::Ended);
        self.ring = Some(ring);
        Ok(self.bell)
    }

    fn card(&mut self, _: &Caller) -> Result<ethernet::Card, EthernetError> {
        let card = self.card.as_ref().ok_or(EthernetError::NoDevice)?;
        Ok(ethernet::Card { address: card.address(), mtu: MTU as u32, link: card.link() })
    }

    fn traffic(&mut self, _: &Caller) -> Result<Traffic, EthernetError> {
        self.card.as_ref().map(|_| self.traffic).ok_or(EthernetError::NoDevice)
    }
}

/// Transmits frames until the card has no room for more.
fn transmit<T: Transport>(
    card: &mut Card<T>,
    ring: &mut Server,
    waiting: &mut VecDeque<(Ticket, Submission)>,
    traffic: &mut Traffic,
) -> Result<(), QueueError> {
    while let Some((ticket, submission)) = waiting.pop_front() {
        let buffer = submission.buffer;
        let sent = card.transmit(buffer.len() as usize, |frame| {
            ring.area().read(buffer, frame);
        });
        match sent {
            Ok(()) => {
                traffic.sent += 1;
                traffic.sent_bytes += u64::from(buffer.len());
                ring.complete::<EthernetError>(ticket, Ok(buffer.len().into()));
            }
            Err(QueueError::Full) => {
                waiting.push_front((ticket, submission));
                break;
            }
            Err(QueueError::Length | QueueError::NoRoom) => {
                ring.complete(ticket, Err(EthernetError::Length));
            }
            Err(QueueError::Broken) => return Err(QueueError::Broken),
        }
    }
    Ok(())
}

/// Fills posted buffers with frames, a whole queue of them at most.
fn receive<T: Transport>(
    card: &mut Card<T>,
    ring: &mut Server,
    posted: &mut VecDeque<(Ticket, Submission)>,
    traffic: &mut Traffic,
) -> Result<Turn, QueueError> {
    for _ in 0..BUFFERS {
        let Some((ticket, submission)) = posted.pop_front() else { break };
        let buffer = submission.buffer;
        let received = card.receive(|frame| {
            let is_frame = (HEADER..=MAX_FRAME).contains(&frame.len());
            is_frame.then(|| (ring.area().write(buffer, frame), frame.len()))
        })?;
        match received {
            Some(Some((written, len))) if written == len => {
                traffic.received += 1;
                traffic.received_bytes += len as u64;
                ring.complete::<EthernetError>(ticket, Ok(len as u64));
            }
            Some(Some(_)) => {
                traffic.dropped += 1;
                ring.complete(ticket, Err(EthernetError::NoRoom));
            }
            Some(None) => {
                traffic.dropped += 1;
                posted.push_front((ticket, submission));
            }
            None => {
                posted.push_front((ticket, submission));
                break;
            }
        }
    }
    card.post()?;
    Ok(if card.is_ready() && !posted.is_empty() { Turn::More } else { Turn::Done })
}

/// Drops what has come while nobody wants it, a whole queue of frames at most.
fn drop_frames<T: Transport>(
    card: &mut Card<T>,
    traffic: &mut Traffic,
) -> Result<Turn, QueueError> {
    for _ in 0..BUFFERS {
        if card.receive(|_| ())?.is_none() {
            break;
        }
        traffic.dropped += 1;
    }
    card.post()?;
    Ok(if card.is_ready() { Turn::More } else { Turn::Done })
}
