//! Wires the parent, or the process that it started: the witness or its server.
#![no_std]
#![no_main]

extern crate alloc;

mod start;

use kamen_chaos::{LONGEST_NS, Order, Parent, Report, echo, watch};
use kamen_first_task::{FirstTask, leave};
use kamen_rt::{Start, boot_archive, log};
use libipc::{Endpoint, Error, Time};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    if let Some(endpoint) = start.find::<Endpoint>("serve") {
        log!("the server ends: {:?}", echo(endpoint));
    } else if let (Some(server), Some(stop), Some(parent)) =
        (start.find("server"), start.find("stop"), start.find::<Endpoint>("parent"))
    {
        let told = watch(server, stop, parent).and_then(|report| {
            let Report { calls, wrong, longest_ns } = report;
            parent.send(0, [calls, wrong, longest_ns, 0, 0, 0], Time::FOREVER)
        });
        log!("the witness ends: {told:?}");
    } else if let Some(task) = FirstTask::new(boot_archive(start)) {
        let order = Order {
            seed: task.number("seed").unwrap_or(1),
            calls: task.number("calls").unwrap_or(10_000),
        };
        let verdict = run(start, task.program, order).map(|(holds, longest_ns)| {
            // By the instruction clock, on one processor; else it is the host's time.
            holds && (longest_ns < LONGEST_NS || task.number("cpus").is_some())
        });
        log!("verdict: {verdict:?}");
        leave(u8::from(verdict != Ok(true)));
    }
    1
}

/// Returns whether nothing leaked and the witness noticed nothing, and the longest that it waited.
fn run(start: &Start, program: &[u8], order: Order) -> Result<(bool, u64), Error> {
    log!("seed {} calls {}", order.seed, order.calls);
    let witness = start::Witness::start(start, program)?;
    let verdict = Parent::new(order.seed)?.run(order.calls)?;
    log!("{verdict:?}");
    let report = witness.stop()?;
    log!("{report:?}");
    let good = report.calls > 100 && report.wrong == 0;
    let complete = verdict.leaks == 0 && verdict.calls >= order.calls;
    Ok((complete && good, report.longest_ns))
}
