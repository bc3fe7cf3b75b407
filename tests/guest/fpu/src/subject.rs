//! A thread whose registers are looked at.

use alloc::vec;
use alloc::vec::Vec;

use libipc::abi::{Kind, PAGE_SIZE, boot};
use libipc::{
    Endpoint, Error, Event, Handle, Handling, Inbox, Memory, Object, Quota, Registers, Rights,
    Space, Table, Thread, now,
};

use crate::code::{Entry, NUMBERS, VECTORS, code};

/// Where the memory of a thread is: a page of code, one for the pattern, two for what it saves.
const AT: u64 = 0x40_0000;
const PAGE: u64 = PAGE_SIZE as u64;
const PATTERN: u64 = PAGE;
const AREA: u64 = 2 * PAGE;
const PAGES: u64 = 4;

/// What XSAVE stores (Intel SDM 1 13.4): MXCSR, and where registers lie.
const MXCSR: usize = 24;
const X87: usize = 32;
const SSE: usize = 160;
const AVX: usize = 576;
/// MXCSR after reset (Intel SDM 1 10.2.3).
const INITIAL_MXCSR: u32 = 0x1f80;

/// A thread with a space of its own.
#[derive(Debug)]
pub struct Subject {
    /// What all of it is charged to.
    quota: Quota,
    space: Space,
    table: Table,
    memory: Memory,
    thread: Thread,
    faults: Endpoint,
}

/// What a thread saved.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Saved(Vec<u8>);

impl Saved {
    /// Returns whether these are the registers of a thread that has loaded none.
    pub fn is_initial(&self) -> bool {
        let mxcsr = self.0[MXCSR..][..4].try_into().map_or(0, u32::from_le_bytes);
        let registers = self.0[X87..SSE + 256].iter().chain(&self.0[AVX..AVX + 256]);
        mxcsr == INITIAL_MXCSR && registers.copied().all(|byte| byte == 0)
    }

    /// Returns whether these are the registers that the pattern of that number loads.
    pub fn shows(&self, number: u8) -> bool {
        let wanted = pattern(number);
        let halves = (0..16).all(|register| {
            let (low, high) = wanted[register * 32..][..32].split_at(16);
            self.0[SSE + register * 16..].starts_with(low)
                && self.0[AVX + register * 16..].starts_with(high)
        });
        // The significand of a number that is 1.something times a power of two: its upper bits.
        let x87 = (0..NUMBERS).all(|place| {
            let number = &wanted[VECTORS + (NUMBERS - 1 - place) * 8..][..8];
            let bits = number.try_into().map_or(0, u64::from_le_bytes);
            let significand = 1 << 63 | bits << 11;
            self.0[X87 + place * 16..].starts_with(&u64::to_le_bytes(significand))
        });
        halves && x87
    }
}

/// Returns bytes to load: no two registers alike, no byte 0, normal numbers for the x87.
fn pattern(number: u8) -> Vec<u8> {
    let byte = |at: usize| (at as u8).wrapping_mul(7).wrapping_add(number) | 1;
    let mut bytes: Vec<u8> = (0..VECTORS).map(byte).collect();
    for place in 0..NUMBERS as u64 {
        let fraction = ((u64::from(number) << 32) | (0x1234_5678 + place)) & ((1 << 52) - 1);
        bytes.extend((0x3ff << 52 | fraction).to_le_bytes());
    }
    bytes
}

impl Subject {
    /// Makes a thread that has `endpoint` in slot 8 of its table.
    ///
    /// # Errors
    /// What the kernel refused.
    pub fn new(endpoint: Endpoint) -> Result<Subject, Error> {
        let quota = Quota(boot::QUOTA).create_quota(64, 48)?;
        let (space, table) = (quota.create_space()?, quota.create_table(16)?);
        let memory = quota.create_memory(PAGES)?;
        memory.write(0, &code()).map_err(Error::from)?;
        let (read, write) = (Rights::READ, Rights::READ.union(Rights::WRITE));
        space.map(memory, 0, AT, 1, read.union(Rights::EXECUTE))?;
        space.map(memory, 1, AT + PAGE, PAGES - 1, write)?;
        endpoint.mint_to(table, Rights::ALL, 0, Handle(8))?;
        let faults = quota.create_endpoint()?;
        let thread = quota.create_thread(space, Some(table))?;
        let subject = Subject { quota, space, table, memory, thread, faults };
        subject.prepare()?;
        Ok(subject)
    }

    fn prepare(&self) -> Result<(), Error> {
        self.thread.set_priority(8)?;
        self.thread.set_handler(self.faults, 1, Handling::Faults)
    }

    /// Replaces the thread by a new one, which gets its slot.
    ///
    /// # Errors
    /// What the kernel refused.
    pub fn renew(&mut self) -> Result<(), Error> {
        self.thread.destroy()?;
        self.thread.delete()?;
        self.thread = self.quota.create_thread(self.space, Some(self.table))?;
        self.prepare()
    }

    /// Lets the thread begin somewhere, with an operation's registers, and a pattern to load.
    ///
    /// # Errors
    /// What the kernel refused.
    pub fn go(&self, entry: Entry, operation: u64, target: u64, number: u8) -> Result<(), Error> {
        self.memory.write(PATTERN, &pattern(number)).map_err(Error::from)?;
        self.memory.write(AREA, &vec![0; 1024]).map_err(Error::from)?;
        self.thread.stop()?;
        let registers = Registers {
            rip: AT + entry as u64,
            rax: operation,
            r12: target,
            r14: libipc::abi::FOREVER,
            rdi: AT + PATTERN,
            rsi: AT + AREA,
            ..Registers::default()
        };
        self.thread.write_registers(&registers)?;
        self.thread.start()
    }

    /// Waits until the thread has come to its end; returns its r12, and what it saved.
    ///
    /// # Errors
    /// TimedOut where it does not come; InvalidArgument where it met something else.
    pub fn finish(&self) -> Result<(u64, Saved), Error> {
        let mut inbox = Inbox::new(self.faults);
        let fault = loop {
            match inbox.receive(now().after_ms(1000))? {
                Event::Foreign(fault) => break fault,
                // That of the fault at which it was stopped.
                Event::Cancelled(_) => {}
                Event::Notified(_) | Event::Request(_) => {
                    return Err(Error::InvalidArgument);
                }
            }
        };
        if fault.kind != Kind::Exception || fault.number != 6 {
            libipc::log!("met exception {} at {:x?}", fault.number, fault.words);
            return Err(Error::InvalidArgument);
        }
        let registers = fault.caller.call.read_registers()?;
        let mut bytes = vec![0; 1024];
        self.memory.read(AREA, &mut bytes).map_err(Error::from)?;
        Ok((registers.r12, Saved(bytes)))
    }
}
