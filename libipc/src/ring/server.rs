//! The server's side of a ring: takes submissions, and completes them in any order.

use core::sync::atomic::AtomicU64;

use super::layout::Parts;
use super::line::{Generation, Position};
use super::shared::Shared;
use super::{Area, Completion, PeerError, RingError, Submission, ring_bell};
use crate::{Memory, Notification, Object, ProtocolError};

/// The server's side of a ring.
///
/// It never works on more submissions than the ring has entries, so that there is always room for
/// their completions. What it completes the client sees at the next [`Server::flush`]. Dropping it
/// unmaps the memory and deletes the capabilities.
///
/// A driver to whom receive buffers are posted: it keeps their tickets until packets come.
///
/// ```
/// use std::collections::VecDeque;
/// use libipc::ring::{RingError, Served, Server, Submission, Ticket};
/// # use libipc::{ProtocolError, loopback, ring::{Buffer, Client, Shape}};
///
/// #[derive(ProtocolError, Clone, Copy, PartialEq, Debug)]
/// #[repr(u8)]
/// enum NetError {
///     /// The packet is longer than the buffer.
///     TooLong = 1,
/// }
///
/// struct Driver {
///     ring: Server,
///     posted: VecDeque<(Ticket, Submission)>,
/// }
///
/// impl Driver {
///     /// The doorbell was rung: takes what was posted.
///     fn serve(&mut self) -> Result<Served, RingError> {
///         self.ring.serve(|_, ticket, submission| self.posted.push_back((ticket, submission)))
///     }
///
///     /// The device has interrupted: fills the oldest buffer, and lets others be posted.
///     fn receive(&mut self, packet: &[u8]) -> Result<Served, RingError> {
///         let Some((ticket, submission)) = self.posted.pop_front() else {
///             return self.serve(); // The packet is dropped.
///         };
///         let written = self.ring.area().write(submission.buffer, packet);
///         let is_whole = written == packet.len();
///         let result = if is_whole { Ok(written as u64) } else { Err(NetError::TooLong) };
///         self.ring.complete(ticket, result);
///         self.serve()
///     }
/// }
/// # fn main() -> Result<(), RingError> {
/// # let (memory, bell) = (loopback::memory(2), loopback::notification());
/// # let shape = Shape::new(8, 4096).expect("a power of two");
/// # let words = Box::leak(Box::new([const { std::sync::atomic::AtomicU64::new(0) }; 1024]));
/// # let mut client = Client::over(words, shape, bell, bell)?;
/// # let mut driver = Driver { ring: Server::over(words, bell)?, posted: VecDeque::new() };
/// # client.submit(Submission::new(1, 1).with_buffer(Buffer::new(0, 64)))?;
/// # client.flush()?;
/// # assert_eq!((driver.serve()?, driver.receive(b"packet")?), (Served::All, Served::All));
/// # assert_eq!(client.poll()?.and_then(|done| done.result::<NetError>().ok()), Some(6));
/// # memory; Ok(())
/// # }
/// ```
///
/// ```
/// use libipc::ring::{RingError, Server};
/// # use libipc::ProtocolError;
/// # #[derive(ProtocolError, Clone, Copy)]
/// # #[repr(u8)]
/// # enum NoError { Never = 1 }
///
/// /// By hand what `serve` does, for a server that holds at most four tickets.
/// fn rung(ring: &mut Server) -> Result<(), RingError> {
///     while ring.held() < 4 {
///         let Some((ticket, submission)) = ring.take()? else { break };
///         ring.complete(ticket, Ok::<_, NoError>(submission.arguments[0]));
///     }
///     while !ring.rest()? {
///         // There are more, or there is room again.
///         let Some((ticket, _)) = ring.take()? else { break };
///         ring.complete(ticket, Ok::<_, NoError>(0));
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Server {
    parts: Parts,
    /// None before the client's first, or where another life of this server began it.
    generation: Option<Generation>,
    /// The generation that another life of this server began, and this one goes on with not.
    ended: Option<Generation>,
    /// Submissions taken.
    taken: u32,
    /// How far may be taken before the next look: to what was submitted then, but so that no more
    /// tickets are given out than there are entries.
    limit: u32,
    completed: u32,
    /// What of `completed` the client sees.
    published: u32,
    /// Tickets given out before the client's last reset, and not used up.
    stale: u32,
    closed: Option<PeerError>,
    client_bell: Notification,
    /// What the parts lie in: dropped last.
    shared: Shared,
}

/// The duty to complete a submission: used up by [`Server::complete`].
///
/// ```
/// use libipc::ring::{Submission, Ticket};
/// /// What a driver keeps of a read that its device works on.
/// struct Reading {
///     ticket: Ticket,
///     submission: Submission,
/// }
/// /// Returns what a trace calls it.
/// fn name(reading: &Reading) -> (u32, u32) {
///     (reading.ticket.token(), reading.submission.operation)
/// }
/// ```
#[derive(PartialEq, Eq, Debug)]
#[must_use = "the submission stays in flight until its ticket is given to Server::complete"]
pub struct Ticket {
    token: u32,
    generation: Generation,
}

