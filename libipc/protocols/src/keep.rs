//! What a server leaves with the supervisor for its next life: capabilities.
//!
//! Bytes are kept in memory that the manifest names; capabilities die with the table that they are
//! in, so that a server which holds others' hands them over. Its next life finds them among its
//! own, as `kept-0` to `kept-95` (`kamen_kit::kept::kept_name`).

use libipc::{Endpoint, Notification, interface};

/// Places that each server has.
pub const PLACES: u32 = 96;

/// Why nothing is kept.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum KeepError {
    /// The caller is no server.
    Denied = 1,
    /// There is no such place.
    NoPlace = 2,
    /// The capability is not what it is said to be, or may not be handed on.
    Refused = 3,
}

/// The supervisor, for the servers that it starts again.
#[interface(number = 23, error = KeepError)]
pub trait Keep {
    /// Keeps a notification at a place, instead of what is there.
    #[operation(1, idempotent)]
    fn keep_notification(&mut self, place: u32, what: Notification) -> Result<(), KeepError>;
    /// Keeps an endpoint at a place, instead of what is there.
    #[operation(2, idempotent)]
    fn keep_endpoint(&mut self, place: u32, what: Endpoint) -> Result<(), KeepError>;
    /// Forgets what is at a place.
    #[operation(3, idempotent)]
    fn forget(&mut self, place: u32) -> Result<(), KeepError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use libipc::loopback::Loopback;
    use libipc::{Caller, Failure, Handle};

    struct Server;

    impl Keep for Server {
        fn keep_notification(
            &mut self,
            _: &Caller,
            place: u32,
            what: Notification,
        ) -> Result<(), KeepError> {
            if (place, what.0) == (1, Handle(5)) { Ok(()) } else { Err(KeepError::NoPlace) }
        }
        fn keep_endpoint(
            &mut self,
            _: &Caller,
            place: u32,
            what: Endpoint,
        ) -> Result<(), KeepError> {
            if (place, what.0) == (2, Handle(6)) { Ok(()) } else { Err(KeepError::Refused) }
        }
        fn forget(&mut self, _: &Caller, place: u32) -> Result<(), KeepError> {
            if place == 3 { Ok(()) } else { Err(KeepError::Denied) }
        }
    }

    #[test]
    fn capabilities_and_places_arrive() {
        let loopback = Loopback::new(0, |request| serve_keep(&mut Server, request));
        let client = KeepClient::with(Endpoint(Handle(1)), loopback);
        assert_eq!(client.keep_notification(1, Notification(Handle(5))), Ok(()));
        assert_eq!(client.keep_endpoint(2, Endpoint(Handle(6))), Ok(()));
        assert_eq!(client.forget(3), Ok(()));
        assert_eq!(client.forget(4), Err(Failure::Protocol(KeepError::Denied)));
    }
}
