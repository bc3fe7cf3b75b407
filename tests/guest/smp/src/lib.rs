//! Two processors: what one does to the threads and pages that the other uses.
//!
//! `smp-test` runs as first task on the first processor; its threads run machine code of their
//! own (`code.rs`) on the second, in a space of their own, and tell by counting.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod code;
mod handed;
mod messages;
mod pages;
mod threads;
mod trace;
mod world;

pub use world::World;

use libipc::Error;

/// A check: its name, and what tells whether it holds.
pub type Check = (&'static str, fn(&mut World) -> Result<bool, Error>);

/// All checks.
pub const CHECKS: [Check; 16] = [
    ("two processors run", threads::two_run),
    ("notifications pass to and fro", messages::ping_pong),
    ("a server on the other processor answers", messages::call_across),
    ("a server that may move follows its caller", messages::call_here),
    ("an unmapped page is not written any more", pages::unmap),
    ("a protected page is not written any more", pages::protect),
    ("a clone stays as it was", pages::freeze),
    ("a destroyed page's frame is not written any more", pages::destroy),
    ("a thread that runs elsewhere is stopped", threads::stop),
    ("a thread that spins elsewhere is recalled", threads::recall),
    ("no system call is lost by recalls", threads::recall_calls),
    ("a thread's space is destroyed under it", threads::destroy),
    ("a foreign thread is handed over and back", handed::here),
    ("a foreign thread is handed over and back across processors", handed::across),
    ("the trace has both processors' events, in order", trace::both),
    ("SSE registers stay each thread's own", threads::floats),
];
