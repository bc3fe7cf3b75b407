//! Tests of walking and reading, against a file server of a few nodes over loopback.

use alloc::vec::Vec;
use libipc::loopback::Loopback;
use libipc::{Caller, Endpoint, Failure, Handle, Memory, ReadLease, WriteLease};
use protocols::file::{
    Attributes, Extent, File, FileClient, FileError, Generations, Node, Statistics, Ticket, mode,
    serve_file,
};

use super::Tree;

/// Directory, name, node, type, contents or target.
type Entry = (u64, &'static [u8], u64, u32, &'static [u8]);

const ENTRIES: &[Entry] = &[
    (0, b"/", 1, mode::DIRECTORY, b""),
    (1, b"bin", 2, mode::DIRECTORY, b""),
    (2, b"busybox", 3, mode::FILE, b"the program"),
    (2, b"sh", 4, mode::SYMLINK, b"busybox"),
    (1, b"usr", 5, mode::SYMLINK, b"/"),
    (1, b"loop", 6, mode::SYMLINK, b"loop"),
    (2, b"up", 7, mode::SYMLINK, b"../bin/sh"),
];

/// Answers what walking and reading need; the rest is read-only.
struct Nodes;

impl Nodes {
    fn entry(node: Node) -> &'static Entry {
        ENTRIES.iter().find(|entry| entry.2 == node.0).unwrap()
    }

    fn about(entry: &Entry) -> Attributes {
        let (node, size) = (Node(entry.2), entry.4.len() as u64);
        let (uid, gid, links, modified, changed) = (0, 0, 1, 0, 0);
        Attributes { node, mode: entry.3 | 0o755, uid, gid, links, size, modified, changed }
    }

    fn copy(node: Node, offset: u64, into: &WriteLease<'_>) -> u64 {
        // Three bytes at a time, so that readers have to ask again.
        let rest = Self::entry(node).4.get(offset as usize..).unwrap_or(&[]);
        let part = &rest[..rest.len().min(3).min(into.len() as usize)];
        into.write_at(0, part).unwrap();
        part.len() as u64
    }
}

const REFUSED: FileError = FileError::ReadOnly;

