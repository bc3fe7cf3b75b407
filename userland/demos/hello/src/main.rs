//! The smallest native program: writes a line to the log and ends.
#![no_std]
#![no_main]

use kamen_rt::{Start, log};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    log!("hello, I am {}", start.name());
    0
}
