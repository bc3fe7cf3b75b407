//! Time since boot: the time-stamp counter, scaled; and how fast the counters run.

use core::arch::x86_64::{__cpuid, _rdtsc};
use core::sync::atomic::{AtomicU64, Ordering};

use crate::control::cpuid;
use crate::devices::local_apic::LocalApic;
use crate::devices::pit;

/// A fixed-point factor: the product is shifted right by 32.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Factor(u64);

impl Factor {
    /// Returns the factor `numerator / denominator`, which is below 2³².
    pub(crate) const fn new(numerator: u64, denominator: u64) -> Self {
        Factor((((numerator as u128) << 32) / denominator as u128) as u64)
    }

    /// Returns a number times the factor, modulo 2⁶⁴.
    #[inline(always)]
    pub(crate) const fn times(self, number: u64) -> u64 {
        ((number as u128 * self.0 as u128) >> 32) as u64
    }
}

/// When the clock was 0 and its factor, for who has no clock at hand; 0 before there is one.
static START: AtomicU64 = AtomicU64::new(0);
static FACTOR: AtomicU64 = AtomicU64::new(0);

/// Returns nanoseconds since boot, 0 before there is a clock: for lines of the log.
pub(crate) fn since_boot() -> u64 {
    let factor = Factor(FACTOR.load(Ordering::Relaxed));
    factor.times(ticks().saturating_sub(START.load(Ordering::Relaxed)))
}

/// The clock: nanoseconds since the kernel's first instruction.
pub(crate) struct Clock {
    start: u64,
    nanoseconds_per_tick: Factor,
}

impl Clock {
    /// Returns a clock that was 0 when the time-stamp counter was `start`.
    pub(crate) fn new(start: u64, rates: &Rates) -> Self {
        let nanoseconds_per_tick = Factor::new(SECOND, rates.counter_hertz);
        START.store(start, Ordering::Relaxed);
        FACTOR.store(nanoseconds_per_tick.0, Ordering::Relaxed);
        Clock { start, nanoseconds_per_tick }
    }

    /// Returns nanoseconds since boot.
    #[inline(always)]
    pub(crate) fn now(&self) -> u64 {
        self.nanoseconds_per_tick.times(ticks().saturating_sub(self.start))
    }

    /// Returns what the time-stamp counter was when the clock was 0, and the nanoseconds of a tick
    /// times 2³².
    pub(crate) fn scale(&self) -> [u64; 2] {
        [self.start, self.nanoseconds_per_tick.0]
    }
}

/// Nanoseconds of a second.
pub(crate) const SECOND: u64 = 1_000_000_000;

/// Returns the time-stamp counter.
#[inline(always)]
pub(crate) fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has the instruction, and the kernel may execute it.
    unsafe { _rdtsc() }
}

/// How fast the counters of this machine run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Rates {
    /// Rate of the time-stamp counter.
    pub(crate) counter_hertz: u64,
    /// Rate of the local APIC's timer, undivided.
    pub(crate) timer_hertz: u64,
}

/// Rate of QEMU's and Linux's virtual local APIC timers.
const NOMINAL_TIMER_HERTZ: u64 = SECOND;
/// Ticks of the time-stamp counter for which counters are compared; at least a millisecond.
const WINDOW: u64 = 4_000_000;
/// Ticks of the interval timer for the same: 5 ms.
const PIT_WINDOW: u16 = (pit::HERTZ / 200) as u16;
/// Deviation from 1 GHz, one in so many, that is taken for an error of measurement.
const SNAP: u64 = 5_000;

impl Rates {
    /// Finds the rates: from `cpuid` where it tells, else by comparing with a timer that is
    /// known. An emulator that counts instructions for time gives exactly 1 GHz.
    pub(crate) fn measure(apic: &mut LocalApic) -> Self {
        let emulated = is_emulator();
        if let Some(counter_hertz) = told_by_processor().filter(|_| !emulated) {
            let (counter, timer) = compare(apic);
            let timer_hertz = scale(counter_hertz, timer, counter);
            return Rates { counter_hertz, timer_hertz };
        }
        if let Some(rates) = (!emulated).then(|| compare_with_pit(apic)).flatten() {
            return rates;
        }
        let (counter, timer) = compare(apic);
        let counter_hertz = snapped(scale(NOMINAL_TIMER_HERTZ, counter, timer));
        Rates { counter_hertz, timer_hertz: NOMINAL_TIMER_HERTZ }
    }
}

