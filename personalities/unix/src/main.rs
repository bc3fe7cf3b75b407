//! The UNIX personality's program: answers the personality's events.
#![no_std]
#![no_main]

use kamen_rt::{Start, error};
use kamen_unix::kernel::personality;
use kamen_unix::unix::Unix;
use libipc::start::event;
use libipc::{Endpoint, Error, Event, Notification};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    let found = (start.find::<Endpoint>("self"), start.find::<Endpoint>("file"));
    let (Some(own), Some(file)) = found else {
        error!("no endpoint or no file server");
        return 1;
    };
    match personality(start, own, file, kamen_rt::heap::used) {
        Ok(mut unix) => {
            error!("can't receive: {:?}", serve(&mut unix, own, start.find("alive")));
        }
        Err(error) => error!("can't start: {error:?}"),
    }
    1
}

fn serve(unix: &mut Unix, own: Endpoint, alive: Option<Notification>) -> Error {
    kamen_kit::serve::run(own, |event| match event {
        Event::Foreign(foreign) => unix.foreign_message(&foreign),
        Event::Request(request) => unix.request(&request),
        Event::Notified(bits) => {
            unix.notified(bits & event::OWN);
            if let (true, Some(alive)) = (bits & event::PING != 0, alive) {
                // The supervisor asks again where it did not hear this.
                let _ = alive.signal(0);
            }
            None
        }
        Event::Cancelled(call) => {
            unix.cancelled(call);
            None
        }
    })
}
