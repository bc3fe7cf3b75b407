//! Deadlines of waiting threads and of timers, earliest first.
//!
//! A binary heap whose entries know their place in it, so that any of them can be removed.

use alloc::vec::Vec;

use crate::arena::Id;
use crate::notification::Notification;
use crate::quota::Quota;

/// A timer object.
#[derive(Default)]
pub struct Timer {
    /// What it signals.
    pub notification: Option<Id<Notification>>,
    /// The bits it signals.
    pub bits: u64,
    /// What it is charged to.
    pub quota: Option<Id<Quota>>,
}

/// Whose deadline it is, by slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiter {
    /// A thread that waits.
    Thread(u16),
    /// A timer that is armed.
    Timer(u16),
}

const ABSENT: u32 = u32::MAX;

/// All deadlines; the processors share them.
pub struct Deadlines {
    heap: Vec<(u64, Waiter)>,
    /// Place in the heap of each thread, then of each timer; ABSENT: none.
    places: Vec<u32>,
    threads: usize,
}

impl Deadlines {
    /// Bytes for each thread and timer.
    pub const WAITER_BYTES: usize = size_of::<(u64, Waiter)>() + size_of::<u32>();

    /// Returns an empty set for that many threads and timers.
    pub fn new(threads: usize, timers: usize) -> Self {
        let mut places = Vec::new();
        places.resize(threads + timers, ABSENT);
        Deadlines { heap: Vec::with_capacity(threads + timers), places, threads }
    }

    /// Returns the earliest deadline.
    pub fn earliest(&self) -> Option<u64> {
        self.heap.first().map(|(deadline, _)| *deadline)
    }

    /// Sets a deadline; the waiter has none yet.
    pub fn insert(&mut self, deadline: u64, waiter: Waiter) {
        self.remove(waiter);
        self.heap.push((deadline, waiter));
        self.rise(self.heap.len() - 1);
    }

    /// Removes a waiter's deadline, if it has one.
    #[inline]
    pub fn remove(&mut self, waiter: Waiter) {
        let index = self.index(waiter);
        let place = core::mem::replace(&mut self.places[index], ABSENT);
        if place != ABSENT {
            self.vacate(place as usize);
        }
    }

    /// Takes the earliest deadline if it is not after `now`.
    pub fn pop_until(&mut self, now: u64) -> Option<Waiter> {
        let (deadline, waiter) = *self.heap.first()?;
        if deadline > now {
            return None;
        }
        let index = self.index(waiter);
        self.places[index] = ABSENT;
        self.vacate(0);
        Some(waiter)
    }

    /// Fills a place whose waiter goes with the last one.
    #[inline]
    fn vacate(&mut self, place: usize) {
        if let Some(last) = self.heap.pop()
            && place < self.heap.len()
        {
            self.heap[place] = last;
            self.rise(place);
            self.sink(place);
        }
    }

    fn index(&self, waiter: Waiter) -> usize {
        match waiter {
            Waiter::Thread(slot) => slot as usize,
            Waiter::Timer(slot) => self.threads + slot as usize,
        }
    }

    fn rise(&mut self, mut place: usize) {
        while place > 0 && self.heap[place].0 < self.heap[(place - 1) / 2].0 {
            self.swap(place, (place - 1) / 2);
            place = (place - 1) / 2;
        }
        self.note(place);
    }

    fn sink(&mut self, mut place: usize) {
        loop {
            let children = 2 * place + 1..(2 * place + 3).min(self.heap.len());
            match children.min_by_key(|child| self.heap[*child].0) {
                Some(child) if self.heap[child].0 < self.heap[place].0 => {
                    self.swap(place, child);
                    place = child;
                }
                _ => break,
            }
        }
        self.note(place);
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.heap.swap(a, b);
        self.note(a);
        self.note(b);
    }

    fn note(&mut self, place: usize) {
        let index = self.index(self.heap[place].1);
        self.places[index] = place as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::{Deadlines, Waiter};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn deadlines_come_in_order_whatever_was_removed(
            steps in proptest::collection::vec((0u16..16, 0u64..100, any::<bool>()), 1..200)
        ) {
            let mut deadlines = Deadlines::new(16, 0);
            let mut model = std::collections::BTreeMap::new();
            for (thread, deadline, insert) in steps {
                if insert {
                    deadlines.insert(deadline, Waiter::Thread(thread));
                    model.insert(thread, deadline);
                } else {
                    deadlines.remove(Waiter::Thread(thread));
                    model.remove(&thread);
                }
                prop_assert_eq!(deadlines.earliest(), model.values().min().copied());
            }
            while let Some(Waiter::Thread(thread)) = deadlines.pop_until(u64::MAX) {
                let deadline = model.remove(&thread);
                prop_assert!(deadline <= model.values().min().copied().or(Some(u64::MAX)));
            }
            prop_assert!(model.is_empty());
        }
    }
}
