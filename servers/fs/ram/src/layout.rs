//! The layout of the region: where everything is, in bytes and blocks.
//!
//! ```text
//!   block 0       superblock (below) and journal
//!   block 1       tickets of the last operations that must happen once
//!   block 2       generations, which clients read (`generations`)
//!   block 3 …     inode table, 32 inodes of 128 bytes to a block
//!   the rest      data: contents of files and directories, blocks of pointers
//! ```
//!
//! All numbers are little endian. Block and inode numbers count from the region's beginning, so
//! that 0, the superblock, can mean "none". What lies at or above the `fresh` marks was never
//! used and is zero: a new file system touches few pages, whatever its size.

/// Bytes of a block: the page size, so that unused blocks need no frames.
pub const BLOCK: usize = 4096;

/// Bytes of an inode.
pub(crate) const INODE: usize = 128;

/// The word "KAMENRAM" that says that the region holds a file system.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"KAMENRAM");

/// Version of this layout; a region of another one is not taken up.
pub(crate) const VERSION: u64 = 4;

/// Entries that the journal can hold; no transaction may need more.
pub(crate) const JOURNAL_ENTRIES: usize = (BLOCK - JOURNAL) / JOURNAL_ENTRY;

/// Bytes of a journal entry: the byte offset of a word, and the word's value before the change.
pub(crate) const JOURNAL_ENTRY: usize = 16;

/// Byte offset of the journal's entries.
pub(crate) const JOURNAL: usize = 256;

/// Byte offset of the tickets.
pub(crate) const TICKETS: usize = BLOCK;

/// Bytes of a ticket's record.
pub(crate) const TICKET: usize = 32;

/// Byte offset of the generations.
pub(crate) const GENERATIONS: usize = 2 * BLOCK;

/// Number of generations, a power of two; the word after them counts all changes, so that one
/// block holds both.
pub(crate) const GENERATION_SLOTS: u64 = (BLOCK / 8) as u64 / 2;

/// Byte offset of the inode table.
pub(crate) const INODE_TABLE: usize = 3 * BLOCK;

/// Byte offsets of the superblock's words.
pub(crate) mod superblock {
    /// [`MAGIC`](super::MAGIC), written last.
    pub const MAGIC: usize = 0;
    /// [`VERSION`](super::VERSION).
    pub const VERSION: usize = 8;
    /// Blocks of the region.
    pub const BLOCKS: usize = 16;
    /// Inodes of the table, the unused number 0 included.
    pub const INODES: usize = 24;
    /// 1 while the boot archive is not wholly loaded.
    pub const LOADING: usize = 32;
    /// Number of the first block that was never used.
    pub const FRESH_BLOCK: usize = 40;
    /// First block of the list of free ones, linked through their first words.
    pub const FREE_BLOCK: usize = 48;
    /// Length of that list.
    pub const FREE_BLOCKS: usize = 56;
    /// Number of the first inode that was never used.
    pub const FRESH_INODE: usize = 64;
    /// First inode of the list of free ones, linked through their sizes.
    pub const FREE_INODE: usize = 72;
    /// Length of that list.
    pub const FREE_INODES: usize = 80;
    /// Inode whose blocks beyond its size, or all, are being freed; 0: none.
    pub const PENDING: usize = 88;
    /// Number of entries in the journal; 0: no transaction is under way.
    pub const JOURNAL_LEN: usize = 96;
    /// Number of the record that the next ticket goes to.
    pub const NEXT_TICKET: usize = 104;
}

/// Words of an inode.
///
/// ```text
///   0 mode u32, generation u32    4 modified, ns      8..14 first blocks
///   1 uid u32, gid u32            5 changed, ns       14 indirect
///   2 links u32, holds u32        6 origin            15 double indirect
///   3 size or device              7 accessed, ns
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(usize)]
pub(crate) enum Field {
    /// Mode (0: the inode is free) in the low half, generation in the high half.
    Identity = 0,
    /// User in the low half, group in the high half.
    Owner = 1,
    /// Names in the low half, holds in the high half.
    Counts = 2,
    /// Length in bytes, device number, or the next free inode.
    Size = 3,
    /// Time of the last change of contents, ns since 1970.
    Modified = 4,
    /// Time of the last change of attributes, ns since 1970.
    Changed = 5,
    /// File or symbolic link whose contents are still in the boot archive: their offset there,
    /// plus 1. Directory: its parent.
    Origin = 6,
    /// Time of the last reading that counts ([`Volume::touch_accessed`]), ns since 1970.
    ///
    /// [`Volume::touch_accessed`]: crate::Volume::touch_accessed
    Accessed = 7,
    /// First of the pointers; of a short symbolic link, first byte of its target.
    Map = 8,
}

/// Pointers in the inode itself.
pub(crate) const DIRECT: u64 = 6;
/// Pointers in a block.
pub(crate) const POINTERS: u64 = (BLOCK / 8) as u64;
/// Blocks that a file can have.
pub(crate) const FILE_BLOCKS: u64 = DIRECT + POINTERS + POINTERS * POINTERS;
/// Bytes that a file can have.
pub const FILE_MAX: u64 = FILE_BLOCKS * BLOCK as u64;
/// Bytes of a symbolic link's target that fit in the inode.
pub(crate) const INLINE_MAX: usize = INODE - Field::Map as usize * 8;

/// How many blocks and inodes a region has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Geometry {
    pub blocks: u64,
    pub inodes: u64,
}

impl Geometry {
    /// Smallest region in blocks: superblock, inodes, and something to put in files.
    const MIN_BLOCKS: usize = 8;
    /// Most inodes of a file system, however large.
    const MAX_INODES: u64 = 1 << 20;

    /// Returns the geometry of a region of `len` bytes, one inode for two blocks, or nothing
    /// where it is too small.
    pub fn of_region(len: usize) -> Option<Geometry> {
        let blocks = len / BLOCK;
        if blocks < Self::MIN_BLOCKS {
            return None;
        }
        let per_block = (BLOCK / INODE) as u64;
        let inodes = (blocks as u64 / 2).next_multiple_of(per_block).min(Self::MAX_INODES);
        Some(Geometry { blocks: blocks as u64, inodes })
    }

    /// Returns the first data block.
    pub fn first_data(self) -> u64 {
        (INODE_TABLE / BLOCK) as u64 + self.inodes * INODE as u64 / BLOCK as u64
    }
}
