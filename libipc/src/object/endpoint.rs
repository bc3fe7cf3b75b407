//! Endpoints: where calls go.

use kamen_abi::{Error, Handle, Operation, Tag, WORDS};

use super::Object;
use crate::Time;
use crate::syscall::{self, Outbound};

/// An endpoint: clients call and send with SEND, its server receives with RECEIVE.
///
/// ```no_run
/// use libipc::{Endpoint, Time, start::Start};
/// # let start = Start::default();
/// let clock: Endpoint = start.find("clock").expect("the manifest gives it");
/// // What `ClockClient::boot_time` does.
/// let (status, words) = clock.call(6 << 16 | 1, [0; 6], Time::FOREVER)?;
/// assert!(status == 0 && words[0] > 0);
/// // Nobody answers this; it returns when it was received.
/// clock.send(6 << 16 | 2, words, Time::FOREVER)?;
/// # Ok::<(), libipc::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Endpoint(pub Handle);

impl Endpoint {
    /// Sends a label and words, and waits for the reply's label and words. Protocols' clients do
    /// this with more comfort; no capability can come back this way.
    ///
    /// # Errors
    /// InvalidHandle, NoRights: SEND; Restarted: the server died; TimedOut, WouldBlock; Cancelled.
    #[inline(always)]
    pub fn call(
        self,
        label: u32,
        words: [u64; WORDS],
        deadline: Time,
    ) -> Result<(u32, [u64; WORDS]), Error> {
        let (tag, words) = self.exchange(Operation::Call, Tag::short(label), words, deadline)?;
        Ok((tag.label(), words))
    }

    /// Sends a label and words, and waits until they are received.
    ///
    /// # Errors
    /// InvalidHandle, NoRights: SEND; Restarted: the server died; TimedOut, WouldBlock; Cancelled.
    #[inline(always)]
    pub fn send(self, label: u32, words: [u64; WORDS], deadline: Time) -> Result<(), Error> {
        self.exchange(Operation::Send, Tag::short(label), words, deadline).map(|_| ())
    }

    /// Sends a message whose other parts lie in the message page; returns the reply's.
    #[inline(always)]
    pub(crate) fn exchange(
        self,
        operation: Operation,
        tag: Tag,
        words: [u64; WORDS],
        deadline: Time,
    ) -> Result<(Tag, [u64; WORDS]), Error> {
        let target = self.0.0.into();
        let outbound = Outbound { target, tag, deadline, second: Handle::NULL, words };
        syscall::message(operation, outbound).map(|inbound| (inbound.tag, inbound.words))
    }
}

impl Object for Endpoint {
    fn from_handle(handle: Handle) -> Self {
        Endpoint(handle)
    }

    fn handle(self) -> Handle {
        self.0
    }
}
