//! A server that panics where a test asks for it, by `crasher=panic` in its environment.
#![no_std]
#![no_main]

use core::hint::black_box;
use kamen_rt::{Start, error};
use libipc::{Endpoint, Error, Message};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    if start.variable("crasher") == Some("panic") {
        return fall(black_box(3));
    }
    let Some(endpoint) = start.find::<Endpoint>("self") else { return 1 };
    let error =
        kamen_kit::serve::run(endpoint, |_| Some(Message::refused(Error::InvalidOperation)));
    error!("can't receive: {error:?}");
    1
}

#[inline(never)]
fn fall(index: usize) -> i32 {
    black_box(element(black_box(&[1, 2, 3]), index)) + 1 // backtrace: fall
}

#[inline(never)]
fn element(of: &[i32], index: usize) -> i32 {
    of[index] // backtrace: element
}
