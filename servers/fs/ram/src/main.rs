//! The RAM file system server: the volume in the kept memory, served by the file protocol.
#![no_std]
#![no_main]

use kamen_ramfs::{Server, Volume};
use kamen_rt::{Start, error, log};
use libipc::{Endpoint, Event, Mapping, Memory, map_constant, now};
use protocols::clock::ClockClient;
use protocols::file::serve_file;

kamen_rt::entry!(main);

fn main(start: &Start) -> i32 {
    let Some(endpoint) = start.find::<Endpoint>("self") else { return fail("no endpoint") };
    let Some(store) = start.find::<Memory>("store") else { return fail("no memory") };
    let Ok(store) = Mapping::new(store) else { return fail("can't map its memory") };
    let archive = start.find::<Memory>("archive").map(map_constant);
    let archive = archive.and_then(Result::ok).unwrap_or(&[]);
    let mut volume = match Volume::open(store, archive) {
        Ok(volume) => volume,
        Err(error) => return fail_with("can't use its memory", error),
    };
    match volume.load() {
        Ok(0) => log!("took up the file system as it was"),
        Ok(count) => log!("{count} files and directories"),
        Err(error) => error!("boot archive: {error:?}"),
    }
    let boot_time = boot_time(start);
    let mut server = Server::new(volume, move || boot_time.wrapping_add(now().0));
    let error = kamen_kit::serve::run(endpoint, |event| match event {
        Event::Request(request) => serve_file(&mut server, &request),
        Event::Notified(_) | Event::Foreign(_) | Event::Cancelled(_) => None,
    });
    fail_with("can't receive", error)
}

/// Returns the time of day at the kernel's time 0, in ns since 1970; 0 without a clock.
fn boot_time(start: &Start) -> u64 {
    let clock = start.find::<Endpoint>("clock").map(ClockClient::new);
    clock.and_then(|clock| clock.boot_time().ok()).unwrap_or(0)
}

fn fail(what: &str) -> i32 {
    error!("{what}");
    1
}

fn fail_with(what: &str, error: impl core::fmt::Debug) -> i32 {
    error!("{what}: {error:?}");
    1
}
