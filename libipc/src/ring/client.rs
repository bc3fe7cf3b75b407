//! The client's side of a ring: submits, and takes what was completed.

use core::sync::atomic::AtomicU64;

use kamen_abi::{Error, Rights};

use super::layout::Parts;
use super::line::{Generation, Position};
use super::shared::Shared;
use super::{Area, Completion, PeerError, RingError, Shape, Submission, ring_bell};
use crate::{Memory, Notification, Object, Time, now};

/// The client's side of a ring.
///
/// It has up to [`Shape::entries`] submissions in flight: those whose completion it has not taken.
/// What it submits the server sees at the next [`Client::flush`], also made by [`Client::wait`];
/// the server's doorbell rings then, if it sleeps. Dropping it unmaps the memory and deletes the
/// capabilities.
///
/// A client that waits for other things as well does not use [`Client::wait`], but has its doorbell
/// set a bit among others:
///
/// ```
/// use libipc::ring::{Client, Completion, RingError};
///
/// /// The doorbell was rung: takes all completions, and sees to it that it rings for the next.
/// fn rung(ring: &mut Client, mut take: impl FnMut(Completion)) -> Result<(), RingError> {
///     loop {
///         while let Some(done) = ring.poll()? {
///             take(done); // It may lead to more submissions, which `rest` flushes.
///         }
///         if ring.rest()? {
///             return Ok(());
///         }
///     }
/// }
/// ```
///
/// ```
/// use libipc::ring::{Client, RingError, Shape, Submission};
/// use libipc::{Rights, Object, loopback};
/// let shape = Shape::new(8, 0).expect("8 is a power of two");
/// let (memory, bell) = (loopback::memory(shape.pages()), loopback::notification());
/// let mut ring = Client::create(memory, bell, shape)?;
/// ring.submit(Submission::new(1, 1))?; // Before there is a server to take it.
/// assert_eq!(ring.in_flight(), 1);
/// // `open` is an operation of the server's protocol; here it passes nothing on.
/// let server_bell = loopback::notification();
/// ring.connect(|_, _| Ok::<_, RingError>(server_bell.mint(Rights::SEND, 1)?))?;
/// ring.reset(); // The request is given up.
/// assert_eq!(ring.in_flight(), 0);
/// # Ok::<(), RingError>(())
/// ```
#[derive(Debug)]
pub struct Client {
    parts: Parts,
    generation: Generation,
    /// Most submissions in flight: all entries, or 0 once the ring is closed.
    room: u32,
    submitted: u32,
    /// What of `submitted` the server sees.
    published: u32,
    taken: u32,
    /// Completions that were there at the last look: `taken`, and at most `published - taken` more.
    seen: u32,
    closed: Option<PeerError>,
    bell: Notification,
    server_bell: Option<Notification>,
    /// What the parts lie in: dropped last.
    shared: Shared,
}

impl Client {
    /// Makes a ring in a memory object, which may have held one before, and has the server open
    /// its side by an operation of its protocol: `open` passes on memory and doorbell and returns
    /// the server's. The client's doorbell rings with badge 1 where it has no badge yet.
    ///
    /// # Errors
    /// Those of [`Client::create`] and [`Client::connect`].
    pub fn open<E: From<RingError>>(
        memory: Memory,
        bell: Notification,
        shape: Shape,
        open: impl FnOnce(Memory, Notification) -> Result<Notification, E>,
    ) -> Result<Self, E> {
        let mut client = Self::create(memory, bell, shape)?;
        client.connect(open)?;
        Ok(client)
    }

    /// Makes a ring in a memory object, which may have held one before. The capabilities, READ and
    /// WRITE of the memory, RECEIVE of the doorbell, belong to the ring, and are deleted where this
    /// fails.
    ///
    /// # Errors
    /// Kernel: InvalidArgument: the object is smaller than the shape, or too large; whatever the
    /// kernel refused.
    pub fn create(memory: Memory, bell: Notification, shape: Shape) -> Result<Self, RingError> {
        let shared = Shared::map(memory).map_err(RingError::from);
        shared.and_then(|shared| Self::of(shared, bell, shape)).inspect_err(|_| {
            // Gone or not, it is of no use.
            let _ = bell.delete();
        })
    }

