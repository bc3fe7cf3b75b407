//! Makes the checks as first task.
#![no_std]
#![no_main]

use kamen_first_task::leave;
use kamen_rt::{Start, log};
use kamen_smp_test::{CHECKS, World};
use libipc::abi::boot;
use libipc::{Error, Thread};

kamen_rt::entry!(main);

fn main(_start: &Start) -> i32 {
    let fails = run();
    log!("verdict: {fails:?} fail");
    leave(u8::from(fails != Ok(0)));
    1
}

/// Returns how many checks fail.
fn run() -> Result<usize, Error> {
    Thread(boot::THREAD).set_processor(Some(0))?;
    let mut world = World::new()?;
    let mut fails = 0;
    for (name, check) in CHECKS {
        let result = check(&mut world);
        let holds = result == Ok(true);
        log!("{}: {name}", if holds { "holds" } else { "FAILS" });
        if let Err(error) = result {
            log!("{name}: {error:?}");
        }
        fails += usize::from(!holds);
    }
    Ok(fails)
}
