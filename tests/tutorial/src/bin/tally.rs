//! The tally's program.
#![no_std]
#![no_main]

// ANCHOR: main
use kamen_kit::service::{self, cannot};
use kamen_rt::Start;
use libipc::Mapping;
use tutorial::tally::{Kept, Server};

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    service::run(start, |setup| {
        let store = Mapping::new(setup.find("store")?).map_err(cannot("map its store"))?;
        Ok(Server::new(Kept::new(store)))
    })
}
// ANCHOR_END: main
