//! The native shell as a program: its session is its life.
#![no_std]
#![no_main]

kamen_rt::entry!(main);

fn main(start: &kamen_rt::Start) -> i32 {
    kamen_shell::session::run(start)
}
