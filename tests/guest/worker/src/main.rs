//! `worker-test [tasks]`: makes the checks; `worker-test panic|overflow`: a worker ends badly on
//! purpose.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use core::hint::black_box;

use kamen_kit::Arguments;
use kamen_kit::service::{self, FAILED, Problem};
use kamen_kit::worker::Workers;
use kamen_rt::{Start, log};
use kamen_worker_test::{crowd, doze, make};
use libipc::abi::boot;
use libipc::{Quota, Time};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    let arguments = Arguments::parse(start.arguments()).unwrap_or_default();
    let result = match arguments.argv.get(1).map(Vec::as_slice) {
        Some(b"panic") => end_badly(start, || panic!("as asked")),
        Some(b"overflow") => end_badly(start, || {
            let _ = overflow(&[1; 512], u64::MAX);
        }),
        Some(b"tasks") => tasks(start),
        _ => check(start),
    };
    result.unwrap_or_else(|problem| {
        log!("{problem}");
        FAILED
    })
}

fn check(start: &Start) -> Result<i32, Problem> {
    match crowd(Workers::of(start)?)? {
        Some([one, other]) if one > 0 && other > 0 => {
            log!("holds: two workers serve one endpoint, {one} and {other} times")
        }
        wrong => return Err(alloc::format!("the crowd got {wrong:?}").into()),
    }
    let endpoint = Quota(boot::QUOTA).create_endpoint().map_err(service::cannot("have one"))?;
    Ok(service::run_at(endpoint, start, |setup| make(setup, endpoint, leave)))
}

/// Ends the program from within its loop.
fn leave(right: bool) -> ! {
    log!("{}: the loop answers while a worker counts", if right { "holds" } else { "fails" });
    kamen_rt::exit(if right { 0 } else { FAILED })
}

/// Serves with tasks.
fn tasks(start: &Start) -> Result<i32, Problem> {
    let endpoint = Quota(boot::QUOTA).create_endpoint().map_err(service::cannot("have one"))?;
    Ok(service::run_at(endpoint, start, |setup| doze(setup, endpoint, wake)))
}

/// Ends the program when its tasks have done their work.
fn wake(right: bool) -> ! {
    log!("{}: tasks answer when their times come", if right { "holds" } else { "fails" });
    kamen_rt::exit(if right { 0 } else { FAILED })
}

/// Waits for what a worker brings upon the process.
fn end_badly(start: &Start, run: fn()) -> Result<i32, Problem> {
    Workers::of(start)?.start(run)?;
    let never = Quota(boot::QUOTA).create_notification().map_err(service::cannot("wait"))?;
    let bits = never.wait(Time::FOREVER).map_err(service::cannot("wait"))?;
    Err(alloc::format!("a notification that nobody has was signalled: {bits}").into())
}

/// Uses the stack up, long before the depth.
fn overflow(above: &[u8; 512], depth: u64) -> u64 {
    let mut here = *above;
    here[0] = here[0].wrapping_add(1);
    match depth {
        0 => 0,
        _ => black_box(overflow(black_box(&here), depth - 1)) + u64::from(here[1]),
    }
}
