//! A client of the server of sums, over a ring in the memory that the manifest declares.
#![no_std]
#![no_main]

use kamen_kit::service::{self, Protocol, Service, cannot};
use kamen_rt::{Start, log};
use libipc::abi::boot;
use libipc::ring::{Client, Shape};
use libipc::{Failure, Memory, Quota};
use tutorial::checksum::{ChecksumClient, ChecksumError, collect_sums, submit_parts};

kamen_rt::entry!(main);

const PARTS: [&[u8]; 4] = [b"", b"a", b"abc", b"Wikipedia"];

fn main(start: &Start) -> i32 {
    service::run(start, |setup| {
        let server = ChecksumClient::new(setup.find("checksum")?);
        let is_right = check(setup.find("ring-checksum")?, &server);
        if is_right.map_err(cannot("add up over a ring"))? {
            log!("{} sums over the ring are those of lent memory", PARTS.len());
        } else {
            log!("sums over the ring and those of lent memory differ");
        }
        Ok(Quiet)
    })
}

/// What it is from then on: a server of nothing.
struct Quiet;

impl Service for Quiet {
    type Source = ();
    const PROTOCOLS: &'static [Protocol<Self>] = &[];
}

// ANCHOR: check
/// Returns whether the sums over a ring are those of lent memory.
fn check(memory: Memory, server: &ChecksumClient) -> Result<bool, Failure<ChecksumError>> {
    let shape = Shape::new(4, 4 * 64).expect("4 is a power of two");
    let bell = Quota(boot::QUOTA).create_notification()?;
    let mut ring = Client::open(memory, bell, shape, |memory, bell| server.open(memory, bell))?;
    let pending = submit_parts(&mut ring, &PARTS)?;
    let over_ring = collect_sums(&mut ring, pending)?;
    for (part, sum) in PARTS.iter().zip(over_ring) {
        if server.sum(part)? != sum {
            return Ok(false);
        }
    }
    Ok(true)
}
// ANCHOR_END: check
