//! What lies in a ring's queues: submissions, completions, and buffers by offset and length.
//!
//! ```text
//!   word         0                              1            2            3
//!   submission   operation << 32 | token        buffer       argument 0   argument 1
//!   completion   status << 32 | token           value
//!   buffer       length << 32 | offset, both in bytes
//! ```
//! All words are little endian, as the machine is. Each entry is copied out once; what is checked
//! and used is the copy.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use kamen_abi::Error;

use crate::{Failure, ProtocolError};

/// Words of a submission.
pub(super) const SUBMISSION_WORDS: usize = 4;
/// Words of a completion.
pub(super) const COMPLETION_WORDS: usize = 2;

/// A place of the submission queue.
pub(super) type SubmissionSlot = [AtomicU64; SUBMISSION_WORDS];
/// A place of the completion queue.
pub(super) type CompletionSlot = [AtomicU64; COMPLETION_WORDS];

/// A range of a ring's data area: an offset, which is a multiple of 8, and a length in bytes.
///
/// ```
/// use libipc::ring::Buffer;
/// let buffer = Buffer::new(4096, 1000);
/// assert_eq!(buffer.first(512), Buffer::new(4096, 512));
/// assert_eq!(buffer.skip(512), Buffer::new(4608, 488));
/// assert!(buffer.skip(2000).is_empty());
/// ```
///
/// ```
/// use libipc::ring::Buffer;
/// assert_eq!((Buffer::NONE.at(), Buffer::NONE.len()), (0, 0));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Buffer {
    at: u32,
    len: u32,
}

impl Buffer {
    /// No bytes, for operations without any.
    pub const NONE: Buffer = Buffer::new(0, 0);

    /// Returns the range of `len` bytes from byte `at` of the data area on.
    #[inline(always)]
    pub const fn new(at: u32, len: u32) -> Self {
        Buffer { at, len }
    }

    /// Returns where it begins, in bytes from the beginning of the data area.
    #[inline(always)]
    pub const fn at(self) -> u32 {
        self.at
    }

    /// Returns its length in bytes.
    #[inline(always)]
    pub const fn len(self) -> u32 {
        self.len
    }

    /// Returns whether it has no bytes.
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Returns its first `bytes` bytes, or all where there are fewer.
    #[must_use]
    pub fn first(self, bytes: u32) -> Self {
        Buffer { at: self.at, len: self.len.min(bytes) }
    }

    /// Returns what follows its first `bytes` bytes, which are a multiple of 8; another number is
    /// rounded up to one, as a buffer begins at no other place.
    #[must_use]
    pub fn skip(self, bytes: u32) -> Self {
        let bytes = bytes.checked_next_multiple_of(8).unwrap_or(self.len).min(self.len);
        Buffer { at: self.at.saturating_add(bytes), len: self.len - bytes }
    }

    #[inline(always)]
    const fn to_word(self) -> u64 {
        (self.len as u64) << 32 | self.at as u64
    }

    #[inline(always)]
    const fn from_word(word: u64) -> Self {
        Buffer { at: word as u32, len: (word >> 32) as u32 }
    }
}

/// A request to the server: what to do, with which buffer and arguments.
///
/// ```
/// use libipc::ring::{Buffer, Submission};
/// const READ: u32 = 1;
/// let sector = 77;
/// let read = Submission::new(5, READ).with_buffer(Buffer::new(0, 512)).with_arguments([sector, 0]);
/// assert_eq!(read.arguments[0], 77);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Submission {
    /// The client's name for it, which the completion brings back.
    pub token: u32,
    /// What to do; the protocol's number.
    pub operation: u32,
    /// Where data come from or go to.
    pub buffer: Buffer,
    /// Whatever the protocol says.
    pub arguments: [u64; 2],
}

impl Submission {
    /// Returns a request without buffer, whose arguments are 0.
    #[inline(always)]
    pub const fn new(token: u32, operation: u32) -> Self {
        Submission { token, operation, buffer: Buffer::NONE, arguments: [0; 2] }
    }

    /// Returns the request with a buffer.
    #[inline(always)]
    #[must_use]
    pub const fn with_buffer(self, buffer: Buffer) -> Self {
        Submission { buffer, ..self }
    }

    /// Returns the request with arguments.
    #[inline(always)]
    #[must_use]
    pub const fn with_arguments(self, arguments: [u64; 2]) -> Self {
        Submission { arguments, ..self }
    }

    #[inline(always)]
    pub(super) fn put(self, into: &SubmissionSlot) {
        let [first, buffer, one, two] = into;
        first.store(pack(self.token, self.operation), Relaxed);
        buffer.store(self.buffer.to_word(), Relaxed);
        one.store(self.arguments[0], Relaxed);
        two.store(self.arguments[1], Relaxed);
    }

    #[inline(always)]
    pub(super) fn copy_out(from: &SubmissionSlot) -> Self {
        let [first, buffer, one, two] = from.each_ref().map(|word| word.load(Relaxed));
        let (token, operation) = unpack(first);
        let buffer = Buffer::from_word(buffer);
        Submission { token, operation, buffer, arguments: [one, two] }
    }
}

/// The answer to a request.
///
/// ```
/// use libipc::{Failure, ProtocolError, ring::Completion};
/// #[derive(ProtocolError, Clone, Copy, PartialEq, Debug)]
/// #[repr(u8)]
/// enum BlockError {
///     OutOfRange = 1,
/// }
/// let done = Completion { token: 5, status: 0, value: 512 };
/// assert_eq!(done.result::<BlockError>(), Ok(512));
/// let refused = Completion { token: 5, status: 1, value: 0 };
/// assert_eq!(refused.result(), Err(Failure::Protocol(BlockError::OutOfRange)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Completion {
    /// The request's token.
    pub token: u32,
    /// 0, or the number of the protocol's error.
    pub status: u32,
    /// What came of it, such as a number of bytes.
    pub value: u64,
}

impl Completion {
    /// Returns the value, or the protocol's error.
    ///
    /// # Errors
    /// What the server said; InvalidArgument: it said no error of the protocol.
    #[inline]
    pub fn result<E: ProtocolError>(self) -> Result<u64, Failure<E>> {
        match self.status {
            0 => Ok(self.value),
            number => Err(E::from_number(number)
                .map_or(Failure::Kernel(Error::InvalidArgument), Failure::Protocol)),
        }
    }

    #[inline(always)]
    pub(super) fn put(self, into: &CompletionSlot) {
        let [first, value] = into;
        first.store(pack(self.token, self.status), Relaxed);
        value.store(self.value, Relaxed);
    }

    #[inline(always)]
    pub(super) fn copy_out(from: &CompletionSlot) -> Self {
        let [first, value] = from.each_ref().map(|word| word.load(Relaxed));
        let (token, status) = unpack(first);
        Completion { token, status, value }
    }
}

#[inline(always)]
const fn pack(low: u32, high: u32) -> u64 {
    (high as u64) << 32 | low as u64
}

#[inline(always)]
const fn unpack(word: u64) -> (u32, u32) {
    (word as u32, (word >> 32) as u32)
}
