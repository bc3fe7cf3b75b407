//! The UNIX personality's program: gives the personality its machine and answers its events.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::boxed::Box;

use kamen_rt::{Start, log};
use kamen_unix::kernel::{Capabilities, KernelMachine, RemoteServers};
use kamen_unix::unix::{Unix, event};
use libipc::abi::boot;
use libipc::{Endpoint, Error, Event, Notification, Object, Quota, Rights, Thread};
use protocols::clock::ClockClient;
use protocols::file::FileClient;
use protocols::system::SystemClient;

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    let found = (start.find::<Endpoint>("self"), start.find::<Endpoint>("file"));
    let (Some(own), Some(file)) = found else {
        log!("no endpoint or no file server");
        return 1;
    };
    match personality(start, own, file) {
        Ok(mut unix) => log!("can't receive: {:?}", serve(&mut unix, own)),
        Err(error) => log!("can't start: {error:?}"),
    }
    1
}

fn personality(start: &Start, own: Endpoint, file: Endpoint) -> Result<Unix, Error> {
    let quota = Quota(boot::QUOTA);
    let events = quota.create_notification()?;
    Thread(boot::THREAD).bind(events)?;
    let reporter = |badge| -> Result<Notification, Error> {
        events.mint(Rights::SEND.union(Rights::GRANT), badge)
    };
    let capabilities = Capabilities {
        own,
        console: start.find("console"),
        process: start.find("process"),
        system: start.find("system"),
        stream_events: reporter(event::STREAM)?,
        native_events: reporter(event::NATIVE)?,
        console_events: reporter(0)?,
    };
    let timer = quota.create_timer(events, event::TIMER)?;
    let clock = start.find("clock").map(ClockClient::new);
    let system = start.find("system").map(SystemClient::new);
    let machine = KernelMachine::new(quota, own, timer, clock, system);
    let servers = RemoteServers::new(capabilities);
    Ok(Unix::new(Box::new(machine), Box::new(FileClient::new(file)), Box::new(servers)))
}

fn serve(unix: &mut Unix, own: Endpoint) -> Error {
    kamen_kit::serve::run(own, |event| match event {
        Event::Foreign(foreign) => unix.foreign_message(&foreign),
        Event::Request(request) => unix.request(&request),
        Event::Notified(bits) => {
            unix.notified(bits);
            None
        }
        Event::Cancelled(call) => {
            unix.cancelled(call);
            None
        }
    })
}
