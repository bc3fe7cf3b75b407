//! The server's answers, as its clients get them.

use libipc::loopback::Loopback;
use libipc::{Endpoint, Failure, Handle};
use protocols::sample::{SampleClient, SampleError, serve_sample};

use super::Server;

/// Has a client call a new server.
fn with_client(test: impl FnOnce(&SampleClient<Loopback<'_>>)) {
    let mut server = Server::default();
    let loopback = Loopback::new(1, |request| serve_sample(&mut server, request));
    test(&SampleClient::with(Endpoint(Handle(1)), loopback));
}

#[test]
fn what_was_added_is_counted() {
    with_client(|client| {
        assert_eq!(client.value(), Ok(0));
        assert_eq!(client.add(2), Ok(2));
        assert_eq!(client.add(3), Ok(5));
        assert_eq!(client.value(), Ok(5));
    });
}

#[test]
fn what_would_overflow_is_refused_and_changes_nothing() {
    with_client(|client| {
        assert_eq!(client.add(u64::MAX), Ok(u64::MAX));
        assert_eq!(client.add(1), Err(Failure::Protocol(SampleError::Overflow)));
        assert_eq!(client.value(), Ok(u64::MAX));
    });
}
