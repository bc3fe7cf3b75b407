//! adjtimex and clock_adjtime: what is told of the clock's discipline; nothing disciplines it.

use crate::Errno;
use crate::context::{Context, Stop};
use crate::credentials::Capability;
use crate::linux::structures::Fields;

/// Bytes of `struct timex` (linux/timex.h).
const TIMEX: usize = 208;
/// `STA_UNSYNC`: the clock is not synchronised.
const UNSYNCHRONISED: u32 = 0x40;
/// `TIME_ERROR`, the state of such a clock.
const ERROR: u64 = 5;

/// adjtimex(2)
pub fn adjtimex(context: &mut Context<'_>) -> Result<u64, Stop> {
    let address = context.words[0];
    adjust(context, address)
}

/// clock_adjtime(2)
pub fn clock_adjtime(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [which, address, ..] = context.words;
    context.array_in::<TIMEX>(address)?;
    match which as i32 {
        0 => adjust(context, address),
        // Clocks without the operation (kernel/time/posix-timers.c, posix-cpu-timers.c).
        ..0 | 1..=9 | 11 => Err(Errno::EOPNOTSUPP.into()),
        _ => Err(Errno::EINVAL.into()),
    }
}

fn adjust(context: &mut Context<'_>, address: u64) -> Result<u64, Stop> {
    const ADJTIME: u32 = 0x8000;
    const SINGLE_SHOT: u32 = 1;
    /// `ADJ_OFFSET_SS_READ`: what is left of an adjtime(3).
    const READ: u32 = 0xa001;
    let bytes = context.array_in::<TIMEX>(address)?;
    let modes = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    if modes & ADJTIME != 0 && modes & SINGLE_SHOT == 0 {
        return Err(Errno::EINVAL.into());
    }
    if modes != 0 && modes != READ {
        let may = context.own().credentials.can(Capability::Time);
        return Err(if may { Errno::EOPNOTSUPP } else { Errno::EPERM }.into());
    }
    let now_us = context.time_of_day() / 1000;
    let told = emit(modes, now_us);
    context.copy_out(address, &told)?;
    Ok(ERROR)
}

/// Returns `struct timex` of a clock as it is after Linux has started (kernel/time/ntp.c).
fn emit(modes: u32, now_us: u64) -> alloc::vec::Vec<u8> {
    const WORST_ERROR_US: u64 = 16_000_000;
    const TOLERANCE: u64 = 500 << 16;
    let fields = Fields::default().u32(modes).u32(0).u64(0).u64(0);
    let fields = fields.u64(WORST_ERROR_US).u64(WORST_ERROR_US).u32(UNSYNCHRONISED).u32(0);
    // Time constant, precision in us, tolerance, the time, us of a tick.
    let fields = fields.u64(2).u64(1).u64(TOLERANCE);
    let fields = fields.u64(now_us / 1_000_000).u64(now_us % 1_000_000).u64(10_000);
    fields.zeros_to(TIMEX).0
}
