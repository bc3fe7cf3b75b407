//! What parked calls wait for, and the list of what has changed.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use crate::locks::Key;
use crate::process::Pid;

/// Something that a parked call waits for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Channel {
    /// Bytes in the pipe of that number, or the last end to write it was closed.
    PipeIn(u64),
    /// Room in the pipe of that number, or the last end to read it was closed.
    PipeOut(u64),
    /// The readiness of any stream of another server.
    Streams,
    /// What can be done with the pseudo-terminal of that number.
    Pty(u32),
    /// A change of state of a child of this process.
    Children(Pid),
    /// A wake-up of a futex: what names its memory, and the place in it.
    Futex(u64, u64),
    /// A lock on a file that was given back.
    Lock(Key),
    /// The end or exec of a child that borrows this thread's memory (vfork).
    Borrowed(u64),
    /// Something to receive or accept at the socket of that number, or its end.
    SocketIn(u64),
    /// Room to send from the socket of that number.
    SocketOut(u64),
    /// Room in the queue of the socket of that number, for datagrams or connections of others.
    SocketQueue(u64),
    /// A value in the event counter of that number.
    CounterIn(u64),
    /// Room in the event counter of that number.
    CounterOut(u64),
    /// Something in the interest list of that number may be ready.
    Epoll(u64),
    /// The expiry of the timer descriptor of that number.
    Timer(u64),
    /// A signal for this process that nobody takes yet, or that a signal descriptor may tell.
    Signals(Pid),
}

impl Channel {
    /// Returns whether it is a futex.
    pub fn is_futex(&self) -> bool {
        matches!(self, Channel::Futex(..))
    }
}

/// The channels that have changed since the event loop last looked.
#[derive(Clone, Default, Debug)]
pub struct Wakes(Rc<RefCell<Vec<Channel>>>);

impl Wakes {
    /// Adds a channel, once.
    pub fn add(&self, channel: Channel) {
        let mut channels = self.0.borrow_mut();
        if !channels.contains(&channel) {
            channels.push(channel);
        }
    }

    /// Returns the channels and forgets them.
    pub fn take(&self) -> Vec<Channel> {
        core::mem::take(&mut *self.0.borrow_mut())
    }

    /// Returns whether nothing has changed.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}
