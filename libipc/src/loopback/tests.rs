//! A protocol with every kind of argument and result: round trips, hostile requests, parking.

use kamen_abi::{MAX_CAPS, Tag};

use super::*;
use crate::transport::Lend;
use crate::{
    Caller, Error, Failure, Kernel, Memory, Notification, Object, ProtocolError, ReadLease, Word,
    Words, WriteLease, interface,
};

mod faults;

#[derive(ProtocolError, Clone, Copy, PartialEq, Debug)]
#[repr(u8)]
enum KindsError {
    Refused = 3,
}

#[derive(Word, Clone, Copy, PartialEq, Debug)]
#[repr(u8)]
enum Flavour {
    Sweet = 1,
}

#[derive(Words, Clone, Copy, PartialEq, Debug)]
struct Pair {
    low: u32,
    high: u64,
}

#[derive(Words, Clone, Copy, PartialEq, Debug)]
struct Outer {
    before: u8,
    pair: Pair,
    flavour: Flavour,
    small: i16,
}

/// All kinds of arguments and results. The names are those that generated code might use itself.
#[interface(number = 77, error = KindsError)]
trait Kinds {
    /// Nothing.
    #[operation(1)]
    fn nothing(&mut self) -> Result<(), KindsError>;
    /// Words.
    #[operation(2)]
    fn words(&mut self, words: Pair, request: Flavour, reply: u8) -> Result<Pair, KindsError>;
    /// Bytes, copied.
    #[operation(3)]
    fn slices(&mut self, a: &[u8], text: &str, server: u32, b: &[u8]) -> Result<u64, KindsError>;
    /// Capabilities both ways.
    #[operation(4)]
    fn capabilities(
        &mut self,
        one: Endpoint,
        two: Notification,
    ) -> Result<(Memory, Pair, Endpoint), KindsError>;
    /// Leases.
    #[operation(5)]
    fn leases(&mut self, #[lend] from: &[u8], into: &mut [u8]) -> Result<u64, KindsError>;
    /// Answered later.
    #[operation(6, deferred)]
    fn later(&mut self, into: &mut [u8]) -> Result<u32, KindsError>;
    /// Repeated.
    #[operation(7, idempotent)]
    fn again(&mut self) -> Result<(), KindsError>;
    /// Bounded; the second without an error of its own. The name is a keyword.
    #[operation(8)]
    fn r#move(
        &mut self,
        #[at_most(4, Refused)] short: &str,
        key: Memory,
        #[at_most(8)] r#type: &[u8],
        #[lend]
        #[at_most(2, Refused)]
        lent: &[u8],
    ) -> Result<u64, KindsError>;
    /// A struct within a struct.
    #[operation(9, idempotent, deferred)]
    fn nested(&mut self, outer: Outer) -> Result<Outer, KindsError>;
}

#[derive(Default)]
struct Server {
    parked: Option<Caller>,
    badge: u64,
    calls: usize,
    lives: usize,
}

impl Kinds for Server {
    fn nothing(&mut self, caller: &Caller) -> Result<(), KindsError> {
        self.badge = caller.badge;
        self.calls += 1;
        Err(KindsError::Refused)
    }
    fn words(&mut self, _: &Caller, pair: Pair, _: Flavour, n: u8) -> Result<Pair, KindsError> {
        Ok(Pair { low: pair.low.wrapping_add(n.into()), high: pair.high })
    }
    fn slices(
        &mut self,
        _: &Caller,
        a: &[u8],
        text: &str,
        n: u32,
        b: &[u8],
    ) -> Result<u64, KindsError> {
        let fits = (a, text, b) == (&b"one"[..], "zwei", &b"three"[..]);
        if fits { Ok(n.into()) } else { Err(KindsError::Refused) }
    }
    fn capabilities(
        &mut self,
        _: &Caller,
        one: Endpoint,
        two: Notification,
    ) -> Result<(Memory, Pair, Endpoint), KindsError> {
        Ok((Memory(two.handle()), Pair { low: 1, high: 2 }, one))
    }
    fn leases(
        &mut self,
        _: &Caller,
        from: ReadLease<'_>,
        into: WriteLease<'_>,
    ) -> Result<u64, KindsError> {
        let mut bytes = [0; 3];
        let last = from.len().checked_sub(3).ok_or(KindsError::Refused)?;
        from.read_at(last, &mut bytes).map_err(|_| KindsError::Refused)?;
        into.write_at(1, &bytes).map_err(|_| KindsError::Refused)?;
        assert_eq!(from.read_at(from.len() - 2, &mut bytes), Err(Error::InvalidArgument));
        assert_eq!(from.read_at(u64::MAX, &mut bytes), Err(Error::InvalidArgument));
        assert_eq!(into.write_at(into.len(), &bytes), Err(Error::InvalidArgument));
        Ok(into.len())
    }
    fn later(&mut self, caller: &Caller, into: WriteLease<'_>) -> Option<Result<u32, KindsError>> {
        if into.is_empty() {
            return Some(Err(KindsError::Refused));
        }
        self.parked = Some(*caller);
        None
    }
    fn again(&mut self, _: &Caller) -> Result<(), KindsError> {
        Ok(())
    }
    fn r#move(
        &mut self,
        _: &Caller,
        short: &str,
        _: Memory,
        kind: &[u8],
        lent: ReadLease<'_>,
    ) -> Result<u64, KindsError> {
        Ok(100 * short.len() as u64 + 10 * kind.len() as u64 + lent.len())
    }
    fn nested(&mut self, _: &Caller, outer: Outer) -> Option<Result<Outer, KindsError>> {
        Some(Ok(Outer { before: outer.before.wrapping_add(1), ..outer }))
    }
}

