//! Directories: files of records, each of which gives an inode a name.
//!
//! ```text
//!   0: inode u32 (0: free)   4: record length u16   6: name length u16   8: name, zeros to 8n
//! ```
//!
//! Records fill each block without gaps. A record's length can exceed what its name needs: the
//! rest is room for another. A record never moves, so that its offset in the directory orders a
//! listing while others come and go. "." and ".." have no records; the parent is in the inode.

use crate::inodes::Inode;
use crate::layout::{BLOCK, Field};
use crate::store::{Store, word};
use crate::volume::Volume;
use protocols::file::{FileError, NAME_MAX};

const HEADER: usize = 8;

/// A record, and where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Record {
    /// Byte offset in the region.
    pub at: usize,
    /// Byte offset in the directory of what follows the record.
    pub end: u64,
    /// Number of the inode; 0: the record is free.
    pub inode: u32,
    /// Bytes up to the next record.
    pub len: usize,
    name_len: usize,
}

impl Record {
    fn word(inode: u32, len: usize, name_len: usize) -> u64 {
        u64::from(inode) | (len as u64) << 32 | (name_len as u64) << 48
    }

    fn with_inode(self, inode: u32) -> u64 {
        Self::word(inode, self.len, self.name_len)
    }

    fn with_len(self, len: usize) -> u64 {
        Self::word(self.inode, len, self.name_len)
    }

    /// Returns the bytes that inode and name need.
    fn used(self) -> usize {
        if self.inode == 0 { 0 } else { needed(self.name_len) }
    }

    /// Returns the name in the region's bytes.
    pub fn name(self, region: &[u8]) -> &[u8] {
        &region[self.at + HEADER..][..self.name_len]
    }
}

/// Returns the bytes of a record with a name of `name_len` bytes.
fn needed(name_len: usize) -> usize {
    HEADER + name_len.next_multiple_of(8)
}

/// The records of one block, in their order; ends early where they are malformed.
pub(crate) struct Records<'a> {
    region: &'a [u8],
    block: usize,
    offset: usize,
    base: u64,
}

impl Iterator for Records<'_> {
    type Item = Record;

    #[inline]
    fn next(&mut self) -> Option<Record> {
        if self.offset >= BLOCK {
            return None;
        }
        let at = self.block + self.offset;
        let head = word(self.region, at);
        let len = (head >> 32) as usize & 0xffff;
        let name_len = (head >> 48) as usize;
        let is_sound = len >= HEADER && len.is_multiple_of(8) && self.offset + len <= BLOCK;
        if !is_sound || (head as u32 != 0 && needed(name_len) > len) {
            return None;
        }
        self.offset += len;
        Some(Record { at, end: self.base + self.offset as u64, inode: head as u32, len, name_len })
    }
}

/// A name to compare records with: first by length and first 8 bytes.
struct Needle<'n> {
    name: &'n [u8],
    head: u64,
}

impl<'n> Needle<'n> {
    fn new(name: &'n [u8]) -> Self {
        let mut head = [0; 8];
        let len = name.len().min(8);
        head[..len].copy_from_slice(&name[..len]);
        Needle { name, head: u64::from_le_bytes(head) }
    }

    #[inline]
    fn is_name_of(&self, record: Record, region: &[u8]) -> bool {
        record.inode != 0
            && record.name_len == self.name.len()
            && word(region, record.at + HEADER) == self.head
            && record.name(region) == self.name
    }
}

/// A record found by its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    record: Record,
    /// The record before it in its block.
    previous: Option<Record>,
}

impl Found {
    pub fn inode(self) -> Inode {
        Inode(self.record.inode)
    }
}

/// Checks a name that a client sent.
pub(crate) fn check_name(name: &[u8]) -> Result<(), FileError> {
    let is_valid = !name.is_empty()
        && name.len() <= NAME_MAX
        && !name.iter().any(|&byte| byte == 0 || byte == b'/');
    if is_valid { Ok(()) } else { Err(FileError::InvalidName) }
}

impl<S: Store> Volume<'_, S> {
    /// Returns the number of blocks of a directory.
    pub(crate) fn directory_blocks(&self, directory: Inode) -> u64 {
        self.field(directory, Field::Size) / BLOCK as u64
    }

    /// Returns the records in block `index` of a directory.
    pub(crate) fn records(&self, directory: Inode, index: u64) -> Records<'_> {
        let (block, offset) = match self.block(directory, index) {
            Some(block) => (block as usize * BLOCK, 0),
            None => (0, BLOCK),
        };
        Records { region: self.bytes(), block, offset, base: index * BLOCK as u64 }
    }

    /// Finds a name (not "." or "..") in a directory.
    pub(crate) fn find(&self, directory: Inode, name: &[u8]) -> Option<Found> {
        let needle = Needle::new(name);
        for index in 0..self.directory_blocks(directory) {
            let mut previous = None;
            for record in self.records(directory, index) {
                if needle.is_name_of(record, self.bytes()) {
                    return Some(Found { record, previous });
                }
                previous = Some(record);
            }
        }
        None
    }

    /// Returns whether a directory has no entries.
    pub(crate) fn is_empty(&self, directory: Inode) -> bool {
        let mut blocks = 0..self.directory_blocks(directory);
        blocks.all(|index| self.records(directory, index).all(|record| record.inode == 0))
    }

    /// Adds an entry, within a transaction; the name is valid and new.
    pub(crate) fn insert(
        &mut self,
        directory: Inode,
        name: &[u8],
        inode: Inode,
    ) -> Result<(), FileError> {
        let need = needed(name.len());
        let Some(room) = self.find_room(directory, need) else {
            return self.insert_block(directory, name, inode);
        };
        let used = room.used();
        self.write_name(room.at + used, name);
        let head = Record::word(inode.0, room.len - used, name.len());
        self.set(room.at + used, head);
        if used != 0 {
            self.set(room.at, room.with_len(used));
        }
        Ok(())
    }

    fn find_room(&self, directory: Inode, need: usize) -> Option<Record> {
        let blocks = 0..self.directory_blocks(directory);
        let mut records = blocks.flat_map(|index| self.records(directory, index));
        records.find(|record| record.len - record.used() >= need)
    }

    /// Adds an entry in a new block.
    fn insert_block(
        &mut self,
        directory: Inode,
        name: &[u8],
        inode: Inode,
    ) -> Result<(), FileError> {
        let index = self.directory_blocks(directory);
        if index >= crate::layout::FILE_BLOCKS {
            return Err(FileError::NoSpace);
        }
        let at = self.fill_hole(directory, index)?.number as usize * BLOCK;
        self.write_name(at, name);
        self.set(at, Record::word(inode.0, BLOCK, name.len()));
        self.set_field(directory, Field::Size, (index + 1) * BLOCK as u64);
        Ok(())
    }

    /// Writes a name, padded, to where no record refers to it yet.
    fn write_name(&mut self, at: usize, name: &[u8]) {
        let padded = name.len().next_multiple_of(8);
        let window = self.window(at + HEADER, padded);
        window[..name.len()].copy_from_slice(name);
        window[name.len()..].fill(0);
    }

    /// Gives the found name to another inode, within a transaction.
    pub(crate) fn replace(&mut self, found: Found, inode: Inode) {
        self.set(found.record.at, found.record.with_inode(inode.0));
    }

    /// Removes the found entry, within a transaction.
    pub(crate) fn remove(&mut self, found: Found) {
        match found.previous {
            Some(previous) => {
                let len = previous.len + found.record.len;
                self.set(previous.at, previous.with_len(len));
            }
            None => self.set(found.record.at, found.record.with_inode(0)),
        }
    }
}
