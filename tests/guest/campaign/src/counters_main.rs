//! The sample server's program.
#![no_std]
#![no_main]

use kamen_campaign::counters::Server;
use kamen_campaign::protocol::serve_counters;
use kamen_rt::{Start, log};
use libipc::{Endpoint, Event, Mapping, Memory};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    let (Some(endpoint), Some(kept)) =
        (start.find::<Endpoint>("self"), start.find::<Memory>("counters"))
    else {
        log!("a capability is missing");
        return 1;
    };
    let kept = match Mapping::new(kept) {
        Ok(kept) => kept,
        Err(error) => {
            log!("can't map its memory: {error:?}");
            return 1;
        }
    };
    let mut server = Server::new(kept);
    let error = kamen_kit::serve::run(endpoint, |event| match event {
        Event::Request(request) => serve_counters(&mut server, &request),
        Event::Notified(_) | Event::Foreign(_) | Event::Cancelled(_) => None,
    });
    log!("can't receive: {error:?}");
    1
}
