//! The file protocol on a volume.

use alloc::vec;
use alloc::vec::Vec;

use kamen_kit::service::{Protocol, Service};
use libipc::{Caller, Memory, ReadLease, WriteLease};
use protocols::file::{
    Attributes, Extent, File, FileError, Generations, Node, Statistics, Ticket, file_label,
    serve_file,
};

use crate::data::Piece;
use crate::inodes::New;
use crate::layout::{BLOCK, GENERATION_SLOTS, GENERATIONS};
use crate::store::Store;
use crate::tree::{Change, Collision, Place};
use crate::volume::Volume;

/// Most bytes of records that one call lists.
const LIST_MAX: usize = 16 * 1024;

/// What holes are read from.
static ZEROS: [u8; BLOCK] = [0; BLOCK];

/// A file server: a volume, and the time of day in ns since 1970.
pub struct Server<'a, S, C> {
    volume: Volume<'a, S>,
    clock: C,
    records: Vec<u8>,
    published: Option<Published>,
}

/// What a server lets its clients read.
#[derive(Clone, Copy, Debug)]
pub struct Published {
    /// The region, by a capability to read it.
    pub region: Memory,
    /// The boot archive, by one to read it.
    pub archive: Option<Memory>,
}

impl<'a, S: Store, C: Fn() -> u64> Server<'a, S, C> {
    /// Returns the server of a volume.
    pub fn new(volume: Volume<'a, S>, clock: C) -> Self {
        Server { volume, clock, records: Vec::new(), published: None }
    }

    /// Returns the server, which lets its clients read what is published.
    pub fn publishing(self, published: Option<Published>) -> Self {
        Server { published, ..self }
    }

    /// Does a change that makes no node, once for a ticket.
    fn once(
        &mut self,
        caller: &Caller,
        ticket: Ticket,
        change: impl FnOnce(&mut Volume<'a, S>) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        self.volume.once(caller.badge, ticket, |_, _| Ok(()), change)
    }

    fn touch_accessed(&mut self, node: Node) -> Result<(), FileError> {
        let now = (self.clock)();
        self.volume.touch_accessed(node, now)
    }

    fn new_node(&self, mode: u32, uid: u32, gid: u32, device: u32) -> New {
        New { mode, uid, gid, device, now: (self.clock)() }
    }
}

impl<S: Store + 'static, C: Fn() -> u64 + 'static> Service for Server<'static, S, C> {
    type Source = ();
    const PROTOCOLS: &'static [Protocol<Self>] = &[Protocol::new(file_label::PROTOCOL, serve_file)];
}

/// Copies a piece to the caller at byte `at` of what it lent.
fn deliver(piece: Piece<'_>, into: &WriteLease<'_>, at: u64) -> Result<(), FileError> {
    let put = |at, bytes: &[u8]| into.write_at(at, bytes).map_err(|_| FileError::Invalid);
    match piece {
        Piece::Bytes(bytes) => put(at, bytes),
        Piece::Zeros(len) => {
            let mut steps = (0..len).step_by(BLOCK);
            steps.try_for_each(|done| put(at + done as u64, &ZEROS[..BLOCK.min(len - done)]))
        }
    }
}

impl<'a, S: Store, C: Fn() -> u64> File for Server<'a, S, C> {
    fn root(&mut self, _: &Caller) -> Result<Attributes, FileError> {
        Ok(self.volume.root())
    }

    fn lookup(
        &mut self,
        _: &Caller,
        directory: Node,
        name: &[u8],
    ) -> Result<Attributes, FileError> {
        self.volume.lookup(Place { directory, name })
    }

    fn attributes(&mut self, _: &Caller, node: Node) -> Result<Attributes, FileError> {
        self.volume.attributes(node)
    }

    fn read(
        &mut self,
        _: &Caller,
        node: Node,
        offset: u64,
        into: WriteLease<'_>,
    ) -> Result<u64, FileError> {
        self.touch_accessed(node)?;
        let mut done = 0;
        loop {
            let limit = usize::try_from(into.len() - done).unwrap_or(usize::MAX);
            let piece = self.volume.piece(node, offset.saturating_add(done), limit)?;
            if piece.is_empty() {
                return Ok(done);
            }
            deliver(piece, &into, done)?;
            done += piece.len() as u64;
        }
    }

    fn write(
        &mut self,
        _: &Caller,
        node: Node,
        offset: u64,
        data: ReadLease<'_>,
    ) -> Result<u64, FileError> {
        let now = (self.clock)();
        self.volume.write(node, offset, data.len(), now, |done, window| {
            data.read_at(done, window).map_err(|_| FileError::Invalid)
        })
    }

    fn create(
        &mut self,
        caller: &Caller,
        ticket: Ticket,
        directory: Node,
        mode: u32,
        uid: u32,
        gid: u32,
        device: u32,
        name: &[u8],
    ) -> Result<Attributes, FileError> {
        let (new, place) = (self.new_node(mode, uid, gid, device), Place { directory, name });
        let again = |volume: &Volume<'a, S>, node| volume.attributes(node);
        self.volume.once(caller.badge, ticket, again, |volume| volume.create(place, new))
    }

