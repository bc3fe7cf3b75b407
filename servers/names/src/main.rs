//! The name server's program: mounts the file server that it was given at "/".
#![no_std]
#![no_main]

use kamen_names::Server;
use kamen_rt::{Start, error};
use libipc::{Endpoint, Event};
use protocols::names::serve_names;

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    let Some(endpoint) = start.find::<Endpoint>("self") else {
        error!("no endpoint");
        return 1;
    };
    let mut server = Server::default();
    if let Some(files) = start.find::<Endpoint>("file")
        && let Err(error) = server.mount_own(b"/", files)
    {
        error!("can't mount the root: {error:?}");
    }
    let error = kamen_kit::serve::run(endpoint, |event| match event {
        Event::Request(request) => serve_names(&mut server, &request),
        Event::Notified(_) | Event::Foreign(_) | Event::Cancelled(_) => None,
    });
    error!("can't receive: {error:?}");
    1
}
