//! The kernel's trace of two processors.

use alloc::vec::Vec;

use kamen_kit::trace::{Recorded, calls, pairs, read};
use libipc::abi::trace::{Event, EventKind};
use libipc::abi::{Operation, boot};
use libipc::{Error, Handling, Memory, Object, Registers, Time, Trace};

use crate::code::ECHO;
use crate::messages::number;
use crate::world::World;

/// Calls that are traced: few enough for the rings.
const CALLS: u64 = 40;

const SIGNAL: u32 = Operation::Signal as u32;

/// Calls a server on the other processor; both rings tell of it, and by their clocks each message
/// comes before its answer.
pub fn both(world: &mut World) -> Result<bool, Error> {
    let endpoint = world.quota.create_endpoint()?;
    let registers = Registers { rbx: number(endpoint), ..Registers::default() };
    let (word, event) = (world.word(), world.quota.create_notification()?);
    let server = world.start(ECHO, (word, registers), 1, Handling::Faults)?;
    endpoint.call(0, [1; 6], Time::FOREVER)?;
    let trace = Trace(boot::TRACE);
    trace.record(EventKind::EVERYTHING)?;
    for round in 0..CALLS {
        endpoint.call(7, [round; 6], Time::FOREVER)?;
        // Over at once, and recorded all the same.
        event.signal(1)?;
    }
    trace.record(0)?;
    event.signal(1)?;
    server.destroy()?;
    let Recorded { events, lost } = read(Memory(boot::TRACE_MEMORY))?;
    let of = |processor, kind| {
        let found = events.iter().filter(|it| it.processor == processor && it.kind == kind);
        found.map(|event| event.time).collect::<Vec<_>>()
    };
    // Whoever sends hands the message over, so that it is recorded there; so is the answer.
    let [asked, answered] = [of(0, EventKind::Message), of(1, EventKind::Reply)];
    let in_order = asked.iter().zip(&answered).all(|(asked, answered)| asked < answered)
        && answered.iter().zip(asked.iter().skip(1)).all(|(answered, next)| answered < next);
    let is_signal = |it: &&Event| it.kind == EventKind::Entry && it.detail == SIGNAL;
    let signals = events.iter().filter(is_signal).count() as u64;
    let switches = [0, 1].map(|processor| of(processor, EventKind::Switch).len() as u64);
    let counted: Vec<(u64, u64)> =
        pairs(&calls(&events)).iter().map(|it| (it.calls, it.open)).collect();
    let complete = [asked.len(), answered.len()] == [CALLS as usize; 2] && lost == 0;
    Ok(complete
        && signals == CALLS
        && in_order
        && counted == [(CALLS, 0)]
        && switches.iter().all(|it| *it >= CALLS))
}
