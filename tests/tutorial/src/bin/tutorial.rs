//! The clients of the tutorial's servers, as one program: `tutorial sleep 200`.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::format;
use alloc::vec::Vec;

use kamen_kit::Arguments;
use kamen_rt::{Start, log};
use libipc::Endpoint;
use protocols::stream::{StreamClient, Wait};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    let arguments = Arguments::parse(start.arguments()).unwrap_or_default();
    let words = arguments.argv.iter().skip(1).map(|word| core::str::from_utf8(word));
    let words: Vec<&str> = words.map(|word| word.unwrap_or("?")).collect();
    let (line, status) = match tutorial::client::perform(start, &words) {
        Ok(line) => (line, 0),
        Err(line) => (line, 1),
    };
    let Some(stdout) = start.find::<Endpoint>("stdout") else {
        log!("{line}");
        return status;
    };
    match StreamClient::new(stdout).write(Wait::Yes, format!("{line}\n").as_bytes()) {
        Ok(_) => status,
        Err(failure) => {
            log!("stdout: {failure:?}");
            1
        }
    }
}
