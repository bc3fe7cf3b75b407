//! The status of a system call: why the kernel refused.

/// Why the kernel refused an operation; the number is what `rax` holds on return.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Error {
    /// The operation's number names no operation.
    InvalidOperation = 1,
    /// The handle names an empty slot, or its object has been destroyed.
    InvalidHandle = 2,
    /// The handle names an object of another kind.
    WrongKind = 3,
    /// The capability lacks a right that the operation needs.
    NoRights = 4,
    /// An argument is out of range, misaligned or contradicts another.
    InvalidArgument = 5,
    /// The quota that would be charged is exhausted.
    QuotaExhausted = 6,
    /// A capability table, the receiver's for a message, has no free slot.
    TableFull = 7,
    /// Nothing is ready and the deadline was [`NOW`](crate::NOW), or the callee cannot answer yet.
    WouldBlock = 8,
    /// The deadline passed while the operation waited.
    TimedOut = 9,
    /// The server died (its address space was destroyed) before it replied; whether it acted is
    /// unknown.
    Restarted = 10,
    /// The wait was ended by somebody who controls the thread.
    Cancelled = 11,
    /// The open call was answered already, belongs to another address space, or its caller died.
    StaleCall = 12,
    /// Memory named by the operation is not mapped with the access that it needs.
    BadAddress = 13,
    /// The address range overlaps a mapping, or is not wholly mapped by one.
    BadRange = 14,
    /// The object is in use in a way that excludes the operation.
    Busy = 15,
    /// The machine has no free frame, although the quota would allow one.
    OutOfMemory = 16,
    /// A copy met a page that its pager has not supplied; the result says which.
    PageMissing = 17,
}

impl Error {
    /// Every error, in the order of their numbers.
    pub const ALL: [Error; 17] = [
        Error::InvalidOperation,
        Error::InvalidHandle,
        Error::WrongKind,
        Error::NoRights,
        Error::InvalidArgument,
        Error::QuotaExhausted,
        Error::TableFull,
        Error::WouldBlock,
        Error::TimedOut,
        Error::Restarted,
        Error::Cancelled,
        Error::StaleCall,
        Error::BadAddress,
        Error::BadRange,
        Error::Busy,
        Error::OutOfMemory,
        Error::PageMissing,
    ];

    /// Returns the result that a status stands for; a number that names no error counts as
    /// [`Error::InvalidOperation`].
    ///
    /// # Errors
    /// The error of that number, for any status but 0.
    pub const fn check(status: u64) -> Result<(), Error> {
        match status {
            0 => Ok(()),
            1..=17 => Err(Error::ALL[status as usize - 1]),
            _ => Err(Error::InvalidOperation),
        }
    }
}
