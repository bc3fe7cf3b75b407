//! Rings: requests to a server and their answers, in memory that both share.
//!
//! For bulk data and for what waits for a device. A client has several requests in flight, the
//! server answers them in any order, and neither waits within a call to the other.
//!
//! ```text
//!   Client                         one memory object                          Server
//!   submit, flush ──> | submissions: token, operation, buffer, arguments | ──> take
//!   poll, wait    <── | completions: token, status, value                | <── complete, flush
//!   area          <─> | data area: buffers, by offset and length         | <─> area
//!       │  ^                                                                    │  ^
//!       │  └──────────────── doorbell (a notification) ─────────────────────────┘  │
//!       └─────────────────── doorbell ─────────────────────────────────────────────┘
//! ```
//!
//! **Setting up.** The client has a memory object and a notification of its own; an operation of
//! the protocol passes both to the server, and the server's doorbell back. The copies that are
//! passed have no more rights than needed: the server gets READ and WRITE of the memory and SEND of
//! the doorbell, the client SEND of the server's (GRANT, too, as they travel). Whoever could destroy
//! or shrink the memory object could make its peer fault: it has to be of somebody whom both trust,
//! such as the supervisor (decisions/0024).
//!
//! **Doorbells** ring only for who has said that it sleeps, and once for all that was submitted
//! since. Nothing is shown to the peer before `flush`, which [`Client::wait`] and [`Server::serve`]
//! make before they sleep.
//!
//! **Back-pressure.** [`RingError::Full`]: as many are in flight as the ring has entries. There
//! always is room for the completions.
//!
//! **A hostile peer** may write anything at any moment. Entries are copied out once, and the copy
//! is checked; positions must be such as an honest peer can reach. Where they are not, the ring is
//! closed with a [`PeerError`]. Data in the area mean nothing until they have been copied out and
//! checked; tokens of completions are checked by [`Pending`].
//!
//! **Death.** Where the server has begun another life, the client finds [`RingError::Ended`], when
//! it rings, or because the new life has opened the same ring; or its next call of the protocol
//! says `Restarted`. It opens the ring again by [`Client::connect`] and submits what is pending once
//! more: a protocol's operations over rings are such that this does no harm. A client that waits
//! without a deadline hears of it only where somebody rings: who starts servers again.
//!
//! A server that reads blocks, and a client with eight reads in flight:
//!
//! ```
//! use libipc::ring::{Client, Pending, Served, Server, Shape, Submission, Ticket};
//! use libipc::{Caller, Error, Failure, Memory, Notification, Object, ProtocolError, Rights, Time};
//! use libipc::{interface, loopback};
//!
//! #[derive(ProtocolError, Clone, Copy, PartialEq, Debug)]
//! #[repr(u8)]
//! pub enum BlockError {
//!     /// There is no such block.
//!     OutOfRange = 1,
//!     /// The ring could not be opened.
//!     Ring = 2,
//! }
//!
//! /// Operation of the ring: reads block `arguments[0]` to the buffer; the value is its length.
//! const READ: u32 = 1;
//!
//! /// A device of blocks, read over rings.
//! #[interface(number = 99, error = BlockError)]
//! pub trait Blocks {
//!     /// Opens a ring, in place of the caller's last one; returns the server's doorbell.
//!     #[operation(1, idempotent)]
//!     fn open(&mut self, memory: Memory, bell: Notification) -> Result<Notification, BlockError>;
//! }
//!
//! struct Disk {
//!     ring: Option<Server>,
//!     bell: Notification,
//! }
//!
//! impl Blocks for Disk {
//!     fn open(
//!         &mut self,
//!         _: &Caller,
//!         memory: Memory,
//!         bell: Notification,
//!     ) -> Result<Notification, BlockError> {
//!         self.ring = Some(Server::attach(memory, bell).map_err(|_| BlockError::Ring)?);
//!         Ok(self.bell) // SEND and GRANT only, its badge the ring's
//!     }
//! }
//!
//! impl Disk {
//!     /// When the doorbell was rung.
//!     fn serve(&mut self) {
//!         let Some(ring) = &mut self.ring else { return };
//!         match ring.serve(read) {
//!             Ok(Served::All) => {}
//!             Ok(Served::More) => drop(self.bell.signal(1)), // After the others have had a turn.
//!             Err(_) => self.ring = None, // The client has ended, or broke the rules.
//!         }
//!     }
//! }
//!
//! fn read(ring: &mut Server, ticket: Ticket, submission: Submission) {
//!     let [block, _] = submission.arguments;
//!     let result = match (submission.operation, block) {
//!         (READ, ..100) => Ok(ring.area().write(submission.buffer, &[block as u8; 512]) as u64),
//!         _ => Err(BlockError::OutOfRange),
//!     };
//!     ring.complete(ticket, result);
//! }
//!
//! fn main() -> Result<(), Failure<BlockError>> {
//!     # let bell = loopback::notification();
//!     # let server_bell = bell.mint(Rights::SEND.union(Rights::GRANT), 1)?;
//!     # let disk = std::cell::RefCell::new(Disk { ring: None, bell: server_bell });
//!     # let serve = |request: &libipc::Request<'_>| serve_blocks(&mut *disk.borrow_mut(), request);
//!     # let transport = loopback::Loopback::new(1, serve);
//!     # let blocks = BlocksClient::with(libipc::Endpoint(libipc::Handle(1)), transport);
//!     # let (quota, shape) = (Host, Shape::new(8, 8 * 512).expect("a power of two"));
//!     let (memory, bell) = (quota.create_memory(shape.pages())?, quota.create_notification()?);
//!     let mut ring = Client::open(memory, bell, shape, |memory, bell| blocks.open(memory, bell))?;
//!     let mut pending = Pending::new();
//!     for (block, buffer) in (0..8).zip(ring.area().buffers(512)) {
//!         let token = pending.insert(buffer);
//!         let read = Submission::new(token, READ).with_buffer(buffer).with_arguments([block, 0]);
//!         ring.submit(read)?;
//!     }
//!     ring.flush()?;
//!     # disk.borrow_mut().serve();
//!     while let Some(done) = ring.wait(Time::FOREVER)? {
//!         let len = done.result::<BlockError>()?;
//!         let buffer = pending.remove(done.token).ok_or(Error::InvalidArgument)?;
//!         let mut block = [0; 512];
//!         ring.area().read(buffer, &mut block[..len.min(512) as usize]);
//!         assert!(block.iter().all(|&byte| byte == block[0]));
//!     }
//!     assert!(pending.is_empty());
//!     Ok(())
//! }
//! # struct Host;
//! # impl Host {
//! #     fn create_memory(&self, pages: u64) -> Result<Memory, Error> { Ok(loopback::memory(pages)) }
//! #     fn create_notification(&self) -> Result<Notification, Error> { Ok(loopback::notification()) }
//! # }
//! ```

