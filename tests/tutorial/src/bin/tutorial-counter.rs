//! The program of the reader's counter, as `cargo xtask new-server` makes it.
#![no_std]
#![no_main]

use kamen_kit::service;
use kamen_rt::Start;
use tutorial::counter::Server;

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    service::run(start, |_| Ok(Server::default()))
}
