//! Calls of programs that wait for input, for room, or for the end of output.

use alloc::collections::VecDeque;

use libipc::OpenCall;

/// Most calls of one kind that wait.
pub const PARKED_MAX: usize = 64;

/// A range of the caller's memory that a read fills or a write empties.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// Whose memory.
    pub call: OpenCall,
    /// Which of the call's leases.
    pub lease: usize,
    /// Bytes of it.
    pub len: u64,
}

/// Waiting calls in the order of their arrival.
#[derive(Debug, Default)]
pub struct Parked {
    pub reads: VecDeque<Transfer>,
    pub writes: VecDeque<Transfer>,
    pub drains: VecDeque<OpenCall>,
}

impl Parked {
    /// Forgets calls for whose answer nobody waits any more; see [`OpenCall::is_ended_by`].
    pub fn forget(&mut self, cancelled: OpenCall) {
        self.reads.retain(|read| !read.call.is_ended_by(cancelled));
        self.writes.retain(|write| !write.call.is_ended_by(cancelled));
        self.drains.retain(|drain| !drain.is_ended_by(cancelled));
    }
}
