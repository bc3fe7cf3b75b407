//! The name server's program: mounts the file server that it was given at "/".
#![no_std]
#![no_main]

use kamen_kit::kept::{Kept, kept_name};
use kamen_kit::service::{self, Problem, Setup, cannot};
use kamen_names::{Server, keeper::Supervised};
use kamen_rt::{Start, error};
use libipc::Mapping;
use protocols::keep::KeepClient;

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    service::run(start, |setup| {
        let mut server = restored(setup)?;
        if let Err(error) = server.mount_own(b"/", setup.find("file")?) {
            error!("cannot mount the root: {error:?}");
        }
        Ok(server)
    })
}

/// Returns the server as its last life left it, and has it kept for the next.
fn restored(setup: &Setup<'_, ()>) -> Result<Server, Problem> {
    let memory = Mapping::new(setup.find("tables")?).map_err(cannot("map its memory"))?;
    let tables = Kept::new(memory);
    let server = match tables.load() {
        Some(bytes) => Server::restored(bytes, |place| setup.find_optional(&kept_name(place))),
        None => Server::default(),
    };
    let supervisor = KeepClient::new(setup.find("process")?);
    Ok(server.kept_by(Supervised { tables, supervisor }))
}
