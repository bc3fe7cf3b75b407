//! The protocol over loopback: every argument arrives in its place.

extern crate std;

use std::collections::BTreeSet;

use libipc::loopback::Loopback;
use libipc::{Caller, Endpoint, Failure, Handle, ReadLease, Words, WriteLease};

use super::*;

const ATTRIBUTES: Attributes = Attributes {
    node: Node(u64::MAX),
    mode: 1,
    uid: u32::MAX,
    gid: 3,
    links: 4,
    size: 5,
    modified: 6,
    changed: u64::MAX - 7,
};

/// Answers with the arguments, as far as the results have room.
struct Server;

impl File for Server {
    fn root(&mut self, _: &Caller) -> Result<Attributes, FileError> {
        Ok(ATTRIBUTES)
    }
    fn lookup(&mut self, _: &Caller, node: Node, name: &[u8]) -> Result<Attributes, FileError> {
        Ok(Attributes { node, size: name.len() as u64, ..ATTRIBUTES })
    }
    fn attributes(&mut self, _: &Caller, node: Node) -> Result<Attributes, FileError> {
        if node == Node(0) { Err(FileError::Stale) } else { Ok(Attributes { node, ..ATTRIBUTES }) }
    }
    fn read(
        &mut self,
        _: &Caller,
        n: Node,
        at: u64,
        into: WriteLease<'_>,
    ) -> Result<u64, FileError> {
        into.write_at(0, &[n.0 as u8, at as u8]).map_err(|_| FileError::Invalid)?;
        Ok(into.len())
    }
    fn write(
        &mut self,
        _: &Caller,
        n: Node,
        at: u64,
        data: ReadLease<'_>,
    ) -> Result<u64, FileError> {
        let mut bytes = [0; 2];
        data.read_at(data.len() - 2, &mut bytes).map_err(|_| FileError::Invalid)?;
        Ok(n.0 + at + u64::from(bytes[0]) + u64::from(bytes[1]))
    }
    fn create(
        &mut self,
        _: &Caller,
        _: Ticket,
        node: Node,
        mode: u32,
        uid: u32,
        gid: u32,
        links: u32,
        name: &[u8],
    ) -> Result<Attributes, FileError> {
        Ok(Attributes { node, mode, uid, gid, links, size: name.len() as u64, ..ATTRIBUTES })
    }
    fn symlink(
        &mut self,
        _: &Caller,
        _: Ticket,
        node: Node,
        uid: u32,
        gid: u32,
        name: &[u8],
        target: &[u8],
    ) -> Result<Attributes, FileError> {
        let (size, modified) = (name.len() as u64, target.len() as u64);
        Ok(Attributes { node, uid, gid, size, modified, ..ATTRIBUTES })
    }
    fn read_link(&mut self, _: &Caller, _: Node, into: WriteLease<'_>) -> Result<u64, FileError> {
        Ok(into.len())
    }
    fn link(
        &mut self,
        _: &Caller,
        _: Ticket,
        node: Node,
        to: Node,
        name: &[u8],
    ) -> Result<(), FileError> {
        if (node, to, name) == (Node(1), Node(2), b"n") { Ok(()) } else { Err(FileError::Exists) }
    }
    fn unlink(&mut self, _: &Caller, _: Ticket, _: Node, _: &[u8]) -> Result<(), FileError> {
        Err(FileError::IsDirectory)
    }
    fn remove_directory(
        &mut self,
        _: &Caller,
        _: Ticket,
        _: Node,
        _: &[u8],
    ) -> Result<(), FileError> {
        Err(FileError::NotEmpty)
    }
    fn rename(
        &mut self,
        _: &Caller,
        _: Ticket,
        from: Node,
        to: Node,
        keep: u32,
        from_name: &[u8],
        to_name: &[u8],
    ) -> Result<(), FileError> {
        let want = (Node(1), Node(2), 1, &b"old"[..], &b"newer"[..]);
        if (from, to, keep, from_name, to_name) == want { Ok(()) } else { Err(FileError::Invalid) }
    }
    fn resize(&mut self, _: &Caller, _: Node, size: u64) -> Result<(), FileError> {
        if size > 1 << 40 { Err(FileError::TooLarge) } else { Ok(()) }
    }
    fn set_attributes(
        &mut self,
        _: &Caller,
        node: Node,
        which: u32,
        mode: u32,
        uid: u32,
        gid: u32,
        modified: u64,
    ) -> Result<Attributes, FileError> {
        Ok(Attributes { node, links: which, mode, uid, gid, modified, ..ATTRIBUTES })
    }
    fn list(
        &mut self,
        _: &Caller,
        _: Node,
        at: u64,
        into: WriteLease<'_>,
    ) -> Result<u64, FileError> {
        Ok(at + into.len())
    }
    fn hold(&mut self, _: &Caller, _: Ticket, _: Node) -> Result<(), FileError> {
        Ok(())
    }
    fn release(&mut self, _: &Caller, _: Ticket, _: Node) -> Result<(), FileError> {
        Err(FileError::Stale)
    }
    fn create_unnamed(
        &mut self,
        _: &Caller,
        _: Ticket,
        mode: u32,
        uid: u32,
        gid: u32,
    ) -> Result<Attributes, FileError> {
        Ok(Attributes { mode, uid, gid, ..ATTRIBUTES })
    }
    fn accessed(&mut self, _: &Caller, node: Node) -> Result<u64, FileError> {
        Ok(node.0 + 1)
    }
    fn publish(&mut self, _: &Caller) -> Result<(Generations, Memory), FileError> {
        Ok((Generations { at: 4096, slots: 8 }, Memory(Handle(5))))
    }
    fn publish_archive(&mut self, _: &Caller) -> Result<Memory, FileError> {
        Err(FileError::Invalid)
    }
    fn extent(&mut self, _: &Caller, node: Node, offset: u64) -> Result<Extent, FileError> {
        Ok(Extent { place: place::REGION, at: node.0, len: offset, generation: 9 })
    }
    fn set_accessed(&mut self, _: &Caller, _: Node, _: u64) -> Result<(), FileError> {
        Err(FileError::ReadOnly)
    }
    fn statistics(&mut self, _: &Caller) -> Result<Statistics, FileError> {
        Ok(Statistics { blocks: 1, free_blocks: 2, inodes: 3, free_inodes: 4 })
    }
}

