//! Open calls of tests on the host: their leases, and their answers once given.
extern crate std;

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cell::RefCell;

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

std::thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

fn with<T>(use_it: impl FnOnce(&mut State) -> T) -> T {
    STATE.with(|state| use_it(&mut state.borrow_mut()))
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
pub(super) fn answer(call: u64, tag: Tag, words: [u64; WORDS]) -> Result<(), Error> {
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
