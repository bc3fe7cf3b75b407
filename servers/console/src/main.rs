//! The console server's program: a 16550 at the ports "serial", interrupt "serial-line".
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;

use kamen_console::keeper::Supervised;
use kamen_console::uart::Uart;
use kamen_console::{Chip, Server, Settings, Source};
use kamen_kit::kept::{Kept, kept_name};
use kamen_kit::service::{self, Problem, Setup, Trigger, cannot};
use kamen_rt::{Start, log};
use libipc::{Mapping, Notification, Within};
use protocols::keep::KeepClient;

/// How long init may take to keep something: it may be waiting for this server.
const PATIENCE: Within = Within(50);

kamen_rt::entry!(main);

// ANCHOR: main
fn main(start: &Start) -> i32 {
    service::run(start, |setup| {
        let chip = Chip::new(setup.find("serial")?);
        setup.interrupt("serial-line", Trigger::Edge, Source::Chip)?;
        let limit = setup.alarm(Source::Limit)?;
        let settings = Settings::parse(setup.arguments().env.iter().map(Vec::as_slice));
        let mut server = Server::new(Uart::new(chip), settings, limit)
            .with_attention(setup.find_optional::<Notification>("attention"));
        take_up(&mut server, setup)?;
        // The host sends input from here on.
        libipc::log::mark(format_args!("ready"));
        log!("ready");
        Ok(server)
    })
}
// ANCHOR_END: main

/// Goes on where the last life ended, and has the state kept for the next.
fn take_up(server: &mut Server<Chip>, setup: &Setup<'_, Source>) -> Result<(), Problem> {
    let memory = Mapping::new(setup.find("state")?).map_err(cannot("map its memory"))?;
    let state = Kept::new(memory);
    if let Some(bytes) = state.load() {
        server.restore(bytes, |place| setup.find_optional(&kept_name(place)));
    }
    let supervisor = KeepClient::with(setup.find("process")?, PATIENCE);
    server.kept_by(Supervised { state, supervisor });
    Ok(())
}
