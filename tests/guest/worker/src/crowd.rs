//! Two workers serve one endpoint, called by three threads at once.

use alloc::vec::Vec;
use core::sync::atomic::Ordering::Relaxed;

use kamen_kit::serve;
use kamen_kit::service::{Problem, cannot};
use kamen_kit::worker::Workers;
use libipc::abi::boot;
use libipc::{Endpoint, Event, Notification, Quota, Time};

use crate::adder::{Adder, AddingClient, serve_adding};

/// Calls of each client.
const CALLS: u64 = 300;
/// The bits of clients that are done: all was right, or something was wrong.
const RIGHT: [u64; 2] = [1, 2];
const WRONG: u64 = 4;

/// Returns how many answers each of two workers gave; none where one was wrong.
///
/// # Errors
/// What the kernel refused.
pub fn crowd(workers: Workers) -> Result<Option<[u64; 2]>, Problem> {
    let quota = Quota(boot::QUOTA);
    let endpoint = quota.create_endpoint().map_err(cannot("have an endpoint"))?;
    let done = quota.create_notification().map_err(cannot("have a notification"))?;
    let adders = Adder::pair();
    for adder in adders.clone() {
        workers.start(move || serve(endpoint, adder))?;
    }
    for (seed, bit) in RIGHT.into_iter().enumerate() {
        let call = move || report(done, bit, are_right(endpoint, seed as u64 + 1));
        workers.start(call)?;
    }
    let own = are_right(endpoint, 0);
    let mut bits = 0;
    while bits & WRONG == 0 && bits & (RIGHT[0] | RIGHT[1]) != RIGHT[0] | RIGHT[1] {
        bits |= done.wait(Time::FOREVER).map_err(cannot("wait for clients"))?;
    }
    let answers = adders.map(|adder| adder.answers.load(Relaxed));
    Ok((own && bits & WRONG == 0).then_some(answers))
}

/// Serves until the process ends.
fn serve(endpoint: Endpoint, mut adder: Adder) {
    serve::run(endpoint, |event| match event {
        Event::Request(request) => serve_adding(&mut adder, &request),
        Event::Notified(_) | Event::Foreign(_) | Event::Cancelled(_) => None,
    });
}

fn report(done: Notification, bit: u64, right: bool) {
    // The notification lives as long as the process.
    let _ = done.signal(if right { bit } else { WRONG });
}

/// Makes calls whose bytes are a client's own; returns whether all answers are right.
pub fn are_right(endpoint: Endpoint, seed: u64) -> bool {
    let client = AddingClient::new(endpoint);
    (0..CALLS).all(|round| {
        let (first, len) = (seed * 50 + round, 1 + (seed * 37 + round * 13) % 200);
        let bytes: Vec<u8> = (first..first + len).map(|byte| byte as u8).collect();
        let lent: Vec<u8> = bytes.iter().rev().map(|byte| byte.wrapping_mul(3)).collect();
        let sum = bytes.iter().chain(&lent).map(|&byte| u64::from(byte)).sum();
        client.sum(&lent, &bytes) == Ok(sum)
    })
}
