//! The protocol over loopback.

use libipc::loopback::{Loopback, besiege};
use libipc::{Caller, Endpoint, Failure, Handle, WriteLease};

use super::*;

struct Server;

impl System for Server {
    fn power_off(&mut self, caller: &Caller, status: u64) -> Result<(), SystemError> {
        if (caller.badge, status) == (9, 3) { Ok(()) } else { Err(SystemError::Denied) }
    }
    fn memory(&mut self, _: &Caller) -> Result<MemoryUse, SystemError> {
        Ok(MemoryUse { total: 2, used: 1 })
    }
    fn log(&mut self, _: &Caller, line: &[u8]) -> Result<(), SystemError> {
        if line == b"name: line" || line == [b'x'; LINE_MAX] {
            Ok(())
        } else {
            Err(SystemError::NotFound)
        }
    }
    fn trace(&mut self, _: &Caller, kinds: u64) -> Result<Memory, SystemError> {
        if kinds == 6 { Ok(Memory(Handle(10))) } else { Err(SystemError::Refused) }
    }
    fn slots(&mut self, _: &Caller, after: Pid, into: WriteLease<'_>) -> Result<u64, SystemError> {
        into.write_at(0, b"2 7 name\n").map_err(|_| SystemError::Refused)?;
        Ok(after.0.wrapping_add(9))
    }
    fn services(
        &mut self,
        _: &Caller,
        skip: u64,
        into: WriteLease<'_>,
    ) -> Result<u64, SystemError> {
        into.write_at(0, b"name 2 1 running\n").map_err(|_| SystemError::Refused)?;
        Ok(skip.wrapping_add(17))
    }
    fn restart(&mut self, _: &Caller, name: &[u8]) -> Result<Pid, SystemError> {
        if name == b"clock" { Ok(Pid(7)) } else { Err(SystemError::NotFound) }
    }
    fn holdings(&mut self, _: &Caller) -> Result<Holdings, SystemError> {
        Ok(Holdings { free_pages: 1, charged_pages: 2, objects: 3, handles: 4 })
    }
    fn usage(&mut self, _: &Caller, after: Pid, into: WriteLease<'_>) -> Result<u64, SystemError> {
        into.write_at(0, b"2 7 8 0\n").map_err(|_| SystemError::Refused)?;
        Ok(after.0.wrapping_add(8))
    }
    fn threads(&mut self, _: &Caller) -> Result<Trace, SystemError> {
        Ok(Trace(Handle(11)))
    }
}

#[test]
fn operations_arrive_with_the_badge() {
    let loopback = Loopback::new(9, |request| serve_system(&mut Server, request));
    let client = SystemClient::with(Endpoint(Handle(1)), loopback.clone());
    assert_eq!(client.power_off(3), Ok(()));
    assert_eq!(client.memory(), Ok(MemoryUse { total: 2, used: 1 }));
    assert_eq!(client.log(b"name: line"), Ok(()));
    assert_eq!(client.log(&[b'x'; LINE_MAX]), Ok(()));
    let beyond = client.log(&[b'x'; LINE_MAX + 1]);
    assert_eq!(beyond, Err(Failure::Kernel(libipc::Error::InvalidArgument)));
    assert_eq!(client.trace(6), Ok(Memory(Handle(10))));
    let mut lines = [0; 16];
    assert_eq!(client.slots(Pid(0), &mut lines), Ok(9));
    assert_eq!(&lines[..9], b"2 7 name\n");
    let mut lines = [0; 20];
    assert_eq!(client.services(0, &mut lines), Ok(17));
    assert_eq!(&lines[..17], b"name 2 1 running\n");
    assert_eq!(client.restart(b"clock"), Ok(Pid(7)));
    assert_eq!(client.restart(b"cl"), Err(Failure::Protocol(SystemError::NotFound)));
    let holdings = Holdings { free_pages: 1, charged_pages: 2, objects: 3, handles: 4 };
    assert_eq!(client.holdings(), Ok(holdings));
    assert_eq!(client.usage(Pid(0), &mut lines), Ok(8));
    assert_eq!(&lines[..8], b"2 7 8 0\n");
    assert_eq!(client.threads(), Ok(Trace(Handle(11))));
    let other = SystemClient::with(Endpoint(Handle(1)), loopback.with_badge(8));
    assert_eq!(other.power_off(3), Err(Failure::Protocol(SystemError::Denied)));
}

#[test]
fn any_request_is_answered_or_refused() {
    let serve = |request: &libipc::Request<'_>| serve_system(&mut Server, request);
    let tally = besiege(1, 20_000, system_label::name, serve);
    assert!(tally.answered > 100 && tally.refused > 1000 && tally.parked == 0, "{tally:?}");
}
