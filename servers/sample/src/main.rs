//! The sample server's program.
#![no_std]
#![no_main]

use kamen_kit::service;
use kamen_rt::Start;
use kamen_sample::Server;

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    service::run(start, |_| Ok(Server::default()))
}
