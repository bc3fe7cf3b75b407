//! Requests as servers receive them.

use kamen_abi::{Error, Handle, Lease, MAX_BYTES, MAX_CAPS, MAX_LEASES, Tag, WORDS};

use crate::{Message, OpenCall, ProtocolError, Table};

/// What of a message does not travel in registers; the tag says how much of it counts.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) caps: [Handle; MAX_CAPS],
    pub(crate) leases: [Lease; MAX_LEASES],
    pub(crate) bytes: [u8; MAX_BYTES],
}

impl Parts {
    /// Returns parts that are all null or 0.
    pub(crate) const fn new() -> Self {
        let lease = Lease { address: 0, len_and_access: 0 };
        Parts { caps: [Handle::NULL; MAX_CAPS], leases: [lease; MAX_LEASES], bytes: [0; MAX_BYTES] }
    }
}

/// Who called, and how to answer later.
///
/// ```
/// use libipc::loopback::HostCall;
/// let call = HostCall::new(7);
/// let caller = call.caller();
/// assert_eq!((caller.badge, caller.replayed), (7, false));
/// assert!(caller.call.is_open());
/// ```
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
///
/// ```
/// use libipc::loopback::{Loopback, take_deleted};
/// use libipc::transport::{Lend, Outgoing};
/// use libipc::{Endpoint, Error, Handle, Message, ProtocolError, Request, Transport};
/// #[derive(ProtocolError, Clone, Copy)]
/// #[repr(u8)]
/// enum Refusal {
///     Full = 3,
/// }
///
/// /// Answers by hand what `serve_x` answers otherwise.
/// fn serve(request: &Request<'_>) -> Message {
///     assert_eq!(request.label(), u32::from(request.protocol()) << 16 | 1);
///     match (request.protocol(), request.operation()) {
///         (99, 1) if request.words()[0] == 0 => request.decline(Refusal::Full),
///         (99, 1) => {
///             assert_eq!(request.caller.badge, 5);
///             assert_eq!((request.bytes(), request.caps()), (&b"text"[..], &[Handle(8)][..]));
///             assert_eq!(request.leases().len(), 1);
///             request.delete_caps(); // It has no use for what came along.
///             Message::success()
///         }
///         _ => request.refuse(Error::InvalidOperation),
///     }
/// }
///
/// let loopback = Loopback::new(5, |request| Some(serve(request)));
/// for number in [1, 0] {
///     let request = Outgoing {
///         label: 99 << 16 | 1,
///         words: [number, 0, 0, 0, 0, 0],
///         slices: &[b"text"],
///         caps: &[Handle(8)],
///         leases: &[Lend::read(b"lent")],
///     };
///     loopback.call(Endpoint(Handle(1)), &request)?;
///     assert_eq!(take_deleted(), [Handle(8)]);
/// }
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who called.
    pub caller: Caller,
    pub(crate) tag: Tag,
    pub(crate) words: [u64; WORDS],
    pub(crate) parts: &'a Parts,
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
    pub fn bytes(&self) -> &'a [u8] {
        &self.parts.bytes[..self.tag.bytes().min(MAX_BYTES)]
    }

    /// Returns the capabilities that came along.
    #[inline(always)]
    pub fn caps(&self) -> &'a [Handle] {
        &self.parts.caps[..self.tag.caps().min(MAX_CAPS)]
    }

    /// Returns the leases that came along.
    #[inline(always)]
    pub fn leases(&self) -> &'a [Lease] {
        &self.parts.leases[..self.tag.leases().min(MAX_LEASES)]
    }

    /// Deletes the capabilities that came along, for a request that is refused.
    pub fn delete_caps(&self) {
        delete_all(self.caps());
    }

    /// Returns the answer to a request that could not be taken apart, whose capabilities go.
    #[inline(always)]
    pub fn refuse(&self, error: Error) -> Message {
        if self.tag.caps() != 0 {
            self.delete_caps();
        }
        Message::refused(error)
    }

    /// Returns the answer that says an error of the protocol to a request that was not taken
    /// apart to its end, whose capabilities go. Dispatch calls it.
    #[inline]
    pub fn decline(&self, error: impl ProtocolError) -> Message {
        self.delete_caps();
        Message::error(error)
    }
}

/// Deletes capabilities of the own table.
#[cold]
#[inline(never)]
pub(crate) fn delete_all(caps: &[Handle]) {
    for &handle in caps {
        // A capability that is gone already needs no deleting.
        let _ = Table(Handle::NULL).delete_slot(handle);
    }
}
