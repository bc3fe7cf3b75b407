//! Runs the checks as first task, or serves as the process that the first task started.
#![no_std]
#![no_main]

use kamen_ipc_test::{ProbeClient, Server, Setting, checks};
use kamen_kit::process::{Capability, Grant, Launch, Process};
use kamen_kit::serve;
use kamen_rt::{Start, log};
use libipc::abi::boot;
use libipc::{
    Endpoint, Error, Event, Inbox, Kind, Object, PortWidth, Ports, Quota, Rights, Thread, Within,
    now,
};

kamen_rt::entry!(main);

/// The badge with which the client's calls arrive.
const BADGE: u32 = 0xbad;
/// Calls that are timed.
const CALLS: u64 = 1000;

fn main(start: &Start) -> i32 {
    let result = match start.find::<Endpoint>("self") {
        Some(endpoint) => serve_it(endpoint),
        None => run(kamen_rt::boot_archive(start)).map(leave),
    };
    log!("ended: {result:?}");
    leave(false);
    1
}

fn serve_it(endpoint: Endpoint) -> Result<(), Error> {
    let quota = Quota(boot::QUOTA);
    let notification = quota.create_notification()?;
    Thread(boot::THREAD).bind(notification)?;
    let mut server = Server::new(quota, Some(quota.create_timer(notification, 1)?));
    Err(serve::run(endpoint, |event| server.handle(event)))
}

/// Starts the server, makes the checks; returns whether all hold.
fn run(image: &[u8]) -> Result<bool, Error> {
    let quota = Quota(boot::QUOTA);
    let (endpoint, faults) = (quota.create_endpoint()?, quota.create_endpoint()?);
    let process = start_server(quota, image, endpoint, faults)?;
    let client = ProbeClient::new(endpoint.mint(Rights::SEND, BADGE.into())?);
    let notification = quota.create_notification()?;
    let mut all = true;
    for (name, holds) in checks(&client, Setting { notification, endpoint, badge: BADGE }) {
        log!("{} {name}", if holds { "holds:" } else { "FAILS:" });
        all &= holds;
    }
    let from = now();
    let _ = (0..CALLS).try_for_each(|_| client.nothing());
    log!("empty call and reply: {} ns", (now().0 - from.0) / CALLS);
    let faulted = server_faults(endpoint, faults);
    log!("{} fault reaches the supervisor", if faulted { "holds:" } else { "FAILS:" });
    drop(process);
    Ok(all && faulted)
}

fn start_server(
    quota: Quota,
    image: &[u8],
    endpoint: Endpoint,
    faults: Endpoint,
) -> Result<Process, Error> {
    let grants = [
        Grant {
            name: "self",
            capability: Capability::Object(endpoint.handle(), Rights::RECEIVE, 0),
        },
        Grant { name: "log", capability: Capability::Ports(Ports(boot::PORTS), 0xe9, 0xe9) },
    ];
    let launch = Launch {
        name: "server",
        image,
        quota: quota.create_quota(1024, 64)?,
        priority: 20,
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

/// Tells the host the verdict and ends QEMU.
fn leave(all: bool) {
    let ports = Ports(boot::PORTS);
    let line: &[u8] = if all { b"\x01exit 0\n" } else { b"\x01exit 1\n" };
    // Without the ports there is no way to tell.
    let _ = ports.write_bytes(0xe9, line);
    let _ = ports.write(0xf4, PortWidth::Byte, 0x10);
}
