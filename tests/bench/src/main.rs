//! `bench`: what a round trip through the servers' own loops takes; `bench LOOP` is its other half.
#![no_std]
#![no_main]

extern crate alloc;

use kamen_bench::measure;
use kamen_bench::serving::{Loop, call, start_echo};
use kamen_rt::{Start, log};
use libipc::abi::boot;
use libipc::{Endpoint, Quota, now};
use protocols::stream::{StreamClient, Wait};

kamen_rt::entry!(main);

/// Operations of a sample.
const BATCH: u64 = 100;

fn main(start: &Start) -> i32 {
    match Loop::of(start).map_or_else(|| run(start), |which| which.serve(start)) {
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
    for (which, rows) in
        [(Loop::Raw, ["serve_rt0", "serve_rt6"]), (Loop::Service, ["service_rt0", "service_rt6"])]
    {
        let echo = start_echo(start, which, output, exited)?;
        row(rows[0], &mut || call(echo, [0; 6]));
        row(rows[1], &mut || call(echo, [1, 2, 3, 4, 5, 6]));
    }
    Some(())
}
