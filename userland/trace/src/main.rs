//! The program `trace`: runs another one and shows who called whom.
#![no_std]
#![no_main]

kamen_rt::entry!(main);

fn main(start: &kamen_rt::Start) -> i32 {
    kamen_trace::run(start)
}
