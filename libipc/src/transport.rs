//! How a client's requests travel: by system call, or within a test on the host.
//!
//! ```
//! use libipc::loopback::Loopback;
//! use libipc::transport::{Lend, Outgoing};
//! use libipc::{Endpoint, Error, Handle, Message, Transport};
//!
//! /// Asks a server for eight bytes, over whatever way requests travel.
//! fn ask(transport: &impl Transport, server: Endpoint) -> Result<[u8; 8], Error> {
//!     let mut bytes = [0; 8];
//!     let request = Outgoing {
//!         label: 99 << 16 | 1,
//!         words: [0; 6],
//!         slices: &[],
//!         caps: &[],
//!         leases: &[Lend::write(&mut bytes)],
//!     };
//!     libipc::transport::call::<true>(transport, server, &request)?;
//!     Ok(bytes)
//! }
//!
//! let loopback = Loopback::new(0, |request| {
//!     request.caller.call.lease_write(0, 0, b"an answe").expect("it was lent");
//!     Some(Message::success())
//! });
//! assert_eq!(ask(&loopback, Endpoint(Handle(1))), Ok(*b"an answe"));
//! ```

use core::marker::PhantomData;

use kamen_abi::{Error, Handle, Lease, MAX_CAPS, MAX_LEASES, Operation, Tag, WORDS};

use crate::request::delete_all;
use crate::words::{Unpacker, Words};
use crate::{Endpoint, Failure, Message, Object, ProtocolError, Time, now, page};

/// How often a client repeats an idempotent operation whose server died.
pub const RETRIES: usize = 3;

/// A way for requests: [`Kernel`], or `Loopback` in tests on the host.
///
/// Code above protocols is generic over it: `struct Tree<T: Transport> { files: FileClient<T> }`.
///
/// ```
/// use libipc::transport::{Outgoing, Reply};
/// use libipc::{Endpoint, Error, Kernel, Transport};
///
/// /// A way that counts what goes over it.
/// struct Counting(std::cell::Cell<u32>);
///
/// impl Transport for Counting {
///     fn call(&self, endpoint: Endpoint, request: &Outgoing<'_>) -> Result<Reply, Error> {
///         self.0.set(self.0.get() + 1);
///         Kernel.call(endpoint, request)
///     }
/// }
/// ```
pub trait Transport {
    /// Sends a request to an endpoint and waits for its reply.
    ///
    /// # Errors
    /// What the kernel says; InvalidArgument: the request exceeds a message's bounds.
    fn call(&self, endpoint: Endpoint, request: &Outgoing<'_>) -> Result<Reply, Error>;
}

impl<T: Transport> Transport for &T {
    #[inline(always)]
    fn call(&self, endpoint: Endpoint, request: &Outgoing<'_>) -> Result<Reply, Error> {
        (**self).call(endpoint, request)
    }
}

/// A request as a client makes it.
///
/// ```
/// use libipc::transport::{Lend, Outgoing};
/// let words = [7, 0, 0, 0, 0, 0];
/// let (label, slices, leases) = (3 << 16 | 2, &[&b"name"[..]], &[Lend::read(b"lent")]);
/// let lookup = Outgoing { label, words, slices, caps: &[], leases };
/// assert_eq!((lookup.label & 0xffff, lookup.words[0], lookup.slices[0]), (2, 7, &b"name"[..]));
/// assert!(lookup.caps.is_empty() && lookup.leases.len() == 1);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'a> {
    /// Protocol number in the upper half, operation in the lower.
    pub label: u32,
    /// The words.
    pub words: [u64; WORDS],
    /// Byte slices, which travel one after the other.
    pub slices: &'a [&'a [u8]],
    /// Capabilities, at most four.
    pub caps: &'a [Handle],
    /// Ranges of memory lent, at most four.
    pub leases: &'a [Lend<'a>],
}

/// A range of memory lent for the length of a call.
///
/// ```
/// use libipc::transport::Lend;
/// let mut buffer = [0; 512];
/// // `buffer` stays borrowed for as long as the request is there.
/// let leases = [Lend::read(b"key"), Lend::write(&mut buffer)];
/// assert_eq!(leases.len(), 2);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Lend<'a> {
    pub(crate) lease: Lease,
    range: PhantomData<&'a mut [u8]>,
}

