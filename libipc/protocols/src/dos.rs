//! What DOS sessions share: drives, settings, and who has which file open how and locked where.

use libipc::{Notification, interface};

use crate::file::Node;

/// Why the DOS server refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum DosError {
    /// Another session has the file open in a way that excludes this.
    Sharing = 1,
    /// Too many sessions, or too many open files.
    NoResources = 2,
    /// The session did not attach, or has no such file open.
    NotFound = 3,
    /// The buffer is too small.
    Invalid = 4,
    /// Some of the bytes are locked, or there is no such lock to undo.
    Locked = 5,
}

/// What a session does with a file (RBIL INT 21/AH=3D, bits 0 to 2 of AL).
#[derive(libipc::Word, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Access {
    /// Reads.
    Read = 0,
    /// Writes.
    Write = 1,
    /// Both.
    Both = 2,
}

/// What a session allows others meanwhile (RBIL INT 21/AH=3D, bits 4 to 6 of AL).
#[derive(libipc::Word, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Sharing {
    /// Everything: a program that knows nothing of sharing.
    Compatible = 0,
    /// Nothing.
    DenyAll = 1,
    /// Reading.
    DenyWrite = 2,
    /// Writing.
    DenyRead = 3,
    /// Everything.
    DenyNone = 4,
}

/// The DOS server. The badge names the session.
#[interface(number = 8, error = DosError)]
pub trait Dos {
    /// Makes the session known. `alive` is one of its notifications: when it is gone, so is the
    /// session, and what it had open is closed.
    #[operation(1)]
    fn attach(&mut self, alive: Notification) -> Result<(), DosError>;
    /// Lists the drives as lines of text, "C /path\n"; returns how many bytes.
    #[operation(2, idempotent)]
    fn drives(&mut self, into: &mut [u8]) -> Result<u64, DosError>;
    /// Registers that the session opens a file.
    #[operation(3)]
    fn open(&mut self, file: Node, access: Access, sharing: Sharing) -> Result<(), DosError>;
    /// Undoes one `open` of the same file, access and sharing.
    #[operation(4)]
    fn close(&mut self, file: Node, access: Access, sharing: Sharing) -> Result<(), DosError>;
    /// Locks `len` bytes of a file that the session has open.
    #[operation(5)]
    fn lock(&mut self, file: Node, start: u64, len: u64) -> Result<(), DosError>;
    /// Undoes one `lock` of exactly these bytes.
    #[operation(6)]
    fn unlock(&mut self, file: Node, start: u64, len: u64) -> Result<(), DosError>;
    /// Succeeds where no other session has locked some of these bytes.
    #[operation(7, idempotent)]
    fn check(&mut self, file: Node, start: u64, len: u64) -> Result<(), DosError>;
    /// Lists the other settings as lines of text: programs that are told another version,
    /// "NAME.EXE 4.00\n", and the country, "COUNTRY 49\n"; returns how many bytes.
    #[operation(8, idempotent)]
    fn settings(&mut self, into: &mut [u8]) -> Result<u64, DosError>;
}