fn client() -> FileClient<Loopback<'static>> {
    let loopback = Loopback::new(0, |request| serve_file(&mut Server, request));
    FileClient::with(Endpoint(Handle(1)), loopback)
}

#[test]
fn attributes_fill_a_message() {
    assert_eq!(Attributes::COUNT, 6);
    assert_eq!(client().root(), Ok(ATTRIBUTES));
}

#[test]
fn nodes_and_names_arrive() {
    let (client, node) = (client(), Node(7 << 32 | 9));
    assert_eq!(client.lookup(node, b"name"), Ok(Attributes { node, size: 4, ..ATTRIBUTES }));
    assert_eq!(client.lookup(node, &[b'x'; NAME_MAX]).map(|found| found.size), Ok(255));
    assert_eq!(client.attributes(node), Ok(Attributes { node, ..ATTRIBUTES }));
    assert_eq!(client.attributes(Node(0)), Err(Failure::Protocol(FileError::Stale)));
    assert_eq!(client.link(Ticket::next(), Node(1), Node(2), b"n"), Ok(()));
    assert_eq!(
        client.link(Ticket::next(), Node(1), Node(2), b""),
        Err(Failure::Protocol(FileError::Exists))
    );
    assert_eq!(
        client.unlink(Ticket::next(), node, b"n"),
        Err(Failure::Protocol(FileError::IsDirectory))
    );
    assert_eq!(
        client.remove_directory(Ticket::next(), node, b"n"),
        Err(Failure::Protocol(FileError::NotEmpty))
    );
    assert_eq!(client.rename(Ticket::next(), Node(1), Node(2), 1, b"old", b"newer"), Ok(()));
}

