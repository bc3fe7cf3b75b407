//! The protocol over loopback, and what the run time relies on.

use libipc::loopback::{Loopback, besiege};
use libipc::{Caller, Failure, Handle, ReadLease, WriteLease};

use super::*;

#[derive(Default)]
struct Server {
    ended: Option<ExitStatus>,
    signalled: Option<(Pid, Signal)>,
}

impl Process for Server {
    fn spawn(
        &mut self,
        caller: &Caller,
        stdin: Endpoint,
        stdout: Endpoint,
        stderr: Endpoint,
        exited: Notification,
        arguments: ReadLease<'_>,
    ) -> Result<Pid, ProcessError> {
        let handles = [stdin.0, stdout.0, stderr.0, exited.0];
        if handles != [2, 3, 4, 5].map(Handle) {
            return Err(ProcessError::Invalid);
        }
        Ok(Pid(caller.badge + arguments.len()))
    }
    fn status(&mut self, _: &Caller, _: Pid) -> Result<ExitStatus, ProcessError> {
        self.ended.ok_or(ProcessError::WouldBlock)
    }
    fn signal(&mut self, _: &Caller, process: Pid, signal: Signal) -> Result<(), ProcessError> {
        self.signalled = Some((process, signal));
        Ok(())
    }
    fn list(&mut self, _: &Caller, _: Pid, into: WriteLease<'_>) -> Result<u64, ProcessError> {
        into.write_at(0, b"1 0 R").map_err(|_| ProcessError::Invalid)?;
        Ok(5)
    }
    fn badges(
        &mut self,
        _: &Caller,
        after: Pid,
        into: WriteLease<'_>,
    ) -> Result<u64, ProcessError> {
        into.write_at(0, b"7 9\n").map_err(|_| ProcessError::Invalid)?;
        Ok(after.0.wrapping_add(4))
    }
    fn exit(&mut self, _: &Caller, status: ExitStatus) -> Result<(), ProcessError> {
        self.ended = Some(status);
        Ok(())
    }
}

#[test]
fn processes_are_started_listed_and_ended() {
    let mut server = Server::default();
    let loopback = Loopback::new(100, |request| serve_process(&mut server, request));
    let client = ProcessClient::with(Endpoint(Handle(1)), loopback);
    let streams = [2, 3, 4].map(|handle| Endpoint(Handle(handle)));
    let [stdin, stdout, stderr] = streams;
    let exited = Notification(Handle(5));
    assert_eq!(client.spawn(stdin, stdout, stderr, exited, b"/bin/x"), Ok(Pid(106)));
    assert_eq!(client.status(Pid(106)), Err(Failure::Protocol(ProcessError::WouldBlock)));
    assert_eq!(client.signal(Pid(106), Signal::Terminate), Ok(()));
    let mut into = [0; 8];
    assert_eq!(client.list(Pid(0), &mut into), Ok(5));
    assert_eq!(&into, b"1 0 R\0\0\0");
    assert_eq!(client.list(Pid(0), &mut into[..2]), Err(Failure::Protocol(ProcessError::Invalid)));
    assert_eq!(client.badges(Pid(0), &mut into), Ok(4));
    assert_eq!(&into[..4], b"7 9\n");
    assert_eq!(client.exit(ExitStatus(256 + 15)), Ok(()));
    assert_eq!(client.status(Pid(106)), Ok(ExitStatus(271)));
    drop(client);
    assert_eq!(server.signalled, Some((Pid(106), Signal::Terminate)));
}

#[test]
fn run_time_exits_by_the_protocols_label() {
    assert_eq!(libipc::start::EXIT_LABEL, process_label::EXIT);
}

#[test]
fn any_request_is_answered_or_refused() {
    let mut server = Server::default();
    let serve = |request: &libipc::Request<'_>| serve_process(&mut server, request);
    let tally = besiege(1, 20_000, process_label::name, serve);
    assert!(tally.answered > 100 && tally.refused > 1000 && tally.parked == 0, "{tally:?}");
}
