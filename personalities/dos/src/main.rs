//! The DOS server's program.
#![no_std]
#![no_main]

use kamen_dos::Server;
use kamen_rt::{Start, error};
use libipc::{Endpoint, Event};
use protocols::dos::serve_dos;

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    let Some(endpoint) = start.find::<Endpoint>("self") else {
        error!("no endpoint");
        return 1;
    };
    let mut server = Server::default();
    let error = kamen_kit::serve::run(endpoint, |event| match event {
        Event::Request(request) => serve_dos(&mut server, &request),
        Event::Notified(_) | Event::Foreign(_) | Event::Cancelled(_) => None,
    });
    error!("can't receive: {error:?}");
    1
}
