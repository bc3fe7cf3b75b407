//! A server that adds up its clients' memory: lent for a call, or shared as a ring.

mod adler;

use adler::Adler;

// ANCHOR: protocol
use libipc::{Memory, Notification, interface};

/// Why the server refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ChecksumError {
    /// There are more than [`LEN_MAX`] bytes.
    TooLong = 1,
    /// The memory cannot be read.
    Memory = 2,
    /// The ring cannot be opened.
    Ring = 3,
    /// The ring has no such operation.
    Operation = 4,
}

/// Most bytes of one sum.
pub const LEN_MAX: u64 = 1 << 20;

/// Adds up bytes.
#[interface(number = 51, error = ChecksumError)]
pub trait Checksum {
    /// Returns the sum of bytes that the caller lends.
    #[operation(1, idempotent)]
    fn sum(&mut self, #[lend] data: &[u8]) -> Result<u32, ChecksumError>;
    /// Opens the ring, in place of the last one; returns the server's doorbell.
    #[operation(2, idempotent)]
    fn open(&mut self, memory: Memory, bell: Notification) -> Result<Notification, ChecksumError>;
}

/// Operation of the ring: adds up the buffer; the completion's value is the sum.
pub const SUM: u32 = 1;
// ANCHOR_END: protocol

// ANCHOR: lease
use kamen_kit::service::{Attention, Protocol, Service};
use libipc::ring::{self, Served, Submission, Ticket};
use libipc::{Caller, ReadLease};

/// Bytes that are copied at a time.
const BLOCK: usize = 4096;

/// The server.
pub struct Server {
    bell: Notification,
    ring: Option<ring::Server>,
}

impl Checksum for Server {
    fn sum(&mut self, _: &Caller, data: ReadLease<'_>) -> Result<u32, ChecksumError> {
        if data.len() > LEN_MAX {
            return Err(ChecksumError::TooLong);
        }
        let (mut sum, mut block, mut at) = (Adler::default(), [0; BLOCK], 0);
        while at < data.len() {
            let len = (data.len() - at).min(BLOCK as u64) as usize;
            data.read_at(at, &mut block[..len]).map_err(|_| ChecksumError::Memory)?;
            sum.add(&block[..len]);
            at += len as u64;
        }
        Ok(sum.value())
    }
    // ANCHOR_END: lease

    // ANCHOR: open
    fn open(
        &mut self,
        _: &Caller,
        memory: Memory,
        bell: Notification,
    ) -> Result<Notification, ChecksumError> {
        self.ring = Some(ring::Server::attach(memory, bell).map_err(|_| ChecksumError::Ring)?);
        Ok(self.bell)
    }
    // ANCHOR_END: open
}

// ANCHOR: serve
/// What the server hears besides requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The ring's doorbell.
    Ring,
}

impl Service for Server {
    type Source = Source;
    const PROTOCOLS: &'static [Protocol<Self>] =
        &[Protocol::new(checksum_label::PROTOCOL, serve_checksum)];

    fn occurred(&mut self, source: Source) -> Attention {
        let Source::Ring = source;
        let Some(ring) = &mut self.ring else { return Attention::Done };
        match ring.serve(complete) {
            Ok(Served::All) => Attention::Done,
            Ok(Served::More) => Attention::More,
            Err(_) => {
                self.ring = None; // The client has ended, or broke the rules.
                Attention::Done
            }
        }
    }
}

fn complete(ring: &mut ring::Server, ticket: Ticket, submission: Submission) {
    let result = match submission.operation {
        SUM if u64::from(submission.buffer.len()) > LEN_MAX => Err(ChecksumError::TooLong),
        SUM => Ok(u64::from(sum_of(ring, submission))),
        _ => Err(ChecksumError::Operation),
    };
    ring.complete(ticket, result);
}
// ANCHOR_END: serve

/// Returns the sum of a submission's buffer, copied out block by block: the client may write to it
/// at any moment.
fn sum_of(ring: &ring::Server, submission: Submission) -> u32 {
    let (mut sum, mut block) = (Adler::default(), [0; BLOCK]);
    let (mut at, mut left) = (submission.buffer.at(), submission.buffer.len());
    while left > 0 {
        let part = ring::Buffer::new(at, left.min(BLOCK as u32));
        let len = ring.area().read(part, &mut block);
        sum.add(&block[..len]);
        at += part.len();
        left -= part.len();
    }
    sum.value()
}

impl Server {
    /// Returns the server whose doorbell (SEND, GRANT) is this.
    pub fn new(bell: Notification) -> Self {
        Server { bell, ring: None }
    }
}

// ANCHOR: client
use alloc::vec;
use alloc::vec::Vec;

use libipc::ring::{Client, Pending, RingError};
use libipc::{Error, Failure, Time};

/// Puts all parts into the ring, to be added up; returns which token is whose place.
///
/// # Errors
/// Outside, Full: the ring has no room for so many; Ended, Peer: the server is gone, or broke the
/// ring's rules.
pub fn submit_parts(ring: &mut Client, parts: &[&[u8]]) -> Result<Pending<usize>, RingError> {
    let mut pending = Pending::new();
    let longest = parts.iter().map(|part| part.len() as u32).max().unwrap_or(0);
    let mut rooms = ring.area().buffers(longest.max(1));
    for (place, part) in parts.iter().enumerate() {
        let buffer = rooms.next().ok_or(RingError::Outside)?.first(part.len() as u32);
        ring.area().write(buffer, part);
        let token = pending.insert(place);
        ring.submit(Submission::new(token, SUM).with_buffer(buffer))?;
    }
    ring.flush()?; // The server sees all of them at once.
    Ok(pending)
}

/// Waits until all are answered; returns the sums in the order of the parts.
///
/// # Errors
/// What the server answered; what the ring says.
pub fn collect_sums(
    ring: &mut Client,
    mut pending: Pending<usize>,
) -> Result<Vec<u32>, Failure<ChecksumError>> {
    let mut sums = vec![0; pending.len()];
    while let Some(done) = ring.wait(Time::FOREVER)? {
        // A token that was not given out, or came twice, is the server's fault.
        let place = pending.remove(done.token).ok_or(Error::InvalidArgument)?;
        sums[place] = done.result::<ChecksumError>()? as u32;
    }
    Ok(sums)
}
// ANCHOR_END: client

#[cfg(test)]
mod tests;