impl<'a> Lend<'a> {
    /// Lends a range that the server may read.
    #[inline(always)]
    pub fn read(range: &'a [u8]) -> Self {
        let address = range.as_ptr().expose_provenance() as u64;
        Lend { lease: Lease::read(address, range.len() as u64), range: PhantomData }
    }

    /// Lends a range that the server may write.
    #[inline(always)]
    pub fn write(range: &'a mut [u8]) -> Self {
        let address = range.as_mut_ptr().expose_provenance() as u64;
        Lend { lease: Lease::write(address, range.len() as u64), range: PhantomData }
    }
}

/// The ordinary way: the kernel's call, without a deadline.
///
/// ```
/// use libipc::transport::Outgoing;
/// use libipc::{Endpoint, Error, Handle, Kernel, Transport};
/// let (label, words) = (6 << 16 | 1, [0; 6]);
/// let request = Outgoing { label, words, slices: &[], caps: &[], leases: &[] };
/// // On the host there is no kernel, but in a simulation.
/// let end = Kernel.call(Endpoint(Handle(7)), &request);
/// assert_eq!(end.err(), Some(Error::InvalidOperation));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Kernel;

impl Transport for Kernel {
    #[inline(always)]
    fn call(&self, endpoint: Endpoint, request: &Outgoing<'_>) -> Result<Reply, Error> {
        exchange(endpoint, request, Time::FOREVER)
    }
}

/// The kernel's call, given up with TimedOut after so many milliseconds: for callers that must go
/// on whatever becomes of the server.
///
/// ```
/// use libipc::transport::Outgoing;
/// use libipc::{Endpoint, Error, Transport, Within};
///
/// /// Asks whether a server still answers, for 50 ms.
/// fn answers(server: Endpoint) -> bool {
///     let (label, words) = (99 << 16 | 1, [0; 6]);
///     let request = Outgoing { label, words, slices: &[], caps: &[], leases: &[] };
///     !matches!(Within(50).call(server, &request), Err(Error::TimedOut))
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Within(pub u64);

impl Transport for Within {
    fn call(&self, endpoint: Endpoint, request: &Outgoing<'_>) -> Result<Reply, Error> {
        exchange(endpoint, request, now().after_ms(self.0))
    }
}

#[inline(always)]
fn exchange(endpoint: Endpoint, request: &Outgoing<'_>, deadline: Time) -> Result<Reply, Error> {
    if request.caps.len() > MAX_CAPS || request.leases.len() > MAX_LEASES {
        return Err(Error::InvalidArgument);
    }
    let mut bytes = 0;
    for slice in request.slices {
        if !page::put_bytes(bytes, slice) {
            return Err(Error::InvalidArgument);
        }
        bytes += slice.len();
    }
    if !request.caps.is_empty() {
        page::put_caps(first_caps(request.caps));
    }
    for (index, lend) in request.leases.iter().enumerate() {
        page::put_lease(index, lend.lease);
    }
    let tag = Tag::long(request.label, bytes, request.caps.len(), request.leases.len());
    let (tag, words) = endpoint.exchange(Operation::Call, tag, request.words, deadline)?;
    let caps = if tag.caps() == 0 { [Handle::NULL; MAX_CAPS] } else { page::take_caps() };
    Ok(Reply { tag, words, caps })
}

