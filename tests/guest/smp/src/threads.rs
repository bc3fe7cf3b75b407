//! Threads that run on the other processor while something is done to them.

use libipc::{Error, Handling, Kind, Object, Registers, Thread, processors};

use crate::code::{CALLER, FLOATS, SPIN};
use crate::world::{Word, World};

/// Times that each thing is done.
const ROUNDS: u64 = 50;
/// System calls that are answered.
const CALLS: u64 = 2000;
/// Threads that use SSE registers.
const FLOATERS: usize = 4;

/// Whether there are two processors, and both run threads at a time.
pub fn two_run(world: &mut World) -> Result<bool, Error> {
    if processors() != 2 {
        return Ok(false);
    }
    let words = [world.word(), world.word()];
    let mut threads = [None; 2];
    for (processor, word) in words.into_iter().enumerate() {
        threads[processor] = Some(spin(world, word, processor as u8, Handling::Faults)?);
    }
    for word in words {
        world.await_progress(word)?;
        world.await_progress(word)?;
    }
    threads.into_iter().flatten().try_for_each(Object::destroy)?;
    Ok(true)
}

fn spin(world: &mut World, word: Word, processor: u8, handling: Handling) -> Result<Thread, Error> {
    world.start(SPIN, (word, Registers::default()), processor, handling)
}

/// Stops and starts a thread.
pub fn stop(world: &mut World) -> Result<bool, Error> {
    let word = world.word();
    let thread = spin(world, word, 1, Handling::Faults)?;
    for _ in 0..ROUNDS {
        world.await_progress(word)?;
        thread.stop()?;
        if !world.rests(word)? || thread.read_registers()?.rsi != word.address() {
            return Ok(false);
        }
        thread.start()?;
    }
    thread.destroy()?;
    world.rests(word)
}

/// Recalls a foreign thread that calls nobody.
pub fn recall(world: &mut World) -> Result<bool, Error> {
    let word = world.word();
    let thread = spin(world, word, 1, Handling::Everything)?;
    for _ in 0..ROUNDS {
        world.await_progress(word)?;
        thread.recall()?;
        let recalled = world.receive()?;
        if recalled.kind != Kind::Recall || !world.rests(word)? {
            return Ok(false);
        }
        world.answer(recalled.caller.call, 0);
    }
    thread.destroy()?;
    Ok(true)
}

/// Recalls a foreign thread that makes system calls: each must be answered all the same.
pub fn recall_calls(world: &mut World) -> Result<bool, Error> {
    let (word, wrong) = (world.word(), world.word());
    let registers = Registers { rdi: 1000, rdx: wrong.address(), ..Registers::default() };
    let thread = world.start(CALLER, (word, registers), 1, Handling::Everything)?;
    let mut recalls = 0;
    for round in 0..CALLS {
        let event = world.receive()?;
        world.answer(event.caller.call, u64::from(event.number) + 1);
        // Busy: it has made its next call already.
        if round % 3 == 0 && thread.recall().is_ok() {
            recalls += 1;
            let recalled = world.receive()?;
            if recalled.kind != Kind::Recall {
                return Ok(false);
            }
            world.answer(recalled.caller.call, 0);
        }
    }
    thread.destroy()?;
    Ok(recalls > 0 && world.read(wrong)? == 0 && world.read(word)? + 1 >= CALLS)
}

/// Destroys a space in which a thread runs.
pub fn destroy(world: &mut World) -> Result<bool, Error> {
    for _ in 0..ROUNDS {
        let (word, space) = (world.word(), world.another_space()?);
        let thread = world.thread(space, SPIN, (word, Registers::default()), 1)?;
        thread.start()?;
        world.await_progress(word)?;
        space.destroy()?;
        if !world.rests(word)? || thread.start() != Err(Error::InvalidHandle) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Moves threads that use SSE registers to and fro.
pub fn floats(world: &mut World) -> Result<bool, Error> {
    let wrong = world.word();
    let words: [Word; FLOATERS] = core::array::from_fn(|_| world.word());
    let mut threads = [None; FLOATERS];
    for (place, word) in words.into_iter().enumerate() {
        let rdi = 0x0101_0101_0101_0101 * (place as u64 + 1);
        let registers = Registers { rdi, rdx: wrong.address(), ..Registers::default() };
        let what = (word, registers);
        threads[place] = Some(world.start(FLOATS, what, place as u8 % 2, Handling::Faults)?);
    }
    for round in 0..ROUNDS as usize {
        let thread = threads.get(round * 7 % FLOATERS).copied().flatten();
        let thread = thread.ok_or(Error::InvalidArgument)?;
        thread.set_processor([Some(0), Some(1), None].get(round % 3).copied().flatten())?;
        world.sleep();
    }
    for word in words {
        world.await_progress(word)?;
    }
    threads.into_iter().flatten().try_for_each(Object::destroy)?;
    Ok(world.read(wrong)? == 0)
}
