//! Tests of init's protocols over loopback: what it refuses, without a kernel behind it.

use alloc::vec;
use kamen_kit::Arguments;
use libipc::loopback::Loopback;
use libipc::{Failure, Handle};
use protocols::process::{ExitStatus, ProcessClient, ProcessError, Signal};
use protocols::system::{SystemClient, SystemError};

use super::*;
use crate::manifest::Role;

const CHILD: u64 = NATIVE_BADGE | 7;

/// Returns an init that has started nothing, with one native program in its manifest.
fn supervisor() -> Supervisor {
    let any = Program::new(manifest::ANY_PROGRAM, Role::Native, "/bin/any");
    Supervisor {
        machine: Machine::first_task(&[]),
        manifest: Manifest { programs: vec![any] },
        run: Run::default(),
        endpoint: Endpoint(Handle(9)),
        services: BTreeMap::new(),
        kept: BTreeMap::new(),
        processes: Processes::default(),
        watched: Vec::new(),
        bell: Bell::silent(),
        shell: SUPERVISOR,
        shared_pages: 0,
        shared_objects: 0,
        seen: None,
    }
}

fn client(supervisor: &mut Supervisor) -> ProcessClient<Loopback<'_>> {
    let loopback = Loopback::new(CHILD, |request| supervisor.request(request));
    ProcessClient::with(Endpoint(Handle(1)), loopback)
}

fn spawn(block: &[u8]) -> Result<Pid, Failure<ProcessError>> {
    let mut supervisor = supervisor();
    let stream = Endpoint(Handle(2));
    let exited = libipc::Notification(Handle(3));
    client(&mut supervisor).spawn(stream, stream, stream, exited, block)
}

#[test]
fn what_cannot_be_spawned_is_refused_with_its_reason() {
    let refused = |error| Err(Failure::Protocol(error));
    let block = |argv: &[&[u8]]| Arguments::new(b"/", argv, &[]).emit().unwrap();
    assert_eq!(spawn(b"nonsense"), refused(ProcessError::Invalid));
    assert_eq!(spawn(&block(&[])), refused(ProcessError::Invalid));
    assert_eq!(spawn(&vec![0; kamen_kit::MAX_BLOCK + 1]), refused(ProcessError::Invalid));
    // No file server runs, and the archive is empty.
    assert_eq!(spawn(&block(&[b"/bin/none"])), refused(ProcessError::NotFound));
}

#[test]
fn processes_of_others_are_nobodys_business() {
    let mut supervisor = supervisor();
    let client = client(&mut supervisor);
    let no_process = Failure::Protocol(ProcessError::NoProcess);
    assert_eq!(client.status(Pid(1)), Err(no_process));
    assert_eq!(client.status(Pid(99)), Err(no_process));
    assert_eq!(client.signal(Pid(1), Signal::Kill), Err(no_process));
    // A badge that names no process ends none.
    assert_eq!(client.exit(ExitStatus(0)), Ok(()));
}

#[test]
fn the_list_begins_with_init_itself() {
    let mut supervisor = supervisor();
    let client = client(&mut supervisor);
    let mut lines = [0; 64];
    let len = client.list(Pid(0), &mut lines).unwrap() as usize;
    assert_eq!(&lines[..len], b"1 0 running server init\n");
    assert_eq!(client.list(Pid(1), &mut lines), Ok(0));
    assert_eq!(client.list(Pid(0), &mut [0; 3]), Ok(0));
}

#[test]
fn the_system_protocol_needs_its_own_capability() {
    let mut supervisor = supervisor();
    let loopback = Loopback::new(CHILD, |request| supervisor.request(request));
    let denied = Failure::Protocol(SystemError::Denied);
    let client = SystemClient::with(Endpoint(Handle(1)), loopback.clone());
    assert_eq!(client.power_off(0), Err(denied));
    assert_eq!(client.memory(), Err(denied));
    let loopback = loopback.with_badge(CHILD | SYSTEM_BADGE);
    let client = SystemClient::with(Endpoint(Handle(1)), loopback);
    assert!(client.memory().is_ok());
    assert_eq!(client.log(b"a line\n"), Ok(()));
}

#[test]
fn badges_name_processes_whatever_else_they_say() {
    assert_eq!(pid_of(CHILD), Pid(7));
    assert_eq!(pid_of(CHILD | SYSTEM_BADGE), Pid(7));
}
