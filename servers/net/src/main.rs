//! The network stack's program: a ring to the card's driver, and settings.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;

use kamen_kit::service::{self, cannot};
use kamen_net::{Card, Server, Settings, Source};
use kamen_rt::Start;
use libipc::Within;
use protocols::ethernet::EthernetClient;

kamen_rt::entry!(main);

/// How long the driver may take to answer, its restart included.
const PATIENCE: Within = Within(500);

fn main(start: &Start) -> i32 {
    service::run(start, |setup| {
        let arguments = setup.arguments();
        let settings = Settings::parse(arguments.env.iter().map(Vec::as_slice));
        let settings = settings.unwrap_or_else(|line| {
            let line = line.escape_ascii();
            libipc::error!("{line} is no setting: net=dhcp, or as net=10.0.2.15/24,10.0.2.2");
            Settings::Network
        });
        let (memory, bell) = (setup.find("ring-ethernet")?, setup.bell(Source::Ring)?);
        let card = Card::new(memory, bell).map_err(cannot("make its ring"))?;
        let driver = EthernetClient::with(setup.find("ethernet")?, PATIENCE);
        let mut server = Server::new(driver, card, settings, setup.alarm(Source::Due)?);
        server.go_on();
        Ok(server)
    })
}
