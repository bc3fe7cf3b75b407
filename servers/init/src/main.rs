//! The first task: brings the system up and serves until the machine is powered off.
#![no_std]
#![no_main]

use kamen_init::supervisor::{Machine, Supervisor};
use kamen_kit::serve;
use libipc::{Ports, abi::boot, error, log};

kamen_rt::entry!(main);

fn main(start: &kamen_rt::Start) -> i32 {
    log::connect("init", Ports(boot::PORTS));
    let machine = Machine::first_task(kamen_rt::boot_archive(start));
    match Supervisor::new(machine) {
        Ok(supervisor) => serve(supervisor),
        Err(error) => {
            error!("cannot come up: {error:?}");
            machine.power_off(125)
        }
    }
}

fn serve(mut supervisor: Supervisor) -> i32 {
    supervisor.start();
    let error = serve::run(supervisor.endpoint(), |event| supervisor.handle(event));
    error!("cannot receive: {error:?}");
    supervisor.shut_down(125)
}
