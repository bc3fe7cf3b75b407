//! The campaign's program: conducts, or is one of the native clients.
//!
//! `campaign [seed=N] [kills=N] [pause=US]`; `campaign client=KIND …` is started by the former.
#![no_std]
#![no_main]

extern crate alloc;

mod client;

use alloc::format;

use kamen_campaign::conduct::{Conductor, Plan};
use kamen_campaign::settings::number;
use kamen_kit::Arguments;
use kamen_rt::{Start, log};
use libipc::{Endpoint, Error, Failure};
use protocols::stream::{StreamClient, Wait};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    let arguments = Arguments::parse(start.arguments()).unwrap_or_default();
    let of = |key, default| number(&arguments, key).unwrap_or(default);
    if let Some(kind) = number(&arguments, "client") {
        return client::run(start, kind, of("number", 0), of("seed", 1));
    }
    let plan = Plan { seed: of("seed", 1), kills: of("kills", 100), pause_us: of("pause", 60_000) };
    let (text, is_good) = match Conductor::new(start).and_then(|mut conductor| conductor.run(plan))
    {
        Ok(verdict) => (format!("{verdict}"), verdict.is_good()),
        Err(trouble) => (format!("campaign: no verdict: {trouble:?}\n"), false),
    };
    text.lines().for_each(|line| log!("{line}"));
    if let Some(stdout) = start.find::<Endpoint>("stdout") {
        print(stdout, text.as_bytes());
    }
    i32::from(!is_good)
}

fn print(stdout: Endpoint, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match StreamClient::new(stdout).write(Wait::Yes, bytes) {
            Ok(count) => bytes = bytes.get(count as usize..).unwrap_or(&[]),
            Err(Failure::Kernel(Error::Restarted)) => {}
            Err(_) => return,
        }
    }
}
