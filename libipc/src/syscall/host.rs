//! The kernel's place in tests on the host: every operation is refused.

use kamen_abi::{Error, Operation, Tag, WORDS};

use super::{Inbound, Outbound};

/// Refuses an operation that uses all message registers.
pub(crate) fn message(_operation: Operation, outbound: Outbound) -> (u64, Inbound) {
    let Outbound { target, words, .. } = outbound;
    let inbound = Inbound { target, tag: Tag(0), badge: 0, words };
    (Error::InvalidOperation as u64, inbound)
}

/// Refuses an operation that uses only target and words.
pub(crate) fn operate(
    _operation: Operation,
    target: u64,
    _words: [u64; WORDS],
) -> (u64, u64, [u64; WORDS]) {
    (Error::InvalidOperation as u64, target, [0; WORDS])
}
