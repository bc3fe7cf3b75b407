//! Memory objects: pages that can be mapped, shared, cloned and copied from and to.

use kamen_abi::{Error, Handle, Operation};

use super::{Object, Quota};
use crate::copy::{Destination, Partial, Source, copy};
use crate::syscall;

/// A memory object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Memory(pub Handle);

impl Memory {
    /// Returns a copy-on-write clone, its own pages charged to `quota`.
    ///
    /// # Errors
    /// NoRights: READ and GRANT are needed, CONTROL of the quota; QuotaExhausted; TableFull.
    pub fn clone_to(self, quota: Quota) -> Result<Memory, Error> {
        let words = [quota.0.0.into(), 0, 0, 0, 0, 0];
        let (handle, _) = syscall::operate(Operation::Clone, self.0.0.into(), words)?;
        Ok(Memory(Handle(handle as u16)))
    }

    /// Makes it `pages` long; pages that go are unmapped everywhere.
    ///
    /// # Errors
    /// NoRights: CONTROL; QuotaExhausted; OutOfMemory.
    pub fn resize(self, pages: u64) -> Result<(), Error> {
        syscall::control(Operation::Resize, self.0, [pages, 0, 0, 0, 0, 0])
    }

    /// Returns its length in pages.
    ///
    /// # Errors
    /// InvalidHandle.
    pub fn pages(self) -> Result<u64, Error> {
        self.inspect().map(|inspection| inspection.values[0])
    }

    /// Copies from byte `offset` on.
    ///
    /// # Errors
    /// How far it came; NoRights: READ; InvalidArgument: beyond the end; OutOfMemory.
    pub fn read(self, offset: u64, into: &mut [u8]) -> Result<(), Partial> {
        let len = into.len();
        copy(Source::Memory(self, offset), Destination::Bytes(into), len)
    }

    /// Copies to byte `offset` and following.
    ///
    /// # Errors
    /// How far it came; NoRights: WRITE; InvalidArgument: beyond the end; QuotaExhausted.
    pub fn write(self, offset: u64, bytes: &[u8]) -> Result<(), Partial> {
        copy(Source::Bytes(bytes), Destination::Memory(self, offset), bytes.len())
    }
}

impl Object for Memory {
    fn from_handle(handle: Handle) -> Self {
        Memory(handle)
    }

    fn handle(self) -> Handle {
        self.0
    }
}
