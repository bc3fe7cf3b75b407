//! Protocols in tests on the host: a client's calls answered by a server in the same process.
//!
//! ```text
//!   Client<Loopback> ── Outgoing ── Loopback ── Request ── serve_x(&mut server, …) ── Message
//!   Client<Faulty> ── Fault ──────────┘  (deaths, requests and replies that lie)
//!   HostCall (a call made by hand) ──── its Caller ──── server's methods ──── OpenCall::reply
//!   besiege ── requests of every form ──── serve_x
//! ```
//!
//! Leases reach the client's slices as they do in the system, with the same errors. Capabilities
//! travel as the numbers that they are. Those of [`memory`] and [`notification`] name objects that all
//! threads of the test share, enough for rings; the receiver gets a copy, as in the system.
//!
//! ```
//! use libipc::loopback::Loopback;
//! use libipc::transport::Outgoing;
//! use libipc::{Endpoint, Handle, Message, Transport};
//! let loopback = Loopback::new(5, |request| Some(Message::new(0, request.words())));
//! let words = [1, 2, 3, 4, 5, 6];
//! let request = Outgoing { label: 99 << 16 | 1, words, slices: &[], caps: &[], leases: &[] };
//! assert!(loopback.call(Endpoint(Handle(1)), &request).is_ok());
//! ```

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::fmt;

use kamen_abi::{Error, Handle};

use crate::syscall::calls::{self, Answer};
use crate::syscall::objects;
use crate::transport::{Outgoing, Reply, first_caps};
use crate::{Endpoint, Memory, Message, Notification, OpenCall, Request, Transport};

mod call;
mod envelope;
mod fault;
mod random;
mod siege;

pub use call::HostCall;
pub use fault::{Fault, Faulty};
pub use random::Random;
pub use siege::{Tally, besiege};

use envelope::Envelope;

/// How often a loopback looks whether a parked call was answered, before it gives up.
///
/// ```
/// use libipc::loopback::{Loopback, PATIENCE};
/// use libipc::transport::Outgoing;
/// use libipc::{Endpoint, Error, Handle, Transport};
/// let looked = std::cell::Cell::new(0);
/// let loopback = Loopback::new(0, |_| None).with_meanwhile(|| looked.set(looked.get() + 1));
/// let (label, words) = (99 << 16 | 1, [0; 6]);
/// let request = Outgoing { label, words, slices: &[], caps: &[], leases: &[] };
/// let end = loopback.with_badge(3).call(Endpoint(Handle(1)), &request);
/// assert_eq!((end.err(), looked.get()), (Some(Error::TimedOut), PATIENCE));
/// ```
pub const PATIENCE: usize = 1000;

type Dispatch<'a> = Rc<RefCell<dyn FnMut(&Request<'_>) -> Option<Message> + 'a>>;
type Meanwhile<'a> = Rc<RefCell<dyn FnMut() + 'a>>;

/// A transport to a server in the same process.
///
/// ```
/// use libipc::loopback::Loopback;
/// use libipc::{Caller, Endpoint, Failure, Handle, ProtocolError, interface};
///
/// #[derive(ProtocolError, Clone, Copy, PartialEq, Debug)]
/// #[repr(u8)]
/// pub enum CounterError {
///     /// The counter would overflow.
///     Overflow = 1,
/// }
///
/// /// A counter.
/// #[interface(number = 99, error = CounterError)]
/// pub trait Counter {
///     /// Adds to the counter and returns its value.
///     #[operation(1)]
///     fn add(&mut self, amount: u64) -> Result<u64, CounterError>;
/// }
///
/// struct Server(u64);
///
/// impl Counter for Server {
///     fn add(&mut self, _caller: &Caller, amount: u64) -> Result<u64, CounterError> {
///         self.0 = self.0.checked_add(amount).ok_or(CounterError::Overflow)?;
///         Ok(self.0)
///     }
/// }
///
/// fn main() {
///     let mut server = Server(40);
///     let loopback = Loopback::new(7, |request| serve_counter(&mut server, request));
///     let client = CounterClient::with(Endpoint(Handle(1)), loopback);
///     assert_eq!(client.add(2), Ok(42));
///     assert_eq!(client.add(u64::MAX), Err(Failure::Protocol(CounterError::Overflow)));
/// }
/// ```
///
/// ```
/// use libipc::loopback::Loopback;
/// use libipc::transport::Outgoing;
/// use libipc::{Endpoint, Handle, Message, OpenCall, Transport};
/// use std::cell::Cell;
/// // A server that parks the call, and answers when it comes to it.
/// let (parked, badge) = (Cell::new(OpenCall::NONE), Cell::new(0));
/// let loopback = Loopback::new(5, |request| {
///     parked.set(request.caller.call);
///     badge.set(request.caller.badge);
///     None
/// });
/// let loopback = loopback.with_meanwhile(|| drop(parked.get().reply(&Message::success())));
/// let (label, words) = (99 << 16 | 1, [0; 6]);
/// let request = Outgoing { label, words, slices: &[], caps: &[], leases: &[] };
/// assert!(loopback.with_badge(8).call(Endpoint(Handle(1)), &request).is_ok());
/// assert_eq!(badge.get(), 8);
/// ```
#[derive(Clone)]
pub struct Loopback<'a> {
    badge: u64,
    dispatch: Dispatch<'a>,
    meanwhile: Option<Meanwhile<'a>>,
}

