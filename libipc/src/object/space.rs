//! Address spaces.

use kamen_abi::{Error, Handle, Operation, Rights};

use super::{Memory, Object};
use crate::syscall;

/// An address space.
///
/// ```no_run
/// use libipc::{Error, Memory, Rights, Space};
///
/// fn load(space: Space, program: Memory) -> Result<(), Error> {
///     space.map(program, 0, 0x40_0000, 4, Rights::READ.union(Rights::EXECUTE))?;
///     space.protect(0x40_3000, 1, Rights::READ)?; // Constants.
///     space.unmap(0x40_2000, 1)
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Space(pub Handle);

impl Space {
    /// Maps `pages` pages of a memory object from its page `first_page` on at `address`, with
    /// rights among READ, WRITE, EXECUTE, never both of the last two.
    ///
    /// # Errors
    /// BadRange: something is mapped there; NoRights: CONTROL, or the object's capability lacks a
    /// right; InvalidArgument: misaligned, outside the user half, beyond the object's end.
    pub fn map(
        self,
        memory: Memory,
        first_page: u64,
        address: u64,
        pages: u64,
        rights: Rights,
    ) -> Result<(), Error> {
        let words = [memory.0.0.into(), first_page, address, pages, rights.0.into(), 0];
        syscall::control(Operation::Map, self.0, words)
    }

    /// Unmaps whatever lies in `pages` pages from `address` on. A program that unmaps what it
    /// still uses faults there.
    ///
    /// # Errors
    /// NoRights: CONTROL; InvalidArgument: misaligned, outside the user half.
    pub fn unmap(self, address: u64, pages: u64) -> Result<(), Error> {
        syscall::control(Operation::Unmap, self.0, [address, pages, 0, 0, 0, 0])
    }

    /// Changes the rights of `pages` mapped pages from `address` on.
    ///
    /// # Errors
    /// BadRange: not all are mapped; NoRights: CONTROL, or more than they were mapped with;
    /// InvalidArgument: misaligned, outside the user half.
    pub fn protect(self, address: u64, pages: u64, rights: Rights) -> Result<(), Error> {
        let words = [address, pages, rights.0.into(), 0, 0, 0];
        syscall::control(Operation::Protect, self.0, words)
    }
}

impl Object for Space {
    fn from_handle(handle: Handle) -> Self {
        Space(handle)
    }

    fn handle(self) -> Handle {
        self.0
    }
}
