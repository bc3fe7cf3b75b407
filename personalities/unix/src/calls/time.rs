//! Clocks, sleeping, alarms.

use crate::Errno;
use crate::context::{Context, Stop, Wait};
use crate::credentials::Capability;
use crate::linux::structures::{Fields, SECOND, usage};
use crate::proc::{TICKS, run_time};
use crate::process::{Parked, Pid};
use crate::timers::{Clock, Part};

/// Clocks of clock_gettime(2) (linux/time.h).
pub(super) mod clock {
    pub const REAL_TIME: u64 = 0;
    pub const MONOTONIC: u64 = 1;
    pub const PROCESS: u64 = 2;
    pub const THREAD: u64 = 3;
    pub const MONOTONIC_RAW: u64 = 4;
    pub const REAL_TIME_COARSE: u64 = 5;
    pub const MONOTONIC_COARSE: u64 = 6;
    pub const BOOT: u64 = 7;
}

/// `TIMER_ABSTIME` (linux/time.h).
pub(super) const ABSOLUTE: u64 = 1;

fn read_clock(context: &mut Context<'_>, which: u64) -> Result<u64, Errno> {
    match which {
        clock::REAL_TIME | clock::REAL_TIME_COARSE => Ok(context.time_of_day()),
        clock::MONOTONIC | clock::MONOTONIC_RAW | clock::MONOTONIC_COARSE | clock::BOOT => {
            Ok(context.machine().now())
        }
        which => {
            let clock = running_clock(context, which)?;
            Ok(context.unix.clock(clock))
        }
    }
}

/// Returns the clock of a process's or a thread's running time that a number means; it holds, where
/// negative, the inverse of the process or thread, and what is counted
/// (linux/posix-timers.h, `CPUCLOCK_PID` and below).
///
/// # Errors
/// EINVAL: it means no such clock, or another process's thread.
pub(super) fn running_clock(context: &mut Context<'_>, which: u64) -> Result<Clock, Errno> {
    const THREAD: i32 = 4;
    let which = match which {
        clock::PROCESS => return Ok(Clock::Process(context.pid, Part::All)),
        clock::THREAD => return Ok(Clock::Thread(context.number, Part::All)),
        which => which as i32,
    };
    let part = match which & 3 {
        0 | 2 => Part::All,
        1 => Part::User,
        _ => return Err(Errno::EINVAL),
    };
    if which >= 0 {
        return Err(Errno::EINVAL);
    }
    let (id, own) = (Pid(!(which >> 3) as u32), context.pid);
    match (which & THREAD != 0, id) {
        (true, Pid(0)) => Ok(Clock::Thread(context.number, part)),
        (true, tid) => {
            let mut threads = context.unix.threads.values();
            let found = threads.find(|thread| thread.tid == tid && thread.pid == own);
            found.map(|thread| Clock::Thread(thread.number, part)).ok_or(Errno::EINVAL)
        }
        (false, Pid(0)) => Ok(Clock::Process(own, part)),
        (false, pid) => {
            let is_there = context.unix.processes.get(&pid).is_some_and(|one| !one.is_zombie());
            is_there.then_some(Clock::Process(pid, part)).ok_or(Errno::EINVAL)
        }
    }
}

/// clock_gettime(2)
pub fn clock_gettime(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [which, address, ..] = context.words;
    let now = read_clock(context, which)?;
    context.copy_out(address, &Fields::default().time(now).0)?;
    Ok(0)
}

/// clock_getres(2)
pub fn clock_getres(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [which, address, ..] = context.words;
    read_clock(context, which)?;
    context.copy_out_if(address, &Fields::default().time(1).0)?;
    Ok(0)
}

/// clock_settime(2)
pub fn clock_settime(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [which, address, ..] = context.words;
    if which != clock::REAL_TIME {
        // Clocks of running time that have numbers of their own have no such operation on Linux.
        let is_named = (which as i32) < 0 && running_clock(context, which).is_ok();
        return Err(if is_named { Errno::EPERM } else { Errno::EINVAL }.into());
    }
    let time = duration_in(context, address)?;
    set_time(context, time)
}

/// settimeofday(2)
pub fn settimeofday(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [address, zone, ..] = context.words;
    if zone != 0 {
        // The time zone is always UTC; what is set is looked at as Linux does.
        context.array_in::<8>(zone)?;
    }
    if address == 0 {
        return Ok(0);
    }
    let time = duration_us_in(context, address)?;
    set_time(context, time)
}

fn set_time(context: &mut Context<'_>, time: u64) -> Result<u64, Stop> {
    if !context.own().credentials.can(Capability::Time) {
        return Err(Errno::EPERM.into());
    }
    let now = context.machine().now();
    let before = context.machine().boot_time();
    let boot = time.saturating_sub(now);
    context.machine().set_boot_time(boot);
    crate::exec::publish_time(context.unix)?;
    context.unix.timer_files.jump(boot.wrapping_sub(before) as i64);
    context.unix.arm_timers();
    Ok(0)
}

/// gettimeofday(2)
pub fn gettimeofday(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [address, zone, ..] = context.words;
    let now = context.time_of_day();
    context.copy_out_if(address, &Fields::default().time_us(now).0)?;
    context.copy_out_if(zone, &[0; 8])?;
    Ok(0)
}

/// time(2)
pub fn time(context: &mut Context<'_>) -> Result<u64, Stop> {
    let address = context.words[0];
    let now = context.time_of_day() / SECOND;
    context.copy_out_if(address, &now.to_le_bytes())?;
    Ok(now)
}

