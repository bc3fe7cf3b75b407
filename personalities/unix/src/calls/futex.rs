//! Futexes: waiting for a word of memory to change.
//!
//! Those that name their owner are in `inheriting`; moving waiters between them and others
//! (`FUTEX_CMP_REQUEUE_PI`) is refused as by a kernel that is built without it.

pub(crate) mod inheriting;

use crate::Errno;
use crate::context::{Context, Stop, Wait};
use crate::futex::Key;
use crate::linux::flags::futex;
use crate::memory::{PAGE, Sharing};
use crate::process::Pid;
use crate::unix::Unix;

/// All bits: who waits without any is woken by all.
const ALL: u32 = u32::MAX;
/// The end of user space (x86-64, `TASK_SIZE_MAX`).
const USER_END: u64 = 0x7fff_ffff_f000;
/// How often an operation on a word is tried that others change meanwhile.
const TRIES: usize = 100;

/// Returns what names a futex for all who can reach it: its memory object and the place there
/// where memory is shared, else the address space and the address.
pub fn key_of(unix: &Unix, pid: Pid, address: u64) -> Key {
    let Some(mm) = unix.processes.get(&pid).and_then(|process| process.mm.clone()) else {
        return Key(0, address);
    };
    let mm = mm.borrow();
    match mm.region_at(address) {
        Some(region) if region.sharing == Sharing::Shared => {
            let offset = region.page_at(address) * PAGE + address % PAGE;
            Key(u64::from(region.backing.memory().0.0), offset)
        }
        // Spaces and memory objects are numbered by the same table.
        _ => Key(u64::from(mm.space().0.0), address),
    }
}

/// futex(2)
pub fn futex(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [address, operation, value, _, _, bits] = context.words;
    let operation = operation & 0xffff_ffff;
    let command = operation & !(futex::PRIVATE | futex::REAL_TIME);
    let timed = [futex::WAIT_BITSET, futex::LOCK_PI2];
    if operation & futex::REAL_TIME != 0 && !timed.contains(&command) {
        return Err(Errno::ENOSYS.into());
    }
    let bits = bits as u32;
    match command {
        futex::WAIT => wait(context, ALL),
        futex::WAIT_BITSET => wait(context, bits),
        futex::WAKE | futex::WAKE_BITSET => {
            let bits = if command == futex::WAKE { ALL } else { bits };
            if bits == 0 {
                return Err(Errno::EINVAL.into());
            }
            let key = key(context, address)?;
            Ok(context.unix.wake_futex(key, at_least_one(value), bits))
        }
        futex::REQUEUE | futex::CMP_REQUEUE => requeue(context, command),
        futex::WAKE_OP => wake_op(context),
        futex::LOCK_PI | futex::LOCK_PI2 => inheriting::lock(context, operation),
        futex::TRYLOCK_PI => inheriting::try_lock(context),
        futex::UNLOCK_PI => inheriting::unlock(context),
        _ => Err(Errno::ENOSYS.into()),
    }
}

/// Returns the key of an address that may be one of a futex.
fn key(context: &Context<'_>, address: u64) -> Result<Key, Errno> {
    if !address.is_multiple_of(4) {
        return Err(Errno::EINVAL);
    }
    if address >= USER_END {
        return Err(Errno::EFAULT);
    }
    Ok(key_of(context.unix, context.pid, address))
}

/// Returns how many a wake-up wakes: one, also where none are asked for (kernel/futex/waitwake.c).
fn at_least_one(value: u64) -> usize {
    usize::try_from(value as i32).unwrap_or(1).max(1)
}

/// Returns a number of threads of a requeue.
fn number(value: u64) -> Result<usize, Errno> {
    usize::try_from(value as i32).map_err(|_| Errno::EINVAL)
}

fn requeue(context: &mut Context<'_>, command: u64) -> Result<u64, Stop> {
    let [address, _, wakes, moves, target, expected] = context.words;
    let (wakes, moves) = (number(wakes)?, number(moves)?);
    let (from, to) = (key(context, address)?, key(context, target)?);
    if command == futex::CMP_REQUEUE && context.u32_in(address)? != expected as u32 {
        return Err(Errno::EAGAIN.into());
    }
    let woken = match wakes {
        0 => 0,
        wakes => context.unix.wake_futex(from, wakes, ALL),
    };
    Ok(woken + context.unix.requeue_futex(from, to, moves))
}