/// Sends a request, and again if its server died and it is idempotent. Clients call it.
///
/// ```
/// use libipc::loopback::{Fault, Faulty, Loopback};
/// use libipc::transport::{Outgoing, RETRIES, call};
/// use libipc::{Endpoint, Error, Handle, Message};
/// let (label, words) = (99 << 16 | 1, [0; 6]);
/// let request = Outgoing { label, words, slices: &[], caps: &[], leases: &[] };
/// let dying = |deaths| {
///     let loopback = Loopback::new(0, |_| Some(Message::success()));
///     Faulty::scripted(loopback, vec![Fault::DiesBefore; deaths])
/// };
/// let endpoint = Endpoint(Handle(1));
/// assert!(call::<true>(&dying(RETRIES), endpoint, &request).is_ok());
/// let end = call::<true>(&dying(RETRIES + 1), endpoint, &request);
/// assert_eq!(end.err(), Some(Error::Restarted));
/// assert_eq!(call::<false>(&dying(1), endpoint, &request).err(), Some(Error::Restarted));
/// ```
///
/// # Errors
/// What the kernel says; Restarted also where repeating did not help.
#[inline(always)]
pub fn call<const IDEMPOTENT: bool>(
    transport: &impl Transport,
    endpoint: Endpoint,
    request: &Outgoing<'_>,
) -> Result<Reply, Error> {
    let mut reply = transport.call(endpoint, request);
    if IDEMPOTENT {
        for _ in 0..RETRIES {
            if !matches!(reply, Err(Error::Restarted)) {
                break;
            }
            reply = transport.call(endpoint, request);
        }
    }
    reply
}

/// A reply as a client receives it.
///
/// ```
/// use libipc::transport::Reply;
/// use libipc::{Endpoint, Failure, ProtocolError};
/// /// What a generated client does with the reply of `find() -> Result<(Endpoint, u64), E>`.
/// fn find<E: ProtocolError>(reply: Reply) -> Result<(Endpoint, u64), Failure<E>> {
///     let mut results = reply.results::<E>(1)?;
///     Ok((results.capability()?, results.take()?))
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Reply {
    pub(crate) tag: Tag,
    pub(crate) words: [u64; WORDS],
    pub(crate) caps: [Handle; MAX_CAPS],
}

impl Reply {
    /// Returns the results of a reply that says success and brings `caps` capabilities.
    ///
    /// # Errors
    /// The protocol's or the kernel's error that the reply says; InvalidArgument: it says none,
    /// or its capabilities are too few or too many.
    #[inline(always)]
    pub fn results<E: ProtocolError>(self, caps: usize) -> Result<Results, Failure<E>> {
        if self.tag.label() == 0 && self.tag.caps() == caps {
            return Ok(Results {
                words: Unpacker::new(self.words),
                caps: self.caps,
                caps_taken: 0,
            });
        }
        Err(failure(self.tag, self.caps))
    }
}

/// The values of a reply, to be taken in the order in which they were put.
///
/// ```
/// use libipc::transport::Results;
/// use libipc::{Endpoint, Error};
/// fn service_and_number(results: &mut Results) -> Result<(Endpoint, u64), Error> {
///     Ok((results.capability()?, results.take()?))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Results {
    words: Unpacker,
    caps: [Handle; MAX_CAPS],
    caps_taken: usize,
}

impl Results {
    /// Takes a value.
    ///
    /// # Errors
    /// InvalidArgument: the words stand for no value.
    #[inline(always)]
    pub fn take<T: Words>(&mut self) -> Result<T, Error> {
        self.words.take().ok_or(Error::InvalidArgument)
    }

    /// Takes a capability.
    ///
    /// # Errors
    /// InvalidArgument: none is left.
    #[inline(always)]
    pub fn capability<T: Object>(&mut self) -> Result<T, Error> {
        let handle = *self.caps.get(self.caps_taken).ok_or(Error::InvalidArgument)?;
        self.caps_taken += 1;
        Ok(T::from_handle(handle))
    }
}

/// Returns the first four handles.
#[inline(always)]
pub(crate) fn first_caps(caps: &[Handle]) -> [Handle; MAX_CAPS] {
    let mut first = [Handle::NULL; MAX_CAPS];
    for (slot, &handle) in first.iter_mut().zip(caps) {
        *slot = handle;
    }
    first
}

/// Returns what a reply that is not the expected success says; its capabilities go.
#[cold]
#[inline(never)]
fn failure<E: ProtocolError>(tag: Tag, caps: [Handle; MAX_CAPS]) -> Failure<E> {
    delete_all(&caps[..tag.caps().min(MAX_CAPS)]);
    match tag.label() {
        number @ 0..Message::KERNEL => {
            E::from_number(number).map_or(Error::InvalidArgument.into(), Failure::Protocol)
        }
        label => match Error::check((label - Message::KERNEL).into()) {
            Ok(()) => Error::InvalidArgument.into(),
            Err(error) => error.into(),
        },
    }
}