    /// Makes a ring in words that are shared already: for programs that map memory themselves.
    /// [`Client::connect`] has no memory to pass then.
    ///
    /// ```
    /// use libipc::ring::{Client, RingError, Shape};
    /// use libipc::loopback;
    /// use std::sync::atomic::AtomicU64;
    /// let shape = Shape::new(2, 0).expect("2 is a power of two");
    /// let words: Vec<_> = (0..shape.pages() * 512).map(|_| AtomicU64::new(0)).collect();
    /// let (bell, peer) = (loopback::notification(), loopback::notification());
    /// let ring = Client::over(words.leak(), shape, bell, peer)?;
    /// assert_eq!(ring.in_flight(), 0);
    /// # Ok::<(), RingError>(())
    /// ```
    ///
    /// # Errors
    /// Kernel: InvalidArgument: they are fewer than the shape needs.
    pub fn over(
        words: &'static [AtomicU64],
        shape: Shape,
        bell: Notification,
        server_bell: Notification,
    ) -> Result<Self, RingError> {
        let mut client = Self::of(Shared::over(words), bell, shape)?;
        client.server_bell = Some(server_bell);
        Ok(client)
    }

    fn of(shared: Shared, bell: Notification, shape: Shape) -> Result<Self, RingError> {
        let words = shared.words();
        let parts = Parts::make(words, shape).ok_or(Error::InvalidArgument)?;
        let generation = Generation::after(parts.client.position());
        let mut client = Client {
            parts,
            generation,
            room: 0,
            submitted: 0,
            published: 0,
            taken: 0,
            seen: 0,
            closed: None,
            bell,
            server_bell: None,
            shared,
        };
        client.begin(generation);
        Ok(client)
    }

    /// Has the server open its side: at first, or after it [ended](RingError::Ended), when the ring
    /// is [reset](Client::reset) as well. The capabilities that `open` passes on have the rights
    /// that the server needs, no more.
    ///
    /// # Errors
    /// Those of `open`; Kernel: whatever refused to copy the capabilities (GRANT is needed).
    pub fn connect<E: From<RingError>>(
        &mut self,
        open: impl FnOnce(Memory, Notification) -> Result<Notification, E>,
    ) -> Result<(), E> {
        if let Some(old) = self.server_bell.take() {
            self.reset();
            // Gone or not, it is not needed any more.
            let _ = old.delete();
        }
        let (memory, bell) = self.copies()?;
        let opened = open(memory, bell);
        // They were made for this call.
        let _ = (memory.delete(), bell.delete());
        let server_bell = *self.server_bell.insert(opened?);
        if self.published != self.taken {
            // It was submitted before there was anybody to ring.
            ring_bell(server_bell)?;
        }
        Ok(())
    }

    /// Returns copies of memory and doorbell for the server.
    fn copies(&self) -> Result<(Memory, Notification), RingError> {
        let memory = self.shared.memory().ok_or(Error::InvalidHandle)?;
        let access = Rights::READ.union(Rights::WRITE).union(Rights::GRANT);
        let memory = memory.mint(access, 0)?;
        let bell = self.bell.mint(Rights::SEND.union(Rights::GRANT), 1).inspect_err(|_| {
            // It was made for the server, which will not get it.
            let _ = memory.delete();
        })?;
        Ok((memory, bell))
    }

