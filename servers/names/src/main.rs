//! The name server's program: mounts the file server that it was given at "/".
#![no_std]
#![no_main]

use kamen_kit::service;
use kamen_names::Server;
use kamen_rt::{Start, error};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    service::run(start, |setup| {
        let mut server = Server::default();
        if let Err(error) = server.mount_own(b"/", setup.find("file")?) {
            error!("cannot mount the root: {error:?}");
        }
        Ok(server)
    })
}
