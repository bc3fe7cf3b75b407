//! Clients against servers that die before a request, after it, or between any two.

use alloc::rc::Rc;
use alloc::vec;
use core::cell::{Cell, RefCell};

use kamen_chaos::Dice;
use kamen_ramfs::{BLOCK, Server as Files, Volume};
use libipc::loopback::Loopback;
use libipc::transport::{Outgoing, RETRIES, Reply};
use libipc::{Endpoint, Error, Handle, Message, Request, Time, Transport};
use protocols::file::{FileClient, Statistics, serve_file};

use super::Worker;
use super::counters::CountersWorker;
use super::files::FilesWorker;
use crate::counters::{COUNTERS, Server as Counters};
use crate::protocol::{CountersClient, serve_counters};
use crate::sheet::{Server, Sheet};
use crate::tally::Tally;
use crate::watched::{Notes, Silence, Watched, Witness};

/// What a death does to the request that it meets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// A kill that is noted: the request is done or not, its caller sees `Restarted`.
    Noted,
    /// Nobody notes it.
    Unnoted,
    /// It is done twice, and answered.
    Twice,
}

/// A server behind a loopback that deaths meet at random.
struct Deadly<'a> {
    loopback: Loopback<'a>,
    server: Server,
    fate: Fate,
    dice: RefCell<Dice>,
    sheet: Rc<Cell<Sheet>>,
    in_a_row: Cell<usize>,
}

impl Deadly<'_> {
    fn die(&self) -> Error {
        let mut sheet = self.sheet.get();
        sheet.announce(self.server);
        sheet.done(self.server);
        if self.fate == Fate::Noted {
            self.sheet.set(sheet);
        }
        self.in_a_row.set(self.in_a_row.get() + 1);
        Error::Restarted
    }
}

impl Transport for Deadly<'_> {
    fn call(&self, endpoint: Endpoint, request: &Outgoing<'_>) -> Result<Reply, Error> {
        let roll = self.dice.borrow_mut().roll(4);
        let reply = |answer| {
            self.in_a_row.set(0);
            answer
        };
        match (self.fate, roll) {
            (Fate::Twice, 0) => {
                let _ = self.loopback.call(endpoint, request);
                self.loopback.call(endpoint, request)
            }
            (Fate::Noted | Fate::Unnoted, 0) if self.in_a_row.get() < RETRIES => Err(self.die()),
            (Fate::Noted | Fate::Unnoted, 1) if self.in_a_row.get() < RETRIES => {
                let _ = self.loopback.call(endpoint, request);
                Err(self.die())
            }
            _ => reply(self.loopback.call(endpoint, request)),
        }
    }
}

struct Seen(Rc<Cell<Sheet>>);

impl Witness for Seen {
    fn look(&self) -> Sheet {
        self.0.get()
    }

    fn now(&self) -> Time {
        Time(0)
    }
}

/// Runs a client against a server; returns what it noted.
fn run<'a>(
    server: Server,
    fate: Fate,
    steps: usize,
    dispatch: impl FnMut(&Request<'_>) -> Option<Message> + 'a,
    with: impl FnOnce(&dyn Fn(&mut dyn Worker), &Notes<Seen>, Deadly<'a>),
) -> Tally {
    let sheet = Rc::new(Cell::new(Sheet::default()));
    let notes = Notes::new(0, Seen(sheet.clone()));
    let loopback = Loopback::new(77, dispatch);
    let (dice, in_a_row) = (RefCell::new(Dice(3)), Cell::new(0));
    let deadly = Deadly { loopback, server, fate, dice, sheet, in_a_row };
    let drive = |worker: &mut dyn Worker| {
        let mut dice = Dice(5);
        (0..steps).for_each(|_| worker.step(&mut dice));
        worker.finish();
    };
    with(&drive, &notes, deadly);
    notes.tally()
}

/// Runs the client of files; each request meets another life of the server. Returns what it
/// noted, and what is free before and after.
fn files(fate: Fate) -> (Tally, [Statistics; 2]) {
    let region = RefCell::new(vec![0; 512 * BLOCK]);
    let dispatch = |request: &Request<'_>| {
        let mut region = region.borrow_mut();
        let volume = Volume::open(&mut region[..], &[]).expect("it was made here");
        serve_file(&mut Files::new(volume, || 5), request)
    };
    let plain = FileClient::with(Endpoint(Handle(1)), Loopback::new(1, dispatch));
    let root = plain.root().unwrap().node;
    // The folder's own block.
    plain.create(protocols::file::Ticket::next(), root, 0o100600, 0, 0, 0, b"first").unwrap();
    plain.unlink(protocols::file::Ticket::next(), root, b"first").unwrap();
    let before = plain.statistics().unwrap();
    let tally = run(Server::Files, fate, 3000, dispatch, |drive, notes, transport| {
        let (server, silence) = (Server::Files, Silence::Hang);
        let watched = Watched { transport, notes, server, silence };
        let client = FileClient::with(Endpoint(Handle(1)), watched);
        drive(&mut FilesWorker::new(client, notes, root));
    });
    let after = plain.statistics().unwrap();
    Volume::open(region.borrow().clone(), &[]).unwrap().check().unwrap();
    (tally, [before, after])
}

fn counters(fate: Fate) -> Tally {
    let mut kept = [0; COUNTERS * 8];
    let dispatch =
        |request: &Request<'_>| serve_counters(&mut Counters::new(&mut kept[..]), request);
    run(Server::Counters, fate, 3000, dispatch, |drive, notes, transport| {
        let (server, silence) = (Server::Counters, Silence::Hang);
        let watched = Watched { transport, notes, server, silence };
        let client = CountersClient::with(Endpoint(Handle(1)), watched);
        drive(&mut CountersWorker::new(client, notes, 3));
    })
}

#[test]
fn no_call_of_the_file_server_is_lost_or_done_twice() {
    let (tally, [before, after]) = files(Fate::Noted);
    assert!(tally.is_good(), "{tally}");
    assert!(tally.repeated > 500 && tally.restarted == 0, "{tally}");
    assert_eq!(before, after);
}

#[test]
fn the_sample_server_restarts_what_cannot_be_repeated() {
    let tally = counters(Fate::Noted);
    assert!(tally.is_good(), "{tally}");
    assert!(tally.repeated > 100 && tally.restarted > 100, "{tally}");
}

#[test]
fn what_is_done_twice_is_found_out() {
    assert!(counters(Fate::Twice).wrong > 0);
    // Two lives apart: the ticket tells.
    assert_eq!(files(Fate::Twice).0.wrong, 0);
}

#[test]
fn a_restart_without_a_kill_is_found_out() {
    assert!(counters(Fate::Unnoted).unearned > 0);
    assert!(files(Fate::Unnoted).0.unearned > 0);
}
