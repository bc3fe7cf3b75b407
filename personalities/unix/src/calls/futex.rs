//! Futexes: waiting for a word of memory to change.

use crate::Errno;
use crate::context::{Context, Stop, Wait};
use crate::linux::flags::futex;
use crate::memory::{PAGE, Sharing};
use crate::process::Pid;
use crate::unix::Unix;
use crate::wake::Channel;

/// Returns what names a futex for all who can reach it: its memory object and the place there
/// where memory is shared, else the address space and the address.
pub fn channel_of(unix: &Unix, pid: Pid, address: u64) -> Channel {
    let Some(mm) = unix.processes.get(&pid).and_then(|process| process.mm.clone()) else {
        return Channel::Futex(0, address);
    };
    let mm = mm.borrow();
    match mm.region_at(address) {
        Some(region) if region.sharing == Sharing::Shared => {
            let offset = address - region.start + region.first_page * PAGE;
            Channel::Futex(u64::from(region.backing.memory().0.0), offset)
        }
        // Spaces and memory objects are numbered by the same table.
        _ => Channel::Futex(u64::from(mm.space().0.0), address),
    }
}

/// futex(2)
pub fn futex(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [address, operation, value, ..] = context.words;
    if address % 4 != 0 {
        return Err(Errno::EINVAL.into());
    }
    let channel = channel_of(context.unix, context.pid, address);
    match operation & !(futex::PRIVATE | futex::REAL_TIME) {
        futex::WAIT | futex::WAIT_BITSET => wait(context, channel),
        futex::WAKE | futex::WAKE_BITSET => Ok(context.unix.wake_futex(channel, value)),
        // All are woken where some would be moved to another futex: they look again themselves.
        futex::REQUEUE | futex::CMP_REQUEUE => requeue(context, channel),
        _ => Err(Errno::ENOSYS.into()),
    }
}

fn requeue(context: &mut Context<'_>, channel: Channel) -> Result<u64, Stop> {
    let [address, operation, _, _, _, expected] = context.words;
    let compares = operation & !(futex::PRIVATE | futex::REAL_TIME) == futex::CMP_REQUEUE;
    if compares && context.u32_in(address)? != expected as u32 {
        return Err(Errno::EAGAIN.into());
    }
    Ok(context.unix.wake_futex(channel, u64::MAX))
}

fn wait(context: &mut Context<'_>, channel: Channel) -> Result<u64, Stop> {
    let [address, operation, value, timeout, ..] = context.words;
    let deadline = match (context.deadline, timeout) {
        (Some(deadline), _) => Some(deadline),
        (None, 0) => None,
        (None, at) => Some(deadline(context, operation, at)?),
    };
    if context.u32_in(address)? != value as u32 {
        return Err(Errno::EAGAIN.into());
    }
    let now = context.machine().now();
    if deadline.is_some_and(|deadline| deadline <= now) {
        return Err(Errno::ETIMEDOUT.into());
    }
    Err(Stop::Wait(Wait { deadline, ..Wait::on(channel) }))
}

/// Returns when a wait ends: WAIT's time is relative, WAIT_BITSET's absolute.
fn deadline(context: &mut Context<'_>, operation: u64, at: u64) -> Result<u64, Errno> {
    let time = super::time::duration_in(context, at)?;
    let is_absolute = operation & !(futex::PRIVATE | futex::REAL_TIME) == futex::WAIT_BITSET;
    if !is_absolute {
        return Ok(context.machine().now().saturating_add(time));
    }
    if operation & futex::REAL_TIME != 0 {
        return Ok(time.saturating_sub(context.machine().boot_time()));
    }
    Ok(time)
}
