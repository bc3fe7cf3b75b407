//! Pages that the other processor writes to while they are taken away.

use libipc::{Error, Handling, Kind, Memory, Object, Registers, Rights, Thread};

use crate::code::HAMMER;
use crate::world::{PAGE_AT, READ_WRITE, Word, World, first_word};

/// Times that a page is taken away.
const ROUNDS: usize = 50;
const PAGE_FAULT: u32 = 14;
/// What pages are full of that got a freed frame, perhaps.
const PATTERN: u64 = 0x5ca1_ab1e_0ddb_a115;

/// A thread on the other processor that writes to a page.
struct Hammer {
    thread: Thread,
    page: Memory,
    rounds: Word,
}

impl Hammer {
    fn start(world: &mut World) -> Result<Hammer, Error> {
        let (page, rounds) = (world.quota.create_memory(1)?, world.word());
        world.space.map(page, 0, PAGE_AT, 1, READ_WRITE)?;
        let registers = Registers { rdi: PAGE_AT, ..Registers::default() };
        let thread = world.start(HAMMER, (rounds, registers), 1, Handling::Faults)?;
        world.await_progress(rounds)?;
        Ok(Hammer { thread, page, rounds })
    }

    /// Returns whether nobody writes to the page any more and the thread has met a fault there;
    /// lets it go on after `repair`.
    fn has_met_fault(
        &mut self,
        world: &mut World,
        repair: impl FnOnce(&mut Self, &World) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        let before = first_word(self.page, 0)?;
        let fault = world.receive()?;
        let fits = (fault.kind, fault.number) == (Kind::Exception, PAGE_FAULT)
            && fault.words[1] == PAGE_AT;
        let same = first_word(self.page, 0)? == before;
        repair(self, world)?;
        world.answer(fault.caller.call, 0);
        world.await_progress(self.rounds)?;
        Ok(fits && same)
    }

    fn end(self, world: &World) -> Result<bool, Error> {
        self.thread.destroy()?;
        world.space.unmap(PAGE_AT, 1)?;
        self.page.destroy()?;
        Ok(true)
    }
}

/// Unmaps the page and maps another.
pub fn unmap(world: &mut World) -> Result<bool, Error> {
    let mut hammer = Hammer::start(world)?;
    let mut other = world.quota.create_memory(1)?;
    for _ in 0..ROUNDS {
        world.space.unmap(PAGE_AT, 1)?;
        let holds = hammer.has_met_fault(world, |hammer, world| {
            core::mem::swap(&mut hammer.page, &mut other);
            world.space.map(hammer.page, 0, PAGE_AT, 1, READ_WRITE)
        })?;
        if !holds {
            return Ok(false);
        }
    }
    hammer.end(world)
}

/// Makes the page read-only and writable again.
pub fn protect(world: &mut World) -> Result<bool, Error> {
    let mut hammer = Hammer::start(world)?;
    for _ in 0..ROUNDS {
        world.space.protect(PAGE_AT, 1, Rights::READ)?;
        let repair = |_: &mut Hammer, world: &World| world.space.protect(PAGE_AT, 1, READ_WRITE);
        if !hammer.has_met_fault(world, repair)? {
            return Ok(false);
        }
    }
    hammer.end(world)
}

/// Clones the page, which goes on being written to.
pub fn freeze(world: &mut World) -> Result<bool, Error> {
    let hammer = Hammer::start(world)?;
    for _ in 0..ROUNDS {
        let clone = hammer.page.clone_to(world.quota)?;
        let before = first_word(clone, 0)?;
        world.await_progress(hammer.rounds)?;
        let holds = first_word(clone, 0)? == before && first_word(hammer.page, 0)? > before;
        clone.destroy()?;
        if !holds {
            return Ok(false);
        }
    }
    hammer.end(world)
}

/// Destroys the page's object and gives its frame, perhaps, to others.
pub fn destroy(world: &mut World) -> Result<bool, Error> {
    let mut hammer = Hammer::start(world)?;
    for _ in 0..ROUNDS {
        hammer.page.destroy()?;
        let others = [world.quota.create_memory(1)?, world.quota.create_memory(1)?];
        for other in others {
            other.write(0, &PATTERN.to_le_bytes()).map_err(Error::from)?;
        }
        hammer.page = world.quota.create_memory(1)?;
        let holds = hammer.has_met_fault(world, |hammer, world| {
            world.space.map(hammer.page, 0, PAGE_AT, 1, READ_WRITE)
        })?;
        for other in others {
            if !holds || first_word(other, 0)? != PATTERN {
                return Ok(false);
            }
            other.destroy()?;
        }
    }
    hammer.end(world)
}
