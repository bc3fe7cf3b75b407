//! Contents of files: reading, writing, resizing, and the move out of the boot archive.
//!
//! A file from the boot archive has its contents there until it is written to; only then are
//! they copied. Both directions are without a buffer: a reader gets the longest piece that lies
//! in one place, a writer fills the blocks themselves.

use crate::blocks::Contents;
use crate::inodes::Inode;
use crate::layout::{BLOCK, FILE_MAX, Field, superblock};
use crate::store::Store;
use crate::volume::Volume;
use protocols::file::{Extent, FileError, Node, mode, place};

/// Blocks that are taken and filled in one transaction, at most.
const RUN_BLOCKS: u64 = 16;

/// Most bytes of an extent: following the pointers to it takes a bounded time.
const EXTENT_MAX: u64 = 256 * 1024;

/// A piece of a file's contents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Piece<'a> {
    /// Bytes; none at the end of the file.
    Bytes(&'a [u8]),
    /// A hole: so many zeros.
    Zeros(usize),
}

impl Piece<'_> {
    /// Returns the length in bytes.
    pub fn len(self) -> usize {
        match self {
            Piece::Bytes(bytes) => bytes.len(),
            Piece::Zeros(len) => len,
        }
    }

    /// Returns whether this is the end of the file.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// Blocks of a file that follow each other in the region, being written to.
struct Run {
    /// Byte offset in the region of the first one.
    at: usize,
    blocks: u64,
    /// Whether the first and the last of them hold garbage.
    first: Contents,
    last: Contents,
}