impl Ticket {
    /// Returns the submission's token.
    pub const fn token(&self) -> u32 {
        self.token
    }
}

/// Whether [`Server::serve`] has come to an end.
///
/// ```
/// use libipc::ring::Served;
/// use libipc::{Error, Notification};
/// /// A server with several rings: one after the other, whoever has more has to wait its turn.
/// fn again(served: Served, own_bell: Notification) -> Result<(), Error> {
///     match served {
///         Served::All => Ok(()), // The client rings when there is more.
///         Served::More => own_bell.signal(1),
///     }
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "nobody rings for what was left over"]
pub enum Served {
    /// There is nothing more; the doorbell rings when there is.
    All,
    /// There is more, although a whole ring was dealt with: look at others, then serve it again.
    /// No doorbell is rung for it; a server that waits for its own signals it.
    More,
}

impl Server {
    /// Opens the server's side of a ring that a client has made in a memory object. The
    /// capabilities, READ and WRITE of the memory, SEND of the client's doorbell, belong to the
    /// ring, and are deleted where this fails.
    ///
    /// The doorbell rings for the first submission: the server is taken to sleep.
    ///
    /// Where an earlier life of the server took submissions from the ring, the client is told and
    /// resets it.
    ///
    /// # Errors
    /// Peer: the memory holds no ring; Kernel: InvalidArgument: it is too large; whatever the
    /// kernel refused.
    pub fn attach(memory: Memory, client_bell: Notification) -> Result<Self, RingError> {
        let shared = Shared::map(memory).map_err(RingError::from);
        shared.and_then(|shared| Self::of(shared, client_bell)).inspect_err(|_| {
            // It came with a request that is refused.
            let _ = client_bell.delete();
        })
    }

    /// Opens the server's side of a ring in words that are shared already. What was submitted
    /// before does not ring: the server serves it at once.
    ///
    /// ```
    /// use libipc::ring::{Client, RingError, Server, Shape};
    /// use libipc::loopback;
    /// use std::sync::atomic::AtomicU64;
    /// let shape = Shape::new(2, 0).expect("2 is a power of two");
    /// let words: Vec<_> = (0..shape.pages() * 512).map(|_| AtomicU64::new(0)).collect();
    /// let words: &'static [AtomicU64] = words.leak();
    /// let (bell, peer) = (loopback::notification(), loopback::notification());
    /// let _client = Client::over(words, shape, bell, peer)?;
    /// let server = Server::over(words, bell)?;
    /// assert_eq!((server.held(), server.area().len()), (0, 0));
    /// # Ok::<(), RingError>(())
    /// ```
    ///
    /// # Errors
    /// Peer: they hold no ring.
    pub fn over(words: &'static [AtomicU64], client_bell: Notification) -> Result<Self, RingError> {
        Self::of(Shared::over(words), client_bell)
    }

    fn of(shared: Shared, client_bell: Notification) -> Result<Self, RingError> {
        let parts = Parts::find(shared.words()).map_err(RingError::Peer)?;
        let (client, before) = (parts.client.position(), parts.server.position());
        let generation = client.generation().ok_or(RingError::Peer(PeerError::Layout))?;
        let is_begun = before.generation() == Some(generation) && client.count() != 0;
        let mut server = Server {
            parts,
            generation: None,
            ended: is_begun.then_some(generation),
            taken: 0,
            limit: 0,
            completed: 0,
            published: 0,
            stale: 0,
            closed: None,
            client_bell,
            shared,
        };
        // Who opens a ring waits for its doorbell next.
        parts.server.announce();
        if is_begun {
            parts.server.publish(Position::ended(generation));
            // A client that is gone as well does not need to know.
            let _ = ring_bell(server.client_bell);
        } else {
            server.begin(generation);
        }
        Ok(server)
    }