fn scale(hertz: u64, numerator: u64, denominator: u64) -> u64 {
    (u128::from(hertz) * u128::from(numerator) / u128::from(denominator.max(1))) as u64
}

fn snapped(hertz: u64) -> u64 {
    if hertz.abs_diff(SECOND) <= SECOND / SNAP { SECOND } else { hertz }
}

/// Returns whether this is QEMU without a virtual machine monitor, whose APIC timer is exact.
fn is_emulator() -> bool {
    let under_hypervisor = cpuid(1, 0).ecx >> 31 != 0;
    let name = __cpuid(0x4000_0000);
    under_hypervisor
        && [name.ebx, name.ecx, name.edx]
            == [
                u32::from_le_bytes(*b"TCGT"),
                u32::from_le_bytes(*b"CGTC"),
                u32::from_le_bytes(*b"GTCG"),
            ]
}

/// Returns the counter's rate from `cpuid`: leaf 15h (Intel SDM 2A CPUID), or the leaf that
/// VMware defined and KVM offers.
fn told_by_processor() -> Option<u64> {
    let leaf = cpuid(0x15, 0);
    if leaf.eax != 0 && leaf.ebx != 0 && leaf.ecx != 0 {
        return Some(scale(u64::from(leaf.ecx), u64::from(leaf.ebx), u64::from(leaf.eax)));
    }
    if cpuid(1, 0).ecx >> 31 == 0 || __cpuid(0x4000_0000).eax < 0x4000_0010 {
        return None;
    }
    let kilohertz = u64::from(__cpuid(0x4000_0010).eax);
    (kilohertz != 0).then_some(kilohertz * 1000)
}

/// Returns how far the time-stamp counter and the APIC's timer went in the same time.
fn compare(apic: &mut LocalApic) -> (u64, u64) {
    apic.set_countdown(u32::MAX);
    let (ticks_before, left_before) = both(apic);
    while ticks().wrapping_sub(ticks_before) < WINDOW {
        core::hint::spin_loop();
    }
    let (ticks_after, left_after) = both(apic);
    apic.set_countdown(0);
    (ticks_after.wrapping_sub(ticks_before), u64::from(left_before - left_after))
}

/// Reads both counters, as close to each other as they come in a few tries.
fn both(apic: &LocalApic) -> (u64, u32) {
    let read = |_| {
        let before = ticks();
        let left = apic.countdown();
        let taken = ticks().wrapping_sub(before);
        (taken, before + taken / 2, left)
    };
    let (_, ticks, left) = (0..8).map(read).min().unwrap_or_default();
    (ticks, left)
}

/// Returns both rates by the interval timer, where there is one.
fn compare_with_pit(apic: &mut LocalApic) -> Option<Rates> {
    apic.set_countdown(u32::MAX);
    let countdown = pit::Countdown::start(PIT_WINDOW)?;
    let (ticks_before, left_before) = (ticks(), apic.countdown());
    let ended = countdown.wait();
    let (ticks_after, left_after) = (ticks(), apic.countdown());
    apic.set_countdown(0);
    let rate = |count| scale(pit::HERTZ, count, u64::from(PIT_WINDOW));
    ended.then(|| Rates {
        counter_hertz: rate(ticks_after.wrapping_sub(ticks_before)),
        timer_hertz: rate(u64::from(left_before - left_after)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_scale_without_overflow() {
        let year = 365 * 24 * 3600;
        let factor = Factor::new(SECOND, 3_000_000_000);
        assert!(factor.times(year * 3_000_000_000).abs_diff(year * SECOND) < SECOND / 100);
        assert_eq!(Factor::new(SECOND, SECOND).times(u64::MAX), u64::MAX);
    }

    #[test]
    fn a_rate_near_a_gigahertz_is_one() {
        assert_eq!(snapped(1_000_099_000), SECOND);
        assert_eq!(snapped(1_001_000_000), 1_001_000_000);
    }
}
