//! Tests of init's protocols over loopback: what it refuses, without a kernel behind it.

use alloc::vec;
use kamen_kit::Arguments;
use libipc::loopback::{Loopback, take_deleted};
use libipc::{Failure, Handle};
use protocols::keep::{KeepClient, KeepError};
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
        left: BTreeMap::new(),
        processes: Processes::default(),
        watched: Vec::new(),
        bell: Bell::silent(),
        shell: SUPERVISOR,
        shared_pages: 0,
        shared_objects: 0,
        seen: None,
        tracer: None,
        attention: waits::Attention::default(),
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
    assert_eq!(client.services(0, &mut [0; 9]), Err(denied));
    assert_eq!(client.restart(b"clock"), Err(denied));
    assert_eq!(client.holdings(), Err(denied));
    assert_eq!(client.usage(Pid(0), &mut [0; 8]), Err(denied));
    let loopback = loopback.with_badge(CHILD | SYSTEM_BADGE);
    let client = SystemClient::with(Endpoint(Handle(1)), loopback);
    assert!(client.memory().is_ok());
    // Nothing runs; there is a place to write to, and none.
    assert_eq!(client.usage(Pid(0), &mut [0; 8]), Ok(0));
    assert_eq!(client.log(b"a line\n"), Ok(()));
}

/// Returns an init with a server that cannot start, as its file is not in the archive, and one that
/// uses it.
fn with_servers() -> Supervisor {
    let server = |name: &str, uses: &[&str]| {
        let role = Role::Server { service: format!("{name}-service") };
        let uses = uses.iter().map(|service| String::from(*service)).collect();
        let restart = manifest::Restart::Always;
        Program { uses, restart, ..Program::new(name, role, "/sbin/none") }
    };
    let mut supervisor = supervisor();
    for program in [server("clock", &[]), server("files", &["log", "clock-service"])] {
        supervisor.watched.push(Watched::silent(&program));
        supervisor.services.insert(program.service().unwrap().into(), Endpoint(Handle(9)));
        supervisor.manifest.programs.push(program);
    }
    supervisor
}

fn lines(supervisor: &mut Supervisor, skip: u64) -> String {
    let loopback = Loopback::new(CHILD | SYSTEM_BADGE, |request| supervisor.request(request));
    let client = SystemClient::with(Endpoint(Handle(1)), loopback);
    let mut lines = [0; 256];
    let len = client.services(skip, &mut lines).unwrap() as usize;
    String::from_utf8(lines[..len].into()).unwrap()
}

#[test]
fn a_server_that_cannot_start_waits_and_is_given_up() {
    let mut supervisor = with_servers();
    supervisor.replace(0, &End::Own("page fault".into()));
    // The host's time is 0; the end of the start that failed was the second one.
    let waiting = "clock 0 1 waiting to be restarted, in 10 ms\nfiles 0 0 running\n";
    assert_eq!(lines(&mut supervisor, 0), waiting);
    for _ in 0..3 {
        supervisor.replace(0, &End::Own("no memory".into()));
    }
    let reason = "gave up: 5 ends within 10 s, the last: no memory";
    let files = "files 0 0 running, without clock-service\n";
    assert_eq!(lines(&mut supervisor, 0), format!("clock 0 1 {reason}\n{files}"));
    assert_eq!(lines(&mut supervisor, 1), files);
    assert_eq!(lines(&mut supervisor, 2), "");
    assert!(!supervisor.services.contains_key("clock-service"));
}

#[test]
fn servers_are_restarted_by_name_or_service() {
    let mut supervisor = with_servers();
    let loopback = Loopback::new(CHILD | SYSTEM_BADGE, |request| supervisor.request(request));
    let client = SystemClient::with(Endpoint(Handle(1)), loopback);
    assert_eq!(client.restart(b"cl"), Err(Failure::Protocol(SystemError::NotFound)));
    assert_eq!(client.restart(&[0xff]), Err(Failure::Protocol(SystemError::NotFound)));
    // They are found, and have no file to start from.
    for name in [&b"clock"[..], b"clock-service"] {
        assert_eq!(client.restart(name), Err(Failure::Protocol(SystemError::Refused)));
    }
}

#[test]
fn who_is_no_server_leaves_nothing() {
    let mut supervisor = supervisor();
    let loopback = Loopback::new(CHILD, |request| supervisor.request(request));
    let client = KeepClient::with(Endpoint(Handle(1)), loopback);
    let denied = Err(Failure::Protocol(KeepError::Denied));
    take_deleted();
    assert_eq!(client.keep_endpoint(0, Endpoint(Handle(20))), denied);
    assert_eq!(client.keep_notification(0, libipc::Notification(Handle(21))), denied);
    assert_eq!(take_deleted(), [Handle(20), Handle(21)]);
    assert_eq!(client.forget(0), denied);
    drop(client);
    assert_eq!(supervisor.left_by("clock").count(), 0);
}

#[test]
fn badges_name_processes_whatever_else_they_say() {
    assert_eq!(pid_of(CHILD), Pid(7));
    assert_eq!(pid_of(CHILD | SYSTEM_BADGE), Pid(7));
}
