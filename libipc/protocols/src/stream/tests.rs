//! The protocol over loopback: at once, later, and abandoned.

use core::cell::RefCell;

use libipc::loopback::Loopback;
use libipc::{Caller, Endpoint, Error, Failure, Handle, ReadLease, Request, WriteLease};

use super::*;

/// A stream whose reads wait for a line, and whose writes are taken at once.
#[derive(Default)]
struct Server {
    parked: Option<(Caller, u64)>,
    written: [u8; 8],
    watcher: Option<Notification>,
}

impl Stream for Server {
    fn read(
        &mut self,
        caller: &Caller,
        wait: Wait,
        into: WriteLease<'_>,
    ) -> Option<Result<u64, StreamError>> {
        match wait {
            Wait::Never => Some(Err(StreamError::WouldBlock)),
            Wait::Yes => {
                self.parked = Some((*caller, into.len()));
                None
            }
        }
    }
    fn write(
        &mut self,
        _: &Caller,
        _: Wait,
        data: ReadLease<'_>,
    ) -> Option<Result<u64, StreamError>> {
        let len = data.len().min(8);
        let taken = data.read_at(0, &mut self.written[..len as usize]);
        Some(taken.map(|()| len).map_err(|_| StreamError::Device))
    }
    fn kind(&mut self, _: &Caller) -> Result<StreamKind, StreamError> {
        Ok(StreamKind::Pipe)
    }
    fn watch(&mut self, _: &Caller, notify: Notification) -> Result<u32, StreamError> {
        self.watcher = Some(notify);
        Ok(2)
    }
}

impl Server {
    /// A line came: answers the parked read.
    fn line(&mut self, line: &[u8]) {
        let Some((caller, len)) = self.parked.take() else { return };
        let len = line.len().min(len as usize);
        let result = caller.call.lease_write(0, 0, &line[..len]);
        let result = result.map(|()| len as u64).map_err(|_| StreamError::Device);
        caller.call.reply(&stream_reply::read(result)).unwrap();
    }
}

#[test]
fn read_waits_for_a_line() {
    let server: RefCell<Server> = RefCell::default();
    let serve = |request: &Request<'_>| serve_stream(&mut *server.borrow_mut(), request);
    let loopback = Loopback::new(3, serve).with_meanwhile(|| server.borrow_mut().line(b"line\n"));
    let client = StreamClient::with(Endpoint(Handle(1)), loopback);
    let mut into = [0; 8];
    assert_eq!(
        client.read(Wait::Never, &mut into),
        Err(Failure::Protocol(StreamError::WouldBlock))
    );
    assert_eq!(client.read(Wait::Yes, &mut into), Ok(5));
    assert_eq!(&into, b"line\n\0\0\0");
    assert_eq!(client.read(Wait::Yes, &mut into[..2]), Ok(2));
}

#[test]
fn read_that_nobody_answers_ends_with_its_call() {
    let server: RefCell<Server> = RefCell::default();
    let serve = |request: &Request<'_>| serve_stream(&mut *server.borrow_mut(), request);
    let client = StreamClient::with(Endpoint(Handle(1)), Loopback::new(3, serve));
    assert_eq!(client.read(Wait::Yes, &mut [0; 8]), Err(Failure::Kernel(Error::TimedOut)));
    let (caller, _) = server.borrow_mut().parked.take().unwrap();
    let late = caller.call.lease_write(0, 0, b"late").map_err(Error::from);
    assert_eq!(late, Err(Error::StaleCall));
}

#[test]
fn write_takes_what_has_room() {
    let server: RefCell<Server> = RefCell::default();
    let serve = |request: &Request<'_>| serve_stream(&mut *server.borrow_mut(), request);
    let client = StreamClient::with(Endpoint(Handle(1)), Loopback::new(3, serve));
    assert_eq!(client.write(Wait::Yes, b"0123456789"), Ok(8));
    assert_eq!(client.write(Wait::Never, b""), Ok(0));
    assert_eq!(client.kind(), Ok(StreamKind::Pipe));
    assert_eq!(client.watch(Notification(Handle(4))), Ok(2));
    assert_eq!(&server.borrow().written, b"01234567");
    assert_eq!(server.borrow().watcher, Some(Notification(Handle(4))));
}
