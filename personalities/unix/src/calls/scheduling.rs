//! How processes want to be scheduled: nice values, policies, processors, I/O priorities.
//!
//! What is asked for is kept, checked and told as on Linux; the kernel's priorities stay as they
//! are. Real-time policies are refused, as to a process without the right to them (sched(7)).

use crate::Errno;
use crate::context::{Context, Stop};
use crate::credentials::Capability;
use crate::linux::structures::Fields;
use crate::process::{Pid, Policy, Process, Resource};

/// `SCHED_RESET_ON_FORK` (linux/sched.h).
const RESET_ON_FORK: u32 = 0x4000_0000;
/// `SCHED_FIFO` (linux/sched.h).
const FIFO: u32 = 1;
/// `SCHED_RR`.
const ROUND_ROBIN: u32 = 2;
/// `SCHED_DEADLINE`.
const DEADLINE: u32 = 6;
/// Length of a turn, in ns: what sched_rr_get_interval(2) tells of ordinary processes at 100 Hz.
const TURN: u64 = 10_000_000;

fn policy_of(number: u32) -> Result<Policy, Errno> {
    match number {
        0 => Ok(Policy::Other),
        3 => Ok(Policy::Batch),
        5 => Ok(Policy::Idle),
        FIFO | ROUND_ROBIN | DEADLINE => Err(Errno::EPERM),
        _ => Err(Errno::EINVAL),
    }
}

/// Returns the process that an argument names: 0 is the caller, threads stand for their process.
fn named(context: &mut Context<'_>, argument: u64) -> Result<Pid, Errno> {
    let id = Pid(argument as u32);
    if id.0 == 0 {
        return Ok(context.pid);
    }
    if (id.0 as i32) < 0 {
        return Err(Errno::EINVAL);
    }
    if context.unix.processes.contains_key(&id) {
        return Ok(id);
    }
    let thread = context.unix.threads.values().find(|thread| thread.tid == id);
    thread.map(|thread| thread.pid).ok_or(Errno::ESRCH)
}

/// Checks that the caller may change how another process is scheduled.
fn may_change(context: &mut Context<'_>, pid: Pid) -> Result<(), Errno> {
    let who = context.own().credentials.clone();
    let other = &context.unix.processes.get(&pid).ok_or(Errno::ESRCH)?.credentials.user;
    let mine = who.user.effective;
    let is_own = mine == other.real || mine == other.effective;
    if is_own || who.can(Capability::Nice) { Ok(()) } else { Err(Errno::EPERM) }
}

/// Returns the processes that getpriority(2) and its relatives speak of.
fn selected(
    context: &mut Context<'_>,
    which: u64,
    who: u64,
) -> Result<alloc::vec::Vec<Pid>, Errno> {
    const PROCESS: u32 = 0;
    const GROUP: u32 = 1;
    const USER: u32 = 2;
    let who = who as u32;
    if which as u32 == PROCESS {
        return Ok(alloc::vec![named(context, who.into())?]);
    }
    let (group, user) = (context.own().group.0, context.own().credentials.user.real);
    let wanted = |process: &&Process| match which as u32 {
        GROUP => process.group.0 == if who == 0 { group } else { who },
        _ => process.credentials.user.real == if who == 0 { user } else { who },
    };
    if !matches!(which as u32, GROUP | USER) {
        return Err(Errno::EINVAL);
    }
    let found = context.unix.processes.values().filter(wanted).filter(|one| !one.is_zombie());
    let found: alloc::vec::Vec<_> = found.map(|process| process.pid).collect();
    if found.is_empty() { Err(Errno::ESRCH) } else { Ok(found) }
}

/// getpriority(2): the lowest nice value, as 20 less it.
pub fn getpriority(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [which, who, ..] = context.words;
    let mut best = 0;
    for pid in selected(context, which, who)? {
        let process = context.unix.processes.get(&pid).ok_or(Errno::ESRCH)?;
        best = best.max((20 - i64::from(process.settings.nice)) as u64);
    }
    Ok(best)
}

