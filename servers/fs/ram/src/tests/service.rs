//! The file protocol from client to volume and back, in one process.

use alloc::vec;
use alloc::vec::Vec;

use libipc::loopback::Loopback;
use libipc::{Endpoint, Error, Failure, Handle};
use protocols::file::{
    FileClient, FileError, LIST_HEADER, NAME_MAX, Node, Ticket, mode, serve_file, set,
};

use crate::{BLOCK, Server, Volume};

/// Runs a test with the client of a new file server; it is always 1,000 ns after 1970.
fn with_client(test: impl FnOnce(FileClient<Loopback<'_>>)) {
    let volume = Volume::open(vec![0; 256 * BLOCK], &[]).unwrap();
    let mut server = Server::new(volume, || 1000);
    let loopback = Loopback::new(3, |request| serve_file(&mut server, request));
    test(FileClient::with(Endpoint(Handle(1)), loopback));
}

fn file(client: &FileClient<Loopback<'_>>, name: &[u8]) -> Node {
    let root = client.root().unwrap().node;
    client.create(Ticket::next(), root, mode::FILE | 0o644, 7, 8, 0, name).unwrap().node
}

#[test]
fn what_is_written_is_read() {
    with_client(|client| {
        let node = file(&client, b"f");
        let bytes: Vec<u8> = (0..100_000u32).map(|byte| (byte % 251) as u8).collect();
        assert_eq!(client.write(node, 10, &bytes), Ok(100_000));
        let mut into = vec![0xff; 200_000];
        assert_eq!(client.read(node, 0, &mut into), Ok(100_010));
        assert_eq!((&into[..10], &into[10..100_010]), (&[0; 10][..], &bytes[..]));
        assert_eq!(client.read(node, 100_010, &mut into), Ok(0));
        assert_eq!(client.read(node, u64::MAX, &mut into), Ok(0));
        let attributes = client.attributes(node).unwrap();
        assert_eq!((attributes.size, attributes.modified, attributes.uid), (100_010, 1000, 7));
    });
}

#[test]
fn holes_are_read_in_any_length() {
    with_client(|client| {
        let node = file(&client, b"sparse");
        client.resize(node, 3 * BLOCK as u64).unwrap();
        client.write(node, BLOCK as u64, b"x").unwrap();
        let mut into = vec![0xff; 3 * BLOCK + 1];
        assert_eq!(client.read(node, 0, &mut into), Ok(3 * BLOCK as u64));
        let marked: Vec<usize> = (0..3 * BLOCK).filter(|&at| into[at] != 0).collect();
        assert_eq!((marked, into[3 * BLOCK]), (vec![BLOCK], 0xff));
    });
}

#[test]
fn tree_operations_go_through() {
    with_client(|client| {
        let root = client.root().unwrap().node;
        let node = file(&client, b"a");
        let directory = client
            .create(Ticket::next(), root, mode::DIRECTORY | 0o755, 0, 0, 0, b"d")
            .unwrap()
            .node;
        client.link(Ticket::next(), node, directory, b"b").unwrap();
        client.rename(Ticket::next(), root, directory, 1, b"a", b"c").unwrap();
        assert_eq!(client.lookup(directory, b"c").unwrap().links, 2);
        let exists = Err(Failure::Protocol(FileError::Exists));
        assert_eq!(client.rename(Ticket::next(), directory, directory, 1, b"b", b"c"), exists);
        let flag = client.rename(Ticket::next(), directory, directory, 3, b"b", b"c");
        assert_eq!(flag, Err(Failure::Protocol(FileError::Invalid)));
        client.hold(Ticket::next(), node).unwrap();
        client.unlink(Ticket::next(), directory, b"b").unwrap();
        client.unlink(Ticket::next(), directory, b"c").unwrap();
        client.remove_directory(Ticket::next(), root, b"d").unwrap();
        assert_eq!(client.attributes(node).unwrap().links, 0);
        client.release(Ticket::next(), node).unwrap();
        let stale = Err(Failure::Protocol(FileError::Stale));
        assert_eq!(client.attributes(node), stale);
        let set = client.set_attributes(root, set::MODE, 0o700, 0, 0, 0).unwrap();
        assert_eq!(set.mode, mode::DIRECTORY | 0o700);
    });
}

#[test]
fn links_and_lists_reach_the_client() {
    with_client(|client| {
        let root = client.root().unwrap().node;
        let link = client.symlink(Ticket::next(), root, 0, 0, b"link", b"some/where").unwrap().node;
        let mut into = [0xff; 12];
        assert_eq!(client.read_link(link, &mut into), Ok(10));
        assert_eq!(&into, b"some/where\xff\xff");
        assert_eq!(client.read_link(link, &mut into[..4]), Ok(4));
        let mut records = [0; 256];
        let len = client.list(root, 2, &mut records).unwrap() as usize;
        assert_eq!(len, (LIST_HEADER + 4).next_multiple_of(8));
        assert_eq!(&records[LIST_HEADER..LIST_HEADER + 4], b"link");
        assert_eq!(client.list(root, 2 + BLOCK as u64, &mut records), Ok(0));
    });
}

#[test]
fn statistics_count_what_is_used() {
    with_client(|client| {
        let before = client.statistics().unwrap();
        let node = file(&client, b"f");
        client.write(node, 0, &[1; 2 * BLOCK]).unwrap();
        let after = client.statistics().unwrap();
        assert_eq!(before.free_blocks - after.free_blocks, 3, "two, and one for the root");
        assert_eq!(before.free_inodes - after.free_inodes, 1);
        assert_eq!((before.blocks, before.inodes), (after.blocks, after.inodes));
    });
}

#[test]
fn names_and_targets_end_at_their_bounds() {
    with_client(|client| {
        let root = client.root().unwrap().node;
        let (long, too_long) = ([b'x'; NAME_MAX + 1], Err(FileError::InvalidName));
        let end = |result: Result<_, Failure<FileError>>| {
            result.map(drop).map_err(|failure| failure.protocol_or(FileError::Stale))
        };
        assert_eq!(end(client.lookup(root, &long[1..])), Err(FileError::NotFound));
        assert_eq!(end(client.lookup(root, &long)), too_long);
        assert_eq!(end(client.symlink(Ticket::next(), root, 0, 0, &long[1..], b"target")), Ok(()));
        assert_eq!(end(client.symlink(Ticket::next(), root, 0, 0, &long, b"target")), too_long);
        let end = client.symlink(Ticket::next(), root, 0, 0, b"link", &[b'x'; 5000]);
        assert_eq!(end, Err(Failure::Kernel(Error::InvalidArgument)));
    });
}
