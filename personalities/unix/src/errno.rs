//! Error numbers of Linux, and what other servers' errors become.
//!
//! Errno exists only inside the personality; protocols have their own errors (`StreamError`,
//! `FileError`, the kernel's `Error`), and this file is where they are translated.

use libipc::{Error, Failure};
use protocols::file::FileError;
use protocols::stream::StreamError;

/// Why a system call failed; the numbers are Linux's (asm-generic/errno-base.h, errno.h).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are POSIX's")]
pub enum Errno {
    EPERM = 1,
    ENOENT = 2,
    ESRCH = 3,
    EINTR = 4,
    EIO = 5,
    ENXIO = 6,
    E2BIG = 7,
    ENOEXEC = 8,
    EBADF = 9,
    ECHILD = 10,
    EAGAIN = 11,
    ENOMEM = 12,
    EACCES = 13,
    EFAULT = 14,
    EBUSY = 16,
    EEXIST = 17,
    EXDEV = 18,
    ENODEV = 19,
    ENOTDIR = 20,
    EISDIR = 21,
    EINVAL = 22,
    ENFILE = 23,
    EMFILE = 24,
    ENOTTY = 25,
    EFBIG = 27,
    ENOSPC = 28,
    ESPIPE = 29,
    EROFS = 30,
    EPIPE = 32,
    EDOM = 33,
    ERANGE = 34,
    EDEADLK = 35,
    ENAMETOOLONG = 36,
    ENOLCK = 37,
    ENOSYS = 38,
    ENOTEMPTY = 39,
    ELOOP = 40,
    ENODATA = 61,
    EOVERFLOW = 75,
    ELIBBAD = 80,
    ENOTSOCK = 88,
    EDESTADDRREQ = 89,
    EMSGSIZE = 90,
    EPROTOTYPE = 91,
    ENOPROTOOPT = 92,
    EPROTONOSUPPORT = 93,
    ESOCKTNOSUPPORT = 94,
    EOPNOTSUPP = 95,
    EAFNOSUPPORT = 97,
    EADDRINUSE = 98,
    ECONNRESET = 104,
    ENOBUFS = 105,
    EISCONN = 106,
    ENOTCONN = 107,
    ETOOMANYREFS = 109,
    ETIMEDOUT = 110,
    ECONNREFUSED = 111,
    ESTALE = 116,
    ECANCELED = 125,
}

impl Errno {
    /// Returns the value of rax that reports the error: its number, negated.
    pub const fn to_rax(self) -> u64 {
        (-(self as i64)) as u64
    }
}

impl From<FileError> for Errno {
    fn from(error: FileError) -> Errno {
        match error {
            FileError::NotFound => Errno::ENOENT,
            FileError::Exists => Errno::EEXIST,
            FileError::NotDirectory => Errno::ENOTDIR,
            FileError::IsDirectory => Errno::EISDIR,
            FileError::NotEmpty => Errno::ENOTEMPTY,
            FileError::Stale => Errno::ESTALE,
            FileError::InvalidName => Errno::EINVAL,
            FileError::NoSpace => Errno::ENOSPC,
            FileError::Invalid => Errno::EINVAL,
            FileError::ReadOnly => Errno::EROFS,
            FileError::TooLarge => Errno::EFBIG,
        }
    }
}

impl From<StreamError> for Errno {
    fn from(error: StreamError) -> Errno {
        match error {
            StreamError::WouldBlock => Errno::EAGAIN,
            StreamError::Broken => Errno::EPIPE,
            StreamError::NotOpen => Errno::EBADF,
            StreamError::Device => Errno::EIO,
            StreamError::Interrupted => Errno::EINTR,
        }
    }
}

/// Returns why a stream moved nothing; EAGAIN where its server died meanwhile: its next life knows
/// nothing of the request, which can be made again.
pub fn of_stream(failure: Failure<StreamError>) -> Errno {
    match failure {
        Failure::Kernel(Error::Restarted) => Errno::EAGAIN,
        failure => failure.into(),
    }
}

impl From<Error> for Errno {
    fn from(error: Error) -> Errno {
        match error {
            Error::QuotaExhausted | Error::TableFull | Error::OutOfMemory => Errno::ENOMEM,
            Error::BadAddress => Errno::EFAULT,
            Error::WouldBlock => Errno::EAGAIN,
            Error::InvalidOperation
            | Error::InvalidHandle
            | Error::WrongKind
            | Error::NoRights
            | Error::InvalidArgument
            | Error::TimedOut
            | Error::Restarted
            | Error::Cancelled
            | Error::StaleCall
            | Error::BadRange
            | Error::Busy
            | Error::PageMissing => Errno::EIO,
        }
    }
}

impl<E: Into<Errno>> From<Failure<E>> for Errno {
    fn from(failure: Failure<E>) -> Errno {
        match failure {
            Failure::Protocol(error) => error.into(),
            Failure::Kernel(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Errno, of_stream};
    use libipc::{Error, Failure};
    use protocols::stream::StreamError;

    #[test]
    fn a_stream_whose_server_died_is_tried_again() {
        assert_eq!(of_stream(Failure::Kernel(Error::Restarted)), Errno::EAGAIN);
        assert_eq!(of_stream(Failure::Kernel(Error::InvalidHandle)), Errno::EIO);
        assert_eq!(of_stream(Failure::Protocol(StreamError::Broken)), Errno::EPIPE);
    }
}