/// setpriority(2)
pub fn setpriority(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [which, who, nice, ..] = context.words;
    let nice = (nice as i32).clamp(-20, 19) as i8;
    let may_raise = context.own().credentials.can(Capability::Nice);
    for pid in selected(context, which, who)? {
        may_change(context, pid)?;
        let process = context.unix.processes.get_mut(&pid).ok_or(Errno::ESRCH)?;
        let least = 20i64.saturating_sub_unsigned(process.limits.soft(Resource::Nice).min(40));
        if nice < process.settings.nice && !may_raise && i64::from(nice) < least {
            return Err(Errno::EACCES.into());
        }
        process.settings.nice = nice;
    }
    Ok(0)
}

/// sched_getscheduler(2)
pub fn getscheduler(context: &mut Context<'_>) -> Result<u64, Stop> {
    let pid = named(context, context.words[0])?;
    let settings = *context.unix.processes.get(&pid).ok_or(Errno::ESRCH)?.settings;
    let reset = if settings.resets_on_fork { RESET_ON_FORK } else { 0 };
    Ok(u64::from(settings.policy as u32 | reset))
}

/// sched_setscheduler(2)
pub fn setscheduler(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [pid, policy, parameters, ..] = context.words;
    let pid = named(context, pid)?;
    let priority = context.u32_in(parameters)?;
    set_policy(context, pid, policy as u32, priority)
}

fn set_policy(context: &mut Context<'_>, pid: Pid, word: u32, priority: u32) -> Result<u64, Stop> {
    let number = word & !RESET_ON_FORK;
    let needs_priority = matches!(number, FIFO | ROUND_ROBIN);
    if needs_priority != (1..=99).contains(&priority) || priority > 99 {
        return Err(Errno::EINVAL.into());
    }
    let policy = policy_of(number)?;
    may_change(context, pid)?;
    let process = context.unix.processes.get_mut(&pid).ok_or(Errno::ESRCH)?;
    process.settings.policy = policy;
    process.settings.resets_on_fork = word & RESET_ON_FORK != 0;
    Ok(0)
}

/// sched_getparam(2): ordinary policies have priority 0.
pub fn getparam(context: &mut Context<'_>) -> Result<u64, Stop> {
    named(context, context.words[0])?;
    let address = context.words[1];
    if address == 0 {
        return Err(Errno::EINVAL.into());
    }
    context.copy_out(address, &0u32.to_le_bytes())?;
    Ok(0)
}

/// sched_setparam(2)
pub fn setparam(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [pid, address, ..] = context.words;
    if address == 0 {
        return Err(Errno::EINVAL.into());
    }
    let priority = context.u32_in(address)?;
    let pid = named(context, pid)?;
    may_change(context, pid)?;
    if priority == 0 { Ok(0) } else { Err(Errno::EINVAL.into()) }
}

/// sched_getattr(2): `struct sched_attr`, linux/sched/types.h, 56 bytes.
pub fn getattr(context: &mut Context<'_>) -> Result<u64, Stop> {
    const BYTES: u64 = 56;
    const FIRST_BYTES: u64 = 48;
    let [pid, address, len, flags, ..] = context.words;
    if address == 0 || flags != 0 || !(FIRST_BYTES..=4096).contains(&u64::from(len as u32)) {
        return Err(Errno::EINVAL.into());
    }
    let pid = named(context, pid)?;
    let settings = *context.unix.processes.get(&pid).ok_or(Errno::ESRCH)?.settings;
    let len = u64::from(len as u32).min(BYTES);
    let fields = Fields::default().u32(len as u32).u32(settings.policy as u32);
    let fields = fields.u64(settings.resets_on_fork.into());
    let bytes = fields.u32(i32::from(settings.nice) as u32).zeros_to(len as usize).0;
    context.copy_out(address, &bytes)?;
    Ok(0)
}

