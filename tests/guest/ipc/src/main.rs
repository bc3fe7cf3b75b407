//! Makes the checks, as program or as first task; or serves as the process that it started.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use kamen_first_task::FirstTask;
use kamen_ipc_test::{ProbeClient, ProbeError, RING_BIT, Reader, Server, Setting, checks};
use kamen_kit::files::Tree;
use kamen_kit::process::{Capability, Grant, Launch, Process};
use kamen_kit::serve;
use kamen_rt::{Start, log};
use libipc::abi::boot;
use libipc::ring::RingError;
use libipc::{
    Endpoint, Error, Event, Failure, Inbox, Kind, Object, Quota, Rights, Thread, Within, now,
};
use protocols::file::FileClient;
use protocols::stream::{StreamClient, Wait};

kamen_rt::entry!(main);

/// The badge with which the client's calls arrive.
const BADGE: u32 = 0xbad;
/// The server's priority: that of programs.
const PRIORITY: u8 = 8;
/// Longest that this program's file may be.
const IMAGE_MAX: usize = 1 << 20;
/// Calls that are timed.
const CALLS: u64 = 1000;

fn main(start: &Start) -> i32 {
    if let Some(endpoint) = start.find::<Endpoint>("self") {
        let end = serve_it(endpoint);
        log!("ended: {end:?}");
        return 1;
    }
    let mut report = String::new();
    let result = image(start).and_then(|image| run(start, &image, &mut report));
    // What a String is written to does not fail.
    let _ = writeln!(report, "verdict: {result:?}");
    let status = u8::from(result != Ok(true));
    match start.find("stdout") {
        Some(stdout) => print(StreamClient::new(stdout), report.as_bytes()),
        None => {
            report.lines().for_each(|line| log!("{line}"));
            kamen_first_task::leave(status);
        }
    }
    status.into()
}

/// Returns this program's own file.
fn image(start: &Start) -> Result<Vec<u8>, Error> {
    let Some(server) = start.find("file") else {
        let first = FirstTask::new(kamen_rt::boot_archive(start));
        return first.map(|first| first.program.to_vec()).ok_or(Error::InvalidArgument);
    };
    let tree = Tree::new(FileClient::new(server));
    let read = tree.find(b"/", b"/bin/ipc-test").and_then(|file| tree.read_all(&file, IMAGE_MAX));
    read.map_err(|failure| {
        log!("own file: {failure:?}");
        Error::InvalidArgument
    })
}

fn print(stdout: StreamClient, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match stdout.write(Wait::Yes, bytes) {
            Ok(written) if written > 0 => bytes = bytes.get(written as usize..).unwrap_or(&[]),
            end => return log!("stdout: {end:?}"),
        }
    }
}

fn serve_it(endpoint: Endpoint) -> Result<(), Error> {
    let quota = Quota(boot::QUOTA);
    let notification = quota.create_notification()?;
    Thread(boot::THREAD).bind(notification)?;
    let bell = notification.mint(Rights::SEND.union(Rights::GRANT), RING_BIT)?;
    let mut server = Server::new(quota, Some(quota.create_timer(notification, 1)?), Some(bell));
    Err(serve::run(endpoint, |event| server.handle(event)))
}

/// Starts the server, makes the checks, reports them; returns whether all hold.
fn run(start: &Start, image: &[u8], report: &mut String) -> Result<bool, Error> {
    let quota = Quota(boot::QUOTA);
    let (endpoint, faults) = (quota.create_endpoint()?, quota.create_endpoint()?);
    let process = start_server(start, image, endpoint, faults)?;
    let client = ProbeClient::new(endpoint.mint(Rights::SEND, BADGE.into())?);
    let notification = quota.create_notification()?;
    let setting = Setting { notification, endpoint, badge: BADGE };
    let mut found = checks(&client, setting);
    let from = now();
    let called = (0..CALLS).all(|_| client.nothing() == Ok(()));
    let ns = (now().0 - from.0) / CALLS;
    found.push(("many calls return", called));
    let mut reader = Reader::open(quota, &client).map_err(refused)?;
    let from = now();
    found.push(("reads over a ring arrive", reader.read(0..CALLS) == Ok(CALLS)));
    let read_ns = (now().0 - from.0) / CALLS;
    found.push(("a fault reaches the supervisor", server_faults(endpoint, faults)));
    drop(process);
    found.push(("a ring whose server ended says so", reader.read(0..8) == Err(RingError::Ended)));
    let next = start_server(start, image, endpoint, faults)?;
    reader.reopen(&client).map_err(refused)?;
    found.push(("what was in flight is read from the next life", reader.read(8..50) == Ok(50)));
    drop((reader, next));
    for (name, holds) in &found {
        let verdict = if *holds { "holds" } else { "FAILS" };
        // What a String is written to does not fail.
        let _ = writeln!(report, "{verdict}: {name}");
    }
    let _ = writeln!(report, "empty call and reply: {ns} ns, 512 bytes over a ring: {read_ns} ns");
    Ok(found.iter().all(|&(_, holds)| holds))
}

fn refused(failure: Failure<ProbeError>) -> Error {
    log!("ring: {failure:?}");
    Error::InvalidArgument
}

fn start_server(
    start: &Start,
    image: &[u8],
    endpoint: Endpoint,
    faults: Endpoint,
) -> Result<Process, Error> {
    let itself = Capability::Object(endpoint.handle(), Rights::RECEIVE, 0);
    let log = start.find("log").map(|ports| Capability::Ports(ports, 0xe9, 0xe9));
    let grants: Vec<Grant<'_>> = [("self", Some(itself)), ("log", log)]
        .into_iter()
        .filter_map(|(name, capability)| Some(Grant { name, capability: capability? }))
        .collect();
    let launch = Launch {
        name: "ipc-server",
        image,
        quota: Quota(boot::QUOTA).create_quota(512, 128)?,
        priority: PRIORITY,
        handles: 64,
        supervisor: faults,
        badge: 5,
        grants: &grants,
        arguments: &[],
    };
    Process::start(&launch).map_err(|error| {
        log!("server: {error:?}");
        Error::InvalidArgument
    })
}

/// Has the server fault, and receives the fault.
fn server_faults(endpoint: Endpoint, faults: Endpoint) -> bool {
    let ended = ProbeClient::with(endpoint, Within(100)).fault();
    let mut inbox = Inbox::new(faults);
    match inbox.receive(now().after_ms(100)) {
        Ok(Event::Foreign(fault)) => {
            let undefined = fault.kind == Kind::Exception && fault.number == 6;
            ended.is_err() && undefined && fault.caller.badge == 5
        }
        other => {
            log!("no fault but {other:?}");
            false
        }
    }
}