const ENDPOINT: Endpoint = Endpoint(Handle(1));

fn client(server: &RefCell<Server>) -> KindsClient<Loopback<'_>> {
    let dispatch = |request: &Request<'_>| serve_kinds(&mut *server.borrow_mut(), request);
    KindsClient::with(ENDPOINT, Loopback::new(5, dispatch))
}

#[test]
fn values_arrive_as_they_were_sent() {
    let server = RefCell::default();
    let client = client(&server);
    let pair = Pair { low: 7, high: u64::MAX };
    assert_eq!(client.words(pair, Flavour::Sweet, 3), Ok(Pair { low: 10, ..pair }));
    assert_eq!(client.slices(b"one", "zwei", 9, b"three"), Ok(9));
    let back = client.capabilities(Endpoint(Handle(8)), Notification(Handle(9)));
    assert_eq!(back, Ok((Memory(Handle(9)), Pair { low: 1, high: 2 }, Endpoint(Handle(8)))));
}

#[test]
fn structs_within_structs_arrive_as_they_were_sent() {
    assert_eq!(Outer::COUNT, 4);
    let server = RefCell::default();
    let pair = Pair { low: u32::MAX, high: 1 << 63 };
    let outer = Outer { before: 6, pair, flavour: Flavour::Sweet, small: -3 };
    assert_eq!(client(&server).nested(outer), Ok(Outer { before: 7, ..outer }));
}

