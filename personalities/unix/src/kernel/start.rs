//! The personality made from the capabilities that its program starts with.

use alloc::boxed::Box;

use libipc::abi::boot;
use libipc::start::Start;
use libipc::{Endpoint, Error, Mapping, Memory, Notification, Object, Quota, Rights, Thread};
use protocols::clock::ClockClient;
use protocols::system::SystemClient;

use crate::kept::Kept;
use crate::kernel::machine::{KernelMachine, program_quota};
use crate::kernel::published::files;
use crate::kernel::servers::{Capabilities, RemoteServers};
use crate::unix::{Unix, event};

/// Returns the personality that answers calls on `own` and has its files from `file`;
/// `heap` tells how many bytes of the heap are in use.
///
/// # Errors
/// QuotaExhausted, TableFull: the server has too little of its own.
pub fn personality(
    start: &Start,
    own: Endpoint,
    file: Endpoint,
    heap: fn() -> usize,
) -> Result<Unix, Error> {
    let quota = Quota(boot::QUOTA);
    let events = match start.find::<Notification>("events") {
        Some(events) => events,
        None => quota.create_notification()?,
    };
    Thread(boot::THREAD).bind(events)?;
    let reporter = |badge| -> Result<Notification, Error> {
        events.mint(Rights::SEND.union(Rights::GRANT), badge)
    };
    let capabilities = Capabilities {
        own,
        console: start.find("console"),
        process: start.find("process"),
        system: start.find("system"),
        stream_events: reporter(event::STREAM)?,
        native_events: reporter(event::NATIVE)?,
        console_events: reporter(0)?,
    };
    let timer = quota.create_timer(events, event::TIMER)?;
    let clock = start.find("clock").map(ClockClient::new);
    let system = start.find("system").map(SystemClient::new);
    let machine = KernelMachine::new(program_quota(quota), own, timer, clock, system, heap);
    let servers = RemoteServers::new(capabilities);
    Ok(Unix::new(Box::new(machine), files(file), Box::new(servers), kept(start)?))
}

/// Returns the tables. The programs of an earlier life have ended with it, as what they consist of
/// is not kept yet: what it kept of them is given up.
fn kept(start: &Start) -> Result<Kept, Error> {
    let Some(memory) = start.find::<Memory>("tables") else { return Ok(Kept::in_own_memory()) };
    let memory = Box::leak(Box::new(Mapping::new(memory)?));
    let (kept, _) = Kept::open(memory.bytes_mut()).map_err(|_| Error::OutOfMemory)?;
    kept.clear();
    Ok(kept)
}
