//! A client of the sample server: adds 1 and prints what the counter is then.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::format;

use kamen_rt::{Start, error};
use libipc::Endpoint;
use protocols::sample::SampleClient;
use protocols::stream::{StreamClient, Wait};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    let server = start.find::<Endpoint>("sample").map(SampleClient::new);
    let stdout = start.find::<Endpoint>("stdout").map(StreamClient::new);
    let (Some(server), Some(stdout)) = (server, stdout) else {
        error!("it has no server, or no standard output; see its entry in servers/system.toml");
        return 1;
    };
    let line = match server.add(1) {
        Ok(value) => format!("sample: {value}\n"),
        Err(failure) => {
            error!("add: {failure:?}");
            return 1;
        }
    };
    match stdout.write(Wait::Yes, line.as_bytes()) {
        Ok(_) => 0,
        Err(failure) => {
            error!("stdout: {failure:?}");
            1
        }
    }
}
