//! Notifications: a word of bits that can be signalled without waiting.

use kamen_abi::trace::{EventKind, NOBODY};
use kamen_abi::{Error, Kind, OpenCall, Tag};

use crate::arena::{Id, Slots};
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::queue::{NIL, Queue};
use crate::quota::Quota;
use crate::thread::{State, Thread};

/// A word of bits and the threads that wait for any of them.
#[derive(Debug)]
pub struct Notification {
    /// Bits signalled and not taken yet.
    pub bits: u64,
    /// Threads that wait; empty while bits are set.
    pub waiters: Queue,
    /// The thread whose receives serve it, too.
    pub bound: u16,
    /// What it is charged to.
    pub quota: Option<Id<Quota>>,
}

impl Default for Notification {
    fn default() -> Self {
        Notification { bits: 0, waiters: Queue::default(), bound: NIL, quota: None }
    }
}

impl Notification {
    /// Has a thread wait for bits, where none is set.
    #[inline(always)]
    pub(crate) fn admit(
        &mut self,
        own: Id<Notification>,
        threads: &mut Slots<'_, Thread>,
        thread: u16,
    ) {
        threads[thread].state = State::Waiting(own);
        self.waiters.push(threads, thread);
    }
}

impl<M: Machine> Kernel<M> {
    /// Sets bits of a notification; wakes one thread that waits for them.
    pub(crate) fn signal(&mut self, id: Id<Notification>, bits: u64) {
        let Some(notification) = self.notifications.get_mut(id) else { return };
        notification.bits |= bits;
        if notification.bits == 0 {
            return;
        }
        let mut threads = self.threads.slots();
        if let Some(waiter) = notification.waiters.pop(&mut threads) {
            let thread = &mut threads[waiter];
            thread.registers.rax = 0;
            thread.registers.rdi = core::mem::take(&mut notification.bits);
            if thread.obstacles.is_timed() || !self.parked.is_empty() {
                self.end_wait(waiter, Ok(()));
            } else {
                let slice = self.cpu.wake(&mut threads, waiter);
                self.charge_woken(waiter);
                self.begin_slice(slice);
            }
        } else if let bound = notification.bound
            && bound != NIL
        {
            self.signal_bound(id, bound);
        }
    }

    /// Wakes the thread that is bound to a notification, if it receives.
    #[inline(never)]
    fn signal_bound(&mut self, id: Id<Notification>, bound: u16) {
        if let State::Receiving(endpoint) = self.threads[bound].state {
            self.unqueue_receiver(endpoint, bound);
            self.deliver_bits(bound, id);
            self.end_wait(bound, Ok(()));
        }
    }

    /// Operation Wait.
    pub(crate) fn wait(&mut self, id: Id<Notification>) -> Result<(), Error> {
        let current = self.cpu.current;
        let notification = self.notifications.get_mut(id).ok_or(Error::InvalidHandle)?;
        let bits = core::mem::take(&mut notification.bits);
        if bits != 0 {
            self.threads[current].registers.rdi = bits;
            return Ok(());
        }
        let deadline = self.threads[current].registers.r14;
        self.set_deadline(current, deadline)?;
        if let Some(notification) = self.notifications.get_mut(id) {
            notification.admit(id, &mut self.threads.slots(), current);
        }
        self.give_up();
        Ok(())
    }

    pub(crate) fn deliver_bits(&mut self, receiver: u16, notification: Id<Notification>) {
        let bits = self.notifications.get_mut(notification).map(|n| core::mem::take(&mut n.bits));
        let registers = &mut self.threads[receiver].registers;
        registers.set_words([bits.unwrap_or(0), 0, 0, 0, 0, 0]);
        registers.r12 = OpenCall::NONE.0;
        let tag = Tag::short(0).with_kind(Kind::Notification);
        registers.r13 = tag.0;
        registers.r14 = 0;
        self.trace(EventKind::Message, NOBODY, receiver, [0, tag.0]);
    }
}