impl File for Nodes {
    fn root(&mut self, _: &Caller) -> Result<Attributes, FileError> {
        Ok(Self::about(&ENTRIES[0]))
    }
    fn lookup(&mut self, _: &Caller, at: Node, name: &[u8]) -> Result<Attributes, FileError> {
        if Self::entry(at).3 != mode::DIRECTORY {
            return Err(FileError::NotDirectory);
        }
        let found = ENTRIES.iter().find(|entry| entry.0 == at.0 && entry.1 == name);
        found.map(Self::about).ok_or(FileError::NotFound)
    }
    fn attributes(&mut self, _: &Caller, node: Node) -> Result<Attributes, FileError> {
        Ok(Self::about(Self::entry(node)))
    }
    fn read(
        &mut self,
        _: &Caller,
        node: Node,
        offset: u64,
        into: WriteLease<'_>,
    ) -> Result<u64, FileError> {
        Ok(Self::copy(node, offset, &into))
    }
    fn write(&mut self, _: &Caller, _: Node, _: u64, _: ReadLease<'_>) -> Result<u64, FileError> {
        Err(REFUSED)
    }
    fn create(
        &mut self,
        _: &Caller,
        _: Ticket,
        _: Node,
        _: u32,
        _: u32,
        _: u32,
        _: u32,
        _: &[u8],
    ) -> Result<Attributes, FileError> {
        Err(REFUSED)
    }
    fn symlink(
        &mut self,
        _: &Caller,
        _: Ticket,
        _: Node,
        _: u32,
        _: u32,
        _: &[u8],
        _: &[u8],
    ) -> Result<Attributes, FileError> {
        Err(REFUSED)
    }
    fn read_link(
        &mut self,
        _: &Caller,
        node: Node,
        into: WriteLease<'_>,
    ) -> Result<u64, FileError> {
        let target = Self::entry(node).4;
        into.write_at(0, target).unwrap();
        Ok(target.len() as u64)
    }
    fn link(&mut self, _: &Caller, _: Ticket, _: Node, _: Node, _: &[u8]) -> Result<(), FileError> {
        Err(REFUSED)
    }
    fn unlink(&mut self, _: &Caller, _: Ticket, _: Node, _: &[u8]) -> Result<(), FileError> {
        Err(REFUSED)
    }
    fn remove_directory(
        &mut self,
        _: &Caller,
        _: Ticket,
        _: Node,
        _: &[u8],
    ) -> Result<(), FileError> {
        Err(REFUSED)
    }
    fn rename(
        &mut self,
        _: &Caller,
        _: Ticket,
        _: Node,
        _: Node,
        _: u32,
        _: &[u8],
        _: &[u8],
    ) -> Result<(), FileError> {
        Err(REFUSED)
    }
    fn resize(&mut self, _: &Caller, _: Node, _: u64) -> Result<(), FileError> {
        Err(REFUSED)
    }
    fn set_attributes(
        &mut self,
        _: &Caller,
        _: Node,
        _: u32,
        _: u32,
        _: u32,
        _: u32,
        _: u64,
    ) -> Result<Attributes, FileError> {
        Err(REFUSED)
    }
    fn create_unnamed(
        &mut self,
        _: &Caller,
        _: Ticket,
        _: u32,
        _: u32,
        _: u32,
    ) -> Result<Attributes, FileError> {
        Err(REFUSED)
    }
    fn accessed(&mut self, _: &Caller, _: Node) -> Result<u64, FileError> {
        Ok(0)
    }
    fn publish(&mut self, _: &Caller) -> Result<(Generations, Memory), FileError> {
        Err(FileError::Invalid)
    }
    fn publish_archive(&mut self, _: &Caller) -> Result<Memory, FileError> {
        Err(FileError::Invalid)
    }
    fn extent(&mut self, _: &Caller, _: Node, _: u64) -> Result<Extent, FileError> {
        Err(FileError::Invalid)
    }
    fn set_accessed(&mut self, _: &Caller, _: Node, _: u64) -> Result<(), FileError> {
        Err(REFUSED)
    }
    fn list(&mut self, _: &Caller, _: Node, _: u64, _: WriteLease<'_>) -> Result<u64, FileError> {
        Err(REFUSED)
    }
    fn hold(&mut self, _: &Caller, _: Ticket, _: Node) -> Result<(), FileError> {
        Ok(())
    }
    fn release(&mut self, _: &Caller, _: Ticket, _: Node) -> Result<(), FileError> {
        Ok(())
    }
    fn statistics(&mut self, _: &Caller) -> Result<Statistics, FileError> {
        Ok(Statistics { blocks: 1, free_blocks: 0, inodes: 7, free_inodes: 0 })
    }
}

fn tree() -> Tree<Loopback<'static>> {
    let loopback = Loopback::new(1, |request| serve_file(&mut Nodes, request));
    Tree::new(FileClient::with(Endpoint(Handle(1)), loopback))
}

fn node(cwd: &[u8], path: &[u8]) -> Result<u64, Failure<FileError>> {
    tree().find(cwd, path).map(|found| found.node.0)
}

#[test]
fn paths_are_walked_and_links_followed() {
    assert_eq!(node(b"/", b"/"), Ok(1));
    assert_eq!(node(b"/", b"bin/busybox"), Ok(3));
    assert_eq!(node(b"/bin", b"sh"), Ok(3));
    assert_eq!(node(b"/", b"/bin/up"), Ok(3));
    assert_eq!(node(b"/", b"/usr/bin/../bin/sh"), Ok(3));
    assert_eq!(node(b"/usr", b"."), Ok(1));
}

#[test]
fn what_is_not_there_is_an_error() {
    assert_eq!(node(b"/", b"/bin/ls"), Err(Failure::Protocol(FileError::NotFound)));
    assert_eq!(node(b"/", b"/bin/sh/x"), Err(Failure::Protocol(FileError::NotDirectory)));
    assert_eq!(node(b"/", b"/loop"), Err(Failure::Protocol(FileError::Invalid)));
}

#[test]
fn files_are_read_to_their_end() {
    let tree = tree();
    let file = tree.find(b"/", b"/bin/busybox").unwrap();
    assert_eq!(tree.read_all(&file, 100), Ok(Vec::from(b"the program")));
    assert_eq!(tree.read_all(&file, 10), Err(Failure::Protocol(FileError::TooLarge)));
    let mut part = [0; 6];
    assert_eq!(tree.read(&file, 8, &mut part), Ok(3));
    assert_eq!(&part[..3], b"ram");
    let folder = tree.find(b"/", b"/bin").unwrap();
    assert_eq!(tree.read_all(&folder, 100), Err(Failure::Protocol(FileError::IsDirectory)));
}
