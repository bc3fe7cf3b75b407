//! The counter on the host.

use alloc::string::ToString;

use kamen_kit::service;
use libipc::loopback::{Fault, Faulty, Loopback, besiege};
use libipc::simulation::{self, Simulation};
use libipc::start::Start;
use libipc::{Endpoint, Error, Failure, Handle, Request};

use super::*;

/// Has a client call a new server.
fn with_client(test: impl FnOnce(&CounterClient<Loopback<'_>>)) {
    let mut server = Server::default();
    let loopback = Loopback::new(1, |request| serve_counter(&mut server, request));
    test(&CounterClient::with(Endpoint(Handle(1)), loopback));
}

// ANCHOR: take
#[test]
fn what_is_taken_is_gone() {
    with_client(|client| {
        assert_eq!(client.add(5), Ok(5));
        assert_eq!(client.take(2), Ok(3));
        assert_eq!(client.take(4), Err(Failure::Protocol(CounterError::TooMuch)));
        assert_eq!(client.value(), Ok(3));
    });
}
// ANCHOR_END: take

// ANCHOR: dying
#[test]
fn an_idempotent_call_is_repeated_and_another_is_not() {
    let mut server = Server { value: 7 };
    let loopback = Loopback::new(1, |request| serve_counter(&mut server, request));
    let faulty = Faulty::scripted(loopback, [Fault::DiesAfter, Fault::None, Fault::DiesAfter]);
    let client = CounterClient::with(Endpoint(Handle(1)), faulty.clone());

    assert_eq!(client.value(), Ok(7)); // The client has asked twice.
    assert_eq!(client.add(1), Err(Failure::Kernel(Error::Restarted)));
    assert_eq!(client.value(), Ok(8)); // It was added all the same.
    assert_eq!(faulty.history().len(), 4);
}
// ANCHOR_END: dying

// ANCHOR: hostile
#[test]
fn no_request_makes_the_server_panic() {
    let mut server = Server::default();
    let serve = |request: &Request<'_>| serve_counter(&mut server, request);
    let tally = besiege(1, 2000, counter_label::name, serve);
    assert!(tally.answered > 0 && tally.refused > 0);
}
// ANCHOR_END: hostile

// ANCHOR: simulation
fn two_that_add(simulation: &mut Simulation) {
    let endpoint = simulation.endpoint("counter");
    simulation.server("counter", move |_life| {
        service::run_at(endpoint, &Start::default(), |_| Ok(Server::default()));
    });
    for name in ["one", "two"] {
        simulation.client(name, move || {
            let client = CounterClient::new(endpoint);
            let before = client.value().expect("it answers");
            let after = client.add(1).expect("it answers");
            assert_eq!(after, before + 1, "somebody came between");
        });
    }
}

#[test]
fn between_two_calls_somebody_may_come() {
    let found = simulation::search(0..100, two_that_add).expect("some order shows it");
    assert!(found.to_string().contains("somebody came between"));
}
// ANCHOR_END: simulation
