//! Requests as servers receive them.

use kamen_abi::{Handle, Lease, MAX_CAPS, MAX_LEASES, Tag, WORDS};

use crate::{Object, OpenCall, Table};

/// Who called, and how to answer later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The badge of the capability through which the call came.
    pub badge: u64,
    /// The call, to be answered.
    pub call: OpenCall,
    /// Whether an earlier life of the server received this call already.
    pub replayed: bool,
}

/// A request: a call made by a protocol's client.
///
/// The capabilities that came with it belong to the receiver, which deletes those it does not
/// want; the lengths and counts are the caller's word and may contradict its protocol.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who called.
    pub caller: Caller,
    pub(crate) tag: Tag,
    pub(crate) words: [u64; WORDS],
    pub(crate) bytes: &'a [u8],
    pub(crate) caps: [Handle; MAX_CAPS],
    pub(crate) leases: [Lease; MAX_LEASES],
}

impl<'a> Request<'a> {
    /// Returns the number of the protocol: the upper half of the label.
    #[inline(always)]
    pub const fn protocol(&self) -> u16 {
        (self.tag.label() >> 16) as u16
    }

    /// Returns the number of the operation in its protocol: the lower half of the label.
    #[inline(always)]
    pub const fn operation(&self) -> u16 {
        self.tag.label() as u16
    }

    /// Returns protocol and operation in one number.
    #[inline(always)]
    pub const fn label(&self) -> u32 {
        self.tag.label()
    }

    /// Returns the six words.
    #[inline(always)]
    pub const fn words(&self) -> [u64; WORDS] {
        self.words
    }

    /// Returns the bytes that came along.
    #[inline(always)]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the capabilities that came along.
    #[inline(always)]
    pub fn caps(&self) -> &[Handle] {
        &self.caps[..self.tag.caps().min(MAX_CAPS)]
    }

    /// Returns the leases that came along.
    #[inline(always)]
    pub fn leases(&self) -> &[Lease] {
        &self.leases[..self.tag.leases().min(MAX_LEASES)]
    }

    /// Deletes the capabilities that came along, for a request that is refused.
    pub fn delete_caps(&self) {
        for &handle in self.caps() {
            // A capability that is gone already needs no deleting.
            let _ = Table::from_handle(Handle::NULL).delete_slot(handle);
        }
    }
}
