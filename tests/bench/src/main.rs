//! `bench`: what a round trip through the servers' own loop takes; `bench serve` is its other half.
#![no_std]
#![no_main]

extern crate alloc;

use kamen_bench::measure;
use kamen_bench::serving::{call, echo, start_echo};
use kamen_kit::Arguments;
use kamen_rt::{Start, log};
use libipc::abi::boot;
use libipc::{Endpoint, Quota, now};
use protocols::stream::{StreamClient, Wait};

kamen_rt::entry!(main);

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

fn run(start: &Start) -> Option<()> {
    let output = start.find::<Endpoint>("stdout")?;
    let exited = Quota(boot::QUOTA).create_notification().ok()?;
    let row = |name: &str, operation: &mut dyn FnMut()| {
        if let Some(figure) = measure(|| now().0, BATCH, operation) {
            let sent = StreamClient::new(output).write(Wait::Yes, figure.row(name).as_bytes());
            sent.inspect_err(|error| log!("{name} is lost: {error:?}")).ok();
        }
    };
    let echo = start_echo(start, output, exited)?;
    row("serve_rt0", &mut || call(echo, [0; 6]));
    row("serve_rt6", &mut || call(echo, [1, 2, 3, 4, 5, 6]));
    Some(())
}