    /// Returns the data area.
    #[inline(always)]
    pub const fn area(&self) -> Area<'_> {
        self.parts.area()
    }

    /// Returns how many tickets are given out and not used up.
    pub const fn held(&self) -> u32 {
        self.taken.wrapping_sub(self.completed).wrapping_add(self.stale)
    }

    /// Takes a submission, whose buffer lies in the data area, if there is one and fewer tickets
    /// are given out than the ring has entries.
    ///
    /// # Errors
    /// Peer: the client broke the ring's rules, and the ring is closed.
    #[inline(always)]
    pub fn take(&mut self) -> Result<Option<(Ticket, Submission)>, RingError> {
        if self.limit == self.taken && !self.look()? {
            return Ok(None);
        }
        let place = self.taken as usize & self.parts.mask;
        let (Some(slot), Some(generation)) = (self.parts.submissions.get(place), self.generation)
        else {
            return Ok(None);
        };
        let submission = Submission::copy_out(slot);
        if !self.area().contains(submission.buffer) {
            return Err(self.close(PeerError::Buffer));
        }
        self.taken = self.taken.wrapping_add(1);
        Ok(Some((Ticket { token: submission.token, generation }, submission)))
    }

    /// Answers a submission; the client sees it at the next flush. The answer to one of before the
    /// client's reset is dropped.
    #[inline(always)]
    pub fn complete<E: ProtocolError>(&mut self, ticket: Ticket, result: Result<u64, E>) {
        if self.generation != Some(ticket.generation) {
            self.stale = self.stale.saturating_sub(1);
            return;
        }
        let (status, value) = match result {
            Ok(value) => (0, value),
            Err(error) => (error.number(), 0),
        };
        let place = self.completed as usize & self.parts.mask;
        if let Some(slot) = self.parts.completions.get(place) {
            Completion { token: ticket.token, status, value }.put(slot);
        }
        self.completed = self.completed.wrapping_add(1);
    }

    /// Shows the client what was completed, and rings if it sleeps.
    ///
    /// # Errors
    /// Ended: the client's doorbell is gone, and the ring can be dropped.
    #[inline]
    pub fn flush(&mut self) -> Result<(), RingError> {
        let (Some(generation), true) = (self.generation, self.published != self.completed) else {
            return Ok(());
        };
        self.published = self.completed;
        self.parts.server.publish(Position::new(generation, self.completed));
        if self.parts.client.wake() { ring_bell(self.client_bell) } else { Ok(()) }
    }

    /// Shows the client what was completed, and has the next submission ring; returns whether
    /// there is none to be taken yet, so that the server may sleep.
    ///
    /// # Errors
    /// As [`Server::take`] and [`Server::flush`].
    pub fn rest(&mut self) -> Result<bool, RingError> {
        self.flush()?;
        self.parts.server.announce();
        let is_awake = self.limit != self.taken || self.look()?;
        if is_awake {
            self.parts.server.withdraw();
        }
        Ok(!is_awake)
    }

    /// Has `handle` deal with what was submitted, a whole ring at most, and flushes. A server calls
    /// it when its doorbell was rung, and after it completed something for another reason.
    ///
    /// # Errors
    /// As [`Server::take`] and [`Server::flush`].
    pub fn serve(
        &mut self,
        mut handle: impl FnMut(&mut Server, Ticket, Submission),
    ) -> Result<Served, RingError> {
        for _ in 0..self.parts.entries() {
            match self.take()? {
                Some((ticket, submission)) => handle(self, ticket, submission),
                None if self.rest()? => return Ok(Served::All),
                None => {}
            }
        }
        let is_resting = self.rest()?;
        Ok(if is_resting { Served::All } else { Served::More })
    }

    fn begin(&mut self, generation: Generation) {
        self.stale = self.held();
        self.generation = Some(generation);
        (self.taken, self.limit, self.completed, self.published) = (0, 0, 0, 0);
        self.parts.server.publish(Position::new(generation, 0));
    }

    /// Looks for submissions at the client's position; returns whether there are any.
    #[inline]
    fn look(&mut self) -> Result<bool, RingError> {
        let position = self.parts.client.position();
        let is_ours = self.generation.is_some_and(|generation| position.is_of(generation));
        if !is_ours || self.closed.is_some() {
            return self.look_elsewhere(position);
        }
        self.see(position)
    }

    #[inline(always)]
    fn see(&mut self, position: Position) -> Result<bool, RingError> {
        let in_flight = self.taken.wrapping_sub(self.completed);
        let room = self.parts.entries().saturating_sub(in_flight);
        let more = position.count().wrapping_sub(self.taken);
        if more > room {
            return Err(self.close(PeerError::Count));
        }
        let more = more.min(room.saturating_sub(self.stale));
        self.limit = self.taken.wrapping_add(more);
        Ok(more != 0)
    }

    /// Judges a position of another generation: the client has reset the ring, or not yet.
    #[cold]
    fn look_elsewhere(&mut self, position: Position) -> Result<bool, RingError> {
        if let Some(error) = self.closed {
            return Err(RingError::Peer(error));
        }
        match position.generation() {
            Some(generation) if position.is_of(generation) => {
                if self.ended == Some(generation) {
                    return Ok(false);
                }
                self.ended = None;
                self.begin(generation);
                self.see(position)
            }
            _ => Err(self.close(PeerError::Count)),
        }
    }

    #[cold]
    fn close(&mut self, error: PeerError) -> RingError {
        (self.limit, self.closed) = (self.taken, Some(error));
        RingError::Peer(error)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.shared.memory().is_some() {
            // One that is gone already leaves an empty slot, which is what is wanted.
            let _ = self.client_bell.delete();
        }
    }
}

#[cfg(test)]
impl Server {
    /// Returns whether the server has seen the client's last reset.
    pub(super) fn is_current(&self, client: &super::Client) -> bool {
        self.generation == Some(client.generation())
    }
}
