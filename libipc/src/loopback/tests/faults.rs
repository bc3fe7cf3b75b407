//! Faults one by one: what the client sees, what the server did; and many of them at once.

use super::*;
use crate::loopback::{Fault, Faulty, besiege};

/// Runs a test with a client on whose calls these faults fall.
fn with_faults(
    faults: &[Fault],
    test: impl FnOnce(KindsClient<Faulty<'_>>, &RefCell<Server>, &Faulty<'_>),
) {
    let server: RefCell<Server> = RefCell::default();
    let dispatch = |request: &Request<'_>| serve_kinds(&mut *server.borrow_mut(), request);
    let faulty = Faulty::scripted(Loopback::new(5, dispatch), faults.iter().copied())
        .with_restart(|| *server.borrow_mut() = Server { lives: 1, ..Server::default() });
    test(KindsClient::with(ENDPOINT, faulty.clone()), &server, &faulty);
}

const RESTARTED: Failure<KindsError> = Failure::Kernel(Error::Restarted);
const REFUSED: Failure<KindsError> = Failure::Protocol(KindsError::Refused);

#[test]
fn server_that_dies_begins_another_life_without_what_it_did() {
    for (fault, badge) in [(Fault::DiesBefore, 0), (Fault::DiesAfter, 0)] {
        with_faults(&[Fault::None, fault, Fault::None], |client, server, _| {
            assert_eq!(client.nothing(), Err(REFUSED));
            assert_eq!(server.borrow().badge, 5);
            assert_eq!(client.nothing(), Err(RESTARTED), "{fault:?}");
            assert_eq!((server.borrow().badge, server.borrow().lives), (badge, 1), "{fault:?}");
        });
    }
}

#[test]
fn idempotent_operation_is_repeated_over_deaths_and_another_is_not() {
    with_faults(&[Fault::DiesAfter, Fault::DiesBefore], |client, _, faulty| {
        assert_eq!(client.again(), Ok(()));
        assert_eq!(faulty.history(), [Fault::DiesAfter, Fault::DiesBefore, Fault::None]);
    });
    with_faults(&[Fault::DiesAfter], |client, _, faulty| {
        assert_eq!(client.words(PAIR, Flavour::Sweet, 1), Err(RESTARTED));
        assert_eq!(faulty.history(), [Fault::DiesAfter]);
    });
}

#[test]
fn request_that_arrives_twice_is_done_twice_and_an_answer_that_is_lost_once() {
    with_faults(&[Fault::Twice, Fault::ReplyLost], |client, server, _| {
        assert_eq!(client.nothing(), Err(REFUSED));
        assert_eq!(server.borrow().calls, 2);
        assert_eq!(client.nothing(), Err(Failure::Kernel(Error::TimedOut)));
        assert_eq!(server.borrow().calls, 3);
    });
}

#[test]
fn any_error_of_the_kernel_reaches_the_client_and_nothing_the_server() {
    for error in Error::ALL.into_iter().filter(|&error| error != Error::Restarted) {
        with_faults(&[Fault::Kernel(error)], |client, server, _| {
            assert_eq!(client.again(), Err(Failure::Kernel(error)));
            assert_eq!(server.borrow().calls, 0);
        });
    }
}

#[test]
fn requests_that_lie_are_refused() {
    let malformed = Failure::Kernel(Error::InvalidArgument);
    for fault in [Fault::Bytes(5), Fault::Word(0, 1 << 40), Fault::Caps(2), Fault::Leases(1)] {
        let end = |client: KindsClient<Faulty<'_>>| client.slices(b"one", "zwei", 9, b"three");
        with_faults(&[fault], |client, _, _| assert_eq!(end(client), Err(malformed), "{fault:?}"));
    }
    let mut into = [0; 4];
    for fault in [Fault::Leases(1), Fault::Leases(3), Fault::LeaseAccess] {
        with_faults(&[fault], |client, _, _| {
            assert_eq!(client.leases(b"abc", &mut into), Err(malformed), "{fault:?}");
        });
    }
    with_faults(&[Fault::Label(77 << 16 | 99)], |client, _, _| {
        assert_eq!(client.again(), Err(Failure::Kernel(Error::InvalidOperation)));
    });
}

#[test]
fn lease_that_claims_more_than_was_lent_is_an_error_where_it_is_used() {
    for len in [4, 1 << 40, u64::MAX >> 1] {
        with_faults(&[Fault::LeaseLen(len)], |client, _, _| {
            assert_eq!(client.leases(b"abc", &mut [0; 4]), Err(REFUSED), "{len:#x}");
        });
    }
}

#[test]
fn replies_that_lie_are_refused_or_values() {
    let malformed = Err(Failure::Kernel(Error::InvalidArgument));
    for fault in [Fault::ReplyCaps(1), Fault::ReplyCaps(4), Fault::ReplyLabel(9)] {
        with_faults(&[fault], |client, _, _| {
            assert_eq!(client.words(PAIR, Flavour::Sweet, 1), malformed, "{fault:?}");
        });
    }
    with_faults(&[Fault::ReplyWord(1, 99)], |client, _, _| {
        let pair = client.words(PAIR, Flavour::Sweet, 1);
        assert_eq!(pair, Ok(Pair { low: 8, high: 99 }), "a number is as good as another");
    });
    with_faults(&[Fault::None, Fault::EarlierReply], |client, _, _| {
        assert_eq!(client.again(), Ok(()));
        assert_eq!(client.slices(b"one", "zwei", 9, b"three"), Ok(0), "the other's words");
    });
}

const PAIR: Pair = Pair { low: 7, high: 1 };

#[test]
fn a_seed_repeats_its_faults() {
    let run = |seed| {
        let server: RefCell<Server> = RefCell::default();
        let dispatch = |request: &Request<'_>| serve_kinds(&mut *server.borrow_mut(), request);
        let faulty = Faulty::seeded(Loopback::new(5, dispatch), seed, 2);
        let client = KindsClient::with(ENDPOINT, faulty.clone());
        for _ in 0..1000 {
            // Whatever they end with: nobody panics.
            let _ = client.words(PAIR, Flavour::Sweet, 1);
            let _ = client.slices(b"one", "zwei", 9, b"three");
            let _ = client.capabilities(ENDPOINT, Notification(Handle(2)));
            let _ = client.later(&mut []);
            let _ = client.r#move("four", Memory(Handle(3)), b"", b"");
        }
        faulty.history()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn besieged_dispatch_answers_refuses_or_parks() {
    let server: RefCell<Server> = RefCell::default();
    let tally = besiege(1, 50_000, kinds_label::name, |request| {
        serve_kinds(&mut *server.borrow_mut(), request)
    });
    assert!(tally.answered > 1000 && tally.refused > 1000 && tally.parked > 10, "{tally:?}");
}

#[test]
#[should_panic(expected = "capabilities of a refusal")]
fn siege_finds_capabilities_that_are_kept() {
    besiege(1, 1000, kinds_label::name, |request| match kinds_label::name(request.label()) {
        Some(_) => Some(Message::refused(Error::InvalidArgument)),
        None => Some(request.refuse(Error::InvalidOperation)),
    });
}

#[test]
#[should_panic(expected = "label")]
fn siege_finds_unknown_operations_that_are_answered() {
    besiege(1, 1000, kinds_label::name, |_| Some(Message::success()));
}
