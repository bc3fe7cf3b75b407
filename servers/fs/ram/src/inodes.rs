//! Inodes: their allocation and their words.

use crate::layout::{Field, INODE, INODE_TABLE, superblock};
use crate::store::Store;
use crate::volume::Volume;
use protocols::file::{Attributes, FileError, Node, mode};

/// Number of an inode that is within the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Inode(pub u32);

/// The root directory's.
pub(crate) const ROOT: Inode = Inode(1);

/// What a new inode begins with.
#[derive(Clone, Copy, Debug)]
pub struct New {
    /// Type and permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Device number of device nodes.
    pub device: u32,
    /// Time of creation, ns since 1970.
    pub now: u64,
}

/// References to an inode: it exists as long as it has any.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Counts {
    /// Names; of a directory, 2 and one for each directory in it.
    pub links: u32,
    /// Holds of clients.
    pub holds: u32,
}

impl Counts {
    pub fn is_gone(self) -> bool {
        self.links == 0 && self.holds == 0
    }
}

/// Returns the two halves of a word, low half first.
pub(crate) fn halves(word: u64) -> (u32, u32) {
    (word as u32, (word >> 32) as u32)
}

/// Returns the word of two halves, low half first.
pub(crate) fn joined(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

impl Inode {
    /// Returns the byte offset of a word in the region.
    #[inline(always)]
    pub fn at(self, field: Field) -> usize {
        INODE_TABLE + self.0 as usize * INODE + field as usize * 8
    }
}

impl<S: Store> Volume<'_, S> {
    /// Returns the inode of a node that a client named.
    pub(crate) fn inode(&self, node: Node) -> Result<Inode, FileError> {
        let (number, generation) = halves(node.0);
        if number == 0 || u64::from(number) >= self.word(superblock::FRESH_INODE) {
            return Err(FileError::Stale);
        }
        let inode = Inode(number);
        let (mode, current) = halves(self.field(inode, Field::Identity));
        if mode == 0 || current != generation {
            return Err(FileError::Stale);
        }
        Ok(inode)
    }

    /// Returns the inode of a directory that a client named.
    pub(crate) fn directory(&self, node: Node) -> Result<Inode, FileError> {
        let inode = self.inode(node)?;
        if self.kind(inode) == mode::DIRECTORY { Ok(inode) } else { Err(FileError::NotDirectory) }
    }

    #[inline(always)]
    pub(crate) fn field(&self, inode: Inode, field: Field) -> u64 {
        self.word(inode.at(field))
    }

    /// Sets a word of an inode, within a transaction, which clients learn of.
    pub(crate) fn set_field(&mut self, inode: Inode, field: Field, value: u64) {
        self.begin_change(inode);
        self.set(inode.at(field), value);
    }

    pub(crate) fn mode(&self, inode: Inode) -> u32 {
        halves(self.field(inode, Field::Identity)).0
    }

    /// Returns the type bits of the mode.
    pub(crate) fn kind(&self, inode: Inode) -> u32 {
        self.mode(inode) & mode::TYPE
    }

    pub(crate) fn set_mode(&mut self, inode: Inode, mode: u32) {
        let (_, generation) = halves(self.field(inode, Field::Identity));
        self.set_field(inode, Field::Identity, joined(mode, generation));
    }

    pub(crate) fn counts(&self, inode: Inode) -> Counts {
        let (links, holds) = halves(self.field(inode, Field::Counts));
        Counts { links, holds }
    }

    /// Sets the reference counts; an inode without references is marked to be freed, which
    /// [`Volume::settle`] does after the transaction.
    pub(crate) fn set_counts(&mut self, inode: Inode, counts: Counts) {
        // Clients see names, but not each other's holds.
        if counts.links != self.counts(inode).links {
            self.begin_change(inode);
        }
        self.set(inode.at(Field::Counts), joined(counts.links, counts.holds));
        if counts.is_gone() {
            self.set(superblock::PENDING, inode.0.into());
        }
    }

    /// Returns the name that clients have for an inode.
    pub(crate) fn node(&self, inode: Inode) -> Node {
        let (_, generation) = halves(self.field(inode, Field::Identity));
        Node(joined(inode.0, generation))
    }

    pub(crate) fn attributes_of(&self, inode: Inode) -> Attributes {
        let (mode, generation) = halves(self.field(inode, Field::Identity));
        let (uid, gid) = halves(self.field(inode, Field::Owner));
        Attributes {
            node: Node(joined(inode.0, generation)),
            mode,
            uid,
            gid,
            links: self.counts(inode).links,
            size: self.field(inode, Field::Size),
            modified: self.field(inode, Field::Modified),
            changed: self.field(inode, Field::Changed),
        }
    }

    /// Takes an inode, within a transaction: of a new generation, without references or contents.
    pub(crate) fn take_inode(&mut self, new: New) -> Result<Inode, FileError> {
        let inode = self.take_inode_number()?;
        let (_, generation) = halves(self.field(inode, Field::Identity));
        self.set_field(inode, Field::Identity, joined(new.mode, generation.wrapping_add(1)));
        self.set_field(inode, Field::Owner, joined(new.uid, new.gid));
        let kind = new.mode & mode::TYPE;
        let is_device = kind == mode::CHARACTER || kind == BLOCK_DEVICE;
        self.set_field(inode, Field::Size, if is_device { new.device.into() } else { 0 });
        self.set_field(inode, Field::Modified, new.now);
        self.set_field(inode, Field::Changed, new.now);
        self.set_field(inode, Field::Accessed, new.now);
        Ok(inode)
    }

    fn take_inode_number(&mut self) -> Result<Inode, FileError> {
        match self.word(superblock::FREE_INODE) {
            0 => {
                let fresh = self.word(superblock::FRESH_INODE);
                if fresh >= self.word(superblock::INODES) {
                    return Err(FileError::NoSpace);
                }
                self.set(superblock::FRESH_INODE, fresh + 1);
                Ok(Inode(fresh as u32))
            }
            free => {
                let inode = Inode(free as u32);
                self.set(superblock::FREE_INODE, self.field(inode, Field::Size));
                self.set(superblock::FREE_INODES, self.word(superblock::FREE_INODES) - 1);
                Ok(inode)
            }
        }
    }

    /// Gives an inode back, within a transaction; its blocks are freed already.
    pub(crate) fn free_inode(&mut self, inode: Inode) {
        self.begin_change(inode);
        let first = inode.at(Field::Identity);
        for at in (first..first + INODE).step_by(8) {
            let kept = if at == first { self.word(at) >> 32 << 32 } else { 0 };
            self.set(at, kept);
        }
        self.set_field(inode, Field::Size, self.word(superblock::FREE_INODE));
        self.set(superblock::FREE_INODE, inode.0.into());
        self.set(superblock::FREE_INODES, self.word(superblock::FREE_INODES) + 1);
    }

    /// Returns how many inodes there are, and how many of them are free.
    pub(crate) fn inode_counts(&self) -> (u64, u64) {
        let fresh = self.word(superblock::INODES) - self.word(superblock::FRESH_INODE);
        (self.word(superblock::INODES) - 1, self.word(superblock::FREE_INODES) + fresh)
    }
}

/// Block devices' type, which only the archive can bring (POSIX `S_IFBLK`, Linux value).
pub(crate) const BLOCK_DEVICE: u32 = 0o060000;
