//! `bench`: what the kernel's operations take, a line each; `bench serve` is its other half.
#![no_std]
#![no_main]

extern crate alloc;

use kamen_bench::measure;
use kamen_kit::{Arguments, serve};
use kamen_rt::{Start, log};
use libipc::abi::boot;
use libipc::{Endpoint, Event, Message, Notification, Quota, Time, now, null, yield_now};
use protocols::names::NamesClient;
use protocols::process::ProcessClient;
use protocols::stream::{StreamClient, Wait};

kamen_rt::entry!(main);

/// The name under which the other half can be found.
const NAME: &str = "bench";
/// Operations of a sample.
const BATCH: u64 = 100;

fn main(start: &Start) -> i32 {
    let serving = Arguments::parse(start.arguments()).is_ok_and(|found| found.argv.len() > 1);
    let result = if serving { echo(start) } else { run(start) };
    match result {
        Some(()) => 0,
        None => {
            log!("a capability is missing, or the other half did not start");
            1
        }
    }
}

/// Answers every call with its own words, from an address space of its own.
fn echo(start: &Start) -> Option<()> {
    let endpoint = Quota(boot::QUOTA).create_endpoint().ok()?;
    NamesClient::new(start.find("names")?).register(endpoint, NAME).ok()?;
    let error = serve::run(endpoint, |event| match event {
        Event::Request(request) => Some(Message::new(0, request.words())),
        Event::Notified(_) | Event::Foreign(_) | Event::Cancelled(_) => None,
    });
    log!("receiving ended: {error:?}");
    None
}

fn run(start: &Start) -> Option<()> {
    let output = start.find::<Endpoint>("stdout")?;
    let notification = Quota(boot::QUOTA).create_notification().ok()?;
    let row = |name: &str, operation: &mut dyn FnMut()| {
        if let Some(figure) = measure(|| now().0, BATCH, operation) {
            let sent = StreamClient::new(output).write(Wait::Yes, figure.row(name).as_bytes());
            sent.inspect_err(|error| log!("{name} is lost: {error:?}")).ok();
        }
    };
    let echo = start_echo(start, output, notification)?;
    row("null", &mut null);
    row("rt0_cross", &mut || call(echo, [0; 6]));
    row("rt6_cross", &mut || call(echo, [1, 2, 3, 4, 5, 6]));
    row("yield", &mut yield_now);
    row("signal", &mut || notification.signal(1).unwrap_or_default());
    row("poll", &mut || {
        notification.poll().unwrap_or_default();
    });
    Some(())
}

fn call(echo: Endpoint, words: [u64; 6]) {
    // A figure of failing calls would be wrong: the program ends without one instead.
    let answer = echo.call(0, words, Time::FOREVER).expect("the other half lives");
    assert_eq!(answer.1, words, "the other half answers with what it got");
}

/// Starts the other half and returns its endpoint, once it is registered.
fn start_echo(start: &Start, output: Endpoint, exited: Notification) -> Option<Endpoint> {
    let own = Arguments::parse(start.arguments()).ok()?;
    let arguments = Arguments::new(b"/", &[own.argv.first()?, b"serve"], &[]).emit().ok()?;
    let process = ProcessClient::new(start.find("process")?);
    process.spawn(output, output, output, exited, &arguments).ok()?;
    let names = NamesClient::new(start.find("names")?);
    for _ in 0..10_000 {
        if let Ok(endpoint) = names.find(NAME) {
            return Some(endpoint);
        }
        yield_now();
    }
    None
}
