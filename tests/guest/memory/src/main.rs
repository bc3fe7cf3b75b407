//! Makes the checks as first task; or is the client, as the process that it started.
#![no_std]
#![no_main]

extern crate alloc;

use kamen_first_task::{FirstTask, leave, log_ports};
use kamen_kit::process::{Capability, Grant, Launch, Process};
use kamen_memory_test::client::{self, CHECKS};
use kamen_memory_test::{ErrandClient, OBJECT, PAGES, Pager, hardware};
use kamen_rt::{Start, log};
use libipc::abi::boot;
use libipc::{
    Endpoint, Error, Inbox, Memory, Message, Object, OpenCall, Ports, Quota, Rights, now,
};

kamen_rt::entry!(main);

/// Longest that the client may take.
const LIMIT_MS: u64 = 5000;

fn main(start: &Start) -> i32 {
    if let (Some(memory), Some(pager)) = (start.find::<Memory>("memory"), start.find("pager")) {
        return be_client(memory, pager);
    }
    let first = FirstTask::new(kamen_rt::boot_archive(start));
    let fails = first.map_or(Err(Error::InvalidArgument), |first| {
        Ok(page(first.program)? + look_at_hardware(first.arguments))
    });
    log!("verdict: {fails:?} fail");
    leave(u8::from(fails != Ok(0)));
    1
}

fn be_client(memory: Memory, pager: Endpoint) -> i32 {
    let pager = ErrandClient::new(pager);
    let end = client::run(memory, &pager);
    log!("client: {end:?}");
    // Nobody waits for the process itself.
    let _ = pager.done();
    0
}

/// Serves a client's pages; returns how many checks fail.
fn page(image: &[u8]) -> Result<usize, Error> {
    let quota = Quota(boot::QUOTA);
    let endpoint = quota.create_endpoint()?;
    let memory = quota.create_paged(PAGES, endpoint.mint(Rights::SEND, OBJECT)?)?;
    let mut pager = Pager::new(memory, quota.create_memory(1)?);
    let process = start_client(image, memory, endpoint)?;
    let mut inbox = Inbox::new(endpoint);
    let mut answer = (OpenCall::NONE, Message::success());
    while !pager.done {
        let (call, message) = answer;
        let event = inbox.reply_receive(call, &message, now().after_ms(LIMIT_MS))?;
        let call = event.call().unwrap_or(OpenCall::NONE);
        answer = pager.handle(event).map_or((OpenCall::NONE, message), |reply| (call, reply));
    }
    drop(process);
    let found = |place: usize| pager.found.get(place) == Some(&true);
    let results = CHECKS.iter().enumerate().map(|(place, name)| (*name, found(place)));
    Ok(results.filter(|&(name, holds)| !said(name, holds)).count())
}

fn start_client(image: &[u8], memory: Memory, endpoint: Endpoint) -> Result<Process, Error> {
    let access = Rights::READ.union(Rights::WRITE);
    let (log, first, last) = log_ports();
    let grants = [
        ("memory", Capability::Object(memory.handle(), access, 0)),
        ("pager", Capability::Object(endpoint.handle(), Rights::SEND, 1)),
        ("log", Capability::Ports(Ports(log), first, last)),
    ];
    let grants = grants.map(|(name, capability)| Grant { name, capability });
    let launch = Launch {
        name: "client",
        image,
        quota: Quota(boot::QUOTA).create_quota(512, 128)?,
        priority: 8,
        handles: 64,
        supervisor: endpoint,
        badge: 2,
        grants: &grants,
        arguments: &[],
    };
    Process::start(&launch).map_err(|error| {
        log!("client: {error:?}");
        Error::InvalidArgument
    })
}

/// Returns how many checks of the hardware's memory fail.
fn look_at_hardware(device: &str) -> usize {
    let checks = hardware::checks(device).into_iter().map(|(name, result)| {
        if let Err(error) = result {
            log!("{name}: {error:?}");
        }
        said(name, result == Ok(true))
    });
    checks.filter(|&holds| !holds).count()
}

/// Says whether a check holds, and returns it.
fn said(name: &str, holds: bool) -> bool {
    log!("{}: {name}", if holds { "holds" } else { "FAILS" });
    holds
}
