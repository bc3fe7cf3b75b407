//! A thread that touches page after page, each in a page table of its own, until one is refused.

use libipc::abi::{Kind, boot};
use libipc::{Endpoint, Error, Event, Handling, Inbox, Object, Quota, Registers, Rights, Time};

/// What the thread executes: `mov rax, [rdi]; add rdi, rsi; jmp` back.
const CODE: [u8; 8] = [0x48, 0x8b, 0x07, 0x48, 0x01, 0xf7, 0xeb, 0xf8];
const CODE_AT: u64 = 0x40_0000;
/// Where it walks, how far apart its steps are, and the pages of what is there.
const AT: u64 = 1 << 40;
const STRIDE: u64 = 1 << 21;
const PAGES: u64 = 1 << 25;
const _: () = assert!(boot::ARCHIVE_AT as u64 > AT);

/// Lets a thread walk as far as a quota allows; returns its steps.
///
/// # Errors
/// What the kernel refused, QuotaExhausted where the thread could not be made.
pub fn walk(quota: Quota, faults: Endpoint) -> Result<u64, Error> {
    let space = quota.create_space()?;
    let code = quota.create_memory(1)?;
    code.write(0, &CODE).map_err(Error::from)?;
    let memory = quota.create_memory(PAGES)?;
    space.map(code, 0, CODE_AT, 1, Rights::READ.union(Rights::EXECUTE))?;
    space.map(memory, 0, AT, PAGES, Rights::READ)?;
    let thread = quota.create_thread(space, None)?;
    thread.set_priority(1)?;
    thread.set_handler(faults, 1, Handling::Faults)?;
    let (rip, rdi, rsi) = (CODE_AT, AT, STRIDE);
    thread.write_registers(&Registers { rip, rdi, rsi, ..Registers::default() })?;
    thread.start()?;
    for handle in [space.handle(), code.handle(), memory.handle(), thread.handle()] {
        libipc::Memory(handle).delete()?;
    }
    let mut inbox = Inbox::new(faults);
    loop {
        match inbox.receive(Time::FOREVER)? {
            // The call stays open.
            Event::Foreign(fault) if fault.kind == Kind::Exception => {
                let walked = fault.caller.call.read_registers()?.rdi - AT;
                return Ok(walked / STRIDE);
            }
            _ => {}
        }
    }
}
