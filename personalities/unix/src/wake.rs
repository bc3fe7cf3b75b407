//! What parked calls wait for, and the list of what has changed.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use crate::locks::Key;
use crate::process::{Pid, ThreadNumber};

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
    /// The end of the process of that number (pidfd_open(2)).
    Ended(Pid),
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
    /// This thread's turn in a long call, which a time brings and nothing else.
    Turn(u64),
    /// A signal for this process that nobody takes yet, or that a signal descriptor may tell.
    Signals(Pid),
}

impl Channel {
    /// Returns where [`Waiters`] has it.
    #[inline]
    fn place(self) -> usize {
        let number = match self {
            Channel::PipeIn(number)
            | Channel::PipeOut(number)
            | Channel::Borrowed(number)
            | Channel::Turn(number)
            | Channel::SocketIn(number)
            | Channel::SocketOut(number)
            | Channel::SocketQueue(number)
            | Channel::CounterIn(number)
            | Channel::CounterOut(number)
            | Channel::Epoll(number)
            | Channel::Timer(number) => number,
            Channel::Children(pid) | Channel::Signals(pid) | Channel::Ended(pid) => pid.0.into(),
            Channel::Pty(number) => number.into(),
            // Words of a futex are four bytes apart, or as far as their structures.
            Channel::Futex(memory, place) => memory ^ place >> 2 ^ place >> 8,
            Channel::Lock(_) | Channel::Streams => 0,
        };
        number as usize % BUCKETS
    }

    /// Returns whether it is a futex.
    pub fn is_futex(&self) -> bool {
        matches!(self, Channel::Futex(..))
    }
}

/// What a parked call waits for: most often one channel, which needs no memory of its own.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub enum Channels {
    /// Nothing: a signal or the time ends the wait.
    #[default]
    None,
    /// One.
    One(Channel),
    /// Any of several.
    Many(Vec<Channel>),
}

impl Channels {
    /// Returns them as a slice.
    #[inline]
    pub fn as_slice(&self) -> &[Channel] {
        match self {
            Channels::None => &[],
            Channels::One(channel) => core::slice::from_ref(channel),
            Channels::Many(channels) => channels,
        }
    }
}

impl FromIterator<Channel> for Channels {
    fn from_iter<I: IntoIterator<Item = Channel>>(channels: I) -> Self {
        Channels::Many(channels.into_iter().collect())
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

    /// Returns the channels and forgets them; `empty` takes their place.
    pub fn exchange(&self, empty: Vec<Channel>) -> Vec<Channel> {
        core::mem::replace(&mut *self.0.borrow_mut(), empty)
    }

    /// Returns the channels and forgets them.
    #[cfg(test)]
    pub fn take(&self) -> Vec<Channel> {
        self.exchange(Vec::new())
    }

    /// Returns whether nothing has changed.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

/// Buckets of [`Waiters`]; a power of two.
const BUCKETS: usize = 64;

/// Who waits for which channel, so that a change need not look at all threads.
///
/// A call that ends in another way leaves its entries behind: whoever takes one looks whether its
/// thread still waits. They go when their channel changes, or when there are too many in a bucket.
#[derive(Debug)]
pub struct Waiters {
    buckets: [Vec<(Channel, ThreadNumber)>; BUCKETS],
    /// From which length on a bucket is looked through for such entries.
    prune_at: [usize; BUCKETS],
}

impl Default for Waiters {
    fn default() -> Self {
        Waiters { buckets: [const { Vec::new() }; BUCKETS], prune_at: [Self::FEW; BUCKETS] }
    }
}

impl Waiters {
    /// Entries that no bucket is looked through for.
    const FEW: usize = 16;

    /// Notes that a thread waits for channels; `waits` tells which thread waits for what.
    pub fn add(
        &mut self,
        thread: ThreadNumber,
        channels: &[Channel],
        waits: impl Fn(ThreadNumber, Channel) -> bool,
    ) {
        for &channel in channels {
            let place = channel.place();
            let bucket = &mut self.buckets[place];
            if bucket.contains(&(channel, thread)) {
                continue;
            }
            if bucket.len() >= self.prune_at[place] {
                bucket.retain(|&(channel, thread)| waits(thread, channel));
                self.prune_at[place] = Self::FEW.max(2 * bucket.len());
            }
            bucket.push((channel, thread));
        }
    }

    /// Takes out who waits, or waited, for a channel, in the order in which they began; each is
    /// added to `threads` once.
    pub fn take(&mut self, channel: Channel, threads: &mut Vec<ThreadNumber>) {
        let bucket = &mut self.buckets[channel.place()];
        bucket.retain(|&(one, thread)| {
            if one == channel && !threads.contains(&thread) {
                threads.push(thread);
            }
            one != channel
        });
    }

    /// Returns who waits, or waited, for a channel, if that is one thread.
    #[inline]
    pub fn only(&self, channel: Channel) -> Option<ThreadNumber> {
        let bucket = self.buckets[channel.place()].iter();
        let mut threads = bucket.filter(|(one, _)| *one == channel).map(|&(_, thread)| thread);
        let first = threads.next();
        first.filter(|_| threads.next().is_none())
    }

    /// Takes a thread out that waits for a channel.
    #[inline]
    pub fn remove(&mut self, channel: Channel, thread: ThreadNumber) {
        let bucket = &mut self.buckets[channel.place()];
        if let Some(at) = bucket.iter().position(|&entry| entry == (channel, thread)) {
            bucket.remove(at);
        }
    }

    /// Returns whether a thread is known to wait for a channel.
    pub fn has(&self, thread: ThreadNumber, channel: Channel) -> bool {
        self.buckets[channel.place()].contains(&(channel, thread))
    }
}

#[cfg(test)]
mod tests {
    use super::{Channel, Waiters};
    use crate::process::ThreadNumber;
    use alloc::vec::Vec;

    const ALL: fn(ThreadNumber, Channel) -> bool = |_, _| true;

    #[test]
    fn who_waits_for_a_channel_is_taken_once_and_in_order() {
        let mut waiters = Waiters::default();
        // 64 apart: the same bucket.
        let [one, other] = [Channel::PipeIn(3), Channel::PipeIn(67)];
        for (thread, channels) in [(7, &[one, other][..]), (5, &[one]), (7, &[one]), (6, &[other])]
        {
            waiters.add(ThreadNumber(thread), channels, ALL);
        }
        let mut woken = Vec::new();
        waiters.take(one, &mut woken);
        waiters.take(one, &mut woken);
        assert_eq!(woken, [ThreadNumber(7), ThreadNumber(5)]);
        waiters.take(other, &mut woken);
        assert_eq!(woken, [ThreadNumber(7), ThreadNumber(5), ThreadNumber(6)]);
        assert!(!waiters.has(ThreadNumber(6), other));
    }

    #[test]
    fn what_calls_leave_behind_is_bounded() {
        let mut waiters = Waiters::default();
        for round in 0..100_000 {
            let channel = Channel::Futex(round, 0);
            waiters.add(ThreadNumber(1), &[channel], |_, _| false);
        }
        let most = waiters.buckets.iter().map(Vec::len).max();
        assert!(most <= Some(Waiters::FEW), "{most:?}");
    }
}
