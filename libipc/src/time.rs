//! Time as the kernel counts it, and giving it up.

use kamen_abi::Operation;

use crate::syscall;

/// A point in time: nanoseconds since boot. Also a deadline.
///
/// ```
/// use libipc::Time;
/// let second = Time(0).after_ms(1000);
/// assert_eq!(second, Time(0).after_ns(1_000_000_000));
/// assert_eq!(Time::FOREVER.after_ms(1), Time::FOREVER);
/// assert!(Time::NEVER_WAIT < second);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Time(pub u64);

impl Time {
    /// A deadline that never passes.
    pub const FOREVER: Time = Time(kamen_abi::FOREVER);
    /// A deadline that has always passed: try once, do not wait.
    pub const NEVER_WAIT: Time = Time(kamen_abi::NOW);

    /// Returns the time `ns` nanoseconds later, at most [`Time::FOREVER`].
    pub const fn after_ns(self, ns: u64) -> Time {
        Time(self.0.saturating_add(ns))
    }

    /// Returns the time `ms` milliseconds later, at most [`Time::FOREVER`].
    pub const fn after_ms(self, ms: u64) -> Time {
        self.after_ns(ms.saturating_mul(1_000_000))
    }
}

/// Returns the kernel's time; 0 on the host, where there is none.
///
/// ```
/// use libipc::{Time, now};
/// assert_eq!(now(), Time(0), "there is no time on the host, but in a simulation");
/// ```
pub fn now() -> Time {
    match syscall::operate(Operation::Now, 0, [0; 6]) {
        Ok((_, words)) => Time(words[0]),
        Err(_) => Time(0),
    }
}

/// What the kernel's clock is made of, for who reads the processor's time-stamp counter itself.
///
/// ```
/// let scale = libipc::ClockScale { start: 0, factor: 1 << 32 };
/// assert_eq!(scale.time(7), libipc::Time(7), "a tick is a nanosecond");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockScale {
    /// The counter when the clock was 0.
    pub start: u64,
    /// The nanoseconds of a tick times 2³².
    pub factor: u64,
}

impl ClockScale {
    /// Returns the time at which the counter was `counter`.
    ///
    /// ```
    /// use libipc::{ClockScale, Time};
    /// let scale = ClockScale { start: 1000, factor: 1 << 31 }; // 2 GHz
    /// assert_eq!(scale.time(3000), Time(1000));
    /// ```
    pub const fn time(self, counter: u64) -> Time {
        let ticks = counter.saturating_sub(self.start);
        Time(((ticks as u128 * self.factor as u128) >> 32) as u64)
    }
}

/// Returns what the kernel's clock is made of; on the host a clock that stands still.
///
/// ```
/// assert_eq!(libipc::clock_scale().factor, 0, "there is no time on the host");
/// ```
pub fn clock_scale() -> ClockScale {
    let words = syscall::operate(Operation::Now, 0, [0; 6]).map_or([0; 6], |(_, words)| words);
    ClockScale { start: words[3], factor: words[4] }
}

/// Returns how many processors run threads; 1 on the host.
///
/// ```
/// assert_eq!(libipc::processors(), 1);
/// ```
pub fn processors() -> u64 {
    syscall::operate(Operation::Now, 0, [0; 6]).map_or(1, |(_, words)| words[2])
}

/// Returns the processor that this thread runs on, which may have changed already; 0 on the host.
///
/// ```
/// assert!(libipc::processor() < libipc::processors());
/// ```
pub fn processor() -> u64 {
    syscall::operate(Operation::Now, 0, [0; 6]).map_or(0, |(_, words)| words[1])
}

/// Enters the kernel and comes back: what every other operation costs at least.
///
/// ```
/// libipc::null();
/// ```
#[inline(always)]
pub fn null() {
    // It cannot fail in the system; on the host there is no kernel to enter.
    let _ = syscall::operate(Operation::Null, 0, [0; 6]);
}

/// Lets the next thread of the same priority run.
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
/// libipc::simulation::check(0..5, |simulation| {
///     let is_set = Arc::new(AtomicBool::new(false));
///     let sees = is_set.clone();
///     simulation.client("waits", move || {
///         while !sees.load(SeqCst) {
///             libipc::yield_now();
///         }
///     });
///     simulation.client("sets", move || is_set.store(true, SeqCst));
/// });
/// ```
pub fn yield_now() {
    // It cannot fail in the system; on the host there is nobody to yield to.
    let _ = syscall::operate(Operation::Yield, 0, [0; 6]);
}