#[test]
fn bounds_hold_at_the_client_before_anything_is_sent() {
    let untouched = Loopback::new(0, |_| panic!("nothing is sent"));
    let silent = KindsClient::with(ENDPOINT, untouched);
    let (server, key) = (RefCell::default(), Memory(Handle(31)));
    let client = client(&server);
    assert_eq!(client.r#move("four", key, &[0; 8], &[0; 2]), Ok(482));
    let refused = Err(Failure::Protocol(KindsError::Refused));
    assert_eq!(silent.r#move("fünf", key, &[], &[]), refused, "bytes count, not letters");
    assert_eq!(silent.r#move("", key, &[0; 9], &[]), Err(Failure::Kernel(Error::InvalidArgument)));
    assert_eq!(silent.r#move("", key, &[], &[0; 3]), refused);
}

#[test]
fn bounds_hold_at_the_border_whatever_the_client() {
    let (bytes, lent, caps) = ([b'x'; 16], [0; 4], [Handle(31)]);
    let label = kinds_label::MOVE;
    let end = |short: usize, kind: usize, lend: usize| {
        let (words, leases) = ([short as u64, 0, 0, 0, 0, 0], [Lend::read(&lent[..lend])]);
        let slices = [&bytes[..short], &bytes[..kind]];
        hostile(Outgoing { label, words, slices: &slices, caps: &caps, leases: &leases })
    };
    let refused = Err(Failure::Protocol(KindsError::Refused));
    take_deleted();
    assert_eq!(end(4, 8, 2), Ok(()));
    assert_eq!(take_deleted(), []);
    for (lengths, answer) in [((5, 8, 2), refused), ((4, 9, 2), MALFORMED), ((4, 8, 3), refused)] {
        assert_eq!(end(lengths.0, lengths.1, lengths.2), answer, "{lengths:?}");
        assert_eq!(take_deleted(), caps, "{lengths:?}");
    }
}

#[test]
fn error_of_the_protocol_arrives_with_the_badge() {
    let server = RefCell::default();
    let client = client(&server);
    assert_eq!(client.nothing(), Err(Failure::Protocol(KindsError::Refused)));
    assert_eq!(server.borrow().badge, 5);
}

#[test]
fn leases_reach_the_callers_memory_within_their_bounds() {
    let server = RefCell::default();
    let mut into = [0; 5];
    assert_eq!(client(&server).leases(b"abcdef", &mut into), Ok(5));
    assert_eq!(&into, b"\0def\0");
}

#[test]
fn parked_call_is_answered_later() {
    let server: RefCell<Server> = RefCell::default();
    let answer = || {
        if let Some(caller) = server.borrow_mut().parked.take() {
            caller.call.lease_write(0, 0, b"late").unwrap();
            caller.call.reply(&kinds_reply::later(Ok(4))).unwrap();
            assert_eq!(caller.call.reply(&kinds_reply::later(Ok(4))), Err(Error::StaleCall));
            let end = caller.call.lease_write(0, 0, b"dead").map_err(Error::from);
            assert_eq!(end, Err(Error::StaleCall));
        }
    };
    let dispatch = |request: &Request<'_>| serve_kinds(&mut *server.borrow_mut(), request);
    let loopback = Loopback::new(5, dispatch).with_meanwhile(answer);
    let client = KindsClient::with(ENDPOINT, loopback);
    let mut into = [0; 4];
    assert_eq!(client.later(&mut into), Ok(4));
    assert_eq!(&into, b"late");
    assert_eq!(client.later(&mut []), Err(Failure::Protocol(KindsError::Refused)));
}

#[test]
fn call_that_nobody_answers_times_out_and_goes_stale() {
    let server: RefCell<Server> = RefCell::default();
    let mut into = [0; 4];
    assert_eq!(client(&server).later(&mut into), Err(Failure::Kernel(Error::TimedOut)));
    let parked = server.borrow().parked.unwrap();
    assert_eq!(parked.call.reply(&Message::success()), Err(Error::StaleCall));
}

#[test]
fn bytes_beyond_the_message_are_refused_by_the_transport() {
    let server = RefCell::default();
    let long = [0; kamen_abi::MAX_BYTES];
    let end = client(&server).slices(&long, "", 0, &[1]);
    assert_eq!(end, Err(Failure::Kernel(Error::InvalidArgument)));
    let end = KindsClient::<Kernel>::new(ENDPOINT).slices(&long, "", 0, &[1]);
    assert_eq!(end, Err(Failure::Kernel(Error::InvalidArgument)));
}

/// Sends a request of the test's making to the server; returns the answer.
fn hostile(request: Outgoing<'_>) -> Result<(), Failure<KindsError>> {
    let server: RefCell<Server> = RefCell::default();
    let dispatch = |request: &Request<'_>| serve_kinds(&mut *server.borrow_mut(), request);
    let reply = Loopback::new(5, dispatch).call(ENDPOINT, &request)?;
    reply.results(0).map(|_| ())
}

const EMPTY: Outgoing<'_> =
    Outgoing { label: 0, words: [0; 6], slices: &[], caps: &[], leases: &[] };
const MALFORMED: Result<(), Failure<KindsError>> = Err(Failure::Kernel(Error::InvalidArgument));

#[test]
fn unknown_operations_and_protocols_are_refused() {
    for label in [0, 77 << 16, 77 << 16 | 10, 78 << 16 | 1, 1, u32::MAX] {
        let end = hostile(Outgoing { label, ..EMPTY });
        assert_eq!(end, Err(Failure::Kernel(Error::InvalidOperation)), "{label:#x}");
    }
}

#[test]
fn lengths_that_contradict_the_bytes_are_refused() {
    let label = kinds_label::SLICES;
    for (a, b) in [(6, 0), (0, 6), (3, 3), (u64::MAX, 0), (1, u64::MAX), (u64::MAX, 6)] {
        let request = Outgoing { label, words: [a, b, 0, 0, 0, 0], slices: &[b"01234"], ..EMPTY };
        assert_eq!(hostile(request), MALFORMED, "{a} {b}");
    }
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let words = [0, 2, 0, 0, 0, 0];
    let request = Outgoing { label: kinds_label::SLICES, words, slices: &[b"\xff\xff"], ..EMPTY };
    assert_eq!(hostile(request), MALFORMED);
}

#[test]
fn enum_values_that_do_not_exist_are_refused() {
    let request = Outgoing { label: kinds_label::WORDS, words: [0, 0, 2, 0, 0, 0], ..EMPTY };
    assert_eq!(hostile(request), MALFORMED);
}

#[test]
fn requests_of_another_form_are_refused_and_their_capabilities_deleted() {
    let bytes = [0; 4];
    let caps = [Handle(11), Handle(12), Handle(13)];
    take_deleted();
    for count in 1..=3 {
        let caps = &caps[..count];
        assert_eq!(hostile(Outgoing { label: kinds_label::NOTHING, caps, ..EMPTY }), MALFORMED);
        assert_eq!(take_deleted(), caps);
    }
    let label = kinds_label::NOTHING;
    assert_eq!(hostile(Outgoing { label, slices: &[&bytes], ..EMPTY }), MALFORMED);
    assert_eq!(hostile(Outgoing { label, leases: &[Lend::read(&bytes)], ..EMPTY }), MALFORMED);
}

#[test]
fn leases_of_the_wrong_number_or_access_are_refused() {
    let label = kinds_label::LEASES;
    let (mut one, mut two, bytes) = ([0; 4], [0; 4], [0; 4]);
    let read = Lend::read(&bytes);
    assert_eq!(hostile(Outgoing { label, leases: &[read], ..EMPTY }), MALFORMED);
    assert_eq!(hostile(Outgoing { label, leases: &[read, read], ..EMPTY }), MALFORMED);
    let leases = [Lend::write(&mut one), Lend::write(&mut two)];
    assert_eq!(hostile(Outgoing { label, leases: &leases, ..EMPTY }), MALFORMED);
}

#[test]
fn every_label_with_any_words_is_answered() {
    for operation in 0..=10 {
        for word in [0, 1, 5, u64::MAX, 1 << 63] {
            let (label, words) = (77 << 16 | operation, [word; 6]);
            // The answer is one or another; what counts is that there is one.
            let _ = hostile(Outgoing { label, words, ..EMPTY });
        }
    }
}

/// Answers with what the closure says, in a server's place.
fn answered(message: Message) -> Result<(Memory, Pair, Endpoint), Failure<KindsError>> {
    let loopback = Loopback::new(0, |_| Some(message));
    KindsClient::with(ENDPOINT, loopback).capabilities(ENDPOINT, Notification(Handle(2)))
}

#[test]
fn replies_that_make_no_sense_are_refused_and_their_capabilities_deleted() {
    let malformed = Err(Failure::Kernel(Error::InvalidArgument));
    let one = Message::success().with_capability(Endpoint(Handle(21)));
    take_deleted();
    assert_eq!(answered(Message::success()), malformed);
    assert_eq!(answered(one), malformed);
    assert_eq!(take_deleted(), [Handle(21)]);
    let three = one.with_capability(ENDPOINT).with_capability(ENDPOINT);
    assert_eq!(answered(three), malformed);
    for label in [1, 255, 256, 1000, u32::MAX] {
        let end = answered(Message::new(label, [0; 6]));
        assert!(matches!(end, Err(Failure::Kernel(_))), "{label}: {end:?}");
    }
    let quota = answered(Message::refused(Error::QuotaExhausted));
    assert_eq!(quota, Err(Failure::Kernel(Error::QuotaExhausted)));
}

/// A transport on which the server dies a number of times.
struct Dying(core::cell::Cell<usize>);

impl Transport for Dying {
    fn call(&self, _: Endpoint, _: &Outgoing<'_>) -> Result<Reply, Error> {
        match self.0.get() {
            0 => Ok(Reply { tag: Tag::short(0), words: [0; 6], caps: [Handle::NULL; MAX_CAPS] }),
            left => {
                self.0.set(left - 1);
                Err(Error::Restarted)
            }
        }
    }
}

#[test]
fn idempotent_operations_are_repeated_and_others_not() {
    let client = |deaths| KindsClient::with(ENDPOINT, Dying(core::cell::Cell::new(deaths)));
    let restarted = Err(Failure::Kernel(Error::Restarted));
    assert_eq!(client(crate::transport::RETRIES).again(), Ok(()));
    assert_eq!(client(crate::transport::RETRIES + 1).again(), restarted);
    assert_eq!(client(1).nothing(), restarted);
}

#[test]
fn labels_have_names() {
    assert_eq!(kinds_label::name(77 << 16 | 6), Some("Kinds::later"));
    assert_eq!(kinds_label::name(77 << 16 | 8), Some("Kinds::move"));
    assert_eq!(kinds_label::name(77 << 16), None);
}
