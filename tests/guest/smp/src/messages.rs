//! Notifications and calls across processors, and what they cost.

use libipc::{Error, Handle, Handling, Object, Registers, Time, log, now};

use crate::code::{ECHO, PONG};
use crate::world::World;

/// Messages that are timed.
const MESSAGES: u64 = 500;

/// Returns the number of an object's handle.
pub fn number(object: impl Object) -> u64 {
    let Handle(number) = object.handle();
    number.into()
}

/// Signals to the other processor and back.
pub fn ping_pong(world: &mut World) -> Result<bool, Error> {
    let (to, fro) = (world.quota.create_notification()?, world.quota.create_notification()?);
    let registers = Registers { rbx: number(to), rbp: number(fro), ..Registers::default() };
    let word = world.word();
    let thread = world.start(PONG, (word, registers), 1, Handling::Faults)?;
    let begin = now();
    for _ in 0..MESSAGES {
        to.signal(1)?;
        if fro.wait(begin.after_ms(10_000))? != 1 {
            return Ok(false);
        }
    }
    tell("signal and wait across processors", begin);
    thread.destroy()?;
    Ok(true)
}

/// Calls a server that stays on the other processor.
pub fn call_across(world: &mut World) -> Result<bool, Error> {
    call(world, Some(1), "call and reply across processors")
}

/// Calls a server that was on the other processor and may leave it.
pub fn call_here(world: &mut World) -> Result<bool, Error> {
    call(world, None, "call and reply of a server that may move")
}

fn call(world: &mut World, stays: Option<u8>, what: &str) -> Result<bool, Error> {
    let endpoint = world.quota.create_endpoint()?;
    let registers = Registers { rbx: number(endpoint), ..Registers::default() };
    let word = world.word();
    let server = world.start(ECHO, (word, registers), 1, Handling::Faults)?;
    endpoint.call(0, [1; 6], now().after_ms(5000))?;
    server.set_processor(stays)?;
    let begin = now();
    for round in 0..MESSAGES {
        let (_, words) = endpoint.call(7, [round, 2, 3, 4, 5, 6], Time::FOREVER)?;
        if words != [round + 1, 2, 3, 4, 5, 6] {
            return Ok(false);
        }
    }
    tell(what, begin);
    server.destroy()?;
    Ok(true)
}

fn tell(what: &str, begin: Time) {
    log!("{what}: {} ns", (now().0 - begin.0) / MESSAGES);
}
