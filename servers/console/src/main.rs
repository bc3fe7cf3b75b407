//! The console server's program: a 16550 at the ports "serial", interrupt "serial-line".
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;

use kamen_console::uart::Uart;
use kamen_console::{Chip, Server, Settings, Source};
use kamen_kit::service::{self, Trigger};
use kamen_rt::{Start, log};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    service::run(start, |setup| {
        let chip = Chip::new(setup.find("serial")?);
        setup.interrupt("serial-line", Trigger::Edge, Source::Chip)?;
        let limit = setup.alarm(Source::Limit)?;
        let settings = Settings::parse(setup.arguments().env.iter().map(Vec::as_slice));
        let server = Server::new(Uart::new(chip), settings, limit);
        // The host sends input from here on.
        libipc::log::mark(format_args!("ready"));
        log!("ready");
        Ok(server)
    })
}
