//! The clock server's program: reads the chip through its two ports.
#![no_std]
#![no_main]

use kamen_clock::{Cmos, SECOND, Server};
use kamen_rt::{Start, error, warn};
use libipc::{Endpoint, Event, PortWidth, Ports, now};
use protocols::clock::serve_clock;

kamen_rt::entry!(main);

/// Bit 7 of the index port masks non-maskable interrupts: it stays clear.
const INDEX: u16 = 0x70;
const DATA: u16 = 0x71;

/// The chip behind its ports; what can't be read counts as all ones.
struct Chip(Ports);

impl Cmos for Chip {
    fn read(&mut self, register: u8) -> u8 {
        let select = self.0.write(INDEX, PortWidth::Byte, register.into());
        select.and_then(|()| self.0.read(DATA, PortWidth::Byte)).map_or(0xff, |byte| byte as u8)
    }
}

fn main(start: &Start) -> i32 {
    let Some(endpoint) = start.find::<Endpoint>("self") else {
        error!("no endpoint");
        return 1;
    };
    let ports = start.find::<Ports>("rtc");
    let time = ports.and_then(|ports| kamen_clock::read(&mut Chip(ports)));
    if time.is_none() {
        warn!("no time of day: it is 1970 now");
    }
    let seconds = time.and_then(|time| time.unix_seconds()).unwrap_or(0);
    let mut server = Server::new(seconds * SECOND, now().0);
    let error = kamen_kit::serve::run(endpoint, |event| match event {
        Event::Request(request) => serve_clock(&mut server, &request),
        Event::Notified(_) | Event::Foreign(_) | Event::Cancelled(_) => None,
    });
    error!("can't receive: {error:?}");
    1
}
