//! Who waits for which futex, in the order in which they came.
//!
//! ```text
//!   FUTEX_WAIT ──> Futexes: key ─> [thread, bits] … ──> FUTEX_WAKE: the first ones go on
//!                                       └── FUTEX_REQUEUE: to another key ──> …
//! ```
//! A thread has one entry at most. An entry whose thread does not wait any more (its time has come,
//! a signal ended its call) is skipped, and goes when its thread waits again or ends.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use crate::process::{State, ThreadNumber};
use crate::unix::Unix;
use crate::wake::{Channel, Channels};

/// What names a futex: its memory, and the place in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Key(pub u64, pub u64);

impl Key {
    /// Returns what a call waits for that waits for the futex.
    pub fn channel(self) -> Channel {
        Channel::Futex(self.0, self.1)
    }
}

/// A thread that waits, for wake-ups with one of these bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Waiter {
    thread: ThreadNumber,
    bits: u32,
}

/// Who waits for which futex.
#[derive(Default, Debug)]
pub struct Futexes {
    queues: BTreeMap<Key, VecDeque<Waiter>>,
    /// Where each thread's entry is.
    places: BTreeMap<ThreadNumber, Key>,
}

impl Futexes {
    /// Adds a thread behind those that wait already.
    pub fn add(&mut self, thread: ThreadNumber, key: Key, bits: u32) {
        self.forget(thread);
        self.queues.entry(key).or_default().push_back(Waiter { thread, bits });
        self.places.insert(thread, key);
    }

    /// Removes a thread's entry.
    pub fn forget(&mut self, thread: ThreadNumber) {
        let Some(key) = self.places.remove(&thread) else { return };
        if let Some(queue) = self.queues.get_mut(&key) {
            queue.retain(|waiter| waiter.thread != thread);
            if queue.is_empty() {
                self.queues.remove(&key);
            }
        }
    }

    /// Returns the first threads, at most so many, that are woken by one of these bits.
    fn first(
        &self,
        key: Key,
        most: usize,
        bits: u32,
        waits: impl Fn(ThreadNumber) -> bool,
    ) -> Vec<Waiter> {
        let queue = self.queues.get(&key).into_iter().flatten();
        let woken = queue.filter(|waiter| waiter.bits & bits != 0 && waits(waiter.thread));
        woken.take(most).copied().collect()
    }

    /// Returns how many entries there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

impl Unix {
    fn first_waiters(&self, key: Key, most: usize, bits: u32) -> Vec<Waiter> {
        let channel = key.channel();
        let waits = |number: ThreadNumber| {
            let thread = self.threads.get(&number);
            thread.is_some_and(|thread| match &thread.state {
                State::Parked(parked) => parked.channels.as_slice().contains(&channel),
                State::Running | State::Held(_) => false,
            })
        };
        self.futexes.first(key, most, bits, waits)
    }

    /// Returns the first thread that waits for a futex.
    pub(crate) fn first_waiter(&self, key: Key) -> Option<ThreadNumber> {
        self.first_waiters(key, 1, u32::MAX).first().map(|waiter| waiter.thread)
    }

    /// Wakes the first threads that wait for a futex, at most so many, by one of these bits;
    /// returns how many.
    pub(crate) fn wake_futex(&mut self, key: Key, most: usize, bits: u32) -> u64 {
        if self.futexes.is_empty() {
            return 0;
        }
        let woken = self.first_waiters(key, most, bits);
        for waiter in &woken {
            self.futexes.forget(waiter.thread);
            self.finish_parked(waiter.thread, 0);
        }
        woken.len() as u64
    }

    /// Has the first threads that wait for a futex wait for another one, at most so many; returns
    /// how many.
    pub(crate) fn requeue_futex(&mut self, from: Key, to: Key, most: usize) -> u64 {
        let moved = self.first_waiters(from, most, u32::MAX);
        for &Waiter { thread: number, bits } in &moved {
            self.futexes.add(number, to, bits);
            if let Some(thread) = self.threads.get_mut(&number)
                && let State::Parked(parked) = &mut thread.state
            {
                parked.channels = Channels::One(to.channel());
                self.note_waits(number);
            }
        }
        moved.len() as u64
    }
}
