//! The protocol over loopback.

use libipc::loopback::Loopback;
use libipc::{Caller, Endpoint, Failure, Handle};

use super::*;

struct Server(u64);

impl Clock for Server {
    fn boot_time(&mut self, _: &Caller) -> Result<u64, ClockError> {
        Ok(self.0)
    }
    fn set_boot_time(&mut self, _: &Caller, time: u64) -> Result<(), ClockError> {
        self.0 = if time == 0 { return Err(ClockError::OutOfRange) } else { time };
        Ok(())
    }
}

#[test]
fn time_that_was_set_is_returned() {
    let mut server = Server(1);
    let loopback = Loopback::new(0, |request| serve_clock(&mut server, request));
    let client = ClockClient::with(Endpoint(Handle(1)), loopback);
    assert_eq!(client.boot_time(), Ok(1));
    assert_eq!(client.set_boot_time(u64::MAX), Ok(()));
    assert_eq!(client.boot_time(), Ok(u64::MAX));
    assert_eq!(client.set_boot_time(0), Err(Failure::Protocol(ClockError::OutOfRange)));
}
