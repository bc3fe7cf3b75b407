//! Notifications: a word of bits that never blocks who sets them; and timers, which set them.

use kamen_abi::{Error, Handle, Operation};

use super::Object;
use crate::syscall::{self, Outbound};
use crate::{Tag, Time};

/// A notification.
///
/// ```
/// use libipc::{Error, Time, loopback};
/// let bell = loopback::notification();
/// assert_eq!(bell.poll(), Ok(0));
/// bell.signal(1)?;
/// bell.signal(4)?;
/// assert_eq!(bell.wait(Time::FOREVER), Ok(5), "bits gather until somebody looks");
/// assert_eq!(bell.wait(Time::NEVER_WAIT), Err(Error::WouldBlock));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Notification(pub Handle);

impl Notification {
    /// Sets bits: the capability's badge where it has one, otherwise `bits`.
    ///
    /// # Errors
    /// NoRights: SEND; InvalidHandle.
    pub fn signal(self, bits: u64) -> Result<(), Error> {
        syscall::control(Operation::Signal, self.0, [bits, 0, 0, 0, 0, 0])
    }

    /// Waits until any bit is set; returns and clears all of them.
    ///
    /// # Errors
    /// NoRights: RECEIVE; TimedOut; WouldBlock: the deadline is [`Time::NEVER_WAIT`]; Cancelled.
    pub fn wait(self, deadline: Time) -> Result<u64, Error> {
        let outbound = Outbound {
            target: self.0.0.into(),
            tag: Tag::short(0),
            deadline,
            second: Handle::NULL,
            words: [0; 6],
        };
        syscall::message(Operation::Wait, outbound).map(|inbound| inbound.words[0])
    }

    /// Returns and clears the bits that are set; 0 where none is.
    ///
    /// # Errors
    /// NoRights: RECEIVE; InvalidHandle.
    pub fn poll(self) -> Result<u64, Error> {
        match self.wait(Time::NEVER_WAIT) {
            Err(Error::WouldBlock) => Ok(0),
            other => other,
        }
    }
}

impl Object for Notification {
    fn from_handle(handle: Handle) -> Self {
        Notification(handle)
    }

    fn handle(self) -> Handle {
        self.0
    }
}

/// A timer: signals its notification when its time comes.
///
/// ```no_run
/// use libipc::{Quota, Time, now, start::Start};
/// # let start = Start::default();
/// let quota: Quota = start.find("quota").expect("every program has one");
/// let bell = quota.create_notification()?;
/// let timer = quota.create_timer(bell, 1)?;
/// timer.set(now().after_ms(20))?;
/// assert_eq!(bell.wait(Time::FOREVER), Ok(1));
/// timer.set(Time::FOREVER)?; // Disarmed.
/// # Ok::<(), libipc::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Timer(pub Handle);

impl Timer {
    /// Arms it for a time; [`Time::FOREVER`] disarms it.
    ///
    /// # Errors
    /// NoRights: CONTROL; InvalidHandle.
    pub fn set(self, time: Time) -> Result<(), Error> {
        syscall::control(Operation::SetTimer, self.0, [time.0, 0, 0, 0, 0, 0])
    }
}

impl Object for Timer {
    fn from_handle(handle: Handle) -> Self {
        Timer(handle)
    }

    fn handle(self) -> Handle {
        self.0
    }
}
