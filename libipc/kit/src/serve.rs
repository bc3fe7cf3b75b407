//! A server's raw loop: one system call answers a request and waits for the next event.
//!
//! Servers use [`crate::service`], which is made of it; what stands here is for those that decide
//! about every event themselves, as init does.

use libipc::{Endpoint, Error, Event, Message, Time};

use crate::service::{self, Handler};

/// Receives events of an endpoint (and of the notification bound to the thread) for ever and has
/// `handle` answer them; returns why receiving became impossible.
///
/// `handle` returns the answer to a request or foreign call, or none where it will be answered
/// later through its open call. For a notification or cancellation the result is not looked at.
///
/// ```no_run
/// use kamen_kit::serve;
/// use libipc::{Caller, Endpoint, Event, Handle};
/// use protocols::clock::{Clock, ClockError, serve_clock};
///
/// struct Server(u64);
///
/// impl Clock for Server {
///     fn boot_time(&mut self, _caller: &Caller) -> Result<u64, ClockError> {
///         Ok(self.0)
///     }
///     fn set_boot_time(&mut self, _caller: &Caller, time: u64) -> Result<(), ClockError> {
///         self.0 = time;
///         Ok(())
///     }
/// }
///
/// let mut server = Server(0);
/// let error = serve::run(Endpoint(Handle(5)), |event| match event {
///     Event::Request(request) => serve_clock(&mut server, &request),
///     Event::Notified(_) | Event::Foreign(_) | Event::Cancelled(_) => None,
/// });
/// panic!("clock: receive: {error:?}");
/// ```
pub fn run(endpoint: Endpoint, handle: impl FnMut(Event<'_>) -> Option<Message>) -> Error {
    service::turn(endpoint, &mut Tireless(handle))
}

/// A handler that waits for ever.
struct Tireless<F>(F);

impl<F: FnMut(Event<'_>) -> Option<Message>> Handler for Tireless<F> {
    #[inline(always)]
    fn event(&mut self, event: Event<'_>) -> Option<Message> {
        (self.0)(event)
    }

    #[inline(always)]
    fn rest(&mut self) -> Time {
        Time::FOREVER
    }
}

#[cfg(test)]
mod tests {
    use libipc::Handle;

    use super::*;

    #[test]
    fn loop_ends_when_receiving_is_impossible() {
        let error = run(Endpoint(Handle(5)), |_| None);
        assert_eq!(error, Error::InvalidOperation);
    }
}
