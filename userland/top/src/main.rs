//! Shows what runs: `top [-b] [-n ROUNDS] [-d SECONDS]`.
#![no_std]
#![no_main]

kamen_rt::entry!(main);

fn main(start: &kamen_rt::Start) -> i32 {
    kamen_top::run(start)
}
