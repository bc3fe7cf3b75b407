//! Threads with a handler: faults, and foreign system calls.
//!
//! ```text
//!   measuring thread ── ud2 / syscall ──> kernel ── open call ──> server
//!          ^──────────── resumed ────────────────── reply ──────────┘
//! ```
//! Here the thread with a handler measures: what it does is what is priced.

use libipc::abi::WORDS;
use libipc::{Error, Handling, Object, Time};

use crate::measure::{BATCH, print_row, sample_into_shared, shared_samples};
use crate::raw::{
    self,
    entry::{self, GETPID, PID},
};
use crate::world::{Entry, Where, World, number};

/// Number of the one that tells that all is measured.
const FINISHED: u64 = 1000;
/// Label of a reply that says where the thread goes on.
const RESUME_AT: u64 = 2;
/// Bytes of `ud2`.
const UNDEFINED_BYTES: u64 = 2;
/// Word of an exception's message, and of the answer, that holds rip.
const RIP_AT: usize = 2;

/// An undefined instruction whose handler, in the same space, moves the thread past it.
pub fn fault(world: &mut World) -> Result<(), Error> {
    measured(world, "fault", Where::Own, (faulting, Handling::Faults), skip)
}

/// A system call of a foreign thread, answered by a server in another space.
pub fn foreign(world: &mut World) -> Result<(), Error> {
    measured(world, "foreign", Where::Second, (calling, Handling::Everything), answer)
}

/// A system call of a foreign thread that branches to its in-process entry, which answers it.
pub fn branch(world: &mut World) -> Result<(), Error> {
    let endpoint = world.quota.create_endpoint()?;
    let thread = world.prepare(Where::Own, calling_entry, [number(world.done), 0])?;
    thread.set_handler(endpoint, 1, Handling::Everything)?;
    entry::give(number(thread))?;
    thread.start()?;
    let bits = world.done.wait(Time::FOREVER)?;
    print_row("branch", shared_samples(), BATCH, BATCH);
    thread.destroy()?;
    endpoint.destroy()?;
    if bits == 1 { Ok(()) } else { Err(Error::InvalidOperation) }
}

fn measured(
    world: &mut World,
    name: &str,
    at: Where,
    (entry, what): (Entry, Handling),
    server: Entry,
) -> Result<(), Error> {
    let endpoint = world.quota.create_endpoint()?;
    let done = number(world.done);
    let server = world.spawn(Where::Own, server, [number(endpoint), done])?;
    let thread = world.spawn_handled(at, entry, [done, 0], (endpoint, what))?;
    let bits = world.done.wait(Time::FOREVER)?;
    print_row(name, shared_samples(), BATCH, BATCH);
    thread.destroy()?;
    server.destroy()?;
    endpoint.destroy()?;
    if bits == 1 { Ok(()) } else { Err(Error::InvalidOperation) }
}

extern "C" fn faulting(done: u64, _: u64, _: u64) -> ! {
    sample_into_shared(BATCH, raw::undefined);
    raw::signal(done, 1);
    loop {
        raw::wait(done);
    }
}

/// Moves every thread that faults past its instruction.
extern "C" fn skip(endpoint: u64, _: u64, _: u64) -> ! {
    let mut received = raw::reply_receive(0, 0, [0; WORDS], endpoint);
    loop {
        received.words[RIP_AT] += UNDEFINED_BYTES;
        received = raw::reply_receive(received.call, RESUME_AT, received.words, endpoint);
    }
}

extern "C" fn calling(_: u64, _: u64, _: u64) -> ! {
    let mut result = 0;
    sample_into_shared(BATCH, || result = raw::foreign(GETPID, 0));
    loop {
        raw::foreign(FINISHED, u64::from(result == PID));
    }
}

extern "C" fn calling_entry(done: u64, _: u64, _: u64) -> ! {
    let mut result = 0;
    sample_into_shared(BATCH, || result = raw::foreign(entry::GETPID, 0));
    // The entry passes on whatever it does not answer.
    raw::signal(done, if result == entry::PID { 1 } else { 2 });
    loop {
        raw::wait(done);
    }
}

/// Answers the foreign thread; the last call tells in its first word whether all was well.
extern "C" fn answer(endpoint: u64, done: u64, _: u64) -> ! {
    let mut call = 0;
    loop {
        let received = raw::reply_receive(call, 0, [PID; WORDS], endpoint);
        call = received.call;
        if received.tag as u32 as u64 == FINISHED {
            raw::signal(done, received.words[0]);
            call = 0;
        }
    }
}
