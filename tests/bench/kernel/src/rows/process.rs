//! A process from its creation to its end: one thread, 16 pages.
//!
//! Created under a quota of its own: space, capability table, thread, a memory object of 16 pages,
//! this program's code mapped beside it, one capability. It runs, touches its pages, and makes
//! its last call to whoever started it, who destroys the quota with all that it paid for.

use libipc::abi::{PAGE_SIZE, WORDS, boot};
use libipc::{Error, Kind, Object, Quota, Rights, Tag};

use crate::measure::row;
use crate::raw;
use crate::world::{self, World, number};

/// Processes of a sample.
const BATCH: u64 = 10;
/// Pages that a process touches.
const PAGES: u64 = 16;
/// Where they lie; the stack ends with the last one.
const AT: u64 = 0x4800_0000_0000;
/// What its quota may hold: the pages, page tables, capability table; and the objects.
const QUOTA: (u64, u64) = (48, 32);
/// Slots of its table.
const SLOTS: u16 = 8;
/// What the process says last.
const FAREWELL: u64 = 42;

/// See above.
pub fn process(world: &mut World) -> Result<(), Error> {
    let endpoint = world.quota.create_endpoint()?;
    let mut result = Ok(());
    let life = || {
        result = result.and_then(|()| {
            let quota = world.quota.create_quota(QUOTA.0, QUOTA.1)?;
            start(world, quota, endpoint)?;
            if last_call(number(endpoint))? != FAREWELL {
                return Err(Error::InvalidOperation);
            }
            quota.destroy()?;
            quota.delete()
        });
    };
    row("process", BATCH, life);
    endpoint.destroy()?;
    result
}

/// Receives the last call of a process and returns its first word. Before it comes the notice that
/// the one before it ended unanswered, as its caller was destroyed.
fn last_call(endpoint: u64) -> Result<u64, Error> {
    loop {
        let received = raw::reply_receive(0, 0, [0; WORDS], endpoint);
        Error::check(received.status)?;
        if Tag(received.tag).kind() == Kind::Message {
            return Ok(received.words[0]);
        }
    }
}

/// Makes a process that a quota pays for, and starts it.
fn start(world: &World, quota: Quota, parent: libipc::Endpoint) -> Result<(), Error> {
    let space = quota.create_space()?;
    let table = quota.create_table(SLOTS)?;
    let thread = quota.create_thread(space, Some(table))?;
    let memory = quota.create_memory(PAGES)?;
    let (code, address, pages) = world.code;
    space.map(code, 0, address, pages, Rights::READ.union(Rights::EXECUTE))?;
    space.map(memory, 0, AT, PAGES, Rights::READ.union(Rights::WRITE))?;
    let exit = parent.mint_to(table, Rights::SEND, 0, boot::QUOTA)?;
    let end = AT + PAGES * PAGE_SIZE as u64;
    thread.write_registers(&world::registers(live, [exit.0.into(), AT, PAGES], end))?;
    thread.set_priority(world::TOP)?;
    thread.start()?;
    memory.delete()?;
    thread.delete()?;
    table.delete()?;
    space.delete()
}

/// The process: touches its pages, and says farewell.
extern "C" fn live(exit: u64, at: u64, pages: u64) -> ! {
    for page in 0..pages {
        raw::touch(at + page * PAGE_SIZE as u64);
    }
    loop {
        raw::call_words(exit, 0, [FAREWELL, 0, 0, 0, 0, 0]);
    }
}
