//! A call made by hand: a test in the caller's place.

use alloc::vec::Vec;
use core::marker::PhantomData;

use kamen_abi::Lease;

use crate::syscall::calls::{self, Answer};
use crate::transport::Lend;
use crate::{Caller, Endpoint, Message, OpenCall};

/// A call made by a test in the caller's place, open until it is dropped.
///
/// ```
/// use libipc::{Message, loopback::HostCall};
/// let mut buffer = [0; 4];
/// let call = HostCall::new(7).lend_mut(&mut buffer);
/// let caller = call.caller(); // What a server's method gets, and may keep.
/// caller.call.lease_write(0, 1, b"ok")?;
/// caller.call.reply(&Message::success())?;
/// assert_eq!(call.answer(), Some(Message::success()));
/// drop(call);
/// assert_eq!(&buffer, b"\0ok\0");
///
/// let key = *b"key";
/// let again = HostCall::new(7).lend(&key).replayed();
/// assert!(again.caller().replayed);
/// # Ok::<(), libipc::Error>(())
/// ```
#[derive(Debug)]
pub struct HostCall<'a> {
    badge: u64,
    is_replayed: bool,
    leases: Vec<Lease>,
    call: OpenCall,
    lent: PhantomData<&'a mut [u8]>,
}

impl<'a> HostCall<'a> {
    /// Returns a call without leases, made through a capability with a badge.
    pub fn new(badge: u64) -> Self {
        Self::of_leases(badge, Vec::new())
    }

    /// Returns the call with one more lease, which the server may read.
    pub fn lend(self, range: &'a [u8]) -> Self {
        self.and_lease(Lend::read(range).lease)
    }

    /// Returns the call with one more lease, which the server may write.
    pub fn lend_mut(self, range: &'a mut [u8]) -> Self {
        self.and_lease(Lend::write(range).lease)
    }

    /// Returns the call as one that an earlier life of the server received already. In the system
    /// foreign threads' calls come back like that; those of clients fail with `Restarted`.
    pub fn replayed(self) -> Self {
        let mut call = self;
        call.is_replayed = true;
        call
    }

    /// Returns what the server is told about the caller.
    pub fn caller(&self) -> Caller {
        Caller { badge: self.badge, call: self.call, replayed: self.is_replayed }
    }

    /// Returns the answer given through the open call, if it was.
    pub fn answer(&self) -> Option<Message> {
        let Answer { tag, words, caps } = calls::answer_of(self.call.to_raw())?;
        let message = Message::new(tag.label(), words);
        let caps = caps.iter().take(tag.caps());
        Some(caps.fold(message, |message, &handle| message.with_capability(Endpoint(handle))))
    }

    /// The leases must be borrowed for `'a`.
    pub(super) fn of_leases(badge: u64, leases: Vec<Lease>) -> Self {
        let call = OpenCall::from_raw(calls::open(leases.clone()));
        HostCall { badge, is_replayed: false, leases, call, lent: PhantomData }
    }

    fn and_lease(self, lease: Lease) -> Self {
        let leases = self.leases.iter().copied().chain([lease]).collect();
        let mut call = Self::of_leases(self.badge, leases);
        call.is_replayed = self.is_replayed;
        call
    }
}

impl Drop for HostCall<'_> {
    fn drop(&mut self) {
        calls::close(self.call.to_raw());
    }
}
