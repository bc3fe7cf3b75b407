//! Timers that send signals: timer_create and its relatives, setitimer, alarm.

use super::time::{ABSOLUTE, clock, duration_in, duration_us_in, running_clock};
use crate::Errno;
use crate::context::{Context, Stop};
use crate::linux::signals::{self, code};
use crate::linux::structures::{Fields, SECOND};
use crate::process::{Alarm, Pid};
use crate::timers::{Clock, MAX_TIMERS, Part, Target, Timer, TimerId};

/// How a timer tells (`sigev_notify`, asm-generic/siginfo.h).
mod notify {
    pub const SIGNAL: u32 = 0;
    pub const NONE: u32 = 1;
    /// The C library starts the thread: to the kernel a signal.
    pub const THREAD: u32 = 2;
    pub const THREAD_ID: u32 = 4;
}

/// timer_create(2)
pub fn timer_create(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [which, event, address, ..] = context.words;
    let clock = match which {
        clock::REAL_TIME => Clock::Day,
        clock::MONOTONIC | clock::BOOT => Clock::Time,
        which => running_clock(context, which)?,
    };
    let pid = context.pid;
    let own = context.unix.timers.range((pid, 0)..=(pid, i32::MAX));
    let used: alloc::vec::Vec<i32> = own.map(|((_, number), _)| *number).collect();
    if used.len() >= MAX_TIMERS {
        return Err(Errno::EAGAIN.into());
    }
    let number = (0..).find(|number| !used.contains(number)).unwrap_or(0);
    let (target, signal, value) = match event {
        0 => (Target::Process, signals::SIGALRM, number as u64),
        address => event_in(context, address)?,
    };
    context.copy_out(address, &number.to_le_bytes())?;
    let timer = Timer::new(clock, target, signal, code::TIMER, value);
    context.unix.timers.insert((pid, number), timer);
    Ok(0)
}

/// Reads `struct sigevent`: whom to tell, by which signal, with which value.
fn event_in(context: &mut Context<'_>, address: u64) -> Result<(Target, u8, u64), Errno> {
    let [value, how, tid] = context.words_in(address)?;
    let (signal, how) = (how as u32, (how >> 32) as u32);
    let target = match how {
        notify::NONE => return Ok((Target::Nobody, 0, value)),
        notify::SIGNAL | notify::THREAD => Target::Process,
        notify::THREAD_ID => {
            let (tid, pid) = (Pid(tid as u32), context.pid);
            let mut threads = context.unix.threads.values();
            let found = threads.find(|thread| thread.tid == tid && thread.pid == pid);
            Target::Thread(found.ok_or(Errno::EINVAL)?.number)
        }
        _ => return Err(Errno::EINVAL),
    };
    let is_signal = (1..=u32::from(signals::MAX)).contains(&signal);
    if is_signal { Ok((target, signal as u8, value)) } else { Err(Errno::EINVAL) }
}

/// Returns the caller's timer of a number.
fn named(context: &Context<'_>) -> Result<(TimerId, Timer), Errno> {
    let id = (context.pid, context.words[0] as i32);
    let timer = context.unix.timers.get(&id).filter(|_| id.1 >= 0).ok_or(Errno::EINVAL)?;
    Ok((id, *timer))
}

/// timer_settime(2)
pub fn timer_settime(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [_, bits, new, old, ..] = context.words;
    if new == 0 {
        return Err(Errno::EINVAL.into());
    }
    let (interval, value) = (duration_in(context, new)?, duration_in(context, new + 16)?);
    let (id, timer) = named(context)?;
    let now = context.unix.clock(timer.clock);
    let due = match value {
        0 => None,
        value if bits & ABSOLUTE == 0 => Some(now.saturating_add(value)),
        value => Some(value),
    };
    let (left, period) = context.unix.set_timer(id, due, interval).ok_or(Errno::EINVAL)?;
    context.copy_out_if(old, &Fields::default().time(period).time(left).0)?;
    Ok(0)
}

