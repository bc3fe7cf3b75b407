//! Leases as servers use them: ranges of the caller's memory, for the length of one call.

use core::marker::PhantomData;

use kamen_abi::Error;

use crate::OpenCall;

/// A range of the caller's memory that the server may read.
///
/// ```
/// use libipc::{Error, ReadLease};
/// /// A server's method that wants four bytes.
/// fn magic(from: ReadLease<'_>) -> Result<u32, Error> {
///     let mut bytes = [0; 4];
///     if from.is_empty() || from.len() < 4 {
///         return Err(Error::InvalidArgument);
///     }
///     from.read_at(0, &mut bytes)?; // Later, by `OpenCall::lease_read(from.index(), …)`.
///     assert_eq!(from.index(), 0);
///     Ok(u32::from_le_bytes(bytes))
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ReadLease<'a> {
    call: OpenCall,
    index: usize,
    len: u64,
    request: PhantomData<&'a ()>,
}

/// A range of the caller's memory that the server may write.
///
/// ```
/// use libipc::{Error, WriteLease};
/// /// A server's method that fills in as much as there is room for; returns how much.
/// fn fill(into: WriteLease<'_>) -> Result<u64, Error> {
///     let text = b"eight is";
///     let len = text.len().min(into.len() as usize);
///     if !into.is_empty() {
///         into.write_at(0, &text[..len])?; // Later, by `OpenCall::lease_write(into.index(), …)`.
///     }
///     assert_eq!(into.index(), 0);
///     Ok(len as u64)
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WriteLease<'a> {
    call: OpenCall,
    index: usize,
    len: u64,
    request: PhantomData<&'a ()>,
}

impl ReadLease<'_> {
    pub(crate) const fn new(call: OpenCall, index: usize, len: u64) -> Self {
        ReadLease { call, index, len, request: PhantomData }
    }

    /// Returns the length in bytes, as the caller claims.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Returns whether the range is empty.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the number of the lease, for [`OpenCall::lease_read`] after the request was parked.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Copies from byte `offset` of the range to `into`.
    ///
    /// # Errors
    /// BadAddress: the caller has no readable memory there; InvalidArgument: beyond the end;
    /// StaleCall: the caller is gone.
    pub fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Error> {
        Ok(self.call.lease_read(self.index, offset, into)?)
    }
}

impl WriteLease<'_> {
    pub(crate) const fn new(call: OpenCall, index: usize, len: u64) -> Self {
        WriteLease { call, index, len, request: PhantomData }
    }

    /// Returns the length in bytes, as the caller claims.
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Returns whether the range is empty.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns the number of the lease, for [`OpenCall::lease_write`] after the request was parked.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Copies `bytes` to byte `offset` of the range and following.
    ///
    /// # Errors
    /// BadAddress: the caller has no writable memory there; InvalidArgument: beyond the end;
    /// StaleCall: the caller is gone.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        Ok(self.call.lease_write(self.index, offset, bytes)?)
    }
}
