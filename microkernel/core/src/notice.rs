//! Notices: what servers are told of calls that ended before they were answered.
//!
//! Each thread slot has room for one notice, whoever lives in the slot by the time that the
//! server receives it: a notice needs no memory, keeps nothing alive and is charged to nobody.
//! Where a slot's notice is still on its way when its thread's next call ends as well, the
//! server of that one is told that *some* call ended, and asks for each which. So nothing is
//! lost, and nothing grows.
//!
//! ```text
//!   endpoint.notices ──> slot 7 ──> slot 3 ──> NIL        (+ unnamed: some other call ended)
//! ```

use alloc::vec::Vec;

use kamen_abi::trace::{EventKind, NOBODY};
use kamen_abi::{Kind, OpenCall, Tag};

use crate::arena::Id;
use crate::endpoint::Endpoint;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::queue::NIL;
use crate::thread::State;

/// The notices that wait at an endpoint: the first slot in the low half, `UNNAMED` above. In one
/// word, as the fast path asks whether there are any.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pending(u32);

impl Pending {
    const NONE: Pending = Pending(NIL as u32);
    const UNNAMED: u32 = 1 << 16;

    /// Returns whether there are none.
    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self == Pending::NONE
    }

    fn first(self) -> u16 {
        self.0 as u16
    }

    fn with_first(self, slot: u16) -> Self {
        Pending(self.0 & Pending::UNNAMED | slot as u32)
    }
}

impl Default for Pending {
    fn default() -> Self {
        Pending::NONE
    }
}

/// The notice of a thread slot.
#[derive(Clone, Copy)]
struct Notice {
    /// Where it waits; nothing, or an endpoint that is gone, where the notice is free.
    endpoint: Option<Id<Endpoint>>,
    call: OpenCall,
    badge: u64,
    /// The slot whose notice comes next; NIL: the last.
    next: u16,
}

/// The notices of all thread slots.
pub struct Notices {
    slots: Vec<Notice>,
}

impl Notices {
    /// Bytes of a notice.
    pub const SLOT_BYTES: usize = size_of::<Notice>();

    /// Returns free notices for that many threads.
    pub fn new(threads: usize) -> Self {
        let free = Notice { endpoint: None, call: OpenCall::NONE, badge: 0, next: NIL };
        Notices { slots: alloc::vec![free; threads] }
    }
}

impl<M: Machine> Kernel<M> {
    /// Tells the server that received a thread's open call that nobody waits for the answer.
    pub(crate) fn notify_cancelled(&mut self, thread: u16) {
        let caller = &self.threads[thread];
        let State::Open(endpoint) = caller.state else { return };
        let (call, badge) = (OpenCall::new(thread, caller.sequence), caller.badge);
        let Some(meeting) = self.endpoints.get(endpoint) else { return };
        match meeting.receivers.first() {
            Some(receiver) => {
                self.unqueue_receiver(endpoint, receiver);
                self.deliver_notice(receiver, call, badge);
                self.end_wait(receiver, Ok(()));
            }
            None => self.keep_notice(endpoint, call, badge),
        }
    }

    /// Gives the current thread a notice that waits at the endpoint; returns whether one did.
    #[inline]
    pub(crate) fn receive_notice(&mut self, endpoint: Id<Endpoint>) -> bool {
        let pending = self.endpoints.get(endpoint).map_or(Pending::NONE, |e| e.notices);
        if pending.is_empty() {
            return false;
        }
        let (call, badge, rest) = self.take_notice(pending);
        if let Some(endpoint) = self.endpoints.get_mut(endpoint) {
            endpoint.notices = rest;
        }
        self.deliver_notice(self.cpu.current, call, badge);
        true
    }

    /// Returns the first of an endpoint's notices, call and badge, and those that remain.
    fn take_notice(&mut self, pending: Pending) -> (OpenCall, u64, Pending) {
        match self.notices.slots.get_mut(pending.first() as usize) {
            Some(notice) => {
                notice.endpoint = None;
                (notice.call, notice.badge, pending.with_first(notice.next))
            }
            None => (OpenCall::NONE, 0, Pending::NONE),
        }
    }

    /// Keeps a notice until somebody receives at the endpoint.
    fn keep_notice(&mut self, id: Id<Endpoint>, call: OpenCall, badge: u64) {
        let slot = call.thread();
        let Some(notice) = self.notices.slots.get_mut(slot as usize) else { return };
        let is_used = notice.endpoint.is_some_and(|at| self.endpoints.contains(at));
        let Some(endpoint) = self.endpoints.get_mut(id) else { return };
        if is_used {
            endpoint.notices.0 |= Pending::UNNAMED;
            return;
        }
        *notice = Notice { endpoint: Some(id), call, badge, next: endpoint.notices.first() };
        endpoint.notices = endpoint.notices.with_first(slot);
    }

    fn deliver_notice(&mut self, receiver: u16, call: OpenCall, badge: u64) {
        let registers = &mut self.threads[receiver].registers;
        registers.set_words([call.0, 0, 0, 0, 0, 0]);
        registers.r12 = OpenCall::NONE.0;
        let tag = Tag::short(0).with_kind(Kind::Cancelled);
        registers.r13 = tag.0;
        registers.r14 = badge;
        self.trace(EventKind::Message, NOBODY, receiver, [0, tag.0]);
    }
}

#[cfg(test)]
impl<M: Machine> Kernel<M> {
    /// Returns the calls whose notices wait at an endpoint, and checks that they do.
    pub(crate) fn noticed(&self, id: Id<Endpoint>) -> Vec<OpenCall> {
        let mut calls = Vec::new();
        let mut at = self.endpoints.get(id).map_or(NIL, |endpoint| endpoint.notices.first());
        while at != NIL {
            let notice = &self.notices.slots[at as usize];
            assert_eq!((notice.endpoint, notice.call.thread()), (Some(id), at));
            assert!(calls.len() < self.notices.slots.len(), "the notices run in a circle");
            calls.push(notice.call);
            at = notice.next;
        }
        calls
    }
}
