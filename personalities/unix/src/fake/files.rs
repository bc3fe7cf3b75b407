//! A file tree in a map.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use protocols::file::{Attributes, LIST_HEADER, Node, Statistics, mode};

use crate::Errno;
use crate::filesystem::{Changes, Collision, FileSystem, NewNode, Place};
use crate::linux::structures::Fields;

pub struct FakeNode {
    attributes: Attributes,
    bytes: Vec<u8>,
    names: BTreeMap<Vec<u8>, u64>,
    parent: u64,
    holds: i32,
    accessed: u64,
}

#[derive(Clone, Default)]
pub struct FakeFiles(pub Rc<RefCell<BTreeMap<u64, FakeNode>>>, pub Rc<Ledger>);

/// What a fake file server was asked for, and what it publishes.
#[derive(Default)]
pub struct Ledger {
    /// Calls so far.
    pub calls: Cell<u64>,
    /// Changes so far.
    pub changes: Cell<u64>,
    /// Generations of nodes that have changed.
    pub generations: RefCell<BTreeMap<u64, u64>>,
}

impl Ledger {
    /// Notes a change of a node; returns when it was.
    fn changed(&self, node: u64) -> u64 {
        self.changes.set(self.changes.get() + 1);
        *self.generations.borrow_mut().entry(node).or_default() += 2;
        self.changes.get()
    }
}

const ROOT: u64 = 1;
/// Most bytes of a file.
const LARGEST: u64 = 8 << 20;

impl FakeFiles {
    pub fn new() -> Self {
        let files = FakeFiles::default();
        files.add(ROOT, mode::DIRECTORY | 0o755, 0, 0, b"");
        files
    }

    /// Makes a node by its path and returns it; directories before it must exist.
    pub fn make(&self, path: &str, mode: u32, bytes: &[u8]) -> Node {
        let mut directory = ROOT;
        let (parents, name) = path.rsplit_once('/').unwrap();
        for part in parents.split('/').filter(|part| !part.is_empty()) {
            directory = self.0.borrow()[&directory].names[part.as_bytes()];
        }
        let node = self.add(directory, mode, 0, 0, bytes);
        let mut nodes = self.0.borrow_mut();
        nodes.get_mut(&directory).unwrap().names.insert(name.into(), node);
        Node(node)
    }

    /// Makes a character device by its path.
    pub fn make_device(&self, path: &str, major: u32, minor: u32) {
        let node = self.make(path, mode::CHARACTER | 0o666, b"");
        let number = crate::linux::structures::device(major, minor);
        self.0.borrow_mut().get_mut(&node.0).unwrap().attributes.size = number.into();
    }

    /// Returns the sum of holds.
    pub fn holds(&self) -> i32 {
        self.0.borrow().values().map(|node| node.holds).sum()
    }

    /// Gives a node an owner.
    pub fn own(&self, node: Node, uid: u32) {
        self.0.borrow_mut().get_mut(&node.0).unwrap().attributes.uid = uid;
    }

    fn add(&self, parent: u64, mode: u32, uid: u32, gid: u32, bytes: &[u8]) -> u64 {
        let mut nodes = self.0.borrow_mut();
        let number = nodes.keys().next_back().map_or(ROOT, |last| last + 1);
        let attributes = Attributes {
            node: Node(number),
            mode,
            uid,
            gid,
            links: 1,
            size: bytes.len() as u64,
            modified: number,
            changed: 0,
        };
        let (bytes, names) = (bytes.to_vec(), BTreeMap::new());
        nodes.insert(
            number,
            FakeNode { attributes, bytes, names, parent, holds: 0, accessed: number },
        );
        number
    }

    fn with<R>(
        &self,
        node: Node,
        act: impl FnOnce(&mut FakeNode) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        self.1.calls.set(self.1.calls.get() + 1);
        act(self.0.borrow_mut().get_mut(&node.0).ok_or(Errno::ESTALE)?)
    }
}

impl FileSystem for FakeFiles {
    fn root(&mut self) -> Result<Attributes, Errno> {
        self.attributes(Node(ROOT))
    }

    fn lookup(&mut self, directory: Node, name: &[u8]) -> Result<Attributes, Errno> {
        let node = self.with(directory, |node| {
            if node.attributes.mode & mode::TYPE != mode::DIRECTORY {
                return Err(Errno::ENOTDIR);
            }
            match name {
                b"." => Ok(directory.0),
                b".." => Ok(node.parent),
                name => node.names.get(name).copied().ok_or(Errno::ENOENT),
            }
        })?;
        self.attributes(Node(node))
    }

    fn attributes(&mut self, node: Node) -> Result<Attributes, Errno> {
        self.with(node, |node| Ok(node.attributes))
    }

    fn read(&mut self, node: Node, offset: u64, into: &mut [u8]) -> Result<usize, Errno> {
        self.with(node, |node| {
            let rest = node.bytes.get(offset as usize..).unwrap_or(&[]);
            let len = rest.len().min(into.len());
            into[..len].copy_from_slice(&rest[..len]);
            Ok(len)
        })
    }

    fn write(&mut self, node: Node, offset: u64, bytes: &[u8]) -> Result<usize, Errno> {
        if offset.checked_add(bytes.len() as u64).is_none_or(|end| end > LARGEST) {
            return Err(Errno::EFBIG);
        }
        let changes = self.1.changed(node.0);
        self.with(node, |node| {
            let end = offset as usize + bytes.len();
            node.bytes.resize(node.bytes.len().max(end), 0);
            node.bytes[offset as usize..end].copy_from_slice(bytes);
            node.attributes.size = node.bytes.len() as u64;
            node.attributes.changed = changes;
            Ok(bytes.len())
        })
    }

