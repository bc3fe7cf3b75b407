//! A file system's region with its transactions: many words change, or none.
//!
//! All bookkeeping is words, changed by [`Volume::set`], which first notes the old value in the
//! journal. A transaction ends by emptying the journal; one that fails, or is met by the server's
//! next life, is undone from it. Contents of files are written without journal, but only to
//! blocks that nothing refers to before the transaction ends, or that were the file's before.
//!
//! Below: `blocks` and `inodes` allocate, `map` finds a file's blocks. Above: `tree`.

use alloc::vec::Vec;
use core::sync::atomic::{Ordering, compiler_fence};

use crate::layout::{
    BLOCK, Geometry, JOURNAL, JOURNAL_ENTRIES, JOURNAL_ENTRY, MAGIC, VERSION, superblock,
};
use crate::store::{Store, word};
use crate::tickets::Claims;
use protocols::file::FileError;

/// Why a region can't be taken up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unusable {
    /// The region is too small for a file system.
    TooSmall,
    /// It holds a file system of another version or geometry.
    Foreign,
}

/// A file system: its region, and the boot archive that some contents still lie in.
pub struct Volume<'a, S> {
    store: S,
    pub(crate) archive: &'a [u8],
    pub(crate) claims: Claims,
    /// The slots of generations that the transaction under way has made odd.
    pub(crate) changing: Vec<usize>,
}

impl<'a, S: Store> Volume<'a, S> {
    /// Takes up the file system in the region, or makes one with an empty root directory where
    /// the region is blank (all zero).
    ///
    /// # Errors
    /// [`Unusable`] says why the region can't hold one.
    pub fn open(store: S, archive: &'a [u8]) -> Result<Self, Unusable> {
        let geometry = Geometry::of_region(store.bytes().len()).ok_or(Unusable::TooSmall)?;
        let mut volume = Volume { store, archive, claims: Claims::default(), changing: Vec::new() };
        if volume.word(superblock::MAGIC) == 0 {
            volume.format(geometry);
        }
        if volume.word(superblock::MAGIC) != MAGIC
            || volume.word(superblock::VERSION) != VERSION
            || volume.word(superblock::BLOCKS) != geometry.blocks
            || volume.word(superblock::INODES) != geometry.inodes
        {
            return Err(Unusable::Foreign);
        }
        volume.roll_back();
        volume.settle();
        volume.end_earlier_changes();
        volume.recall_tickets();
        Ok(volume)
    }

    fn format(&mut self, geometry: Geometry) {
        self.put(superblock::VERSION, VERSION);
        self.put(superblock::BLOCKS, geometry.blocks);
        self.put(superblock::INODES, geometry.inodes);
        self.put(superblock::FRESH_BLOCK, geometry.first_data());
        self.put(superblock::FRESH_INODE, 1);
        self.put(superblock::LOADING, 1);
        self.put(superblock::JOURNAL_LEN, 0);
        self.make_root();
        self.put(superblock::JOURNAL_LEN, 0);
        self.put(superblock::MAGIC, MAGIC);
    }

    /// Returns whether the boot archive has not been wholly loaded yet.
    pub fn is_loading(&self) -> bool {
        self.word(superblock::LOADING) != 0
    }

    /// Notes that the boot archive has been loaded.
    pub fn loaded(&mut self) {
        self.put(superblock::LOADING, 0);
    }

    pub(crate) fn geometry(&self) -> Geometry {
        Geometry { blocks: self.word(superblock::BLOCKS), inodes: self.word(superblock::INODES) }
    }

    /// Ends the file system's use and returns the region.
    pub fn into_store(self) -> S {
        self.store
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.store.bytes()
    }

    #[inline(always)]
    pub(crate) fn word(&self, at: usize) -> u64 {
        word(self.store.bytes(), at)
    }

    /// Returns a part of the region, to be written without journal.
    pub(crate) fn window(&mut self, at: usize, len: usize) -> &mut [u8] {
        self.store.window(at, len)
    }

    /// Does `change` as one transaction; an error undoes what it changed.
    pub(crate) fn transaction<R>(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<R, FileError>,
    ) -> Result<R, FileError> {
        debug_assert_eq!(self.word(superblock::JOURNAL_LEN), 0, "transactions do not nest");
        let result = change(self);
        match result {
            Ok(_) => {
                self.record_ticket();
                self.put(superblock::JOURNAL_LEN, 0);
            }
            Err(_) => self.roll_back(),
        }
        self.end_changes();
        result
    }

    /// Sets a word, within a transaction.
    ///
    /// Panics where the journal is full, that is, where a transaction was not bounded.
    pub(crate) fn set(&mut self, at: usize, value: u64) {
        let old = self.word(at);
        let len = self.word(superblock::JOURNAL_LEN) as usize;
        assert!(len < JOURNAL_ENTRIES, "journal full");
        let entry = self.store.window(JOURNAL + len * JOURNAL_ENTRY, JOURNAL_ENTRY);
        entry[..8].copy_from_slice(&(at as u64).to_le_bytes());
        entry[8..].copy_from_slice(&old.to_le_bytes());
        self.put(superblock::JOURNAL_LEN, len as u64 + 1);
        self.put(at, value);
    }

    /// Changes a word for good; nothing that the compiler does moves it across another one.
    pub(crate) fn put(&mut self, at: usize, value: u64) {
        compiler_fence(Ordering::SeqCst);
        self.store.window(at, 8).copy_from_slice(&value.to_le_bytes());
        compiler_fence(Ordering::SeqCst);
    }

    /// Undoes the transaction that the journal holds; can itself be cut short and repeated.
    fn roll_back(&mut self) {
        let len = (self.word(superblock::JOURNAL_LEN) as usize).min(JOURNAL_ENTRIES);
        self.blank_unfreshened(len);
        for index in (0..len).rev() {
            let (at, old) = self.entry(index);
            self.put(at, old);
        }
        if len != 0 {
            self.put(superblock::JOURNAL_LEN, 0);
        }
    }

    fn entry(&self, index: usize) -> (usize, u64) {
        let entry = JOURNAL + index * JOURNAL_ENTRY;
        (self.word(entry) as usize, self.word(entry + 8))
    }

    /// Blocks that the transaction took from the never-used ones are zero again, as those are.
    fn blank_unfreshened(&mut self, len: usize) {
        let old = (0..len).map(|index| self.entry(index));
        let first = old.clone().find(|(at, _)| *at == superblock::FRESH_BLOCK);
        let Some((_, first)) = first else { return };
        for block in first..self.word(superblock::FRESH_BLOCK) {
            self.store.window(block as usize * BLOCK, BLOCK).fill(0);
        }
    }
}
