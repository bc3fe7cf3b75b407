//! The sleeper on the host: the test brings the time, and makes calls in its callers' place.

// ANCHOR: test
use alloc::rc::Rc;
use core::cell::Cell;

use libipc::loopback::HostCall;

use super::*;

/// A sleeper whose time is what the cell says, and the cell.
fn sleeper() -> (Server<impl Fn() -> Time>, Rc<Cell<Time>>) {
    let time = Rc::new(Cell::new(Time(0)));
    let clock = Rc::clone(&time);
    (Server::new(move || clock.get(), Alarm::default()), time)
}

#[test]
fn who_sleeps_is_answered_when_the_time_has_come() {
    let (mut server, time) = sleeper();
    let (short, long) = (HostCall::new(1), HostCall::new(2));
    assert_eq!(server.sleep(&long.caller(), 30), None);
    assert_eq!(server.sleep(&short.caller(), 10), None);
    assert_eq!(server.alarm.due(), Some(Time(0).after_ms(10)));

    time.set(Time(0).after_ms(10));
    assert_eq!(server.occurred(Source::Alarm), Attention::Done);
    assert_eq!(short.answer(), Some(sleep_reply::sleep(Ok(10_000_000))));
    assert_eq!(long.answer(), None);
    assert_eq!(server.alarm.due(), Some(Time(0).after_ms(30)));
}
// ANCHOR_END: test

// ANCHOR: cancelled
#[test]
fn who_is_gone_is_forgotten() {
    let (mut server, _) = sleeper();
    let (gone, stays) = (HostCall::new(1), HostCall::new(2));
    assert_eq!(server.sleep(&gone.caller(), 10), None);
    assert_eq!(server.sleep(&stays.caller(), 10), None);

    let call = gone.caller().call;
    drop(gone);
    server.cancelled(call);
    assert_eq!(server.sleepers.len(), 1);

    // The kernel may also say that some call or other has ended.
    drop(stays);
    server.cancelled(OpenCall::NONE);
    assert_eq!(server.sleepers.len(), 0);
}
// ANCHOR_END: cancelled

#[test]
fn more_than_there_is_room_for_are_refused() {
    let (mut server, _) = sleeper();
    let calls: Vec<HostCall<'_>> = (0..=SLEEPERS_MAX as u64).map(HostCall::new).collect();
    let (last, others) = calls.split_last().unwrap();
    for call in others {
        assert_eq!(server.sleep(&call.caller(), 10), None);
    }
    assert_eq!(server.sleep(&last.caller(), 10), Some(Err(SleepError::Full)));
}

// ANCHOR: client
#[test]
fn a_client_waits_for_its_answer() {
    use core::cell::RefCell;
    use libipc::loopback::Loopback;
    use libipc::{Endpoint, Handle};

    let (server, time) = sleeper();
    let server = RefCell::new(server);
    let loopback = Loopback::new(1, |request| serve_sleep(&mut *server.borrow_mut(), request))
        .with_meanwhile(|| {
            time.set(time.get().after_ms(1));
            assert_eq!(server.borrow_mut().occurred(Source::Alarm), Attention::Done);
        });
    let client = SleepClient::with(Endpoint(Handle(1)), loopback);
    assert_eq!(client.sleep(20), Ok(20_000_000));
}
// ANCHOR_END: client
