//! The program `network`: its arguments, the stack's client, its output.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;

use kamen_kit::Arguments;
use kamen_network::{USAGE, parse, perform};
use kamen_rt::{Start, log};
use libipc::{Endpoint, Within};
use protocols::net::NetClient;
use protocols::stream::{StreamClient, Wait};

kamen_rt::entry!(main);

/// Longer than the stack waits for an answer.
const PATIENCE: Within = Within(5000);

fn main(start: &Start) -> i32 {
    let (Some(stdout), Some(net)) =
        (start.find::<Endpoint>("stdout"), start.find::<Endpoint>("net"))
    else {
        log!("a capability is missing");
        return 1;
    };
    let stdout = StreamClient::new(stdout);
    let tell = |text: &str| {
        let mut rest = text.as_bytes();
        // Where nobody reads any more, there is nobody to tell so.
        while let Ok(written @ 1..) = stdout.write(Wait::Yes, rest) {
            rest = rest.get(written as usize..).unwrap_or(&[]);
            if rest.is_empty() {
                break;
            }
        }
    };
    let arguments = Arguments::parse(start.arguments()).unwrap_or_default();
    match parse(arguments.argv.iter().skip(1).map(Vec::as_slice)) {
        Some(task) => perform(&NetClient::with(net, PATIENCE), task, tell),
        None => {
            tell(USAGE);
            2
        }
    }
}