/// Reads a `struct timespec` in ns.
pub(super) fn duration_in(context: &mut Context<'_>, address: u64) -> Result<u64, Errno> {
    let [seconds, ns] = context.words_in(address)?;
    if seconds > i64::MAX as u64 || ns >= SECOND {
        return Err(Errno::EINVAL);
    }
    Ok(seconds.saturating_mul(SECOND).saturating_add(ns))
}

/// Reads a `struct timeval` in ns.
pub(super) fn duration_us_in(context: &mut Context<'_>, address: u64) -> Result<u64, Errno> {
    let [seconds, us] = context.words_in(address)?;
    if seconds > i64::MAX as u64 || us >= 1_000_000 {
        return Err(Errno::EINVAL);
    }
    Ok(seconds.saturating_mul(SECOND).saturating_add(us * 1000))
}

/// Reads a `struct timespec` and returns when that much time has passed.
pub(super) fn deadline_in(context: &mut Context<'_>, address: u64) -> Result<u64, Errno> {
    let duration = duration_in(context, address)?;
    Ok(context.machine().now().saturating_add(duration))
}

/// nanosleep(2)
pub fn nanosleep(context: &mut Context<'_>) -> Result<u64, Stop> {
    let address = context.words[0];
    let deadline = match context.deadline {
        Some(deadline) => deadline,
        None => deadline_in(context, address)?,
    };
    sleep_until(context, deadline)
}

/// clock_nanosleep(2)
pub fn clock_nanosleep(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [which, bits, address, ..] = context.words;
    if bits & !ABSOLUTE != 0 {
        return Err(Errno::EINVAL.into());
    }
    if which == clock::THREAD {
        return Err(Errno::EOPNOTSUPP.into());
    }
    if let Ok(clock) = running_clock(context, which) {
        return run_until(context, clock, bits, address);
    }
    let deadline = match context.deadline {
        Some(deadline) => deadline,
        None if bits & ABSOLUTE == 0 => deadline_in(context, address)?,
        None => {
            let until = duration_in(context, address)?;
            let now = read_clock(context, which)?;
            context.machine().now().saturating_add(until.saturating_sub(now))
        }
    };
    sleep_until(context, deadline)
}

fn sleep_until(context: &mut Context<'_>, deadline: u64) -> Result<u64, Stop> {
    if deadline <= context.machine().now() {
        return Ok(0);
    }
    Err(Stop::Wait(Wait { deadline: Some(deadline), ..Wait::default() }))
}

/// Waits until a process's threads have run so long; how long is the progress of the call.
fn run_until(
    context: &mut Context<'_>,
    clock: Clock,
    bits: u64,
    address: u64,
) -> Result<u64, Stop> {
    // A thread that waits for its own time does so for ever.
    if let Clock::Thread(number, _) = clock
        && number == context.number
    {
        return Err(Errno::EINVAL.into());
    }
    let now = context.unix.clock(clock);
    let until = match context.progress {
        0 if bits & ABSOLUTE == 0 => now.saturating_add(duration_in(context, address)?),
        0 => duration_in(context, address)?,
        until => until,
    };
    if until <= now {
        return Ok(0);
    }
    let pause = context.unix.soonest_run(clock, until - now);
    let deadline = Some(context.machine().now().saturating_add(pause));
    Err(Stop::Wait(Wait { deadline, progress: until, ..Wait::default() }))
}

/// Adds a time, in ns, as a structure has it.
pub type Emit = fn(Fields, u64) -> Fields;

/// Returns where a wait that is ended early tells the rest, and how (nanosleep(2),
/// clock_nanosleep(2); select(2) and poll(2), "The timeout" and "C library/kernel differences").
pub fn remaining_at(parked: &Parked) -> Option<(u64, Emit)> {
    const SELECT: u32 = 23;
    const NANOSLEEP: u32 = 35;
    const CLOCK_NANOSLEEP: u32 = 230;
    const PSELECT: u32 = 270;
    const PPOLL: u32 = 271;
    let [_, second, third, fourth, fifth, _] = parked.words;
    let (address, emit): (u64, Emit) = match parked.number {
        SELECT => (fifth, Fields::time_us),
        NANOSLEEP => (second, Fields::time),
        CLOCK_NANOSLEEP if second & ABSOLUTE == 0 => (fourth, Fields::time),
        PSELECT => (fifth, Fields::time),
        PPOLL => (third, Fields::time),
        _ => return None,
    };
    (address != 0).then_some((address, emit))
}

/// times(2)
pub fn times(context: &mut Context<'_>) -> Result<u64, Stop> {
    let address = context.words[0];
    let tick = SECOND / TICKS;
    let own = run_time(context.unix, context.pid);
    let children = context.own().children_time;
    let fields = Fields::default().u64(own.user / tick).u64(own.system / tick);
    let fields = fields.u64(children.user / tick).u64(children.system / tick);
    context.copy_out_if(address, &fields.0)?;
    Ok(context.machine().now() / tick)
}

/// getrusage(2)
pub fn getrusage(context: &mut Context<'_>) -> Result<u64, Stop> {
    const SELF: u32 = 0;
    const CHILDREN: u32 = u32::MAX;
    const THREAD: u32 = 1;
    let [who, address, ..] = context.words;
    let time = match who as u32 {
        CHILDREN => context.own().children_time,
        SELF => run_time(context.unix, context.pid),
        THREAD => {
            let handle = context.own_thread().handle;
            context.machine().run_time(handle)
        }
        _ => return Err(Errno::EINVAL.into()),
    };
    context.copy_out(address, &usage(time))?;
    Ok(0)
}

/// sched_yield(2): the call itself let others run.
pub fn sched_yield(_: &mut Context<'_>) -> Result<u64, Stop> {
    Ok(0)
}
