//! The console server's program: a 16550 at the ports "serial", interrupt "serial-line".
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;

use kamen_console::uart::Uart;
use kamen_console::{Chip, Server, Settings, Sources, run};
use kamen_kit::Arguments;
use kamen_rt::{Start, error, log};
use libipc::{Endpoint, Interrupt, Ports};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    let (Some(endpoint), Some(ports), Some(interrupt)) = (
        start.find::<Endpoint>("self"),
        start.find::<Ports>("serial"),
        start.find::<Interrupt>("serial-line"),
    ) else {
        error!("a capability is missing");
        return 1;
    };
    let arguments = Arguments::parse(start.arguments()).unwrap_or_default();
    let settings = Settings::parse(arguments.env.iter().map(Vec::as_slice));
    let sources = match Sources::new(interrupt) {
        Ok(sources) => sources,
        Err(error) => {
            error!("no interrupts: {error:?}");
            return 1;
        }
    };
    let server = Server::new(Uart::new(Chip::new(ports)), settings);
    // The host sends input from here on.
    libipc::log::mark(format_args!("ready"));
    log!("ready");
    let error = run(endpoint, server, sources);
    error!("can't receive: {error:?}");
    1
}
