//! `survivor hang|crash|leak|latency`: a client of servers that fail.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use kamen_faulty::{checks, world::World};
use kamen_kit::Arguments;
use kamen_rt::{Start, log};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    let arguments = Arguments::parse(start.arguments()).unwrap_or_default();
    let Some(mut world) = World::find(start) else {
        log!("a capability is missing");
        return 2;
    };
    match arguments.argv.get(1).map(Vec::as_slice) {
        Some(b"hang") => checks::hang(&mut world),
        Some(b"crash") => checks::crash(&mut world),
        Some(b"leak") => checks::leak(&mut world),
        Some(b"latency") => checks::latency(&mut world),
        _ => {
            log!("usage: survivor hang|crash|leak|latency");
            return 2;
        }
    }
    world.status()
}