use kamen_abi::Error;

use crate::{Failure, Notification};

mod area;
mod client;
mod entry;
mod layout;
mod line;
mod pending;
mod server;
mod shared;

pub use area::Area;
pub use client::Client;
pub use entry::{Buffer, Completion, Submission};
pub use layout::{MAX_ENTRIES, MAX_PAGES, Shape};
pub use pending::Pending;
pub use server::{Served, Server, Ticket};

/// Why something cannot be done with a ring.
///
/// ```
/// use libipc::ring::RingError;
/// /// What a client does about an error.
/// fn advice(error: RingError) -> &'static str {
///     match error {
///         RingError::Full => "take completions first",
///         RingError::Outside => "the buffer is not in the data area",
///         RingError::TimedOut => "wait longer, or do something else",
///         RingError::Ended => "open the ring again, and submit what is pending",
///         RingError::Peer(_) => "the server breaks the rules",
///         RingError::Kernel(_) => "the kernel refused",
///     }
/// }
/// assert_eq!(advice(RingError::Full), "take completions first");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RingError {
    /// As many submissions are in flight as the ring has entries.
    Full,
    /// The buffer is not within the data area, or begins at no multiple of 8.
    Outside,
    /// The deadline passed before there was a completion.
    TimedOut,
    /// The peer has ended: its doorbell is gone, or another life of the server has opened the ring.
    Ended,
    /// The peer broke the ring's rules. The ring is closed: a server drops it, a client may open it
    /// again.
    Peer(PeerError),
    /// The kernel refused.
    Kernel(Error),
}

/// Which rule of a ring the peer broke.
///
/// ```
/// use libipc::ring::PeerError;
/// let describe = |error| match error {
///     PeerError::Layout => "no ring lies in the memory",
///     PeerError::Count => "it counts what there can't be",
///     PeerError::Buffer => "its buffer is outside",
/// };
/// assert_eq!(describe(PeerError::Layout), "no ring lies in the memory");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PeerError {
    /// The memory object holds no ring, or one that is larger than itself.
    Layout,
    /// Its position went back, or further than there can be entries.
    Count,
    /// A buffer is not within the data area, or begins at no multiple of 8.
    Buffer,
}

impl From<Error> for RingError {
    fn from(error: Error) -> Self {
        RingError::Kernel(error)
    }
}

/// In calls' errors a ring's are the kernel's that come closest.
impl<E> From<RingError> for Failure<E> {
    fn from(error: RingError) -> Self {
        Failure::Kernel(match error {
            RingError::Full => Error::WouldBlock,
            RingError::Outside | RingError::Peer(_) => Error::InvalidArgument,
            RingError::TimedOut => Error::TimedOut,
            RingError::Ended => Error::Restarted,
            RingError::Kernel(error) => error,
        })
    }
}

/// Rings the peer's doorbell.
#[cold]
fn ring_bell(bell: Notification) -> Result<(), RingError> {
    bell.signal(1).map_err(|error| match error {
        Error::InvalidHandle => RingError::Ended,
        error => RingError::Kernel(error),
    })
}

#[cfg(test)]
mod tests;
