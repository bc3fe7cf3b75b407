//! A native client: works until the sheet says that the campaign is over, and reports.

use alloc::format;

use kamen_campaign::Kind;
use kamen_campaign::protocol::{CountersClient, ReportsClient};
use kamen_campaign::scripts::FOLDER;
use kamen_campaign::watched::{Notes, Silence, Watched, Witness};
use kamen_campaign::worker::Worker;
use kamen_campaign::worker::console::ConsoleWorker;
use kamen_campaign::worker::counters::CountersWorker;
use kamen_campaign::worker::files::FilesWorker;
use kamen_campaign::worker::names::NamesWorker;
use kamen_chaos::Dice;
use kamen_kit::files::Tree;
use kamen_rt::{Start, log};
use libipc::abi::boot;
use libipc::{Endpoint, Memory, Object, Quota, Within, now};
use protocols::console::ConsoleClient;
use protocols::file::FileClient;
use protocols::names::NamesClient;
use protocols::stream::StreamClient;

/// How long a call may take before it counts as one that hangs.
const HANG: Within = Within(5_000);
/// The longest rest between two steps, every fourth time.
const REST_NS: u64 = 2_000_000;
/// How long a call waits for input that does not come.
const WAIT: Within = Within(20);

/// Runs the client of a kind; returns its exit status.
pub fn run(start: &Start, kind: u64, number: u64, seed: u64) -> i32 {
    match work(start, kind, number, seed) {
        Some(status) => status,
        None => {
            log!("client {number} of kind {kind} cannot begin: something is missing");
            1
        }
    }
}

fn work(start: &Start, kind: u64, number: u64, seed: u64) -> Option<i32> {
    let kind = Kind::of_number(kind)?;
    let director = ReportsClient::new(start.find::<Endpoint>("stdin")?);
    let sheet = director.sheet().ok()?;
    let notes = Notes::new(kind as u32, sheet);
    let watched = |transport| {
        let silence = if transport == WAIT { Silence::Expected } else { Silence::Hang };
        Watched { transport, notes: &notes, server: kind.server(), silence }
    };
    let find = |name| start.find::<Endpoint>(name);
    let mut dice = Dice(seed.wrapping_mul(1000) + number);
    match kind {
        Kind::Files => {
            let path = format!("{FOLDER}/n{number}");
            let tree = Tree::new(FileClient::with(find("file")?, watched(HANG)));
            let folder = tree.find(b"/", path.as_bytes()).ok()?.node;
            let client = FileClient::with(find("file")?, watched(HANG));
            drive(FilesWorker::new(client, &notes, folder), &notes, &mut dice);
        }
        Kind::Names => {
            let client = NamesClient::with(find("names")?, watched(HANG));
            let service = Quota(boot::QUOTA).create_endpoint().ok()?;
            let name = format!("campaign-{number}");
            let worker = NamesWorker::new(client, &notes, name, service, is_same);
            drive(worker, &notes, &mut dice);
        }
        Kind::Console => {
            let console = find("console")?;
            let worker = ConsoleWorker {
                stream: StreamClient::with(console, watched(HANG)),
                waiting: StreamClient::with(console, watched(WAIT)),
                console: ConsoleClient::with(console, watched(HANG)),
                notes: &notes,
                lines: 0,
            };
            drive(worker, &notes, &mut dice);
        }
        Kind::Counters => {
            let client = CountersClient::with(find("counters")?, watched(HANG));
            drive(CountersWorker::new(client, &notes, number as u32), &notes, &mut dice);
        }
    }
    Some(i32::from(director.report(notes.tally()).is_err()))
}

fn drive(mut worker: impl Worker, notes: &Notes<Memory>, dice: &mut Dice) {
    let silence = Quota(boot::QUOTA).create_notification();
    while !notes.witness.look().is_over() {
        worker.step(dice);
        // UNIX and DOS programs get their share of the processor.
        if let (0, Ok(silence)) = (dice.roll(4), silence) {
            // It ends by its deadline: nobody signals.
            let _ = silence.wait(now().after_ns(dice.roll(REST_NS)));
        }
    }
    worker.finish();
}

/// Returns whether two capabilities lead to one endpoint: the kernel tells its slot.
fn is_same(one: Endpoint, other: Endpoint) -> bool {
    let slot = |endpoint: Endpoint| endpoint.inspect().map(|inspection| inspection.values[2]);
    matches!((slot(one), slot(other)), (Ok(one), Ok(other)) if one == other)
}
