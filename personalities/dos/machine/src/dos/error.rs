//! DOS error codes, and which of them a host's refusal becomes.

use crate::host::HostError;

/// An error as DOS reports it in AX with CF set (RBIL INT 21/AH=59, table 01680).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum DosError {
    /// The function's number is not known.
    InvalidFunction = 0x01,
    /// The file does not exist.
    FileNotFound = 0x02,
    /// A directory on the way does not exist.
    PathNotFound = 0x03,
    /// All handles are in use.
    TooManyOpenFiles = 0x04,
    /// The file's attributes or kind forbid it.
    AccessDenied = 0x05,
    /// The handle is not open.
    InvalidHandle = 0x06,
    /// The chain of memory control blocks is broken.
    ArenaDestroyed = 0x07,
    /// No block is large enough.
    InsufficientMemory = 0x08,
    /// The segment is not that of a block.
    InvalidBlock = 0x09,
    /// The environment is too long.
    InvalidEnvironment = 0x0a,
    /// The program file is malformed.
    InvalidFormat = 0x0b,
    /// The access mode is not known.
    InvalidAccess = 0x0c,
    /// An argument makes no sense.
    InvalidData = 0x0d,
    /// The drive does not exist.
    InvalidDrive = 0x0f,
    /// The current directory cannot be removed.
    CurrentDirectory = 0x10,
    /// Source and target are on different drives.
    NotSameDevice = 0x11,
    /// The search has found everything.
    NoMoreFiles = 0x12,
    /// Writing failed.
    WriteFault = 0x1d,
    /// Reading failed.
    ReadFault = 0x1e,
    /// The device or its server failed.
    GeneralFailure = 0x1f,
    /// Another session's open excludes this one.
    SharingViolation = 0x20,
    /// Bytes of the file are locked.
    LockViolation = 0x21,
    /// No more locks can be kept.
    SharingBuffer = 0x24,
    /// The disk is full.
    DiskFull = 0x27,
    /// The file exists already.
    FileExists = 0x50,
    /// A directory entry cannot be made.
    CannotMake = 0x52,
    /// A critical-error handler let the function fail.
    CriticalFailure = 0x53,
}

impl DosError {
    /// Returns class, recommended action and locus, as AH=59 reports them (RBIL tables 01682 to
    /// 01684).
    pub fn details(self) -> (u8, u8, u8) {
        match self {
            DosError::FileNotFound | DosError::PathNotFound | DosError::NoMoreFiles => (8, 3, 2),
            DosError::TooManyOpenFiles | DosError::InsufficientMemory => (1, 4, 5),
            DosError::AccessDenied | DosError::CurrentDirectory => (3, 3, 2),
            DosError::SharingViolation | DosError::LockViolation => (10, 2, 2),
            DosError::FileExists => (12, 3, 2),
            DosError::DiskFull | DosError::SharingBuffer => (1, 4, 2),
            DosError::WriteFault | DosError::ReadFault | DosError::GeneralFailure => (5, 4, 4),
            _ => (7, 4, 1),
        }
    }
}

impl From<HostError> for DosError {
    fn from(error: HostError) -> Self {
        match error {
            HostError::NotFound => DosError::FileNotFound,
            HostError::Exists => DosError::FileExists,
            HostError::NotDirectory => DosError::PathNotFound,
            HostError::IsDirectory
            | HostError::NotEmpty
            | HostError::InvalidName
            | HostError::Denied => DosError::AccessDenied,
            HostError::NoSpace => DosError::DiskFull,
            HostError::Sharing => DosError::SharingViolation,
            HostError::Locked => DosError::LockViolation,
            HostError::Broken => DosError::WriteFault,
            HostError::WouldBlock | HostError::Interrupted | HostError::Device => {
                DosError::GeneralFailure
            }
        }
    }
}
