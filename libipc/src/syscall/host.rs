//! The kernel's place in tests on the host: what a server does with an open call, nothing else.
//!
//! Replies to open calls and copies between own memory and leases work as the kernel's do;
//! signals and deleted capabilities are noted; every other operation is refused. The state
//! (`calls`) belongs to the thread, so that tests do not see each other.

use kamen_abi::{Error, Handle, Operation, Tag, WORDS};

use super::{Inbound, Outbound};

#[path = "host/calls.rs"]
pub(crate) mod calls;
#[path = "host/copy.rs"]
mod copy;

/// Executes an operation that uses all message registers: Reply, or none.
pub(crate) fn message(operation: Operation, outbound: Outbound) -> (u64, Inbound) {
    let Outbound { target, tag, words, deadline: _, second: _ } = outbound;
    let result = match operation {
        Operation::Reply => calls::answer(target, tag, words),
        _ => Err(Error::InvalidOperation),
    };
    (status(result), Inbound { target, tag: Tag(0), badge: 0, words })
}

/// Executes an operation that uses only target and words: Copy, Signal, Delete, or none.
pub(crate) fn operate(
    operation: Operation,
    target: u64,
    words: [u64; WORDS],
) -> (u64, u64, [u64; WORDS]) {
    let [first, ..] = words;
    match operation {
        Operation::Copy => {
            let (result, copied) = copy::copy(words);
            (status(result), target, [copied, 0, 0, 0, 0, 0])
        }
        Operation::Signal => {
            calls::note_signal(Handle(target as u16), first);
            (0, target, words)
        }
        Operation::Delete if target == 0 => {
            calls::note_deleted(Handle(first as u16));
            (0, target, words)
        }
        _ => (Error::InvalidOperation as u64, target, [0; WORDS]),
    }
}

fn status(result: Result<(), Error>) -> u64 {
    result.map_or_else(|error| error as u64, |()| 0)
}
