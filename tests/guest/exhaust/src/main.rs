//! Wires the parent, or one of the processes that it started.
#![no_std]
#![no_main]

extern crate alloc;

use kamen_exhaust_test::{Budget, check_promise, left, take_all};
use kamen_first_task::{FirstTask, leave, log_ports};
use kamen_kit::process::{Capability, Grant, Launch, Process};
use kamen_rt::{Start, boot_archive, log};
use libipc::abi::boot;
use libipc::{Endpoint, Error, Event, Inbox, Object, Ports, Quota, Rights, Time, now};

kamen_rt::entry!(main);

/// What the careful process has, and what stays the parent's.
const CAREFUL: Budget = Budget { pages: 900, units: 900 };
const OWN: Budget = Budget { pages: 512, units: 128 };
/// Things that the greedy processes begin with: mappings; memory that is there.
const FIRST: [usize; 2] = [0, 13];
/// Longest that a process may take.
const LIMIT_MS: u64 = 120_000;

fn main(start: &Start) -> i32 {
    if let Some(parent) = start.find::<Endpoint>("careful") {
        end(parent, check_promise());
    } else if let Some(parent) = start.find::<Endpoint>("mappings") {
        end(parent, take_all(FIRST[0]));
    } else if let Some(parent) = start.find::<Endpoint>("pages") {
        end(parent, take_all(FIRST[1]));
    } else if let Some(task) = FirstTask::new(boot_archive(start)) {
        // What the first round touches of the parent's own memory stays.
        let rounds = [round(task.program), round(task.program)];
        let good = rounds[0] == rounds[1] && rounds[0].is_ok_and(|(holds, _)| holds);
        log!("verdict: {good} {rounds:?}");
        leave(u8::from(!good));
    }
    1
}

/// Tells the parent how it went, and keeps what the process has.
fn end(parent: Endpoint, result: Result<u64, Error>) {
    let words = match result {
        Ok(count) => [0, count, 0, 0, 0, 0],
        Err(error) => [error as u64, 0, 0, 0, 0, 0],
    };
    // Nobody answers.
    let _ = parent.call(0, words, Time::FOREVER);
}

/// Returns whether the careful process got all that it was promised, and what is left afterwards.
fn round(image: &[u8]) -> Result<(bool, [u64; 3]), Error> {
    let own = Quota(boot::QUOTA);
    let told = own.create_endpoint()?;
    let careful = own.create_quota(CAREFUL.pages, CAREFUL.units)?;
    let all = left(own)?.less(OWN);
    let share = || own.create_quota(all.pages / 2, all.units / 2);
    let quotas = [share()?, share()?];
    let mut greedy = alloc::vec::Vec::new();
    for (name, quota) in ["mappings", "pages"].into_iter().zip(quotas) {
        greedy.push(launch(image, name, quota, told)?);
        log!("{name}: {} things", wait(told)?);
    }
    let process = launch(image, "careful", careful, told)?;
    let broken = wait(told)?;
    log!("broken promises: {broken}");
    drop((greedy, process));
    told.destroy()?;
    told.delete()?;
    let inspection = own.inspect()?;
    let [used, _, objects] = inspection.values;
    Ok((broken == 0, [used, objects, inspection.badge & u64::from(u32::MAX)]))
}

fn launch(image: &[u8], name: &str, quota: Quota, told: Endpoint) -> Result<Process, Error> {
    let (log, first, last) = log_ports();
    let grants = [
        Grant { name, capability: Capability::Object(told.handle(), Rights::SEND, 1) },
        Grant { name: "log", capability: Capability::Ports(Ports(log), first, last) },
    ];
    let launch = Launch {
        name,
        image,
        quota,
        priority: 8,
        handles: 64,
        supervisor: told,
        badge: 2,
        grants: &grants,
        arguments: &[],
    };
    Process::start(&launch).map_err(|error| {
        log!("{name}: {error:?}");
        Error::InvalidArgument
    })
}

/// Waits for a process to tell how it went.
fn wait(told: Endpoint) -> Result<u64, Error> {
    loop {
        match Inbox::new(told).receive(now().after_ms(LIMIT_MS))? {
            Event::Request(request) => {
                let [error, count, ..] = request.words();
                return if error == 0 { Ok(count) } else { Err(Error::InvalidOperation) };
            }
            Event::Foreign(fault) => {
                log!("a process met {} {:x?}", fault.number, fault.words);
                return Err(Error::InvalidOperation);
            }
            Event::Cancelled(_) | Event::Notified(_) => {}
        }
    }
}