/// sched_setattr(2)
pub fn setattr(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [pid, address, flags, ..] = context.words;
    if address == 0 || flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    let bytes: [u8; 24] = context.array_in(address)?;
    let word =
        |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    if !matches!(word(0), 0 | 48..=4096) || word(8) & !1 != 0 {
        return Err(Errno::EINVAL.into());
    }
    let nice = (word(16) as i32).clamp(-20, 19) as i8;
    let pid = named(context, pid)?;
    let may_raise = context.own().credentials.can(Capability::Nice);
    let current = context.unix.processes.get(&pid).ok_or(Errno::ESRCH)?.settings.nice;
    if nice < current && !may_raise {
        return Err(Errno::EPERM.into());
    }
    let reset = if word(8) & 1 != 0 { RESET_ON_FORK } else { 0 };
    set_policy(context, pid, word(4) | reset, word(20))?;
    context.unix.processes.get_mut(&pid).ok_or(Errno::ESRCH)?.settings.nice = nice;
    Ok(0)
}

/// sched_get_priority_max(2)
pub fn priority_max(context: &mut Context<'_>) -> Result<u64, Stop> {
    priority_bound(context.words[0] as u32, 99)
}

/// sched_get_priority_min(2)
pub fn priority_min(context: &mut Context<'_>) -> Result<u64, Stop> {
    priority_bound(context.words[0] as u32, 1)
}

fn priority_bound(policy: u32, of_real_time: u64) -> Result<u64, Stop> {
    match policy {
        FIFO | ROUND_ROBIN => Ok(of_real_time),
        0 | 3 | 5 | DEADLINE => Ok(0),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// sched_rr_get_interval(2)
pub fn rr_interval(context: &mut Context<'_>) -> Result<u64, Stop> {
    named(context, context.words[0])?;
    let address = context.words[1];
    context.copy_out(address, &Fields::default().time(TURN).0)?;
    Ok(0)
}

/// sched_getaffinity(2): one processor.
pub fn getaffinity(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [pid, len, address, ..] = context.words;
    if len < 8 || !len.is_multiple_of(8) {
        return Err(Errno::EINVAL.into());
    }
    named(context, pid)?;
    context.copy_out(address, &1u64.to_le_bytes())?;
    Ok(8)
}

/// sched_setaffinity(2): all sets are the same that have the one processor in them.
pub fn setaffinity(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [pid, len, address, ..] = context.words;
    let mut mask = [0; 8];
    let len = (len as usize).min(mask.len());
    context.copy_in(address, &mut mask[..len])?;
    let pid = named(context, pid)?;
    may_change(context, pid)?;
    if mask[0] & 1 == 0 { Err(Errno::EINVAL.into()) } else { Ok(0) }
}

/// ioprio_get(2)
pub fn ioprio_get(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [which, who, ..] = context.words;
    // Its selectors are those of getpriority(2), from 1 on.
    let mut best: Option<u16> = None;
    for pid in selected(context, which.wrapping_sub(1), who)? {
        let set = context.unix.processes.get(&pid).ok_or(Errno::ESRCH)?.settings.io_priority;
        best = Some(best.map_or(set, |best| better_io(best, set)));
    }
    Ok(best.unwrap_or(0).into())
}

/// Returns the more urgent of two I/O priorities; one that was not set counts as best effort.
fn better_io(one: u16, other: u16) -> u16 {
    const BEST_EFFORT: u16 = 2 << 13 | 4;
    let set = |value: u16| if value >> 13 == 0 { BEST_EFFORT } else { value };
    set(one).min(set(other))
}

/// ioprio_set(2)
pub fn ioprio_set(context: &mut Context<'_>) -> Result<u64, Stop> {
    const REAL_TIME: u32 = 1;
    let [which, who, priority, ..] = context.words;
    let (class, data) = (priority as u32 >> 13, priority as u32 & 0x1fff);
    match class {
        0 if data == 0 => {}
        REAL_TIME if !context.own().credentials.can(Capability::Nice) => {
            return Err(Errno::EPERM.into());
        }
        1 | 2 if data < 8 => {}
        3 => {}
        _ => return Err(Errno::EINVAL.into()),
    }
    for pid in selected(context, which.wrapping_sub(1), who)? {
        may_change(context, pid)?;
        let process = context.unix.processes.get_mut(&pid).ok_or(Errno::ESRCH)?;
        process.settings.io_priority = priority as u16;
    }
    Ok(0)
}