#[test]
fn data_goes_through_leases() {
    let (client, mut into) = (client(), [0; 3]);
    assert_eq!(client.read(Node(4), 5, &mut into), Ok(3));
    assert_eq!(into, [4, 5, 0]);
    assert_eq!(client.read(Node(4), 5, &mut []), Err(Failure::Protocol(FileError::Invalid)));
    assert_eq!(client.write(Node(4), 5, &[9, 1, 2]), Ok(12));
    assert_eq!(client.read_link(Node(1), &mut into), Ok(3));
    assert_eq!(client.list(Node(1), 10, &mut into), Ok(13));
}

#[test]
fn six_arguments_arrive_in_order() {
    let client = client();
    let want =
        Attributes { node: Node(1), mode: 2, uid: 3, gid: 4, links: 5, size: 3, ..ATTRIBUTES };
    assert_eq!(client.create(Ticket::next(), Node(1), 2, 3, 4, 5, b"abc"), Ok(want));
    let want = Attributes { node: Node(1), uid: 2, gid: 3, size: 4, modified: 6, ..ATTRIBUTES };
    assert_eq!(client.symlink(Ticket::next(), Node(1), 2, 3, b"name", b"target"), Ok(want));
    let links = set::MODE | set::MODIFIED;
    let want =
        Attributes { node: Node(1), links, mode: 2, uid: 3, gid: 4, modified: 5, ..ATTRIBUTES };
    assert_eq!(client.set_attributes(Node(1), links, 2, 3, 4, 5), Ok(want));
    let want = Attributes { mode: 1, uid: 2, gid: 3, ..ATTRIBUTES };
    assert_eq!(client.create_unnamed(Ticket::next(), 1, 2, 3), Ok(want));
}

#[test]
fn the_rest_is_answered() {
    let client = client();
    assert_eq!(client.resize(Node(1), u64::MAX), Err(Failure::Protocol(FileError::TooLarge)));
    assert_eq!(client.hold(Ticket::next(), Node(1)), Ok(()));
    assert_eq!(client.release(Ticket::next(), Node(1)), Err(Failure::Protocol(FileError::Stale)));
    let want = Statistics { blocks: 1, free_blocks: 2, inodes: 3, free_inodes: 4 };
    assert_eq!(client.statistics(), Ok(want));
    assert_eq!(client.accessed(Node(7)), Ok(8));
    let generations = Generations { at: 4096, slots: 8 };
    assert_eq!(client.publish().map(|(generations, _)| generations), Ok(generations));
    assert_eq!(client.publish_archive(), Err(Failure::Protocol(FileError::Invalid)));
    let extent = Extent { place: place::REGION, at: 3, len: 4, generation: 9 };
    assert_eq!(client.extent(Node(3), 4), Ok(extent));
    assert_eq!(client.set_accessed(Node(7), 1), Err(Failure::Protocol(FileError::ReadOnly)));
}

#[test]
fn programs_that_share_a_badge_draw_other_tickets() {
    let mut drawn = BTreeSet::new();
    for begun in [1, 2, 5_000_000_000, 5_000_000_001] {
        let last = AtomicU64::new(0);
        for later in 0..100_000 {
            let ticket = Ticket::after(&last, || Time(begun + later));
            assert!(drawn.insert(ticket), "{ticket:?} of the program that began at {begun}");
        }
    }
}

#[test]
fn no_ticket_is_none() {
    for begun in [0, 1 << 44, u64::MAX] {
        let last = AtomicU64::new(0);
        assert_ne!(Ticket::after(&last, || Time(begun)), Ticket::NONE);
    }
    let last = AtomicU64::new(u64::MAX);
    assert_ne!(Ticket::after(&last, || Time(7)), Ticket::NONE, "the numbers start over");
}
