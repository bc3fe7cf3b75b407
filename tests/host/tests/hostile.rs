//! The system's servers and clients against peers that lie: whatever comes, nobody panics.
//!
//! Requests of every form, a fixed number of each seed, against the logic of each server; and the
//! walk of paths over a file server whose answers, deaths and errors follow from a seed.

use std::cell::RefCell;

use kamen_console::uart::{Device, Register, Uart};
use kamen_console::{Server as Console, Settings};
use kamen_kit::service::Alarm;
use kamen_ramfs::{BLOCK, Volume};
use libipc::loopback::{Fault, Faulty, Loopback, Tally, besiege};
use libipc::{Endpoint, Failure, Handle, Message, Request};
use protocols::clock::{clock_label, serve_clock};
use protocols::console::{console_label, serve_console};
use protocols::dos::{dos_label, serve_dos};
use protocols::file::{FileClient, FileError, Ticket, file_label, mode, serve_file};
use protocols::names::{names_label, serve_names};
use protocols::stream::{serve_stream, stream_label};

/// Requests that each server gets.
const COUNT: usize = 20_000;

/// Asserts that a server was reached and its border held, and that both happened.
#[track_caller]
fn assert_survives(
    name: fn(u32) -> Option<&'static str>,
    dispatch: impl FnMut(&Request<'_>) -> Option<Message>,
) -> Tally {
    let tally = besiege(1, COUNT, name, dispatch);
    assert!(tally.refused > 1000, "{tally:?}");
    assert!(tally.answered + tally.parked > 200, "{tally:?}");
    tally
}

#[test]
fn names_and_clock_survive_any_request() {
    let mut names = kamen_names::Server::default();
    assert_survives(names_label::name, |request| serve_names(&mut names, request));
    let mut clock = kamen_clock::Server::new(1, 0);
    assert_survives(clock_label::name, |request| serve_clock(&mut clock, request));
}

#[test]
fn file_server_survives_any_request_and_its_volume_stays_whole() {
    let volume = Volume::open(vec![0; 256 * BLOCK], &[]).expect("the region is large enough");
    let mut server = kamen_ramfs::Server::new(volume, || 1000);
    assert_survives(file_label::name, |request| serve_file(&mut server, request));
    let loopback = Loopback::new(3, |request| serve_file(&mut server, request));
    let client = FileClient::with(Endpoint(Handle(1)), loopback);
    let root = client.root().expect("the root stays");
    let made =
        client.create(Ticket::next(), root.node, mode::FILE | 0o644, 0, 0, 0, b"still works");
    assert_eq!(client.lookup(root.node, b"still works"), made);
}

#[test]
fn dos_server_survives_any_request() {
    let mut server = kamen_dos::Server::default();
    assert_survives(dos_label::name, |request| serve_dos(&mut server, request));
}

/// A chip that takes everything and says nothing.
struct Silent;

impl Device for Silent {
    fn read(&mut self, register: Register) -> u8 {
        if register == Register::LineStatus { 0x60 } else { 0 }
    }
    fn write(&mut self, _: Register, _: u8) {}
    fn send(&mut self, _: &[u8]) {}
}

#[test]
fn console_survives_any_request_of_both_its_protocols() {
    for (name, parks) in [(console_label::name as fn(u32) -> _, false), (stream_label::name, true)]
    {
        // A new one each time: modes that a siege has set would end reads at once.
        let mut server = Console::new(Uart::new(Silent), Settings::default(), Alarm::default());
        let tally = assert_survives(name, |request| match stream_label::name(request.label()) {
            Some(_) => serve_stream(&mut server, request),
            None => serve_console(&mut server, request),
        });
        assert!(tally.parked > 0 || !parks, "{tally:?}");
    }
}

/// Walks and reads through a tree whose server does what the seed says; returns how many files
/// were read as they are.
fn walk(seed: u64) -> usize {
    let volume = Volume::open(vec![0; 64 * BLOCK], &[]).expect("the region is large enough");
    let server = RefCell::new(kamen_ramfs::Server::new(volume, || 1000));
    let serve = |request: &Request<'_>| serve_file(&mut *server.borrow_mut(), request);
    let loopback = Loopback::new(3, serve);
    let client = FileClient::with(Endpoint(Handle(1)), loopback.clone());
    let root = client.root().expect("the root is there").node;
    let folder = client
        .create(Ticket::next(), root, mode::DIRECTORY | 0o755, 0, 0, 0, b"d")
        .expect("it is new");
    let file = client
        .create(Ticket::next(), folder.node, mode::FILE | 0o644, 0, 0, 0, b"f")
        .expect("it is new");
    client.write(file.node, 0, &[7; 10_000]).expect("there is room");
    client.symlink(Ticket::next(), root, 0, 0, b"link", b"/d/../d/f").expect("it is new");
    let faulty = Faulty::seeded(loopback, seed, 4);
    let tree = kamen_kit::files::Tree::new(FileClient::with(Endpoint(Handle(1)), faulty));
    let mut whole = 0;
    for path in [&b"/d/f"[..], b"/link", b"d/./f", b"/d", b"/nowhere"] {
        let read = tree.find(b"/", path).and_then(|found| tree.read_all(&found, 1 << 20));
        whole += usize::from(read.is_ok_and(|bytes| bytes == [7; 10_000]));
    }
    whole
}

#[test]
fn walk_over_a_lying_file_server_ends_with_a_file_or_an_error() {
    let whole: usize = (0..2000).map(walk).sum();
    assert!((100..6000).contains(&whole), "{whole} of 6000 files were read");
}

#[test]
fn whatever_is_asked_of_the_file_server_goes_on_over_its_deaths() {
    let mut region = vec![0; 64 * BLOCK];
    // Each request meets another life.
    let serve = |request: &Request<'_>| {
        let volume = Volume::open(&mut region[..], &[]).expect("the region is large enough");
        serve_file(&mut kamen_ramfs::Server::new(volume, || 1000), request)
    };
    let loopback = Loopback::new(3, serve);
    let deaths = [Fault::DiesBefore, Fault::DiesAfter, Fault::None].into_iter().cycle().take(60);
    let client = FileClient::with(Endpoint(Handle(1)), Faulty::scripted(loopback, deaths));
    let root = client.root().expect("idempotent").node;
    let made = client.create(Ticket::next(), root, mode::FILE | 0o644, 0, 0, 0, b"f");
    assert_eq!(client.lookup(root, b"f"), made, "it was done before the second death, and once");
    assert_eq!(client.unlink(Ticket::next(), root, b"f"), Ok(()));
    let gone = Err(Failure::Protocol(FileError::NotFound));
    assert_eq!(client.lookup(root, b"f"), gone);
    // Without a ticket what was done is not known.
    let made = client.create(Ticket::NONE, root, mode::FILE | 0o644, 0, 0, 0, b"f");
    assert_eq!(made, Err(Failure::Protocol(FileError::Exists)));
}
