//! The clock server's program: reads the chip through its two ports.
#![no_std]
#![no_main]

use kamen_clock::{Cmos, SECOND, Server};
use kamen_kit::service;
use kamen_rt::{Start, warn};
use libipc::{PortWidth, Ports, now};

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
    service::run(start, |setup| {
        let time = kamen_clock::read(&mut Chip(setup.find("rtc")?));
        if time.is_none() {
            warn!("no time of day: it is 1970 now");
        }
        let seconds = time.and_then(|time| time.unix_seconds()).unwrap_or(0);
        Ok(Server::new(seconds * SECOND, now().0))
    })
}
