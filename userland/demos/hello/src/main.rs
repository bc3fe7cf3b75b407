//! The smallest native program: greets on its standard output and in the log, and ends.
#![no_std]
#![no_main]

use kamen_rt::{Start, log};
use libipc::Endpoint;
use protocols::stream::{StreamClient, Wait};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    log!("hello, I am {}", start.name());
    let Some(stdout) = start.find::<Endpoint>("stdout") else { return 0 };
    match StreamClient::new(stdout).write(Wait::Yes, b"hello from kamen\n") {
        Ok(_) => 0,
        Err(failure) => {
            log!("stdout: {failure:?}");
            1
        }
    }
}
