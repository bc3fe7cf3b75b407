//! The server's program, under several names.
#![no_std]
#![no_main]

use kamen_faulty::{Plan, Server, serve_faulty};
use kamen_rt::{Start, log};
use libipc::abi::boot;
use libipc::start::event;
use libipc::{Endpoint, Event, Mapping, Memory, Notification, Thread};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    let mut plan = start.find::<Memory>("plan").and_then(|memory| Mapping::new(memory).ok());
    let mut plan = plan.take().map(Plan);
    if let Some(plan) = &mut plan {
        plan.follow();
    }
    let (Some(endpoint), Some(events), Some(alive)) = (
        start.find::<Endpoint>("self"),
        start.find::<Notification>("events"),
        start.find::<Notification>("alive"),
    ) else {
        log!("a capability is missing");
        return 1;
    };
    if let Err(error) = Thread(boot::THREAD).bind(events) {
        log!("can't hear: {error:?}");
        return 1;
    }
    let mut server = Server::new(plan);
    let error = kamen_kit::serve::run(endpoint, |event| match event {
        Event::Request(request) => serve_faulty(&mut server, &request),
        Event::Notified(bits) => {
            if bits & event::PING != 0 {
                // A supervisor that cannot be told asks again.
                let _ = alive.signal(0);
            }
            if bits & event::SERVICE_RESTARTED != 0 {
                server.tell();
            }
            None
        }
        Event::Foreign(_) | Event::Cancelled(_) => None,
    });
    log!("can't receive: {error:?}");
    1
}
