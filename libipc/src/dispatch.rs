//! Taking a request apart on the server's side: form first, then the arguments in order.
//!
//! ```
//! use libipc::dispatch::{Access, Form, text};
//! use libipc::loopback::Loopback;
//! use libipc::transport::{Lend, Outgoing};
//! use libipc::{Endpoint, Error, Handle, Message, Notification, Request, Transport};
//!
//! /// What `#[interface]` writes for an operation with arguments of each sort.
//! fn take_apart(request: &Request<'_>) -> Result<Message, Error> {
//!     let form = Form { caps: 1, leases: &[Access::Read, Access::Write], slices: 2 };
//!     let mut arguments = request.arguments(form)?;
//!     let name = text(arguments.bytes()?)?;
//!     let number: u32 = arguments.take()?;
//!     let rest = arguments.last_bytes();
//!     let (from, into) = (arguments.read_lease()?, arguments.write_lease()?);
//!     let bell: Notification = arguments.capability()?;
//!     assert_eq!((name, number, rest, bell.0), ("ab", 7, &b"cd"[..], Handle(9)));
//!     assert_eq!((from.len(), into.len()), (3, 4));
//!     Ok(Message::success())
//! }
//!
//! let mut into = [0; 4];
//! let request = Outgoing {
//!     label: 99 << 16 | 1,
//!     words: [2, 7, 0, 0, 0, 0], // the first slice's length; the last needs none
//!     slices: &[b"ab", b"cd"],
//!     caps: &[Handle(9)],
//!     leases: &[Lend::read(b"key"), Lend::write(&mut into)],
//! };
//! let transport =
//!     Loopback::new(1, |request| Some(take_apart(request).unwrap_or_else(Message::refused)));
//! assert!(transport.call(Endpoint(Handle(1)), &request).is_ok());
//! ```

use kamen_abi::Error;

use crate::words::{Unpacker, Words};
use crate::{Object, ReadLease, Request, WriteLease};

/// Which side may do what with a lease.
///
/// ```
/// use libipc::dispatch::Access;
/// // An operation `fn exchange(&mut self, #[lend] from: &[u8], into: &mut [u8])` has these leases.
/// assert_ne!([Access::Read, Access::Write], [Access::Write, Access::Read]);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// The server reads.
    Read,
    /// The server writes.
    Write,
}

/// What an operation's requests consist of besides words.
///
/// ```
/// use libipc::dispatch::{Access, Form};
/// // `fn write(&mut self, node: Node, #[lend] data: &[u8])`: no capability, one lease, no bytes.
/// let write = Form { caps: 0, leases: &[Access::Read], slices: 0 };
/// assert_eq!((write.caps, write.leases.len(), write.slices), (0, 1, 0));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Form<'a> {
    /// Number of capabilities.
    pub caps: usize,
    /// Leases, in order.
    pub leases: &'a [Access],
    /// Number of byte slices.
    pub slices: usize,
}

impl<'a> Request<'a> {
    /// Returns the arguments of a request, if it has the operation's form.
    ///
    /// ```
    /// use libipc::dispatch::Form;
    /// use libipc::{Error, Request};
    /// /// Returns the one word of a request that has nothing else.
    /// fn word(request: &Request<'_>) -> Result<u64, Error> {
    ///     request.arguments(Form { caps: 0, leases: &[], slices: 0 })?.take()
    /// }
    /// ```
    ///
    /// # Errors
    /// InvalidArgument: another number of capabilities or leases, a lease with the other access,
    /// or bytes where there should be none.
    #[inline(always)]
    pub fn arguments(&self, form: Form<'_>) -> Result<Arguments<'a, '_>, Error> {
        let fits = self.tag.caps() == form.caps
            && self.tag.leases() == form.leases.len()
            && (form.slices != 0 || self.tag.bytes() == 0);
        if !fits {
            return Err(Error::InvalidArgument);
        }
        for (lease, &access) in self.parts.leases.iter().zip(form.leases) {
            if lease.is_writable() != (access == Access::Write) {
                return Err(Error::InvalidArgument);
            }
        }
        let (words, bytes) =
            (Unpacker::new(self.words), if form.slices == 0 { &[] } else { self.bytes() });
        Ok(Arguments { request: self, words, bytes, caps_taken: 0, leases_taken: 0 })
    }
}

/// The arguments of a request, to be taken in the order in which the client gave them.
///
/// ```
/// use libipc::dispatch::Arguments;
/// use libipc::{Endpoint, Error};
/// /// Takes apart what `(name: &[u8], number: u32, service: Endpoint, rest: &[u8])` became.
/// fn take<'a>(arguments: &mut Arguments<'a, '_>) -> Result<(&'a [u8], u32, Endpoint), Error> {
///     let (name, number) = (arguments.bytes()?, arguments.take()?);
///     let service = arguments.capability()?;
///     let _rest = arguments.last_bytes();
///     Ok((name, number, service))
/// }
/// /// And `(#[lend] from: &[u8], into: &mut [u8])`.
/// fn take_leases(arguments: &mut Arguments<'_, '_>) -> Result<u64, Error> {
///     Ok(arguments.read_lease()?.len() + arguments.write_lease()?.len())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Arguments<'a, 'r> {
    request: &'r Request<'a>,
    words: Unpacker,
    bytes: &'a [u8],
    caps_taken: usize,
    leases_taken: usize,
}

impl<'a> Arguments<'a, '_> {
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
        let handle = *self.request.parts.caps.get(self.caps_taken).ok_or(Error::InvalidArgument)?;
        self.caps_taken += 1;
        Ok(T::from_handle(handle))
    }

    /// Takes bytes that others follow; their length is a word.
    ///
    /// # Errors
    /// InvalidArgument: there are not that many.
    #[inline(always)]
    pub fn bytes(&mut self) -> Result<&'a [u8], Error> {
        let len: usize = self.take()?;
        self.bytes.split_off(..len).ok_or(Error::InvalidArgument)
    }

    /// Takes all bytes that are left.
    #[inline(always)]
    pub fn last_bytes(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.bytes)
    }

    /// Takes a lease that the server may read.
    ///
    /// # Errors
    /// InvalidArgument: none is left.
    #[inline(always)]
    pub fn read_lease(&mut self) -> Result<ReadLease<'a>, Error> {
        let (index, len) = self.lease()?;
        Ok(ReadLease::new(self.request.caller.call, index, len))
    }

    /// Takes a lease that the server may write.
    ///
    /// # Errors
    /// InvalidArgument: none is left.
    #[inline(always)]
    pub fn write_lease(&mut self) -> Result<WriteLease<'a>, Error> {
        let (index, len) = self.lease()?;
        Ok(WriteLease::new(self.request.caller.call, index, len))
    }

    #[inline(always)]
    fn lease(&mut self) -> Result<(usize, u64), Error> {
        let index = self.leases_taken;
        let lease = self.request.parts.leases.get(index).ok_or(Error::InvalidArgument)?;
        self.leases_taken += 1;
        Ok((index, lease.len()))
    }
}

/// Returns the text that bytes of a request are.
///
/// ```
/// use libipc::{Error, dispatch::text};
/// assert_eq!(text(b"name"), Ok("name"));
/// assert_eq!(text(b"\xff"), Err(Error::InvalidArgument));
/// ```
///
/// # Errors
/// InvalidArgument: they are not UTF-8.
#[inline]
pub fn text(bytes: &[u8]) -> Result<&str, Error> {
    core::str::from_utf8(bytes).map_err(|_| Error::InvalidArgument)
}
