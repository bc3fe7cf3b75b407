//! Makes the checks as first task and tells the verdict.
#![no_std]
#![no_main]

use kamen_first_task::leave;
use kamen_fpu_test::checks;
use kamen_rt::{Start, log};

kamen_rt::entry!(main);

fn main(_: &Start) -> i32 {
    let found = checks();
    for (name, holds) in found.iter().flatten() {
        log!("{}: {name}", if *holds { "holds" } else { "FAILS" });
    }
    let good = found.as_ref().is_ok_and(|found| found.iter().all(|(_, holds)| *holds));
    log!("verdict: {:?}", found.map(|found| found.len()));
    leave(u8::from(!good));
    1
}
