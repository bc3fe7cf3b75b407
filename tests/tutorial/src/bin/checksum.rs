//! The program of the server of sums.
#![no_std]
#![no_main]

// ANCHOR: main
use kamen_kit::service;
use kamen_rt::Start;
use tutorial::checksum::{Server, Source};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    service::run(start, |setup| Ok(Server::new(setup.bell(Source::Ring)?)))
}
// ANCHOR_END: main
