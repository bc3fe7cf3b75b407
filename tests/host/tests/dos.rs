//! DOS sessions between the DOS server and the file server: what dies, and what stays of it.

use std::cell::RefCell;
use std::rc::Rc;

use dos_machine::host::{FileTree, HostError, Node, OpenMode};
use dos_session::Files;
use kamen_dos::{Server, Settings};
use kamen_ramfs::{BLOCK, Volume};
use libipc::loopback::{Loopback, notification};
use libipc::{Endpoint, Handle, Notification, Object, Request};
use protocols::dos::{DosClient, serve_dos};
use protocols::file::{FileClient, Ticket, mode, serve_file};

const SERVER: Endpoint = Endpoint(Handle(1));
/// Both, denying all (RBIL INT 21/AH=3D, table 01402).
const ALONE: OpenMode = OpenMode { access: 2, sharing: 1 };
const ANYHOW: OpenMode = OpenMode { access: 2, sharing: 4 };

/// The way to a server, which lives as long as the test's process: sessions have two of one type.
type Peer = Loopback<'static>;

/// Makes a session's files of its two servers.
fn session(files: &Peer, dos: &Peer, badge: u64) -> (Files<Peer>, Notification) {
    let client = FileClient::with(SERVER, files.with_badge(badge));
    let mut session = Files::new(client, Some(DosClient::with(SERVER, dos.with_badge(badge))));
    let alive = notification();
    session.attach(Some(alive));
    (session, alive)
}

/// Returns the way to a file server of its own.
fn file_server() -> Peer {
    let volume = Volume::open(vec![0; 256 * BLOCK], &[]).expect("the region is large enough");
    let mut server = kamen_ramfs::Server::new(volume, || 1000);
    Loopback::new(3, move |request: &Request<'_>| serve_file(&mut server, request))
}

/// Creates a file in the root.
fn create(files: &FileClient<Peer>, name: &[u8]) -> Node {
    let root = files.root().expect("a root").node;
    let made = files.create(Ticket::next(), root, mode::FILE | 0o644, 0, 0, 0, name);
    Node(made.expect("a new name").node.0)
}

#[test]
fn a_file_that_only_a_dead_session_held_is_gone() {
    let files = file_server();
    let client = FileClient::with(SERVER, files.with_badge(3));
    let settings = FileClient::with(SERVER, files.with_badge(4));
    let mut server = Server::new(Settings::default()).with_files(settings);
    let dos = Loopback::new(7, move |request: &Request<'_>| serve_dos(&mut server, request));

    let file = create(&client, b"held");
    let (mut first, alive) = session(&files, &dos, 7);
    first.opened(file, ANYHOW).expect("nobody else has it");
    client.unlink(Ticket::next(), client.root().expect("a root").node, b"held").expect("a name");
    assert!(first.attributes(file).is_ok());
    alive.destroy().expect("it was there");
    // Who comes next finds the dead.
    let (mut second, _) = session(&files, &dos, 8);
    assert_eq!(second.attributes(file), Err(HostError::NotFound));
}

#[test]
fn a_session_tells_a_server_that_begins_anew_what_it_has_open() {
    let files = file_server();
    let client = FileClient::with(SERVER, files.with_badge(3));
    let begin = || Server::new(Settings::default());
    let server = Rc::new(RefCell::new(begin()));
    let dos = Rc::clone(&server);
    let dos =
        Loopback::new(7, move |request: &Request<'_>| serve_dos(&mut *dos.borrow_mut(), request));

    let [file, other] = [b"alone", b"other"].map(|name| create(&client, name));
    let (mut first, _) = session(&files, &dos, 7);
    first.opened(file, ALONE).expect("nobody else has it");
    server.replace(begin());
    first.lock(file, 0..1).expect("nobody else has it");
    server.replace(begin());
    first.opened(other, ANYHOW).expect("nobody else has it");
    let (mut second, _) = session(&files, &dos, 8);
    assert_eq!(second.opened(file, ANYHOW), Err(HostError::Sharing));
    first.closed(file, ALONE);
    assert_eq!(second.opened(file, ANYHOW), Ok(()));
}
