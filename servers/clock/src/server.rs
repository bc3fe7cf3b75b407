//! The clock protocol.

use kamen_kit::service::{Protocol, Service};
use libipc::Caller;
use protocols::clock::{Clock, ClockError, clock_label, serve_clock};

/// The last time that can be told: so that it is an `i64` to those who need one, in 2262.
pub const TIME_MAX: u64 = i64::MAX as u64;

/// The clock server: the time of day at the kernel's time 0, in ns since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Server {
    boot_time: u64,
}

impl Server {
    /// Returns the clock for which it is `time` (ns since 1970) at `now` of the kernel's clock.
    pub fn new(time: u64, now: u64) -> Self {
        Server { boot_time: time.saturating_sub(now) }
    }
}

impl Service for Server {
    type Source = ();
    const PROTOCOLS: &'static [Protocol<Self>] =
        &[Protocol::new(clock_label::PROTOCOL, serve_clock)];
}

impl Clock for Server {
    fn boot_time(&mut self, _: &Caller) -> Result<u64, ClockError> {
        Ok(self.boot_time)
    }

    fn set_boot_time(&mut self, _: &Caller, time: u64) -> Result<(), ClockError> {
        if time > TIME_MAX {
            return Err(ClockError::OutOfRange);
        }
        self.boot_time = time;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use libipc::OpenCall;

    use super::*;

    const CALLER: Caller = Caller { badge: 0, call: OpenCall::NONE, replayed: false };

    #[test]
    fn boot_time_is_the_time_less_what_has_passed() {
        assert_eq!(Server::new(1_000, 400).boot_time(&CALLER), Ok(600));
        assert_eq!(Server::new(0, 400).boot_time(&CALLER), Ok(0));
    }

    #[test]
    fn set_time_is_kept_if_it_can_be_told() {
        let mut server = Server::new(0, 0);
        assert_eq!(server.set_boot_time(&CALLER, TIME_MAX), Ok(()));
        assert_eq!(server.set_boot_time(&CALLER, TIME_MAX + 1), Err(ClockError::OutOfRange));
        assert_eq!(server.boot_time(&CALLER), Ok(TIME_MAX));
    }
}
