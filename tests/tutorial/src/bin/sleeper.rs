//! The sleeper's program.
#![no_std]
#![no_main]

// ANCHOR: main
use kamen_kit::service;
use kamen_rt::Start;
use libipc::now;
use tutorial::sleeper::{Server, Source};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    service::run(start, |setup| Ok(Server::new(now, setup.alarm(Source::Alarm)?)))
}
// ANCHOR_END: main