impl fmt::Debug for Loopback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loopback").field("badge", &self.badge).finish_non_exhaustive()
    }
}

impl<'a> Loopback<'a> {
    /// Returns the transport whose requests `dispatch` answers; they come with `badge`.
    pub fn new(badge: u64, dispatch: impl FnMut(&Request<'_>) -> Option<Message> + 'a) -> Self {
        Loopback { badge, dispatch: Rc::new(RefCell::new(dispatch)), meanwhile: None }
    }

    /// Returns the transport to the same server with another badge.
    pub fn with_badge(&self, badge: u64) -> Self {
        Loopback { badge, ..self.clone() }
    }

    /// Returns the transport that calls `meanwhile` while a call is parked, up to [`PATIENCE`]
    /// times, for the server to get on; without it, a call that is parked fails with TimedOut.
    pub fn with_meanwhile(self, meanwhile: impl FnMut() + 'a) -> Self {
        Loopback { meanwhile: Some(Rc::new(RefCell::new(meanwhile))), ..self }
    }

    fn await_answer(&self, call: OpenCall) -> Option<Answer> {
        let given = calls::answer_of(call.to_raw());
        let (None, Some(meanwhile)) = (given, &self.meanwhile) else { return given };
        (0..PATIENCE).find_map(|_| {
            (meanwhile.borrow_mut())();
            calls::answer_of(call.to_raw())
        })
    }

    /// Hands a request to the server as it is, and waits for the answer.
    fn deliver(&self, envelope: &Envelope) -> Result<Reply, Error> {
        // What was lent stays lent for as long as the call is open: until this returns.
        let call = HostCall::of_leases(self.badge, envelope.lent.clone());
        let Envelope { words, parts, .. } = envelope;
        let request = Request { caller: call.caller(), tag: envelope.tag(), words: *words, parts };
        let answer = (self.dispatch.borrow_mut())(&request);
        if let Some(message) = answer {
            let caps = first_caps(message.caps()).map(objects::copy);
            return Ok(Reply { tag: message.tag(), words: message.words(), caps });
        }
        let call = call.caller().call;
        let Answer { tag, words, caps } = self.await_answer(call).ok_or(Error::TimedOut)?;
        Ok(Reply { tag, words, caps: caps.map(objects::copy) })
    }
}

impl Transport for Loopback<'_> {
    fn call(&self, _endpoint: Endpoint, request: &Outgoing<'_>) -> Result<Reply, Error> {
        self.deliver(&Envelope::seal(request)?)
    }
}

/// Returns a new memory object, which can be minted, inspected, committed, and hold a ring.
///
/// ```
/// assert_eq!(libipc::loopback::memory(3).pages(), Ok(3));
/// ```
///
/// # Panics
/// More than 20,000 capabilities to such objects are there and not deleted.
pub fn memory(pages: u64) -> Memory {
    Memory(objects::create_memory(pages))
}

/// Returns a new notification, which can be minted, signalled by any thread, and waited for. There
/// is no clock: a deadline other than [`Time::FOREVER`](crate::Time::FOREVER) has passed.
///
/// ```
/// use libipc::{Object, Rights, loopback};
/// let bell = loopback::notification();
/// bell.mint(Rights::SEND, 4)?.signal(1)?;
/// assert_eq!(bell.poll(), Ok(4));
/// # Ok::<(), libipc::Error>(())
/// ```
///
/// # Panics
/// As [`memory`].
pub fn notification() -> Notification {
    Notification(objects::create_notification())
}

/// Returns and forgets the signals that the calling thread sent to notifications that are mere
/// numbers: notification and bits.
///
/// ```
/// use libipc::{Handle, Notification, loopback};
/// Notification(Handle(3)).signal(4)?;
/// assert_eq!(loopback::take_signals(), [(Handle(3), 4)]);
/// # Ok::<(), libipc::Error>(())
/// ```
pub fn take_signals() -> Vec<(Handle, u64)> {
    calls::take_signals()
}

/// Returns and forgets the capabilities that the calling thread deleted from its own table and
/// that were mere numbers.
///
/// ```
/// use libipc::{Endpoint, Handle, Object, loopback};
/// Endpoint(Handle(3)).delete()?;
/// assert_eq!(loopback::take_deleted(), [Handle(3)]);
/// # Ok::<(), libipc::Error>(())
/// ```
pub fn take_deleted() -> Vec<Handle> {
    calls::take_deleted()
}

#[cfg(test)]
mod tests;
