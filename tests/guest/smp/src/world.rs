//! The space in which the test's threads run, and what they tell.
//!
//! ```text
//!   CODE_AT    the instructions of all programs, a page
//!   WORDS_AT   words that threads increment, a page; the first task reads the object
//!   PAGE_AT    whatever a check maps there
//! ```

use libipc::abi::boot;
use libipc::{
    Endpoint, Error, Event, Foreign, Handling, Inbox, Memory, Message, Notification, OpenCall,
    Quota, Registers, Rights, Space, Table, Thread, Time, now,
};

/// Where a check maps pages.
pub const PAGE_AT: u64 = 0x30_0000;
/// Both rights of a page of data.
pub const READ_WRITE: Rights = Rights::READ.union(Rights::WRITE);
/// Threads' priority; the first task is above them.
const PRIORITY: u8 = 8;
const CODE_AT: u64 = 0x10_0000;
const WORDS_AT: u64 = 0x20_0000;
/// Bytes of a program, at most.
const CODE_BYTES: u64 = 64;
/// Programs that the page of code holds.
const MAX_PROGRAMS: usize = 8;
/// How long anything may take.
const LIMIT_MS: u64 = 5000;

/// What the checks share.
pub struct World {
    /// What pays.
    pub quota: Quota,
    /// The space of the threads.
    pub space: Space,
    /// What their faults, or system calls, arrive at.
    pub inbox: Inbox,
    /// Where their faults, or system calls, go.
    pub handler: Endpoint,
    code: Memory,
    words: Memory,
    programs: [&'static [u8]; MAX_PROGRAMS],
    taken: u64,
    never: Notification,
}

/// A word that a thread increments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Word(u64);

impl World {
    /// Makes the space.
    ///
    /// # Errors
    /// Whatever the kernel refused.
    pub fn new() -> Result<World, Error> {
        let quota = Quota(boot::QUOTA);
        let handler = quota.create_endpoint()?;
        let mut world = World {
            quota,
            space: quota.create_space()?,
            inbox: Inbox::new(handler),
            handler,
            code: quota.create_memory(1)?,
            words: quota.create_memory(1)?,
            programs: [&[]; MAX_PROGRAMS],
            taken: 0,
            never: quota.create_notification()?,
        };
        world.space = world.another_space()?;
        Ok(world)
    }

    /// Returns one more space, with code and words.
    ///
    /// # Errors
    /// Whatever the kernel refused.
    pub fn another_space(&self) -> Result<Space, Error> {
        let space = self.quota.create_space()?;
        let code = Rights::READ.union(Rights::EXECUTE);
        space.map(self.code, 0, CODE_AT, 1, code)?;
        space.map(self.words, 0, WORDS_AT, 1, READ_WRITE)?;
        Ok(space)
    }

    /// Returns a stopped thread that will run a program on a processor, with rsi set.
    ///
    /// # Errors
    /// Whatever the kernel refused.
    pub fn thread(
        &mut self,
        space: Space,
        program: &'static [u8],
        (rounds, registers): (Word, Registers),
        processor: u8,
    ) -> Result<Thread, Error> {
        let at = self.put(program)?;
        let thread = self.quota.create_thread(space, Some(Table(boot::TABLE)))?;
        let (rip, rsi) = (CODE_AT + at, rounds.address());
        let rflags = Registers::FIXED_FLAGS;
        thread.write_registers(&Registers { rip, rsi, rflags, ..registers })?;
        thread.set_priority(PRIORITY)?;
        thread.set_processor(Some(processor))?;
        Ok(thread)
    }

    /// Returns where a program is in the page of code; puts it there first.
    fn put(&mut self, program: &'static [u8]) -> Result<u64, Error> {
        let same = |put: &&'static [u8]| put.is_empty() || *put == program;
        let place = self.programs.iter().position(same).ok_or(Error::TableFull)?;
        let at = place as u64 * CODE_BYTES;
        if let Some(put) = self.programs.get_mut(place).filter(|put| put.is_empty()) {
            *put = program;
            self.code.write(at, program).map_err(Error::from)?;
        }
        Ok(at)
    }

    /// As [`World::thread`], with the handler for its faults or everything, and lets it run.
    ///
    /// # Errors
    /// Whatever the kernel refused.
    pub fn start(
        &mut self,
        program: &'static [u8],
        what: (Word, Registers),
        processor: u8,
        handling: Handling,
    ) -> Result<Thread, Error> {
        let thread = self.thread(self.space, program, what, processor)?;
        thread.set_handler(self.handler, 1, handling)?;
        thread.start()?;
        Ok(thread)
    }

    /// Returns a word of zero that nobody else has.
    pub fn word(&mut self) -> Word {
        self.taken += 1;
        Word(self.taken * 8)
    }

    /// Returns what a word is now.
    ///
    /// # Errors
    /// Whatever the kernel refused.
    pub fn read(&self, word: Word) -> Result<u64, Error> {
        first_word(self.words, word.0)
    }

    /// Waits until a word has grown.
    ///
    /// # Errors
    /// TimedOut: it does not.
    pub fn await_progress(&self, word: Word) -> Result<(), Error> {
        let (before, end) = (self.read(word)?, now().after_ms(LIMIT_MS));
        while self.read(word)? == before {
            if now() > end {
                return Err(Error::TimedOut);
            }
            self.sleep();
        }
        Ok(())
    }

    /// Returns whether a word stays as it is for a while.
    ///
    /// # Errors
    /// Whatever the kernel refused.
    pub fn rests(&self, word: Word) -> Result<bool, Error> {
        let before = self.read(word)?;
        self.sleep();
        Ok(self.read(word)? == before)
    }

    /// Leaves this processor to others for a moment.
    pub fn sleep(&self) {
        // Nobody signals it.
        let _ = self.never.wait(now().after_ns(200_000));
    }

    /// Receives what a thread's handler gets.
    ///
    /// # Errors
    /// TimedOut: nothing comes; InvalidArgument: something else.
    pub fn receive(&mut self) -> Result<Foreign, Error> {
        match self.inbox.receive(now().after_ms(LIMIT_MS))? {
            Event::Foreign(foreign) => Ok(foreign),
            Event::Request(_) | Event::Notified(_) | Event::Cancelled(_) => {
                Err(Error::InvalidArgument)
            }
        }
    }

    /// Answers a thread with a value for rax, and does not wait.
    pub fn answer(&mut self, call: OpenCall, value: u64) {
        let message = Message::new(0, [value, 0, 0, 0, 0, 0]);
        // There is one thread at a time, so that nothing else has arrived.
        let _ = self.inbox.reply_receive(call, &message, Time::NEVER_WAIT);
    }
}

impl Word {
    /// Returns its address in the threads' space.
    pub fn address(self) -> u64 {
        WORDS_AT + self.0
    }
}

/// Returns a word of a memory object.
///
/// # Errors
/// Whatever the kernel refused.
pub fn first_word(memory: Memory, offset: u64) -> Result<u64, Error> {
    let mut bytes = [0; 8];
    memory.read(offset, &mut bytes).map_err(Error::from)?;
    Ok(u64::from_le_bytes(bytes))
}
