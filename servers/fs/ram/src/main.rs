//! The RAM file system server: the volume in the kept memory, served by the file protocol.
#![no_std]
#![no_main]

use kamen_kit::service::{self, Problem, Setup, cannot};
use kamen_ramfs::{Published, Server, Volume};
use kamen_rt::{Start, error, log};
use libipc::{Endpoint, Mapping, Memory, Object, Rights, map_constant, now};
use protocols::clock::ClockClient;

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    service::run(start, |setup| {
        let boot_time = boot_time(setup);
        let server = Server::new(volume(setup)?, move || boot_time.wrapping_add(now().0));
        Ok(server.publishing(published(setup)?))
    })
}

/// Takes up the volume, or fills it from the boot archive.
fn volume(setup: &Setup<'_, ()>) -> Result<Volume<'static, Mapping>, Problem> {
    let store = Mapping::new(setup.find("store")?).map_err(cannot("map its memory"))?;
    let archive = setup.find_optional::<Memory>("archive").map(map_constant);
    let archive = archive.and_then(Result::ok).unwrap_or(&[]);
    let mut volume = Volume::open(store, archive).map_err(cannot("use its memory"))?;
    match volume.load() {
        Ok(0) => log!("took up the file system as it was"),
        Ok(count) => log!("{count} files and directories"),
        Err(error) => error!("boot archive: {error:?}"),
    }
    Ok(volume)
}

/// Returns what clients may read; nothing where no capability to it can be made, so that they ask.
fn published(setup: &Setup<'_, ()>) -> Result<Option<Published>, Problem> {
    let to_read = |memory: Memory| memory.mint(Rights::READ.union(Rights::GRANT), 0).ok();
    let archive = setup.find_optional("archive").and_then(to_read);
    let region = to_read(setup.find("store")?);
    Ok(region.map(|region| Published { region, archive }))
}

/// Returns the time of day at the kernel's time 0, in ns since 1970; 0 without a clock.
fn boot_time(setup: &Setup<'_, ()>) -> u64 {
    let clock = setup.find_optional::<Endpoint>("clock").map(ClockClient::new);
    clock.and_then(|clock| clock.boot_time().ok()).unwrap_or(0)
}