/// FUTEX_WAKE_OP: changes a second futex and wakes its waiters as well, if its old value says so.
fn wake_op(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [address, _, wakes, second_wakes, second, encoded] = context.words;
    let (from, to) = (key(context, address)?, key(context, second)?);
    let change = WakeOp(encoded as u32);
    let old = change_word(context, second, |old| change.apply(old))?;
    let also = change.says(old)?;
    let mut woken = context.unix.wake_futex(from, at_least_one(wakes), ALL);
    if also {
        woken += context.unix.wake_futex(to, at_least_one(second_wakes), ALL);
    }
    Ok(woken)
}

/// Changes a word of the caller's at once; returns what it was.
fn change_word(
    context: &mut Context<'_>,
    address: u64,
    change: impl Fn(u32) -> Result<u32, Errno>,
) -> Result<u32, Errno> {
    let mut old = context.u32_in(address)?;
    for _ in 0..TRIES {
        let call = context.call;
        let found = context.machine().compare_exchange(call, address, old, change(old)?)?;
        if found == old {
            return Ok(old);
        }
        old = found;
    }
    Err(Errno::EAGAIN)
}

/// What FUTEX_WAKE_OP does and asks (futex(2), "FUTEX_OP").
///
/// ```text
///   31..28 operation   27..24 comparison   23..12 operand   11..0 compared with
/// ```
#[derive(Clone, Copy)]
struct WakeOp(u32);

impl WakeOp {
    fn signed(self, shift: u32) -> i32 {
        // 12 bits with a sign.
        ((self.0 << (20 - shift)) as i32) >> 20
    }

    fn apply(self, old: u32) -> Result<u32, Errno> {
        const SHIFTED: u32 = 8;
        let (operation, operand) = (self.0 >> 28, self.signed(12) as u32);
        let operand = if operation & SHIFTED != 0 { 1 << (operand & 31) } else { operand };
        match operation & 7 {
            0 => Ok(operand),
            1 => Ok(old.wrapping_add(operand)),
            2 => Ok(old | operand),
            3 => Ok(old & !operand),
            4 => Ok(old ^ operand),
            _ => Err(Errno::ENOSYS),
        }
    }

    fn says(self, old: u32) -> Result<bool, Errno> {
        let (old, with) = (old as i32, self.signed(0));
        match self.0 >> 24 & 0xf {
            0 => Ok(old == with),
            1 => Ok(old != with),
            2 => Ok(old < with),
            3 => Ok(old <= with),
            4 => Ok(old > with),
            5 => Ok(old >= with),
            _ => Err(Errno::ENOSYS),
        }
    }
}

fn wait(context: &mut Context<'_>, bits: u32) -> Result<u64, Stop> {
    let [address, operation, value, timeout, ..] = context.words;
    if bits == 0 {
        return Err(Errno::EINVAL.into());
    }
    let deadline = match (context.deadline, timeout) {
        (Some(deadline), _) => Some(deadline),
        (None, 0) => None,
        (None, at) => Some(deadline(context, operation, at)?),
    };
    let waited = context.deadline.is_some();
    let now = context.machine().now();
    let is_late = deadline.is_some_and(|deadline| deadline <= now);
    if waited && is_late {
        return Err(Errno::ETIMEDOUT.into());
    }
    let key = key(context, address)?;
    if context.u32_in(address)? != value as u32 {
        return Err(Errno::EAGAIN.into());
    }
    if is_late {
        return Err(Errno::ETIMEDOUT.into());
    }
    context.unix.futexes.add(context.number, key, bits);
    Err(Stop::Wait(Wait { deadline, ..Wait::on(key.channel()) }))
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

/// Bytes of `struct robust_list_head` (linux/futex.h).
const HEAD_BYTES: u64 = 24;

/// set_robust_list(2)
pub fn set_robust_list(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [head, len, ..] = context.words;
    if len != HEAD_BYTES {
        return Err(Errno::EINVAL.into());
    }
    context.thread().robust_list = head;
    Ok(0)
}

/// get_robust_list(2)
pub fn get_robust_list(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [tid, head_at, len_at, ..] = context.words;
    let head = match tid as u32 {
        0 => context.own_thread().robust_list,
        tid => {
            let mut threads = context.unix.threads.values();
            let thread = threads.find(|thread| thread.tid == Pid(tid)).ok_or(Errno::ESRCH)?;
            let (head, owner) = (thread.robust_list, thread.pid);
            let own = context.own().credentials.clone();
            let other = context.unix.processes.get(&owner).ok_or(Errno::ESRCH)?;
            if own.user.effective != 0 && own.user.effective != other.credentials.user.real {
                return Err(Errno::EPERM.into());
            }
            head
        }
    };
    context.copy_out(len_at, &HEAD_BYTES.to_le_bytes())?;
    context.copy_out(head_at, &head.to_le_bytes())?;
    Ok(0)
}
