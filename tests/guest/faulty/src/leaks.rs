//! A restart leaves nothing behind: neither pages nor objects nor capabilities of init's.

use alloc::format;

use kamen_kit::files::Tree;
use libipc::Endpoint;
use protocols::clock::ClockClient;
use protocols::console::ConsoleClient;
use protocols::file::FileClient;
use protocols::names::NamesClient;
use protocols::system::Holdings;

use crate::world::World;

/// How often each server is restarted.
const ROUNDS: u32 = 50;
/// The servers.
const SERVERS: [&str; 4] = ["clock", "names", "console", "ramfs"];

/// Restarts each server often, and compares what is in use before and after.
pub fn leak(world: &mut World) {
    // The first restarts may still make room that is kept for the next.
    let warm = (0..2).all(|_| round(world));
    let before = world.system.holdings();
    let done = warm && (0..ROUNDS).all(|_| round(world));
    let after = world.system.holdings();
    world.check("all come back each time", done, done);
    let fact = format!("{ROUNDS} restarts of each leave no page, object or handle behind");
    world.check(&fact, before == after && before.is_ok(), (before, after));
    if let Ok(Holdings { free_pages, charged_pages, objects, handles }) = after {
        libipc::log!(
            "{free_pages} pages free, {charged_pages} charged, {objects} units of objects, \
             {handles} handles of init's"
        );
    }
}

/// Restarts each server; returns whether all answer again. One that has answered waits for its next
/// request: what it has then, it has each time.
fn round(world: &World) -> bool {
    SERVERS.iter().all(|server| world.system.restart(server.as_bytes()).is_ok())
        && answers(world).is_some()
}

fn answers(world: &World) -> Option<()> {
    let endpoint = |name| world.start.find::<Endpoint>(name);
    ClockClient::new(endpoint("clock")?).boot_time().ok()?;
    NamesClient::new(endpoint("names")?).find("none").err()?;
    ConsoleClient::new(endpoint("console")?).size().ok()?;
    Tree::new(FileClient::new(endpoint("file")?)).find(b"/", b"/bin").ok()?;
    Some(())
}
