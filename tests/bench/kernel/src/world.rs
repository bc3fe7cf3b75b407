//! The two address spaces of the benchmark, and threads in them.
//!
//! ```text
//!   own space        the first task: rows are measured here unless they say otherwise
//!   second space     this program's own file loaded a second time, at the same addresses
//!   both             one capability table, so that a handle means the same everywhere;
//!                    raw::SHARED_AT: pages that both see
//! ```

use kamen_kit::elf::Executable;
use libipc::abi::{PAGE_SIZE, boot};
use libipc::{Endpoint, Error, Handle, Handling, Memory, Notification, Object, Quota, Registers};
use libipc::{Rights, Space, Table, Thread};

use crate::measure::calibrate;
use crate::raw;

/// Where threads' stacks and message pages begin, in whatever space.
const THREADS_AT: u64 = 0x4000_0000_0000;
/// Pages of a stack; the message page follows.
const STACK_PAGES: u64 = 4;
/// Pages between two threads.
const STRIDE_PAGES: u64 = 16;
const PAGE: u64 = PAGE_SIZE as u64;
const READ_WRITE: Rights = Rights::READ.union(Rights::WRITE);

/// What a thread of the benchmark runs; its arguments are handles and addresses.
pub type Entry = extern "C" fn(u64, u64, u64) -> !;

/// Which space a thread is of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// The first task's.
    Own,
    /// The second.
    Second,
}

/// The spaces, and what is shared.
pub struct World {
    /// What pays.
    pub quota: Quota,
    /// The second space.
    pub second: Space,
    /// This program's code, from its first page on: the object, address and pages.
    pub code: (Memory, u64, u64),
    /// Signalled by threads that have measured something.
    pub done: Notification,
    threads: u64,
}

impl World {
    /// Makes the second space from this program's own file.
    ///
    /// # Errors
    /// InvalidArgument: the file is no program; whatever the kernel refused.
    pub fn new(image: &[u8]) -> Result<World, Error> {
        let quota = Quota(boot::QUOTA);
        let second = quota.create_space()?;
        let shared = quota.create_memory(raw::SHARED_PAGES as u64)?;
        for space in [Space(boot::SPACE), second] {
            let pages = raw::SHARED_PAGES as u64;
            space.map(shared, 0, raw::SHARED_AT as u64, pages, READ_WRITE)?;
        }
        let code = load(quota, second, image)?;
        let done = quota.create_notification()?;
        calibrate();
        Ok(World { quota, second, code, done, threads: 0 })
    }

    /// Starts a thread, which no handler watches: one that faults stops for good.
    ///
    /// # Errors
    /// Whatever the kernel refused.
    pub fn spawn(&mut self, at: Where, entry: Entry, arguments: [u64; 2]) -> Result<Thread, Error> {
        let thread = self.prepare(at, entry, arguments)?;
        thread.start()?;
        Ok(thread)
    }

    /// Starts a thread whose handler is `server`.
    ///
    /// # Errors
    /// Whatever the kernel refused.
    pub fn spawn_handled(
        &mut self,
        at: Where,
        entry: Entry,
        arguments: [u64; 2],
        (server, what): (Endpoint, Handling),
    ) -> Result<Thread, Error> {
        let thread = self.prepare(at, entry, arguments)?;
        thread.set_handler(server, 1, what)?;
        thread.start()?;
        Ok(thread)
    }

    /// Returns a stopped thread of the caller's priority with a stack and a message page, whose
    /// address is its third argument.
    ///
    /// # Errors
    /// Whatever the kernel refused.
    pub fn prepare(
        &mut self,
        at: Where,
        entry: Entry,
        arguments: [u64; 2],
    ) -> Result<Thread, Error> {
        let space = match at {
            Where::Own => Space(boot::SPACE),
            Where::Second => self.second,
        };
        let stack = THREADS_AT + self.threads * STRIDE_PAGES * PAGE;
        self.threads += 1;
        let memory = self.quota.create_memory(STACK_PAGES + 1)?;
        space.map(memory, 0, stack, STACK_PAGES + 1, READ_WRITE)?;
        let thread = self.quota.create_thread(space, Some(Table(boot::TABLE)))?;
        thread.set_message_page(memory, STACK_PAGES)?;
        thread.set_priority(TOP)?;
        let page = stack + STACK_PAGES * PAGE;
        thread.write_registers(&registers(entry, [arguments[0], arguments[1], page], page))?;
        Ok(thread)
    }
}

/// Priority of all threads that have no other; the first task's own.
pub const TOP: u8 = libipc::abi::PRIORITIES as u8 - 1;

/// Returns registers with which a function begins, on a stack that ends at `stack_end`.
pub fn registers(entry: Entry, arguments: [u64; 3], stack_end: u64) -> Registers {
    let [rdi, rsi, rdx] = arguments;
    let rip = entry as usize as u64;
    // As after a call: 8 below a multiple of 16.
    let (rsp, rflags) = (stack_end - 8, Registers::FIXED_FLAGS);
    Registers { rip, rsp, rdi, rsi, rdx, rflags, ..Registers::default() }
}

/// Returns the number of an object's handle.
pub fn number(object: impl Object) -> u64 {
    let Handle(number) = object.handle();
    number.into()
}

/// Loads the file into a space; returns where its code is.
fn load(quota: Quota, space: Space, image: &[u8]) -> Result<(Memory, u64, u64), Error> {
    let malformed = Error::InvalidArgument;
    let program = Executable::parse(image, image.len() as u64).map_err(|_| malformed)?;
    let mut code = None;
    for segment in &program.segments {
        let (address, pages) = (segment.first_page(), segment.pages());
        let from = segment.file_offset as usize;
        let bytes = image.get(from..from + segment.file_len as usize).ok_or(malformed)?;
        let memory = quota.create_memory(pages)?;
        memory.write(segment.address - address, bytes)?;
        let rights = match (segment.access.write, segment.access.execute) {
            (true, _) => READ_WRITE,
            (false, true) => Rights::READ.union(Rights::EXECUTE),
            (false, false) => Rights::READ,
        };
        space.map(memory, 0, address, pages, rights)?;
        if segment.access.execute {
            code = Some((memory, address, pages));
        }
    }
    code.ok_or(malformed)
}
