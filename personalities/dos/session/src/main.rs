//! The DOS session's program.
#![no_std]
#![no_main]

kamen_rt::entry!(main);

fn main(start: &kamen_rt::Start) -> i32 {
    dos_session::run(start)
}