    /// Returns the data area.
    #[inline(always)]
    pub const fn area(&self) -> Area<'_> {
        self.parts.area()
    }

    /// Returns how many submissions are in flight.
    #[inline(always)]
    pub const fn in_flight(&self) -> u32 {
        self.submitted.wrapping_sub(self.taken)
    }

    /// Puts a request into the queue; the server sees it at the next flush.
    ///
    /// # Errors
    /// Full: take completions first; Outside: the buffer; Peer: the ring is closed.
    #[inline(always)]
    pub fn submit(&mut self, submission: Submission) -> Result<(), RingError> {
        if self.in_flight() >= self.room {
            return Err(self.closed.map_or(RingError::Full, RingError::Peer));
        }
        if !self.area().contains(submission.buffer) {
            return Err(RingError::Outside);
        }
        let place = self.submitted as usize & self.parts.mask;
        if let Some(slot) = self.parts.submissions.get(place) {
            submission.put(slot);
        }
        self.submitted = self.submitted.wrapping_add(1);
        Ok(())
    }

    /// Shows the server what was submitted, and rings if it sleeps.
    ///
    /// # Errors
    /// Ended: the server's doorbell is gone; Kernel: the ring has none yet (InvalidHandle).
    #[inline]
    pub fn flush(&mut self) -> Result<(), RingError> {
        if self.published == self.submitted {
            return Ok(());
        }
        self.published = self.submitted;
        self.parts.client.publish(Position::new(self.generation, self.submitted));
        if !self.parts.server.wake() {
            return Ok(());
        }
        ring_bell(self.server_bell.ok_or(Error::InvalidHandle)?)
    }

    /// Takes a completion, if there is one.
    ///
    /// # Errors
    /// Ended: another life of the server has begun, see [`Client::reset`]; Peer: the server broke
    /// the ring's rules, and the ring is closed.
    #[inline(always)]
    pub fn poll(&mut self) -> Result<Option<Completion>, RingError> {
        if self.seen == self.taken && !self.look()? {
            return Ok(None);
        }
        let place = self.taken as usize & self.parts.mask;
        let completion = self.parts.completions.get(place).map(Completion::copy_out);
        self.taken = self.taken.wrapping_add(1);
        Ok(completion)
    }

    /// Takes a completion; where there is none, shows the server what was submitted and waits on
    /// the own doorbell, which is to be rung for this ring only. None: nothing is in flight.
    ///
    /// # Errors
    /// As [`Client::poll`] and [`Client::flush`]; TimedOut; Kernel: the own doorbell.
    #[inline]
    pub fn wait(&mut self, deadline: Time) -> Result<Option<Completion>, RingError> {
        let mut is_late = false;
        loop {
            if let Some(completion) = self.poll()? {
                return Ok(Some(completion));
            }
            if self.in_flight() == 0 {
                return Ok(None);
            }
            if is_late {
                return Err(RingError::TimedOut);
            }
            is_late = self.sleep(deadline)?;
        }
    }

    /// Sleeps unless there is a completion; returns whether the deadline has passed.
    #[inline(never)]
    fn sleep(&mut self, deadline: Time) -> Result<bool, RingError> {
        if !self.rest()? {
            return Ok(false);
        }
        let rung = self.bell.wait(deadline);
        self.parts.client.withdraw();
        is_over(rung, deadline)
    }

    /// Shows the server what was submitted, and has the next completion ring; returns whether
    /// there is none yet, so that the caller may sleep. For clients that wait for several things;
    /// they call it again after each time that they have polled all.
    ///
    /// # Errors
    /// As [`Client::poll`] and [`Client::flush`].
    pub fn rest(&mut self) -> Result<bool, RingError> {
        self.flush()?;
        self.parts.client.announce();
        let is_awake = self.seen != self.taken || self.look()?;
        if is_awake {
            self.parts.client.withdraw();
        }
        Ok(!is_awake)
    }

    /// Begins again with nothing in flight: what was not completed is to be submitted once more,
    /// or given up. A server that still works on it finds out, and its answers are dropped, but it
    /// may have used the buffers meanwhile.
    pub fn reset(&mut self) {
        self.begin(Generation::after(Position::new(self.generation, 0)));
    }

    fn begin(&mut self, generation: Generation) {
        self.generation = generation;
        (self.submitted, self.published, self.taken, self.seen) = (0, 0, 0, 0);
        (self.room, self.closed) = (self.parts.entries(), None);
        self.parts.client.withdraw();
        self.parts.client.publish(Position::new(generation, 0));
    }

    /// Looks for completions at the server's position; returns whether there are any.
    #[inline]
    fn look(&mut self) -> Result<bool, RingError> {
        let position = self.parts.server.position();
        if !position.is_of(self.generation) || self.closed.is_some() {
            return self.look_elsewhere(position);
        }
        let more = position.count().wrapping_sub(self.taken);
        if more > self.published.wrapping_sub(self.taken) {
            return Err(self.close(PeerError::Count));
        }
        self.seen = position.count();
        Ok(more != 0)
    }

    /// Judges a position of another generation: the server has ended ours, or not seen it yet.
    #[cold]
    fn look_elsewhere(&self, position: Position) -> Result<bool, RingError> {
        if let Some(error) = self.closed {
            return Err(RingError::Peer(error));
        }
        let is_ours = position.generation() == Some(self.generation);
        if is_ours && position.is_ended() { Err(RingError::Ended) } else { Ok(false) }
    }

    #[cold]
    fn close(&mut self, error: PeerError) -> RingError {
        (self.room, self.closed) = (0, Some(error));
        RingError::Peer(error)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.shared.memory().is_none() {
            return;
        }
        // Those that are gone already leave empty slots, which is what is wanted.
        let _ = self.bell.delete();
        if let Some(bell) = self.server_bell {
            let _ = bell.delete();
        }
    }
}

/// Returns whether the deadline has passed; a peer that rings for nothing does not put it off.
fn is_over(rung: Result<u64, Error>, deadline: Time) -> Result<bool, RingError> {
    match rung {
        Ok(_) => Ok(deadline != Time::FOREVER && now() >= deadline),
        Err(Error::TimedOut | Error::WouldBlock) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
impl Client {
    /// Returns the generation.
    pub(super) const fn generation(&self) -> Generation {
        self.generation
    }
}
