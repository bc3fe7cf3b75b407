//! eventfd, signalfd, timerfd.

use crate::Errno;
use crate::calls::epoll::add;
use crate::calls::time::duration_in;
use crate::context::{Context, Stop};
use crate::events::timer::Timer;
use crate::linux::structures::Fields;
use crate::open::{Description, Kind, Object};
use crate::signal::SignalSet;

/// `EFD_NONBLOCK`, `SFD_NONBLOCK`, `TFD_NONBLOCK` (eventfd(2) and its relatives).
const NON_BLOCKING: u32 = crate::linux::flags::open::NON_BLOCKING;
/// `EFD_CLOEXEC`, `SFD_CLOEXEC`, `TFD_CLOEXEC`.
const CLOSE_ON_EXEC: u32 = crate::linux::flags::open::CLOSE_ON_EXEC;

/// Returns the entry of a kind that a description is of.
fn number_of(file: &Description, kind: Kind) -> Result<u64, Errno> {
    match &file.borrow().object {
        Object::Numbered(numbered) if numbered.kind() == kind => Ok(numbered.number()),
        _ => Err(Errno::EINVAL),
    }
}

/// eventfd(2), as the system call without flags.
pub fn eventfd(context: &mut Context<'_>) -> Result<u64, Stop> {
    make_counter(context, 0)
}

/// eventfd(2)
pub fn eventfd2(context: &mut Context<'_>) -> Result<u64, Stop> {
    let bits = context.words[1] as u32;
    make_counter(context, bits)
}

fn make_counter(context: &mut Context<'_>, bits: u32) -> Result<u64, Stop> {
    const SEMAPHORE: u32 = 1;
    if bits & !(SEMAPHORE | NON_BLOCKING | CLOSE_ON_EXEC) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let value = u64::from(context.words[0] as u32);
    let number = context.unix.unique();
    context.unix.counters.add(number, value, bits & SEMAPHORE != 0)?;
    let close_on_exec = bits & CLOSE_ON_EXEC != 0;
    add(context, Kind::Counter, number, close_on_exec, bits & NON_BLOCKING)
}

/// signalfd(2), as the system call without flags.
pub fn signalfd(context: &mut Context<'_>) -> Result<u64, Stop> {
    make_signals(context, 0)
}

/// signalfd(2)
pub fn signalfd4(context: &mut Context<'_>) -> Result<u64, Stop> {
    let bits = context.words[3] as u32;
    make_signals(context, bits)
}

fn make_signals(context: &mut Context<'_>, bits: u32) -> Result<u64, Stop> {
    const SET_BYTES: u64 = 8;
    let [fd, mask, len, ..] = context.words;
    if bits & !(NON_BLOCKING | CLOSE_ON_EXEC) != 0 || len != SET_BYTES {
        return Err(Errno::EINVAL.into());
    }
    let set = SignalSet(context.u64_in(mask)?).maskable();
    if fd as i32 != -1 {
        let file = context.file(fd)?;
        let number = number_of(&file, Kind::Signals)?;
        context.unix.signal_files.set(number, set);
        let pid = context.pid;
        context.unix.wakes.add(crate::wake::Channel::Signals(pid));
        return Ok(fd);
    }
    let number = context.unix.unique();
    context.unix.signal_files.add(number, set)?;
    add(context, Kind::Signals, number, bits & CLOSE_ON_EXEC != 0, bits & NON_BLOCKING)
}

/// inotify_init(2), inotify_init1(2): as on a Linux without them (`CONFIG_INOTIFY_USER`, init/Kconfig),
/// where programs ask again and again instead ("inotify cannot be used, reverting to polling", GNU
/// coreutils tail.c).
pub fn inotify_init(_: &mut Context<'_>) -> Result<u64, Stop> {
    Err(Errno::ENOSYS.into())
}

/// timerfd_create(2)
pub fn timerfd_create(context: &mut Context<'_>) -> Result<u64, Stop> {
    /// `CLOCK_REALTIME`, `CLOCK_MONOTONIC`, `CLOCK_BOOTTIME`, and the two that also wake a
    /// machine that sleeps (linux/time.h).
    const CLOCKS: [u32; 5] = [0, 1, 7, 8, 9];
    let (clock, bits) = (context.words[0] as u32, context.words[1] as u32);
    if !CLOCKS.contains(&clock) || bits & !(NON_BLOCKING | CLOSE_ON_EXEC) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let number = context.unix.unique();
    context.unix.timer_files.add(number, clock == 0 || clock == 8)?;
    add(context, Kind::Timer, number, bits & CLOSE_ON_EXEC != 0, bits & NON_BLOCKING)
}

/// Returns `struct itimerspec`: the interval, and what is left until the expiry.
fn emit(timer: &Timer, now: u64) -> alloc::vec::Vec<u8> {
    Fields::default().time(timer.interval).time(timer.left(now)).0
}

/// timerfd_settime(2)
pub fn timerfd_settime(context: &mut Context<'_>) -> Result<u64, Stop> {
    const ABSOLUTE: u32 = 1;
    const CANCEL_ON_SET: u32 = 2;
    let [fd, bits, new, old, ..] = context.words;
    let bits = bits as u32;
    let file = context.file(fd)?;
    if bits & !(ABSOLUTE | CANCEL_ON_SET) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let interval = duration_in(context, new)?;
    let value = duration_in(context, new.wrapping_add(16))?;
    let number = number_of(&file, Kind::Timer)?;
    let (now, boot) = (context.machine().now(), context.machine().boot_time());
    let timer = context.unix.timer_files.get_mut(number)?;
    let before = emit(timer, now);
    let at = match value {
        0 => None,
        value if bits & ABSOLUTE == 0 => Some(now.saturating_add(value)),
        value if timer.counts_time_of_day => Some(value.saturating_sub(boot)),
        value => Some(value),
    };
    *timer = timer.set(at, interval);
    timer.moves = timer.counts_time_of_day && bits & ABSOLUTE != 0;
    timer.tells_of_jumps = timer.moves && bits & CANCEL_ON_SET != 0;
    context.unix.arm_timers();
    context.copy_out_if(old, &before)?;
    Ok(0)
}

/// timerfd_gettime(2)
pub fn timerfd_gettime(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [fd, address, ..] = context.words;
    let file = context.file(fd)?;
    let number = number_of(&file, Kind::Timer)?;
    let now = context.machine().now();
    let bytes = emit(context.unix.timer_files.get_mut(number)?, now);
    context.copy_out(address, &bytes)?;
    Ok(0)
}
