//! Which block of the region holds which block of a file.
//!
//! ```text
//!   inode: [0] … [5]  [indirect] ──> 512 pointers   [double] ──> 512 pointers ──> 512 pointers
//! ```
//!
//! A pointer of 0 is a hole: zeros that need no block.

use crate::blocks::Taken;
use crate::inodes::Inode;
use crate::layout::{BLOCK, DIRECT, FILE_BLOCKS, Field, POINTERS, superblock};
use crate::store::Store;
use crate::volume::Volume;
use protocols::file::{FileError, mode};

/// Blocks that one transaction frees at most, so that it fits the journal.
const FREED_AT_ONCE: usize = 32;

/// Where the way to a file's block begins in the inode, and the pointers to follow after it.
struct Way {
    /// Which pointer of the inode.
    root: u64,
    /// Index in each block of pointers, the first `depth` count.
    indices: [u64; 2],
    depth: usize,
}

impl Way {
    fn to(index: u64) -> Way {
        debug_assert!(index < FILE_BLOCKS);
        if index < DIRECT {
            return Way { root: index, indices: [0; 2], depth: 0 };
        }
        let index = index - DIRECT;
        if index < POINTERS {
            return Way { root: DIRECT, indices: [index, 0], depth: 1 };
        }
        let index = index - POINTERS;
        Way { root: DIRECT + 1, indices: [index / POINTERS, index % POINTERS], depth: 2 }
    }
}

fn root_at(inode: Inode, root: u64) -> usize {
    inode.at(Field::Map) + root as usize * 8
}

fn pointer_at(block: u64, index: u64) -> usize {
    block as usize * BLOCK + index as usize * 8
}

impl<S: Store> Volume<'_, S> {
    /// Returns the block that holds block `index` of a file, or nothing for a hole.
    pub(crate) fn block(&self, inode: Inode, index: u64) -> Option<u64> {
        let pointer = self.word(self.pointer(inode, index)?);
        (pointer != 0).then_some(pointer)
    }

    /// Returns whether there is a pointer for block `index` of a file, be it 0.
    pub(crate) fn has_pointer(&self, inode: Inode, index: u64) -> bool {
        self.pointer(inode, index).is_some()
    }

    /// Returns where the pointer to block `index` of a file is.
    #[inline]
    fn pointer(&self, inode: Inode, index: u64) -> Option<usize> {
        if index >= FILE_BLOCKS {
            return None;
        }
        let way = Way::to(index);
        let mut at = root_at(inode, way.root);
        for &index in &way.indices[..way.depth] {
            let block = self.word(at);
            if block == 0 {
                return None;
            }
            at = pointer_at(block, index);
        }
        Some(at)
    }

    /// Takes a block for the hole at block `index` of a file, within a transaction.
    pub(crate) fn fill_hole(&mut self, inode: Inode, index: u64) -> Result<Taken, FileError> {
        let way = Way::to(index);
        let mut at = root_at(inode, way.root);
        for &index in &way.indices[..way.depth] {
            if self.word(at) == 0 {
                let block = self.take_zeroed_block()?;
                self.set(at, block);
            }
            at = pointer_at(self.word(at), index);
        }
        debug_assert_eq!(self.word(at), 0, "not a hole");
        let taken = self.take_block()?;
        self.set(at, taken.number);
        Ok(taken)
    }

    /// Finishes what the last transaction, or the one before a death, left to be done in steps:
    /// frees the pending inode's blocks beyond its size, or all and the inode.
    pub(crate) fn settle(&mut self) {
        let pending = self.word(superblock::PENDING);
        if pending == 0 {
            return;
        }
        let inode = Inode(pending as u32);
        let is_gone = self.counts(inode).is_gone();
        let size = self.field(inode, Field::Size);
        let keep = if is_gone { 0 } else { size.div_ceil(BLOCK as u64) };
        while self.has_blocks(inode) && !self.release_step(inode, keep) {}
        let finish = self.transaction(|volume| {
            if is_gone {
                volume.free_inode(inode);
            }
            volume.set(superblock::PENDING, 0);
            Ok(())
        });
        debug_assert_eq!(finish, Ok(()));
    }

    /// Returns whether the words of the map are pointers.
    pub(crate) fn has_blocks(&self, inode: Inode) -> bool {
        match self.kind(inode) {
            mode::FILE | mode::DIRECTORY => true,
            mode::SYMLINK => self.target_has_blocks(inode),
            _ => false,
        }
    }

    /// Frees some of a file's blocks from block `keep` on; returns whether all are freed.
    fn release_step(&mut self, inode: Inode, keep: u64) -> bool {
        let mut budget = FREED_AT_ONCE;
        let step = self.transaction(|volume| {
            let spans = [(DIRECT + 1, 2, DIRECT + POINTERS), (DIRECT, 1, DIRECT)];
            let direct = (0..DIRECT).rev().map(|index| (index, 0, index));
            for (root, depth, first) in spans.into_iter().chain(direct) {
                if !volume.release(root_at(inode, root), depth, first, keep, &mut budget) {
                    return Ok(false);
                }
            }
            Ok(true)
        });
        step.unwrap_or(true)
    }

    /// Frees what a pointer leads to, as far as it is block `keep` of the file or later; `first`
    /// is the first block that it leads to. Returns false when the budget ran out.
    fn release(
        &mut self,
        at: usize,
        depth: u32,
        first: u64,
        keep: u64,
        budget: &mut usize,
    ) -> bool {
        let block = self.word(at);
        let span = POINTERS.pow(depth);
        if block == 0 || first + span <= keep {
            return true;
        }
        if depth > 0 {
            let below = span / POINTERS;
            for index in (0..POINTERS).rev() {
                let first = first + index * below;
                if first + below <= keep {
                    break;
                }
                if !self.release(pointer_at(block, index), depth - 1, first, keep, budget) {
                    return false;
                }
            }
        }
        if first < keep {
            return true;
        }
        if *budget == 0 {
            return false;
        }
        *budget -= 1;
        self.free_block(block);
        self.set(at, 0);
        true
    }
}
