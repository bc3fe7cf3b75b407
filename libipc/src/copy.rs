//! Copies by the kernel between own memory, memory objects and callers.

use kamen_abi::{Error, Place};

use crate::{Memory, MissingPage, Object, OpenCall, Thread, syscall};

/// Where a copy comes from.
///
/// ```
/// use libipc::loopback::HostCall;
/// use libipc::{Destination, Error, Handle, Memory, OpenCall, Source, Thread, copy};
/// let lent = *b"lent";
/// let call = HostCall::new(1).lend(&lent);
/// let (open, mut into) = (call.caller().call, [0; 4]);
/// copy(Source::Lease(open, 0, 0), Destination::Bytes(&mut into), 4)?;
/// assert_eq!(into, lent);
/// copy(Source::Bytes(b"same"), Destination::Bytes(&mut into), 4)?;
/// assert_eq!(&into, b"same");
/// // Those are the kernel's alone.
/// for from in [
///     Source::Memory(Memory(Handle(3)), 0),
///     Source::Caller(open, 0x1000),
///     Source::Extended(open, 0),
///     Source::ThreadExtended(Thread(Handle(4)), 0),
/// ] {
///     let end = copy(from, Destination::Bytes(&mut into), 4);
///     assert_eq!(end.map_err(Error::from), Err(Error::InvalidOperation));
/// }
/// # Ok::<(), libipc::Partial>(())
/// ```
///
/// ```no_run
/// use libipc::{Destination, Source, copy};
/// // Words of the own stack, of which it is not known where it ends.
/// let (mut words, address) = ([0; 64], 0x7fff_0000);
/// let end = copy(Source::Own(address), Destination::Bytes(&mut words), 64);
/// let read = end.map_or_else(|partial| partial.copied, |()| 64);
/// assert!(read <= 64);
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// Own memory; the copy is as long as the slice.
    Bytes(&'a [u8]),
    /// Own memory at an address where nothing need be mapped: the copy ends there.
    Own(u64),
    /// A memory object from a byte offset on.
    Memory(Memory, u64),
    /// The memory of the foreign caller of an open call, from an address on.
    Caller(OpenCall, u64),
    /// A lease of an open call: its index and the byte offset in it.
    Lease(OpenCall, usize, u64),
    /// The extended (FPU, SSE, AVX) state of the foreign caller of an open call, from a byte
    /// offset in the XSAVE area (Intel SDM 1 13.4) on.
    Extended(OpenCall, u64),
    /// That of a stopped thread.
    ThreadExtended(Thread, u64),
}

/// Where a copy goes to.
///
/// ```
/// use libipc::loopback::HostCall;
/// use libipc::{Destination, Error, Handle, Memory, Source, Thread, copy};
/// let mut lent = [0; 4];
/// let call = HostCall::new(1).lend_mut(&mut lent);
/// let open = call.caller().call;
/// copy(Source::Bytes(b"text"), Destination::Lease(open, 0, 0), 4)?;
/// // Those are the kernel's alone.
/// for to in [
///     Destination::Memory(Memory(Handle(3)), 0),
///     Destination::Caller(open, 0x1000),
///     Destination::Extended(open, 0),
///     Destination::ThreadExtended(Thread(Handle(4)), 0),
/// ] {
///     let end = copy(Source::Bytes(b"text"), to, 4);
///     assert_eq!(end.map_err(Error::from), Err(Error::InvalidOperation));
/// }
/// drop(call);
/// assert_eq!(&lent, b"text");
/// let mut own = [0; 4];
/// copy(Source::Bytes(&lent), Destination::Bytes(&mut own), 4)?;
/// assert_eq!(own, lent);
/// # Ok::<(), libipc::Partial>(())
/// ```
#[derive(Debug)]
pub enum Destination<'a> {
    /// Own memory; the copy is as long as the slice.
    Bytes(&'a mut [u8]),
    /// A memory object from a byte offset on.
    Memory(Memory, u64),
    /// The memory of the foreign caller of an open call, from an address on.
    Caller(OpenCall, u64),
    /// A lease of an open call: its index and the byte offset in it.
    Lease(OpenCall, usize, u64),
    /// The extended (FPU, SSE, AVX) state of the foreign caller of an open call, from a byte
    /// offset in the XSAVE area (Intel SDM 1 13.4) on.
    Extended(OpenCall, u64),
    /// That of a stopped thread.
    ThreadExtended(Thread, u64),
}

