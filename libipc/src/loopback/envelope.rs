//! A request on its way: as the client made it, before anything goes wrong with it.

use alloc::vec::Vec;

use kamen_abi::{Error, Handle, Lease, MAX_BYTES, MAX_CAPS, MAX_LEASES, Tag, WORDS};

use crate::request::Parts;
use crate::syscall::objects;
use crate::transport::{Outgoing, first_caps};

/// A request; the counts say how much of the parts counts.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    pub(super) label: u32,
    pub(super) words: [u64; WORDS],
    pub(super) bytes: usize,
    pub(super) caps: usize,
    pub(super) leases: usize,
    pub(super) parts: Parts,
    /// What the client has lent, whatever the request claims.
    pub(super) lent: Vec<Lease>,
}

impl Envelope {
    /// Returns a client's request.
    ///
    /// # Errors
    /// InvalidArgument: it exceeds a message's bounds.
    pub(super) fn seal(request: &Outgoing<'_>) -> Result<Self, Error> {
        let (caps, leases) = (request.caps.len(), request.leases.len());
        if caps > MAX_CAPS || leases > MAX_LEASES {
            return Err(Error::InvalidArgument);
        }
        let bytes = request.slices.concat();
        let mut parts = Parts::new();
        let room = parts.bytes.get_mut(..bytes.len()).ok_or(Error::InvalidArgument)?;
        room.copy_from_slice(&bytes);
        parts.caps = first_caps(request.caps).map(objects::copy);
        for (slot, lend) in parts.leases.iter_mut().zip(request.leases) {
            *slot = lend.lease;
        }
        let lent = parts.leases[..leases].to_vec();
        let (label, words, bytes) = (request.label, request.words, bytes.len());
        Ok(Envelope { label, words, bytes, caps, leases, parts, lent })
    }

    /// Returns the tag, whose counts are within their bounds, as the kernel sees to it.
    pub(super) fn tag(&self) -> Tag {
        let (bytes, leases) = (self.bytes.min(MAX_BYTES), self.leases.min(MAX_LEASES));
        Tag::long(self.label, bytes, self.caps.min(MAX_CAPS), leases)
    }

    /// Claims another number of capabilities; those that there were not are mere numbers.
    pub(super) fn claim_caps(&mut self, count: usize) {
        for (slot, index) in self.parts.caps.iter_mut().zip(0..).skip(self.caps) {
            *slot = Handle(0x7000 + index);
        }
        self.caps = count;
    }
}
