//! Barriers on all processors (membarrier).
//!
//! ```text
//!   caller:     stores ── membarrier ──────────────────────────────> loads
//!   processor:  ... loads, stores ... ── flush, in the kernel ── ...
//! ```
//!
//! A thread that runs executes from a page that is mapped. Where such pages are taken out of a
//! space's page tables, the kernel has every processor that runs in the space flush them and waits
//! for that, which is a barrier; who runs there next has passed the kernel's lock.

use alloc::rc::Rc;
use alloc::vec::Vec;

use crate::Errno;
use crate::context::{Context, Stop};
use crate::memory::{PAGE, STACK_TOP};

/// Commands of linux/membarrier.h.
mod command {
    pub const QUERY: u32 = 0;
    pub const GLOBAL: u32 = 1;
    pub const PRIVATE_EXPEDITED: u32 = 8;
    pub const REGISTER_PRIVATE_EXPEDITED: u32 = 16;
}

/// membarrier(2)
pub fn membarrier(context: &mut Context<'_>) -> Result<u64, Stop> {
    use command::{GLOBAL, PRIVATE_EXPEDITED, QUERY, REGISTER_PRIVATE_EXPEDITED};
    let [command, bits, ..] = context.words.map(|word| word as u32);
    if bits != 0 {
        return Err(Errno::EINVAL.into());
    }
    match command {
        QUERY => return Ok((GLOBAL | PRIVATE_EXPEDITED | REGISTER_PRIVATE_EXPEDITED).into()),
        GLOBAL => everywhere(context)?,
        PRIVATE_EXPEDITED => among_own(context)?,
        REGISTER_PRIVATE_EXPEDITED => context.mm()?.borrow_mut().register_barriers(),
        _ => return Err(Errno::EINVAL.into()),
    }
    Ok(0)
}

/// Has all threads of the process pass a barrier. The page with the caller's `syscall` was mapped
/// when it made the call: if it is not any more, somebody has had it flushed since.
fn among_own(context: &mut Context<'_>) -> Result<(), Errno> {
    let mm = context.mm()?;
    if !mm.borrow().has_registered_barriers() {
        return Err(Errno::EPERM);
    }
    let last = context.registers()?.rip.wrapping_sub(1);
    mm.borrow().barrier(context.machine(), last & !(PAGE - 1), 1)
}

/// Has all threads of all processes pass a barrier.
fn everywhere(context: &mut Context<'_>) -> Result<(), Errno> {
    let processes = context.unix.processes.values();
    let all: Vec<_> = processes.filter_map(|process| process.mm.as_ref().map(Rc::clone)).collect();
    all.iter().try_for_each(|mm| mm.borrow().barrier(context.machine(), 0, STACK_TOP / PAGE))
}
