//! A deadlock that no manifest shows: servers that found each other by name call in a circle.
//!
//! ```text
//!   circle (typed) ──call──> circle first ──call──> circle second ──call──> circle first
//! ```
//!
//! The program starts two more of itself, which register and each serve one call by making one.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec;
use alloc::vec::Vec;

use kamen_kit::Arguments;
use kamen_rt::{Start, log};
use libipc::abi::boot;
use libipc::{Endpoint, Error, Event, Inbox, Object, Quota, Rights, Time, now};
use protocols::names::NamesClient;
use protocols::process::ProcessClient;
use protocols::stream::{StreamClient, Wait};

kamen_rt::entry!(main);

/// How long another one may take to register.
const PATIENCE_MS: u64 = 20_000;

fn main(start: &Start) -> i32 {
    let arguments = Arguments::parse(start.arguments()).unwrap_or_default();
    let role = arguments.argv.get(1).map(Vec::as_slice);
    let done = match role {
        Some(b"first") => serve(start, "circle-first", "circle-second"),
        Some(b"second") => serve(start, "circle-second", "circle-first"),
        _ => begin(start),
    };
    log!("circle: {done:?}");
    1
}

/// Starts the other two and calls the first.
fn begin(start: &Start) -> Option<()> {
    let streams = ["stdin", "stdout", "stderr"].map(|name| start.find::<Endpoint>(name));
    let [Some(stdin), Some(stdout), Some(stderr)] = streams else { return None };
    let init = ProcessClient::new(start.find("process")?);
    for role in [&b"first"[..], b"second"] {
        let argv = vec![b"/bin/circle".to_vec(), role.to_vec()];
        let block = Arguments { cwd: b"/".to_vec(), argv, env: Vec::new() }.emit().ok()?;
        let exited = Quota(boot::QUOTA).create_notification().ok()?;
        init.spawn(stdin, stdout, stderr, exited, &block).ok()?;
    }
    let first = find(start, "circle-first")?;
    find(start, "circle-second")?;
    first.call(1, [0; 6], Time::FOREVER).ok().map(|_| ())
}

/// Registers, and answers a call by calling another server first.
fn serve(start: &Start, own: &str, other: &str) -> Option<()> {
    let endpoint = Quota(boot::QUOTA).create_endpoint().ok()?;
    let names = NamesClient::new(start.find("names")?);
    let client = endpoint.mint(Rights::SEND.union(Rights::GRANT), 0).ok()?;
    names.register(client, own).ok()?;
    let other = find(start, other)?;
    let mut inbox = Inbox::new(endpoint);
    loop {
        let event = inbox.receive(Time::FOREVER).ok()?;
        if let Event::Request(_) = event {
            if own == "circle-second" {
                // The last call of the circle is about to be made.
                let stdout = StreamClient::new(start.find("stdout")?);
                stdout.write(Wait::Yes, b"calling in a circle\n").ok()?;
            }
            other.call(1, [0; 6], Time::FOREVER).ok()?;
        }
    }
}

/// Waits until somebody has registered.
fn find(start: &Start, name: &str) -> Option<Endpoint> {
    let names = NamesClient::new(start.find("names")?);
    let silence = Quota(boot::QUOTA).create_notification().ok()?;
    let end = now().after_ms(PATIENCE_MS);
    while now() < end {
        if let Ok(found) = names.find(name) {
            return Some(found);
        }
        match silence.wait(now().after_ms(10)) {
            Err(Error::TimedOut) => {}
            _ => return None,
        }
    }
    None
}
