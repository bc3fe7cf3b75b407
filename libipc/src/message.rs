//! Messages as servers send them: an answer to a call.

use kamen_abi::{Error, Handle, MAX_CAPS, Tag, WORDS};

use crate::{Object, ProtocolError, page};

/// An answer: a label, up to six words and up to four capabilities.
///
/// Labels of replies: 0 success, 1 to 255 the protocol's errors, 256 + n the kernel's error n
/// said by the server in the kernel's place.
///
/// ```
/// use libipc::{Endpoint, Error, Handle, Message, ProtocolError};
/// #[derive(ProtocolError, Clone, Copy)]
/// #[repr(u8)]
/// enum Refusal {
///     Full = 3,
/// }
/// let found = Message::new(0, [7, 0, 0, 0, 0, 0]).with_capability(Endpoint(Handle(9)));
/// assert_eq!((found.label(), found.words()[0], found.caps()), (0, 7, &[Handle(9)][..]));
/// assert_eq!(Message::success(), Message::new(0, [0; 6]));
/// assert_eq!(Message::error(Refusal::Full).label(), 3);
/// assert!(Message::refused(Error::InvalidArgument).label() > 255);
/// // Answers to foreign threads: a value for rax, or nothing.
/// assert_eq!(Message::value(5).words()[0], 5);
/// assert_ne!(Message::resume(), Message::success());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message {
    label: u32,
    words: [u64; WORDS],
    caps: [Handle; MAX_CAPS],
    caps_used: u8,
}

impl Message {
    /// Labels of replies from here on are errors of the kernel.
    pub(crate) const KERNEL: u32 = 256;

    /// Returns the message with a label and words.
    #[inline(always)]
    pub const fn new(label: u32, words: [u64; WORDS]) -> Self {
        Message { label, words, caps: [Handle::NULL; MAX_CAPS], caps_used: 0 }
    }

    /// Returns the message that says that all went well.
    #[inline(always)]
    pub const fn success() -> Self {
        Message::new(0, [0; WORDS])
    }

    /// Returns the message that says an error of the protocol.
    #[inline(always)]
    pub fn error(error: impl ProtocolError) -> Self {
        Message::new(error.number(), [0; WORDS])
    }

    /// Returns the message that says an error of the kernel in its place.
    #[inline(always)]
    pub const fn refused(error: Error) -> Self {
        Message::new(Self::KERNEL + error as u32, [0; WORDS])
    }

    /// Returns the answer to a foreign system call or interrupt: `value` becomes the rax.
    #[inline(always)]
    pub const fn value(value: u64) -> Self {
        Message::new(0, [value, 0, 0, 0, 0, 0])
    }

    /// Returns the answer to any foreign call that leaves all registers as they are.
    #[inline(always)]
    pub const fn resume() -> Self {
        Message::new(1, [0; WORDS])
    }

    /// Returns the message with one more capability; what exceeds four is left out. The receiver
    /// gets a copy: what was minted for this answer alone is the sender's to delete afterwards.
    #[inline(always)]
    pub fn with_capability(mut self, object: impl Object) -> Self {
        if let Some(slot) = self.caps.get_mut(usize::from(self.caps_used)) {
            *slot = object.handle();
            self.caps_used += 1;
        }
        self
    }

    /// Returns the label.
    pub const fn label(&self) -> u32 {
        self.label
    }

    /// Returns the words.
    #[inline(always)]
    pub const fn words(&self) -> [u64; WORDS] {
        self.words
    }

    /// Returns the capabilities.
    pub fn caps(&self) -> &[Handle] {
        &self.caps[..usize::from(self.caps_used).min(MAX_CAPS)]
    }

    #[inline(always)]
    pub(crate) fn tag(&self) -> Tag {
        Tag::long(self.label, 0, self.caps_used.into(), 0)
    }

    /// Puts into the message page what does not travel in registers.
    #[inline(always)]
    pub(crate) fn fill_page(&self) {
        if self.caps_used != 0 {
            page::put_caps(self.caps);
        }
    }
}
