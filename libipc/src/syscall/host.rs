//! The kernel's place in tests on the host: what a server does with an open call, nothing else.
//!
//! Replies to open calls and copies between own memory and leases work as the kernel's do;
//! signals and deleted capabilities are noted; every other operation is refused. The state
//! (`calls`) belongs to the thread, so that tests do not see each other. Memory objects and
//! notifications that a test has created (`objects`) do more, and for all threads. The threads of a
//! simulation have all of IPC (`crate::simulation`).

use kamen_abi::{Error, Handle, ObjectKind, Operation, Tag, WORDS};

use super::{Inbound, Outbound};
use crate::simulation;

#[path = "host/calls.rs"]
pub(crate) mod calls;
#[path = "host/copy.rs"]
mod copy;
#[path = "host/objects.rs"]
pub(crate) mod objects;

/// Executes an operation that uses all message registers: Reply, Wait, or none.
pub(crate) fn message(operation: Operation, outbound: Outbound) -> (u64, Inbound) {
    if let Some(me) = simulation::current() {
        let nothing = Inbound { target: 0, tag: Tag(0), badge: 0, words: outbound.words };
        return match simulation::message(&me, operation, outbound) {
            Ok(inbound) => (0, inbound),
            Err(error) => (error as u64, nothing),
        };
    }
    let Outbound { target, tag, mut words, deadline, second: _ } = outbound;
    let result = match operation {
        Operation::Reply => calls::answer(target, tag, words),
        Operation::Wait => objects::wait(handle(target), deadline).map(|bits| words[0] = bits),
        _ => Err(Error::InvalidOperation),
    };
    (status(result), Inbound { target, tag: Tag(0), badge: 0, words })
}

/// Executes an operation that uses only target and words: Copy, Signal, Delete, those of created
/// objects, or none.
pub(crate) fn operate(
    operation: Operation,
    target: u64,
    words: [u64; WORDS],
) -> (u64, u64, [u64; WORDS]) {
    let simulated = simulation::current();
    let simulated = simulated.and_then(|me| simulation::operate(&me, operation, target, words));
    match simulated {
        Some(Ok((target, words))) => return (0, target, words),
        Some(Err(error)) => return (error as u64, target, [0; WORDS]),
        None => {}
    }
    let [first, second, badge, ..] = words;
    match operation {
        Operation::Copy => {
            let (result, copied) = copy::copy(words);
            (status(result), target, [copied, 0, 0, 0, 0, 0])
        }
        Operation::Signal => {
            let result = objects::signal(handle(target), first);
            let result = result.unwrap_or_else(|| {
                calls::note_signal(handle(target), first);
                Ok(())
            });
            (status(result), target, words)
        }
        Operation::Delete if target == 0 => {
            if !objects::delete(handle(first)) {
                calls::note_deleted(handle(first));
            }
            (0, target, words)
        }
        Operation::Destroy => (status(objects::destroy(handle(target))), target, words),
        Operation::Mint if first == 0 => match objects::mint(handle(target), badge) {
            Ok(Handle(copy)) => (0, copy.into(), words),
            Err(error) => (error as u64, target, words),
        },
        Operation::Inspect => match objects::pages(handle(target)) {
            Ok(pages) => (0, target, [ObjectKind::Memory as u64, 0, 0, pages, 0, 0]),
            Err(error) => (error as u64, target, words),
        },
        Operation::Commit => match objects::pages(handle(target)) {
            Ok(_) => (0, target, [second, 0, 0, 0, 0, 0]),
            Err(error) => (error as u64, target, [0; WORDS]),
        },
        _ => (Error::InvalidOperation as u64, target, [0; WORDS]),
    }
}

fn handle(word: u64) -> Handle {
    Handle(word as u16)
}

fn status(result: Result<(), Error>) -> u64 {
    result.map_or_else(|error| error as u64, |()| 0)
}
