//! The time of day.

use libipc::interface;

/// Why the clock refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ClockError {
    /// The time is before 1970 or after 2261.
    OutOfRange = 1,
}

/// The clock server. Monotonic time needs no server: the kernel's `Now`.
#[interface(number = 6, error = ClockError)]
pub trait Clock {
    /// Returns the time of day at the kernel's time 0, in ns since 1970-01-01 UTC; add `Now`.
    #[operation(1, idempotent)]
    fn boot_time(&mut self) -> Result<u64, ClockError>;
    /// Sets it.
    #[operation(2, idempotent)]
    fn set_boot_time(&mut self, time: u64) -> Result<(), ClockError>;
}

#[cfg(test)]
mod tests;
