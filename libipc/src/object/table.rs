//! Capability tables.

use kamen_abi::{Error, Handle, Operation};

use super::Object;
use crate::syscall;

/// A capability table; the one with the null handle is the program's own.
///
/// ```
/// use libipc::{Handle, Object, Table, loopback};
/// let bell = loopback::notification();
/// // The null handle is the own table.
/// Table(Handle::NULL).delete_slot(bell.handle())?;
/// assert!(bell.signal(1).is_err());
/// # Ok::<(), libipc::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Table(pub Handle);

impl Table {
    /// Empties a slot.
    ///
    /// # Errors
    /// NoRights: CONTROL; InvalidHandle: it is empty.
    pub fn delete_slot(self, slot: Handle) -> Result<(), Error> {
        syscall::control(Operation::Delete, self.0, [slot.0.into(), 0, 0, 0, 0, 0])
    }
}

impl Object for Table {
    fn from_handle(handle: Handle) -> Self {
        Table(handle)
    }

    fn handle(self) -> Handle {
        self.0
    }
}