/// A copy that ended early.
///
/// ```
/// use libipc::{Error, Handle, Memory};
/// let partial = Memory(Handle(3)).read(0, &mut [0; 8]).expect_err("there is no kernel");
/// assert_eq!((partial.copied, partial.error), (0, Error::InvalidOperation));
/// assert!(partial.missing.is_none(), "no pager has to supply a page");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Partial {
    /// Bytes that were copied.
    pub copied: usize,
    /// Why it ended.
    pub error: Error,
    /// Which page to supply before it goes on, where that is why.
    pub missing: Option<MissingPage>,
}

impl From<Partial> for Error {
    fn from(partial: Partial) -> Error {
        partial.error
    }
}

/// Copies `len` bytes, or as many as the shortest slice among source and destination has.
///
/// # Errors
/// How far it came and why it ended: BadAddress (not mapped, or not with that access),
/// StaleCall, NoRights, InvalidArgument (no such lease, or beyond its end), PageMissing (a pager
/// has to supply a page first: the kernel does not ask it).
///
/// ```
/// use libipc::{Destination, Error, Memory, Source, copy, Handle};
/// // On the host there is no kernel.
/// let end = copy(Source::Memory(Memory(Handle(9)), 0), Destination::Bytes(&mut [0; 8]), 8);
/// assert_eq!(end.map_err(Error::from), Err(Error::InvalidOperation));
/// ```
pub fn copy(from: Source<'_>, to: Destination<'_>, len: usize) -> Result<(), Partial> {
    let mut len = len;
    let (from_place, from_id, from_offset) = match from {
        Source::Bytes(bytes) => {
            len = len.min(bytes.len());
            (Place::Own as u64, 0, bytes.as_ptr().expose_provenance() as u64)
        }
        Source::Own(address) => (Place::Own as u64, 0, address),
        Source::Memory(memory, offset) => memory_place(memory, offset),
        Source::Caller(call, address) => (Place::Caller as u64, call.to_raw(), address),
        Source::Lease(call, index, offset) => lease_place(call, index, offset),
        Source::Extended(call, offset) => (Place::Extended as u64, call.to_raw(), offset),
        Source::ThreadExtended(thread, offset) => {
            (Place::Extended as u64, thread.handle().0.into(), offset)
        }
    };
    let (to_place, to_id, to_offset) = match to {
        Destination::Bytes(bytes) => {
            len = len.min(bytes.len());
            (Place::Own as u64, 0, bytes.as_mut_ptr().expose_provenance() as u64)
        }
        Destination::Memory(memory, offset) => memory_place(memory, offset),
        Destination::Caller(call, address) => (Place::Caller as u64, call.to_raw(), address),
        Destination::Lease(call, index, offset) => lease_place(call, index, offset),
        Destination::Extended(call, offset) => (Place::Extended as u64, call.to_raw(), offset),
        Destination::ThreadExtended(thread, offset) => {
            (Place::Extended as u64, thread.handle().0.into(), offset)
        }
    };
    let places = from_place | to_place << 8;
    let mut done = 0;
    // The kernel moves a bounded part at a time; nothing to copy still checks the places once.
    loop {
        let left = (len - done) as u64;
        let at = done as u64;
        // An offset that wraps is one that the kernel refuses.
        let (from_at, to_at) = (from_offset.wrapping_add(at), to_offset.wrapping_add(at));
        let words = [places, from_id, from_at, to_id, to_at, left];
        let (result, copied, [object, page]) = syscall::copy(words);
        done += copied as usize;
        result.map_err(|error| {
            let missing = (error == Error::PageMissing).then_some(MissingPage { object, page });
            Partial { copied: done, error, missing }
        })?;
        if done >= len {
            return Ok(());
        }
    }
}

fn memory_place(memory: Memory, offset: u64) -> (u64, u64, u64) {
    (Place::Memory as u64, memory.handle().0.into(), offset)
}

/// An index beyond the last lease becomes a number that names no place, which the kernel refuses.
fn lease_place(call: OpenCall, index: usize, offset: u64) -> (u64, u64, u64) {
    (Place::Lease0 as u64 + index.min(0x80) as u64, call.to_raw(), offset)
}