/// timer_gettime(2)
pub fn timer_gettime(context: &mut Context<'_>) -> Result<u64, Stop> {
    let address = context.words[1];
    let (id, _) = named(context)?;
    let (left, period) = context.unix.timer_left(id).ok_or(Errno::EINVAL)?;
    context.copy_out(address, &Fields::default().time(period).time(left).0)?;
    Ok(0)
}

/// timer_getoverrun(2)
pub fn timer_getoverrun(context: &mut Context<'_>) -> Result<u64, Stop> {
    Ok(named(context)?.1.last_overrun.into())
}

/// timer_delete(2)
pub fn timer_delete(context: &mut Context<'_>) -> Result<u64, Stop> {
    let (id, _) = named(context)?;
    context.unix.timers.remove(&id);
    Ok(0)
}

/// alarm(2)
pub fn alarm(context: &mut Context<'_>) -> Result<u64, Stop> {
    let seconds = context.words[0] as u32;
    let left = set_alarm(context, u64::from(seconds) * SECOND, 0);
    Ok(left.0.div_ceil(SECOND))
}

/// Sets the alarm; returns how much time the one before had left, and its interval.
fn set_alarm(context: &mut Context<'_>, after: u64, interval: u64) -> (u64, u64) {
    let before = alarm_left(context);
    let now = context.machine().now();
    let alarm = (after != 0).then(|| Alarm { at: now.saturating_add(after), interval });
    if let Some(alarm) = alarm {
        context.unix.wake_at(alarm.at);
    }
    context.process().alarm = alarm;
    before
}

fn alarm_left(context: &mut Context<'_>) -> (u64, u64) {
    let now = context.machine().now();
    let alarm = context.own().alarm;
    alarm.map_or((0, 0), |alarm| (alarm.at.saturating_sub(now).max(1), alarm.interval))
}

/// Timers of setitimer(2) (linux/time.h).
mod interval {
    pub const REAL: u64 = 0;
    pub const VIRTUAL: u64 = 1;
    pub const PROFILE: u64 = 2;
}

/// Returns the timer of running time that setitimer means, its signal, and what it measures.
fn running(context: &Context<'_>, which: u64) -> Result<(TimerId, u8, Clock), Errno> {
    let pid = context.pid;
    match which {
        interval::VIRTUAL => Ok(((pid, -2), signals::SIGVTALRM, Clock::Process(pid, Part::User))),
        interval::PROFILE => Ok(((pid, -3), signals::SIGPROF, Clock::Process(pid, Part::All))),
        _ => Err(Errno::EINVAL),
    }
}

/// getitimer(2)
pub fn getitimer(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [which, address, ..] = context.words;
    let (left, period) = match which {
        interval::REAL => alarm_left(context),
        which => {
            let (id, ..) = running(context, which)?;
            context.unix.timer_left(id).unwrap_or((0, 0))
        }
    };
    context.copy_out(address, &Fields::default().time_us(period).time_us(left).0)?;
    Ok(0)
}

/// setitimer(2)
pub fn setitimer(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [which, new, old, ..] = context.words;
    let (interval, after) = match new {
        0 => (0, 0),
        address => (duration_us_in(context, address)?, duration_us_in(context, address + 16)?),
    };
    let (left, period) = match which {
        interval::REAL => set_alarm(context, after, interval),
        which => {
            let (id, signal, clock) = running(context, which)?;
            let now = context.unix.clock(clock);
            let new = Timer::new(clock, Target::Process, signal, code::KERNEL, 0);
            context.unix.timers.entry(id).or_insert(new);
            let due = (after != 0).then(|| now.saturating_add(after));
            let before = context.unix.set_timer(id, due, interval).unwrap_or((0, 0));
            if due.is_none() {
                context.unix.timers.remove(&id);
            }
            before
        }
    };
    context.copy_out_if(old, &Fields::default().time_us(period).time_us(left).0)?;
    Ok(0)
}
