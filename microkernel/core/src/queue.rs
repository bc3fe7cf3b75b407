//! Queues of threads, linked through the threads themselves.
//!
//! A thread is in at most one queue at a time: a run queue, an endpoint's senders or receivers,
//! or a notification's waiters; its state tells which.

use crate::arena::{Arena, Slots};
use crate::thread::Thread;

/// No thread.
pub const NIL: u16 = u16::MAX;

/// A thread's neighbours in the queue that it is in.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    prev: u16,
    next: u16,
}

impl Default for Link {
    fn default() -> Self {
        Link { prev: NIL, next: NIL }
    }
}

/// A first-in-first-out queue of threads.
#[derive(Clone, Copy, Debug)]
pub struct Queue {
    head: u16,
    tail: u16,
}

impl Default for Queue {
    fn default() -> Self {
        Queue { head: NIL, tail: NIL }
    }
}

impl Queue {
    /// Returns whether no thread is in the queue.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.head == NIL
    }

    /// Returns the queue of one thread, whose link is empty.
    #[inline(always)]
    pub fn of(thread: u16) -> Self {
        Queue { head: thread, tail: thread }
    }

    /// Returns the only thread in the queue; NIL, which is no slot, where there is none.
    #[inline(always)]
    pub fn only(&self) -> Option<u16> {
        (self.head == self.tail).then_some(self.head)
    }

    /// Returns the thread that `pop` would take.
    #[inline]
    pub fn first(&self) -> Option<u16> {
        (self.head != NIL).then_some(self.head)
    }

    /// Returns the threads in the queue, the first one first.
    pub fn iter<'a>(&self, threads: &'a Arena<Thread>) -> impl Iterator<Item = u16> + use<'a> {
        let next = |thread: &u16| Some(threads[*thread].link.next).filter(|next| *next != NIL);
        core::iter::successors(self.first(), next)
    }

    /// Adds a thread at the end.
    #[inline(always)]
    pub fn push(&mut self, threads: &mut Slots<'_, Thread>, thread: u16) {
        threads[thread].link = Link { prev: self.tail, next: NIL };
        if self.tail == NIL {
            self.head = thread;
        } else {
            threads[self.tail].link.next = thread;
        }
        self.tail = thread;
    }

    /// Adds a thread at the front.
    #[inline(always)]
    pub fn push_front(&mut self, threads: &mut Slots<'_, Thread>, thread: u16) {
        threads[thread].link = Link { prev: NIL, next: self.head };
        if self.head == NIL {
            self.tail = thread;
        } else {
            threads[self.head].link.prev = thread;
        }
        self.head = thread;
    }

    /// Takes the first thread.
    #[inline(always)]
    pub fn pop(&mut self, threads: &mut Slots<'_, Thread>) -> Option<u16> {
        let thread = self.first()?;
        self.head = core::mem::take(&mut threads[thread].link).next;
        if self.head == NIL {
            self.tail = NIL;
        } else {
            threads[self.head].link.prev = NIL;
        }
        Some(thread)
    }

    /// Takes a thread that is in this queue out of it.
    #[inline]
    pub fn remove(&mut self, threads: &mut Slots<'_, Thread>, thread: u16) {
        let Link { prev, next } = core::mem::take(&mut threads[thread].link);
        if prev == NIL {
            self.head = next;
        } else {
            threads[prev].link.next = next;
        }
        if next == NIL {
            self.tail = prev;
        } else {
            threads[next].link.prev = prev;
        }
    }
}

#[cfg(test)]
impl Queue {
    /// Returns who is in the queue, first to last, and checks the links.
    pub fn members(&self, threads: &Arena<Thread>) -> std::vec::Vec<u16> {
        let mut members = std::vec::Vec::new();
        let (mut prev, mut at) = (NIL, self.head);
        while at != NIL {
            assert!(members.len() < threads.high_water() as usize, "the links run in a circle");
            assert_eq!(threads[at].link.prev, prev);
            members.push(at);
            (prev, at) = (at, threads[at].link.next);
        }
        assert_eq!(self.tail, prev);
        members
    }
}