impl<'a, S: Store> Volume<'a, S> {
    /// Returns the piece of a file at byte `offset`, of at most `limit` bytes.
    ///
    /// # Errors
    /// Stale; IsDirectory; Invalid: the node has no contents.
    pub fn piece(&self, node: Node, offset: u64, limit: usize) -> Result<Piece<'_>, FileError> {
        let inode = self.regular(node)?;
        Ok(self.piece_of(inode, offset, limit))
    }

    pub(crate) fn piece_of(&self, inode: Inode, offset: u64, limit: usize) -> Piece<'_> {
        let size = self.field(inode, Field::Size);
        let rest = size.saturating_sub(offset).min(limit as u64) as usize;
        if rest == 0 {
            return Piece::Bytes(&[]);
        }
        match self.archived(inode) {
            Some(contents) => {
                let from = contents.len().min(offset as usize);
                let to = contents.len().min(offset as usize + rest);
                Piece::Bytes(&contents[from..to])
            }
            None => self.piece_of_blocks(inode, offset, rest),
        }
    }

    fn piece_of_blocks(&self, inode: Inode, offset: u64, rest: usize) -> Piece<'_> {
        match self.span(inode, offset, rest) {
            (Some(at), len) => Piece::Bytes(&self.bytes()[at..][..len]),
            (None, len) => Piece::Zeros(len),
        }
    }

    /// Returns where in the region the bytes of a file from `offset` on lie, nothing for a hole,
    /// and how many of at most `rest` lie side by side.
    fn span(&self, inode: Inode, offset: u64, rest: usize) -> (Option<usize>, usize) {
        let within = (offset % BLOCK as u64) as usize;
        let index = offset / BLOCK as u64;
        let first = self.block(inode, index);
        let mut len = BLOCK - within;
        let mut blocks = 1;
        while len < rest && self.block(inode, index + blocks) == first.map(|first| first + blocks) {
            len += BLOCK;
            blocks += 1;
        }
        (first.map(|block| block as usize * BLOCK + within), len.min(rest))
    }

    /// Returns where the bytes of a file from `offset` on lie, as far as they lie side by side.
    ///
    /// # Errors
    /// Stale; IsDirectory; Invalid: the node has no contents.
    pub fn extent(&self, node: Node, offset: u64) -> Result<Extent, FileError> {
        let inode = self.regular(node)?;
        let generation = self.generation(node);
        let rest = self.field(inode, Field::Size).saturating_sub(offset).min(EXTENT_MAX);
        if let Some(contents) = self.archived(inode) {
            let rest = rest.min((contents.len() as u64).saturating_sub(offset));
            let at = self.field(inode, Field::Origin) - 1 + offset;
            return Ok(Extent { place: place::ARCHIVE, at, len: rest, generation });
        }
        let (at, len) = self.span(inode, offset, rest as usize);
        let place = if at.is_some() { place::REGION } else { place::HOLE };
        let at = at.unwrap_or(0) as u64;
        Ok(Extent { place, at, len: len as u64, generation })
    }

    /// Returns contents that still lie in the boot archive; an archive that is shorter than when
    /// it was loaded shortens them.
    pub(crate) fn archived(&self, inode: Inode) -> Option<&'a [u8]> {
        let offset = self.field(inode, Field::Origin).checked_sub(1)? as usize;
        let size = self.field(inode, Field::Size) as usize;
        let rest = self.archive.get(offset..).unwrap_or(&[]);
        Some(&rest[..rest.len().min(size)])
    }

    fn regular(&self, node: Node) -> Result<Inode, FileError> {
        let inode = self.inode(node)?;
        match self.kind(inode) {
            mode::FILE => Ok(inode),
            mode::DIRECTORY => Err(FileError::IsDirectory),
            _ => Err(FileError::Invalid),
        }
    }

    /// Writes `len` bytes at byte `offset` of a file, growing it; `fill` is called with how many
    /// bytes came before and the place for the next ones. Returns how many bytes were written:
    /// fewer where space ran out or `fill` failed midway.
    ///
    /// # Errors
    /// NoSpace: not one byte; TooLarge; what `fill` returned for the first bytes; Stale;
    /// IsDirectory; Invalid: the node has no contents.
    pub fn write(
        &mut self,
        node: Node,
        offset: u64,
        len: u64,
        now: u64,
        mut fill: impl FnMut(u64, &mut [u8]) -> Result<(), FileError>,
    ) -> Result<u64, FileError> {
        let inode = self.regular(node)?;
        if len == 0 {
            return Ok(0);
        }
        if offset >= FILE_MAX {
            return Err(FileError::TooLarge);
        }
        let len = len.min(FILE_MAX - offset);
        self.fetch(inode, u64::MAX)?;
        self.blank_gap(inode, offset);
        let mut done = 0;
        while done < len {
            let step = |volume: &mut Self| {
                volume.write_run(inode, offset + done, len - done, now, |window| fill(done, window))
            };
            match self.transaction(step) {
                Ok(count) => done += count,
                Err(error) if done == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(done)
    }

    /// Writes to as many blocks as lie side by side, within a transaction; returns the bytes.
    fn write_run(
        &mut self,
        inode: Inode,
        offset: u64,
        len: u64,
        now: u64,
        mut fill: impl FnMut(&mut [u8]) -> Result<(), FileError>,
    ) -> Result<u64, FileError> {
        self.begin_change(inode);
        let within = (offset % BLOCK as u64) as usize;
        let wanted = (within as u64 + len).div_ceil(BLOCK as u64).min(RUN_BLOCKS);
        let run = self.run(inode, offset / BLOCK as u64, wanted)?;
        let capacity = run.blocks as usize * BLOCK;
        let count = (capacity - within).min(len.min(capacity as u64) as usize);
        let end = within + count;
        if run.first == Contents::Garbage {
            self.window(run.at, within).fill(0);
        }
        if run.last == Contents::Garbage {
            self.window(run.at + end, capacity - end).fill(0);
        }
        fill(self.window(run.at + within, count))?;
        let size = self.field(inode, Field::Size).max(offset + count as u64);
        self.set_field(inode, Field::Size, size);
        self.set_field(inode, Field::Modified, now);
        self.set_field(inode, Field::Changed, now);
        Ok(count as u64)
    }

    /// Returns up to `wanted` blocks of a file from block `index`, taking those that it lacks.
    fn run(&mut self, inode: Inode, index: u64, wanted: u64) -> Result<Run, FileError> {
        let (first, contents) = self.block_for_writing(inode, index)?;
        let at = first as usize * BLOCK;
        let mut run = Run { at, blocks: 1, first: contents, last: contents };
        while run.blocks < wanted {
            let (next, index) = (first + run.blocks, index + run.blocks);
            match self.block(inode, index) {
                Some(block) if block == next => run.last = Contents::Zeros,
                // Where a block of pointers is lacking, too, it would take the place.
                None if self.next_block() == Some(next) && self.has_pointer(inode, index) => {
                    run.last = self.fill_hole(inode, index)?.contents;
                }
                _ => break,
            }
            run.blocks += 1;
        }
        Ok(run)
    }

    fn block_for_writing(
        &mut self,
        inode: Inode,
        index: u64,
    ) -> Result<(u64, Contents), FileError> {
        match self.block(inode, index) {
            // Its contents stay: nothing needs to be zeroed around what is written.
            Some(block) => Ok((block, Contents::Zeros)),
            None => self.fill_hole(inode, index).map(|taken| (taken.number, taken.contents)),
        }
    }

    /// Copies a file's first `len` bytes out of the boot archive, if they are still there. May be
    /// cut short: until the last step the contents are the archive's.
    fn fetch(&mut self, inode: Inode, len: u64) -> Result<(), FileError> {
        let Some(contents) = self.archived(inode) else { return Ok(()) };
        let contents = &contents[..contents.len().min(len.min(FILE_MAX) as usize)];
        for (index, part) in contents.chunks(BLOCK).enumerate() {
            self.transaction(|volume| {
                let (block, _) = volume.block_for_writing(inode, index as u64)?;
                let window = volume.window(block as usize * BLOCK, BLOCK);
                window[..part.len()].copy_from_slice(part);
                window[part.len()..].fill(0);
                Ok(())
            })?;
        }
        self.transaction(|volume| {
            volume.set_field(inode, Field::Origin, 0);
            volume.set_field(inode, Field::Size, contents.len() as u64);
            // An attempt that failed may have left more blocks than are needed now.
            volume.set(superblock::PENDING, inode.0.into());
            Ok(())
        })?;
        self.settle();
        Ok(())
    }

    /// Zeroes what follows a file's end in its last block, before the file grows to more than
    /// `size`: a write that failed midway may have left something there.
    fn blank_gap(&mut self, inode: Inode, size: u64) {
        let end = self.field(inode, Field::Size);
        let within = (end % BLOCK as u64) as usize;
        if size <= end || within == 0 {
            return;
        }
        if let Some(block) = self.block(inode, end / BLOCK as u64) {
            self.window(block as usize * BLOCK + within, BLOCK - within).fill(0);
        }
    }

    /// Sets a file's length; what is added is zeros.
    ///
    /// # Errors
    /// TooLarge; NoSpace: the file had to be copied from the boot archive; Stale; IsDirectory;
    /// Invalid: the node has no contents.
    pub fn resize(&mut self, node: Node, size: u64, now: u64) -> Result<(), FileError> {
        let inode = self.regular(node)?;
        if size > FILE_MAX {
            return Err(FileError::TooLarge);
        }
        self.fetch(inode, size)?;
        self.blank_gap(inode, size);
        self.transaction(|volume| {
            if size < volume.field(inode, Field::Size) {
                volume.set(superblock::PENDING, inode.0.into());
            }
            volume.set_field(inode, Field::Size, size);
            volume.set_field(inode, Field::Modified, now);
            volume.set_field(inode, Field::Changed, now);
            Ok(())
        })?;
        self.settle();
        Ok(())
    }
}
