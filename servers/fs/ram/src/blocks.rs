//! Allocation of blocks: a mark below which all were used once, and a list of free ones.

use crate::layout::{BLOCK, superblock};
use crate::store::Store;
use crate::volume::Volume;
use protocols::file::FileError;

/// A block that was just taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub number: u64,
    /// What the block holds.
    pub contents: Contents,
}

/// What a block that was just taken holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Contents {
    /// Zeros: it was never used.
    Zeros,
    /// Whatever its last owner left.
    Garbage,
}

impl<S: Store> Volume<'_, S> {
    /// Returns the block that [`Volume::take_block`] would take next, if there is one.
    pub(crate) fn next_block(&self) -> Option<u64> {
        match self.word(superblock::FREE_BLOCK) {
            0 => {
                let fresh = self.word(superblock::FRESH_BLOCK);
                (fresh < self.word(superblock::BLOCKS)).then_some(fresh)
            }
            free => Some(free),
        }
    }

    /// Takes a block, within a transaction; whoever refers to it fills it first.
    pub(crate) fn take_block(&mut self) -> Result<Taken, FileError> {
        let number = self.next_block().ok_or(FileError::NoSpace)?;
        if self.word(superblock::FREE_BLOCK) == 0 {
            self.set(superblock::FRESH_BLOCK, number + 1);
            return Ok(Taken { number, contents: Contents::Zeros });
        }
        let link = number as usize * BLOCK;
        self.set(superblock::FREE_BLOCK, self.word(link));
        self.set(superblock::FREE_BLOCKS, self.word(superblock::FREE_BLOCKS) - 1);
        // The link is cleared by the journal, so that undoing restores it whatever the block's
        // new owner writes over it.
        self.set(link, 0);
        Ok(Taken { number, contents: Contents::Garbage })
    }

    /// Takes a block and makes it zero, within a transaction.
    pub(crate) fn take_zeroed_block(&mut self) -> Result<u64, FileError> {
        let taken = self.take_block()?;
        if taken.contents == Contents::Garbage {
            self.window(taken.number as usize * BLOCK, BLOCK).fill(0);
        }
        Ok(taken.number)
    }

    /// Gives a block back, within a transaction.
    pub(crate) fn free_block(&mut self, number: u64) {
        self.set(number as usize * BLOCK, self.word(superblock::FREE_BLOCK));
        self.set(superblock::FREE_BLOCK, number);
        self.set(superblock::FREE_BLOCKS, self.word(superblock::FREE_BLOCKS) + 1);
    }

    /// Returns how many data blocks there are, and how many of them are free.
    pub(crate) fn block_counts(&self) -> (u64, u64) {
        let first = self.geometry().first_data();
        let fresh = self.word(superblock::BLOCKS) - self.word(superblock::FRESH_BLOCK);
        let free = self.word(superblock::FREE_BLOCKS) + fresh;
        (self.word(superblock::BLOCKS) - first, free)
    }
}
