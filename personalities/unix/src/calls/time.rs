//! Clocks, sleeping, alarms.

use crate::Errno;
use crate::context::{Context, Stop, Wait};
use crate::linux::structures::{Fields, SECOND};
use crate::proc::{TICKS, run_time};
use crate::process::Alarm;

/// Clocks of clock_gettime(2) (linux/time.h).
mod clock {
    pub const REAL_TIME: u64 = 0;
    pub const MONOTONIC: u64 = 1;
    pub const PROCESS: u64 = 2;
    pub const THREAD: u64 = 3;
    pub const MONOTONIC_RAW: u64 = 4;
    pub const REAL_TIME_COARSE: u64 = 5;
    pub const MONOTONIC_COARSE: u64 = 6;
    pub const BOOT: u64 = 7;
}

fn read_clock(context: &mut Context<'_>, which: u64) -> Result<u64, Errno> {
    match which {
        clock::REAL_TIME | clock::REAL_TIME_COARSE => Ok(context.time_of_day()),
        clock::MONOTONIC | clock::MONOTONIC_RAW | clock::MONOTONIC_COARSE | clock::BOOT => {
            Ok(context.machine().now())
        }
        clock::PROCESS => Ok(run_time(context.unix, context.pid)),
        clock::THREAD => {
            let handle = context.thread().handle;
            Ok(context.machine().run_time(handle))
        }
        _ => Err(Errno::EINVAL),
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
        return Err(Errno::EINVAL.into());
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
    if !context.process().credentials.is_root() {
        return Err(Errno::EPERM.into());
    }
    let now = context.machine().now();
    context.machine().set_boot_time(time.saturating_sub(now));
    crate::exec::publish_time(context.unix)?;
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
    const ABSOLUTE: u64 = 1;
    let [which, bits, address, ..] = context.words;
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

/// alarm(2)
pub fn alarm(context: &mut Context<'_>) -> Result<u64, Stop> {
    let seconds = context.words[0] as u32;
    let left = set_alarm(context, u64::from(seconds) * SECOND, 0);
    Ok(left.0.div_ceil(SECOND))
}

/// Sets the alarm; returns how much time the one before had left, and its interval.
fn set_alarm(context: &mut Context<'_>, after: u64, interval: u64) -> (u64, u64) {
    let now = context.machine().now();
    let alarm = (after != 0).then(|| Alarm { at: now.saturating_add(after), interval });
    if let Some(alarm) = alarm {
        context.unix.wake_at(alarm.at);
    }
    let before = core::mem::replace(&mut context.process().alarm, alarm);
    before.map_or((0, 0), |alarm| (alarm.at.saturating_sub(now), alarm.interval))
}

/// setitimer(2)
pub fn setitimer(context: &mut Context<'_>) -> Result<u64, Stop> {
    const REAL: u64 = 0;
    let [which, new, old, ..] = context.words;
    if which != REAL {
        return Err(Errno::EINVAL.into());
    }
    let (interval, after) = match new {
        0 => (0, 0),
        address => {
            (duration_us_in(context, address)?, duration_us_in(context, address.wrapping_add(16))?)
        }
    };
    let (left, period) = set_alarm(context, after, interval);
    context.copy_out_if(old, &Fields::default().time_us(period).time_us(left).0)?;
    Ok(0)
}

/// times(2)
pub fn times(context: &mut Context<'_>) -> Result<u64, Stop> {
    let address = context.words[0];
    let tick = SECOND / TICKS;
    let own = run_time(context.unix, context.pid) / tick;
    let children = context.process().children_time / tick;
    let bytes = Fields::default().u64(own).u64(0).u64(children).u64(0).0;
    context.copy_out_if(address, &bytes)?;
    Ok(context.machine().now() / tick)
}

/// getrusage(2)
pub fn getrusage(context: &mut Context<'_>) -> Result<u64, Stop> {
    const CHILDREN: u32 = u32::MAX;
    let [who, address, ..] = context.words;
    let time = match who as u32 {
        CHILDREN => context.process().children_time,
        _ => run_time(context.unix, context.pid),
    };
    context.copy_out(address, &Fields::default().time_us(time).zeros_to(144).0)?;
    Ok(0)
}

/// sched_yield(2): the call itself let others run.
pub fn sched_yield(_: &mut Context<'_>) -> Result<u64, Stop> {
    Ok(0)
}