    fn symlink(
        &mut self,
        caller: &Caller,
        ticket: Ticket,
        directory: Node,
        uid: u32,
        gid: u32,
        name: &[u8],
        target: &[u8],
    ) -> Result<Attributes, FileError> {
        let (new, place) = (self.new_node(0, uid, gid, 0), Place { directory, name });
        let again = |volume: &Volume<'a, S>, node| volume.attributes(node);
        self.volume.once(caller.badge, ticket, again, |volume| volume.symlink(place, target, new))
    }

    fn read_link(
        &mut self,
        _: &Caller,
        node: Node,
        into: WriteLease<'_>,
    ) -> Result<u64, FileError> {
        let target = self.volume.read_link(node)?;
        let len = target.len().min(usize::try_from(into.len()).unwrap_or(usize::MAX));
        deliver(Piece::Bytes(&target[..len]), &into, 0)?;
        Ok(len as u64)
    }

    fn link(
        &mut self,
        caller: &Caller,
        ticket: Ticket,
        node: Node,
        directory: Node,
        name: &[u8],
    ) -> Result<(), FileError> {
        let (now, place) = ((self.clock)(), Place { directory, name });
        self.once(caller, ticket, |volume| volume.link(node, place, now))
    }

    fn unlink(
        &mut self,
        caller: &Caller,
        ticket: Ticket,
        directory: Node,
        name: &[u8],
    ) -> Result<(), FileError> {
        let (now, place) = ((self.clock)(), Place { directory, name });
        self.once(caller, ticket, |volume| volume.unlink(place, now))
    }

    fn remove_directory(
        &mut self,
        caller: &Caller,
        ticket: Ticket,
        directory: Node,
        name: &[u8],
    ) -> Result<(), FileError> {
        let (now, place) = ((self.clock)(), Place { directory, name });
        self.once(caller, ticket, |volume| volume.remove_directory(place, now))
    }

    fn rename(
        &mut self,
        caller: &Caller,
        ticket: Ticket,
        from: Node,
        to: Node,
        keep: u32,
        from_name: &[u8],
        to_name: &[u8],
    ) -> Result<(), FileError> {
        let collision = match keep {
            0 => Collision::Replace,
            1 => Collision::Keep,
            2 => Collision::Exchange,
            _ => return Err(FileError::Invalid),
        };
        let now = (self.clock)();
        let from = Place { directory: from, name: from_name };
        let to = Place { directory: to, name: to_name };
        self.once(caller, ticket, |volume| volume.rename(from, to, collision, now))
    }

    fn resize(&mut self, _: &Caller, node: Node, size: u64) -> Result<(), FileError> {
        let now = (self.clock)();
        self.volume.resize(node, size, now)
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
        let now = (self.clock)();
        self.volume.set_attributes(node, Change { which, mode, uid, gid, modified }, now)
    }

    fn list(
        &mut self,
        _: &Caller,
        directory: Node,
        cookie: u64,
        into: WriteLease<'_>,
    ) -> Result<u64, FileError> {
        self.touch_accessed(directory)?;
        if self.records.is_empty() {
            self.records = vec![0; LIST_MAX];
        }
        let space = usize::try_from(into.len()).unwrap_or(usize::MAX).min(LIST_MAX);
        let len = self.volume.list(directory, cookie, &mut self.records[..space])?;
        deliver(Piece::Bytes(&self.records[..len]), &into, 0)?;
        Ok(len as u64)
    }

    fn hold(&mut self, caller: &Caller, ticket: Ticket, node: Node) -> Result<(), FileError> {
        self.once(caller, ticket, |volume| volume.hold(node))
    }

    fn release(&mut self, caller: &Caller, ticket: Ticket, node: Node) -> Result<(), FileError> {
        self.once(caller, ticket, |volume| volume.release_hold(node))
    }

    fn create_unnamed(
        &mut self,
        caller: &Caller,
        ticket: Ticket,
        mode: u32,
        uid: u32,
        gid: u32,
    ) -> Result<Attributes, FileError> {
        let new = self.new_node(mode, uid, gid, 0);
        let again = |volume: &Volume<'a, S>, node| volume.attributes(node);
        self.volume.once(caller.badge, ticket, again, |volume| volume.create_unnamed(new))
    }

    fn publish(&mut self, _: &Caller) -> Result<(Generations, Memory), FileError> {
        let published = self.published.ok_or(FileError::Invalid)?;
        let generations = Generations { at: GENERATIONS as u64, slots: GENERATION_SLOTS };
        Ok((generations, published.region))
    }

    fn publish_archive(&mut self, _: &Caller) -> Result<Memory, FileError> {
        self.published.and_then(|published| published.archive).ok_or(FileError::Invalid)
    }

    fn extent(&mut self, _: &Caller, node: Node, offset: u64) -> Result<Extent, FileError> {
        self.touch_accessed(node)?;
        self.volume.extent(node, offset)
    }

    fn set_accessed(&mut self, _: &Caller, node: Node, accessed: u64) -> Result<(), FileError> {
        let now = (self.clock)();
        self.volume.set_accessed(node, accessed, now)
    }

    fn accessed(&mut self, _: &Caller, node: Node) -> Result<u64, FileError> {
        self.volume.accessed(node)
    }

    fn statistics(&mut self, _: &Caller) -> Result<Statistics, FileError> {
        let (blocks, free_blocks) = self.volume.block_counts();
        let (inodes, free_inodes) = self.volume.inode_counts();
        Ok(Statistics { blocks, free_blocks, inodes, free_inodes })
    }
}
