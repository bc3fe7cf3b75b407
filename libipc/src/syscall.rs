//! The system call: operation, target and words in; status and values out.
//!
//! Two shapes exist ([`kamen_abi`] has the register table): [`message`] uses all registers,
//! [`operate`] leaves tag, deadline and second handle alone. The instruction itself stands in
//! `syscall/kernel.rs`; `syscall/host.rs` takes its place in tests on the host.

use kamen_abi::{Error, Handle, Operation, Tag, WORDS};

use crate::Time;

#[cfg(not(kamen))]
#[path = "syscall/host.rs"]
mod trap;
#[cfg(kamen)]
#[path = "syscall/kernel.rs"]
mod trap;

#[cfg(not(kamen))]
pub(crate) use trap::{calls, objects};

/// What goes into an operation that is a message.
pub(crate) struct Outbound {
    pub(crate) target: u64,
    pub(crate) tag: Tag,
    pub(crate) deadline: Time,
    pub(crate) second: Handle,
    pub(crate) words: [u64; WORDS],
}

/// What comes out of it.
pub(crate) struct Inbound {
    pub(crate) target: u64,
    pub(crate) tag: Tag,
    pub(crate) badge: u64,
    pub(crate) words: [u64; WORDS],
}

/// Executes an operation that sends or receives a message.
///
/// # Errors
/// What the kernel returned.
#[inline(always)]
pub(crate) fn message(operation: Operation, outbound: Outbound) -> Result<Inbound, Error> {
    let (status, inbound) = trap::message(operation, outbound);
    Error::check(status).map(|()| inbound)
}

/// Executes any other operation; returns `r12` and the words.
///
/// # Errors
/// What the kernel returned.
#[inline(always)]
pub(crate) fn operate(
    operation: Operation,
    target: u64,
    words: [u64; WORDS],
) -> Result<(u64, [u64; WORDS]), Error> {
    let (status, target, words) = trap::operate(operation, target, words);
    Error::check(status).map(|()| (target, words))
}

/// Executes an operation whose values nobody wants.
///
/// # Errors
/// What the kernel returned.
#[inline(always)]
pub(crate) fn control(
    operation: Operation,
    target: Handle,
    words: [u64; WORDS],
) -> Result<(), Error> {
    operate(operation, target.0.into(), words).map(|_| ())
}

/// Executes a copy; returns its status, the number of bytes, which counts even on failure, and for
/// PageMissing object and page.
#[inline(always)]
pub(crate) fn copy(words: [u64; WORDS]) -> (Result<(), Error>, u64, [u64; 2]) {
    let (status, _, [copied, object, page, ..]) = trap::operate(Operation::Copy, 0, words);
    (Error::check(status), copied, [object, page])
}

/// Executes an operation on pages; returns its status and the number of pages, which counts even
/// on failure.
#[inline]
pub(crate) fn pages(
    operation: Operation,
    target: Handle,
    [w0, w1, w2, w3]: [u64; 4],
) -> (Result<(), Error>, u64) {
    let words = [w0, w1, w2, w3, 0, 0];
    let (status, _, [done, ..]) = trap::operate(operation, target.0.into(), words);
    (Error::check(status), done)
}
