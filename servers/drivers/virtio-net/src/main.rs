//! The driver's program: finds a card, takes its interrupt line, serves.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::format;

use driver_kit::{DeviceType, Hardware, SomeTransport};
use kamen_kit::service::{self, Problem, Setup, Trigger};
use kamen_rt::{Start, log};
use kamen_virtio_net::{Card, Driver, Program, Source};

kamen_rt::entry!(main);

// ANCHOR: card
fn main(start: &Start) -> i32 {
    service::run(start, |setup| {
        let card = card(setup)?;
        let bell = setup.bell(Source::Ring)?;
        Ok(Program::new(Driver::new(card, bell), kamen_rt::exit))
    })
}

/// Returns the machine's card, if it has one that works; else the log says what is wrong.
fn card(setup: &mut Setup<'_, Source>) -> Result<Option<Card<SomeTransport<'static>>>, Problem> {
    let hardware = Hardware {
        configuration: setup.find("pci")?,
        registers: setup.find("registers")?,
        memory: setup.find("buffers")?,
    };
    let found = match hardware.find(DeviceType::Network) {
        Ok(Some(found)) => found,
        Ok(None) => {
            log!("no virtio network card: idle");
            return Ok(None);
        }
        Err(error) => {
            libipc::error!("the network card cannot be used: {error:?}");
            return Ok(None);
        }
    };
    let (line, place) = (found.line, found.place);
    if let Err(problem) = setup.interrupt(&format!("line-{line}"), Trigger::Level, Source::Card) {
        libipc::error!("the card, {place}, cannot interrupt: {problem}");
        return Ok(None);
    }
    match Card::new(found.transport) {
        Ok(card) => {
            log!("network card {:02x?} at {place}, line {line}", card.address());
            Ok(Some(card))
        }
        Err(error) => {
            libipc::error!("the card does not work: {error:?}");
            Ok(None)
        }
    }
}
// ANCHOR_END: card