    fn create(&mut self, directory: Node, name: &[u8], new: NewNode) -> Result<Attributes, Errno> {
        let node = self.add(directory.0, new.mode, new.uid, new.gid, b"");
        self.1.changed(directory.0);
        self.with(directory, |directory| Ok(directory.names.insert(name.to_vec(), node)))?;
        self.attributes(Node(node))
    }

    fn symlink(
        &mut self,
        directory: Node,
        name: &[u8],
        owner: (u32, u32),
        target: &[u8],
    ) -> Result<(), Errno> {
        let node = self.add(directory.0, mode::SYMLINK | 0o777, owner.0, owner.1, target);
        self.1.changed(directory.0);
        self.with(directory, |directory| Ok(directory.names.insert(name.to_vec(), node)))?;
        Ok(())
    }

    fn read_link(&mut self, node: Node) -> Result<Vec<u8>, Errno> {
        self.with(node, |node| Ok(node.bytes.clone()))
    }

    fn link(&mut self, node: Node, directory: Node, name: &[u8]) -> Result<(), Errno> {
        self.1.changed(directory.0);
        self.1.changed(node.0);
        self.with(directory, |directory| Ok(directory.names.insert(name.to_vec(), node.0)))?;
        Ok(())
    }

    fn unlink(&mut self, directory: Node, name: &[u8]) -> Result<(), Errno> {
        self.1.changed(directory.0);
        let node =
            self.with(directory, |directory| directory.names.remove(name).ok_or(Errno::ENOENT))?;
        self.1.changed(node);
        self.with(Node(node), |node| {
            node.attributes.links = node.attributes.links.saturating_sub(1);
            Ok(())
        })?;
        Ok(())
    }

    fn remove_directory(&mut self, directory: Node, name: &[u8]) -> Result<(), Errno> {
        self.unlink(directory, name)
    }

    fn rename(&mut self, from: Place<'_>, to: Place<'_>, clash: Collision) -> Result<(), Errno> {
        let there = self.with(to.0, |node| Ok(node.names.get(to.1).copied()))?;
        match (clash, there) {
            (Collision::Keep, Some(_)) => return Err(Errno::EEXIST),
            (Collision::Exchange, None) => return Err(Errno::ENOENT),
            _ => {}
        }
        self.1.changed(from.0.0);
        let node = self.with(from.0, |node| node.names.remove(from.1).ok_or(Errno::ENOENT))?;
        if let (Collision::Exchange, Some(there)) = (clash, there) {
            self.link(Node(there), from.0, from.1)?;
        }
        self.link(Node(node), to.0, to.1)
    }

    fn resize(&mut self, node: Node, size: u64) -> Result<(), Errno> {
        if size > LARGEST {
            return Err(Errno::EFBIG);
        }
        self.1.changed(node.0);
        self.with(node, |node| {
            node.bytes.resize(size as usize, 0);
            node.attributes.size = size;
            Ok(())
        })
    }

    fn change(&mut self, node: Node, changes: Changes) -> Result<(), Errno> {
        self.1.changed(node.0);
        self.with(node, |node| {
            let before = node.attributes;
            let mode = changes.mode.map_or(before.mode, |mode| before.mode & mode::TYPE | mode);
            let uid = changes.uid.unwrap_or(before.uid);
            let modified = changes.modified.unwrap_or(before.modified);
            node.attributes = Attributes { mode, uid, modified, ..before };
            node.accessed = changes.accessed.unwrap_or(node.accessed);
            Ok(())
        })
    }

    fn list(&mut self, directory: Node, cookie: u64, into: &mut [u8]) -> Result<usize, Errno> {
        let names = self.with(directory, |node| Ok(node.names.clone()))?;
        let mut bytes = Vec::new();
        for (next, (name, node)) in (1u64..).zip(names).skip(cookie as usize) {
            let mode = self.attributes(Node(node))?.mode;
            let len = (LIST_HEADER + name.len()).next_multiple_of(8);
            let fields = Fields::default().u64(node).u64(next).u32(mode);
            let mut record = fields.u16(name.len() as u16).u16(len as u16).0;
            record.extend_from_slice(&name);
            record.resize(len, 0);
            if bytes.len() + len > into.len() {
                break;
            }
            bytes.extend_from_slice(&record);
        }
        into[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn hold(&mut self, node: Node) -> Result<(), Errno> {
        self.with(node, |node| {
            node.holds += 1;
            Ok(())
        })
    }

    fn release(&mut self, node: Node) {
        self.with(node, |node| {
            node.holds -= 1;
            Ok(())
        })
        .unwrap();
    }

    fn statistics(&mut self) -> Result<Statistics, Errno> {
        Ok(Statistics { blocks: 100, free_blocks: 50, inodes: 100, free_inodes: 50 })
    }

    fn create_unnamed(&mut self, new: NewNode) -> Result<Attributes, Errno> {
        let node = Node(self.add(ROOT, new.mode, new.uid, new.gid, b""));
        self.with(node, |node| {
            (node.attributes.links, node.holds) = (0, 1);
            Ok(node.attributes)
        })
    }

    fn accessed(&mut self, node: Node) -> Result<u64, Errno> {
        self.with(node, |node| Ok(node.accessed))
    }
}
