//! The protocol over loopback.

use core::cell::RefCell;

use libipc::loopback::{Fault, Faulty, Loopback};
use libipc::{Caller, Endpoint, Failure, Handle, OpenCall, Words};

use super::*;

struct Server {
    modes: Modes,
    controller: Option<Notification>,
    draining: Option<OpenCall>,
}

impl Console for Server {
    fn modes(&mut self, _: &Caller) -> Result<Modes, StreamError> {
        Ok(self.modes)
    }
    fn set_modes(&mut self, _: &Caller, flush: u32, modes: Modes) -> Result<(), StreamError> {
        self.modes = Modes { input: modes.input | flush << 31, ..modes };
        Ok(())
    }
    fn size(&mut self, _: &Caller) -> Result<u32, StreamError> {
        Ok(25 << 16 | 80)
    }
    fn take(&mut self, _: &Caller, events: Notification) -> Result<(), StreamError> {
        self.controller = Some(events);
        Ok(())
    }
    fn release(&mut self, _: &Caller) -> Result<(), StreamError> {
        self.controller.take().map(|_| ()).ok_or(StreamError::NotOpen)
    }
    fn drain(&mut self, caller: &Caller) -> Option<Result<(), StreamError>> {
        self.draining = Some(caller.call);
        None
    }
}

const MODES: Modes = Modes {
    input: 1,
    output: 2,
    control: 3,
    local: u32::MAX,
    characters: *b"abcdefghijklmnopqrstuvwx",
};

#[test]
fn modes_fill_a_message_with_one_more_word() {
    assert_eq!(Modes::COUNT, 5);
}

#[test]
fn console_keeps_modes_and_controller() {
    let server = RefCell::new(Server { modes: MODES, controller: None, draining: None });
    let serve = |request: &libipc::Request<'_>| serve_console(&mut *server.borrow_mut(), request);
    let answer = || {
        if let Some(call) = server.borrow_mut().draining.take() {
            call.reply(&console_reply::drain(Err(StreamError::Device))).unwrap();
        }
    };
    let loopback = Loopback::new(0, serve).with_meanwhile(answer);
    let client = ConsoleClient::with(Endpoint(Handle(1)), loopback);
    assert_eq!(client.modes(), Ok(MODES));
    assert_eq!(client.set_modes(1, Modes { local: 9, ..MODES }), Ok(()));
    assert_eq!(client.modes(), Ok(Modes { input: 1 << 31 | 1, local: 9, ..MODES }));
    assert_eq!(client.size(), Ok(25 << 16 | 80));
    assert_eq!(client.take(Notification(Handle(5))), Ok(()));
    assert_eq!(client.release(), Ok(()));
    assert_eq!(client.release(), Err(Failure::Protocol(StreamError::NotOpen)));
    assert_eq!(client.drain(), Err(Failure::Protocol(StreamError::Device)));
}

#[test]
fn control_is_released_over_the_consoles_death() {
    let events = Notification(Handle(5));
    // Control outlives the console, as the server's state does here.
    for (death, end) in [
        (Fault::DiesBefore, Ok(())),
        (Fault::DiesAfter, Err(Failure::Protocol(StreamError::NotOpen))),
    ] {
        let server = Server { modes: MODES, controller: Some(events), draining: None };
        let server = RefCell::new(server);
        let loopback =
            Loopback::new(0, |request| serve_console(&mut *server.borrow_mut(), request));
        let faulty = Faulty::scripted(loopback, [death]);
        let client = ConsoleClient::with(Endpoint(Handle(1)), faulty);
        assert_eq!(client.release(), end, "{death:?}");
        assert_eq!(server.borrow().controller, None, "{death:?}");
    }
}
