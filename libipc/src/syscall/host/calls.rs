//! Open calls of tests on the host: their leases, and their answers once given.
extern crate std;

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;
use std::sync::{Mutex, PoisonError};

use kamen_abi::{Error, Handle, Lease, MAX_CAPS, OpenCall, Tag, WORDS};

use crate::page;

/// An answer that was given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) tag: Tag,
    pub(crate) words: [u64; WORDS],
    pub(crate) caps: [Handle; MAX_CAPS],
}

/// An open call: waits for its answer, or keeps it for who made the call.
struct Call {
    leases: Vec<Lease>,
    answer: Option<Answer>,
}

#[derive(Default)]
struct State {
    sequence: u64,
    calls: BTreeMap<u64, Call>,
    signals: Vec<(Handle, u64)>,
    deleted: Vec<Handle>,
}

/// Open calls that the threads of one simulation share.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<State>>);

impl Shared {
    fn with<T>(&self, use_it: impl FnOnce(&mut State) -> T) -> T {
        // A test that panicked left it as it was between two statements.
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets a call, as when its server died.
    pub(crate) fn close(&self, call: u64) {
        self.with(|state| state.calls.remove(&call));
    }
}

std::thread_local! {
    static STATE: RefCell<Shared> = RefCell::default();
}

/// Has the calling thread share the open calls of others.
pub(crate) fn adopt(shared: Shared) {
    STATE.with(|state| *state.borrow_mut() = shared);
}

fn with<T>(use_it: impl FnOnce(&mut State) -> T) -> T {
    STATE.with(|state| state.borrow().with(use_it))
}

/// Opens a call with leases, whose ranges must stay valid and unused until [`close`].
pub(crate) fn open(leases: Vec<Lease>) -> u64 {
    with(|state| {
        state.sequence += 1;
        let call = OpenCall::new(1, state.sequence).0;
        state.calls.insert(call, Call { leases, answer: None });
        call
    })
}

/// Forgets a call, as when its caller died or has its answer.
pub(crate) fn close(call: u64) {
    with(|state| state.calls.remove(&call));
}

/// Returns the answer to a call, if it was given.
pub(crate) fn answer_of(call: u64) -> Option<Answer> {
    with(|state| state.calls.get(&call).and_then(|call| call.answer))
}

/// Answers a call; its capabilities are in the message page.
pub(crate) fn answer(call: u64, tag: Tag, words: [u64; WORDS]) -> Result<(), Error> {
    let caps = page::take_caps();
    with(|state| match state.calls.get_mut(&call) {
        Some(call) if call.answer.is_none() => {
            call.answer = Some(Answer { tag, words, caps });
            Ok(())
        }
        _ => Err(Error::StaleCall),
    })
}

/// Returns lease `index` of a call that is still open.
pub(super) fn lease(call: u64, index: usize) -> Result<Lease, Error> {
    with(|state| match state.calls.get(&call) {
        Some(call) if call.answer.is_none() => {
            call.leases.get(index).copied().ok_or(Error::InvalidArgument)
        }
        _ => Err(Error::StaleCall),
    })
}

/// Notes that a notification was signalled.
pub(super) fn note_signal(notification: Handle, bits: u64) {
    with(|state| state.signals.push((notification, bits)));
}

/// Notes that a capability was deleted.
pub(super) fn note_deleted(handle: Handle) {
    with(|state| state.deleted.push(handle));
}

/// Returns and forgets the signals noted.
pub(crate) fn take_signals() -> Vec<(Handle, u64)> {
    with(|state| core::mem::take(&mut state.signals))
}

/// Returns and forgets the deleted capabilities noted.
pub(crate) fn take_deleted() -> Vec<Handle> {
    with(|state| core::mem::take(&mut state.deleted))
}
