//! Memory objects: pages that can be mapped, shared, cloned and copied from and to.

use kamen_abi::{Error, Handle, Operation};

use super::{Endpoint, Object, Quota};
use crate::copy::{Destination, Partial, Source, copy};
use crate::syscall;

/// A memory object.
///
/// ```no_run
/// use libipc::{Endpoint, Error, Memory, Quota};
///
/// fn share(quota: Quota, pager: Endpoint) -> Result<Memory, Error> {
///     let memory = quota.create_memory(4)?;
///     memory.commit(0, 1)?; // Touching the first page cannot fail any more.
///     memory.write(0, b"text")?;
///     memory.decommit(0, 1)?; // It is zero again.
///     let clone = memory.clone_to(quota)?; // Copied when either side writes.
///     let mut bytes = [1; 4];
///     clone.read(0, &mut bytes)?;
///     assert_eq!(bytes, [0; 4]);
///     clone.resize(8)?;
///     assert_eq!(clone.pages(), Ok(8));
///     assert_eq!(clone.physical_address(), Ok(None), "it is not contiguous");
///     // A file's pages, supplied when somebody misses them.
///     let file = quota.create_paged(8, pager)?;
///     file.supply(0, 4, memory, 0)?;
///     file.clone_paged_to(quota, pager)
/// }
/// ```
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

    /// Returns a copy-on-write clone of a pager-backed object; what misses in it the server of
    /// `pager` is asked for, whose badge says that the clone is meant.
    ///
    /// # Errors
    /// As [`Memory::clone_to`]; NoRights: SEND of the pager's endpoint.
    pub fn clone_paged_to(self, quota: Quota, pager: Endpoint) -> Result<Memory, Error> {
        let words = [quota.0.0.into(), pager.0.0.into(), 0, 0, 0, 0];
        let (handle, _) = syscall::operate(Operation::Clone, self.0.0.into(), words)?;
        Ok(Memory(Handle(handle as u16)))
    }

    /// Gives each page of a range that is untouched a frame of zeros, so that using it cannot
    /// fail later.
    ///
    /// # Errors
    /// How far it came; NoRights: WRITE; BadRange: beyond the end; QuotaExhausted; PageMissing:
    /// only the pager can say what is there; InvalidArgument: a device, or the boot archive.
    pub fn commit(self, first: u64, pages: u64) -> Result<(), Stopped> {
        repeat(pages, |done, left| {
            syscall::pages(Operation::Commit, self.0, [first.wrapping_add(done), left, 0, 0])
        })
    }

    /// Gives the pages of a range up: they are zero when they are touched again, or the pager is
    /// asked.
    ///
    /// # Errors
    /// How far it came; NoRights: CONTROL; BadRange: beyond the end; InvalidArgument: the object is
    /// neither anonymous nor pager-backed.
    pub fn decommit(self, first: u64, pages: u64) -> Result<(), Stopped> {
        repeat(pages, |done, left| {
            syscall::pages(Operation::Decommit, self.0, [first.wrapping_add(done), left, 0, 0])
        })
    }

    /// Supplies missing pages of a pager-backed object with those of an anonymous one from its
    /// page `source_first` on, shared until either side writes. Pages that are there are kept.
    ///
    /// # Errors
    /// How far it came; NoRights: CONTROL, READ and GRANT of the source; BadRange: beyond the end
    /// of either; QuotaExhausted; InvalidArgument: objects of other kinds.
    pub fn supply(
        self,
        first: u64,
        pages: u64,
        source: Memory,
        source_first: u64,
    ) -> Result<(), Stopped> {
        repeat(pages, |done, left| {
            let (to, from) = (first.wrapping_add(done), source_first.wrapping_add(done));
            syscall::pages(Operation::Supply, self.0, [to, left, source.0.0.into(), from])
        })
    }

    /// Returns the physical address of a contiguous object, for a device; none for others, for
    /// one that is not wholly committed, and to who lacks CONTROL.
    ///
    /// # Errors
    /// InvalidHandle.
    pub fn physical_address(self) -> Result<Option<u64>, Error> {
        let address = self.inspect()?.values[1];
        Ok((address != 0).then_some(address))
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

/// An operation on pages that ended early.
///
/// ```
/// use libipc::{Error, Memory, Handle, Stopped};
/// let end = Memory(Handle(3)).commit(0, 4);
/// let Stopped { done, error } = end.expect_err("there is no kernel");
/// assert_eq!((done, error), (0, Error::InvalidOperation));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stopped {
    /// Pages that were dealt with.
    pub done: u64,
    /// Why it ended.
    pub error: Error,
}

impl From<Stopped> for Error {
    fn from(stopped: Stopped) -> Error {
        stopped.error
    }
}

/// Repeats an operation, which is told how many pages are done and left and returns how many more
/// it did, until none is left. No pages still are one operation, which checks its arguments.
fn repeat(
    pages: u64,
    mut operation: impl FnMut(u64, u64) -> (Result<(), Error>, u64),
) -> Result<(), Stopped> {
    let mut done = 0;
    loop {
        let (result, more) = operation(done, pages - done);
        done += more.min(pages - done);
        result.map_err(|error| Stopped { done, error })?;
        if done == pages {
            return Ok(());
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_is_repeated_until_all_pages_are_done() {
        let mut asked = alloc::vec::Vec::new();
        let end = repeat(20, |done, left| {
            asked.push((done, left));
            (Ok(()), left.min(8))
        });
        assert_eq!(end, Ok(()));
        assert_eq!(asked, [(0, 20), (8, 12), (16, 4)]);
    }

    #[test]
    fn one_that_stops_says_how_far_it_came() {
        let end = repeat(20, |done, _| match done {
            0 => (Ok(()), 8),
            _ => (Err(Error::QuotaExhausted), 3),
        });
        assert_eq!(end, Err(Stopped { done: 11, error: Error::QuotaExhausted }));
    }

    #[test]
    fn no_pages_are_asked_for_once() {
        let refused = repeat(0, |_, _| (Err(Error::NoRights), 0));
        assert_eq!(refused, Err(Stopped { done: 0, error: Error::NoRights }));
        assert_eq!(repeat(0, |_, _| (Ok(()), 0)), Ok(()));
    }
}
