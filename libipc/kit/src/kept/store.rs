//! Words of kept memory that change in transactions, with an undo journal.
//!
//! ```text
//!   word 0 magic   1 layout   2 life   3 entries in the journal
//!        4 … journal: place of a word, its value before
//!        FIRST … the user's words
//! ```
//!
//! A [`Store`] is a view that is copied freely, as a server's tables all look into one memory. A
//! changed word's old value goes to the journal first; [`Store::commit`] makes all changes since
//! the last one count, by one word. A life that ends in between leaves the journal, and the next one puts the
//! old values back. The memory needs no writing out: only the order of stores counts.

use core::cell::Cell;
use core::marker::PhantomData;
use core::sync::atomic::{Ordering, compiler_fence};

/// The word that says that the memory holds words of this kind.
const MAGIC: u64 = u64::from_le_bytes(*b"KAMENKPT");
const LAYOUT: usize = 1;
const LIFE: usize = 2;
const ENTRIES: usize = 3;
const ENTRY: usize = 4;

/// Most words that may change between two commits.
pub const JOURNAL: usize = 73_728;

/// The first of the words that are the user's.
pub const FIRST: usize = ENTRY + 2 * JOURNAL;

/// Says before each store whether it is made: tests end lives between any two.
pub trait Guard {
    /// Returns whether a store is made.
    fn allows() -> bool;
}

/// Every store is made.
#[derive(Clone, Copy, Debug)]
pub struct Living;

impl Guard for Living {
    #[inline(always)]
    fn allows() -> bool {
        true
    }
}

/// What a life finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// Nothing was kept: all words are zero.
    Nothing,
    /// What an earlier life committed last.
    Earlier,
}

/// The memory is too small, or holds words of another layout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unusable;

/// Words that outlive their server.
#[derive(Debug)]
pub struct Store<G = Living> {
    words: &'static [Cell<[u8; 8]>],
    guard: PhantomData<G>,
}

impl<G> Clone for Store<G> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<G> Copy for Store<G> {}

impl<G: Guard> Store<G> {
    /// Takes up a memory that is zero or was used so before; its user's words are laid out as
    /// `layout`, a number that changes with it.
    ///
    /// # Errors
    /// Unusable.
    pub fn open(memory: &'static mut [u8], layout: u64) -> Result<(Self, Found), Unusable> {
        let (words, _) = memory.as_chunks_mut::<8>();
        let store = Store { words: Cell::from_mut(words).as_slice_of_cells(), guard: PhantomData };
        if store.words.len() < FIRST {
            return Err(Unusable);
        }
        let found = match (store.get(0), store.get(LAYOUT)) {
            (MAGIC, own) if own == layout => Found::Earlier,
            // A life that ended here had not yet used a word.
            (0, _) => Found::Nothing,
            _ => return Err(Unusable),
        };
        if found == Found::Nothing {
            store.set(LAYOUT, layout);
            store.set(0, MAGIC);
        } else if store.get(ENTRIES) > JOURNAL as u64 {
            return Err(Unusable);
        }
        store.undo();
        store.set(LIFE, store.life() + 1);
        Ok((store, found))
    }

    /// Begins the next life in the same memory: what was not committed is undone.
    ///
    /// For tests, where one life after the other is in one program.
    pub fn begin_again(&self) {
        self.undo();
        self.set(LIFE, self.life() + 1);
    }

    /// Returns how many words there are, the journal's included.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Returns whether there are none; there always are.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Returns how many lives have used the memory, this one included.
    pub fn life(&self) -> u64 {
        self.get(LIFE)
    }

    /// Returns a word. Panics beyond the memory's end: whoever computes places checks them.
    #[inline(always)]
    pub fn get(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.words[at].get())
    }

    /// Changes a word, within a transaction. Panics where that would be the [`JOURNAL`]'s end.
    #[inline]
    pub fn put(&self, at: usize, value: u64) {
        let before = self.get(at);
        if before == value {
            return;
        }
        let entries = self.entries();
        assert!(entries < JOURNAL, "a transaction keeps to its bound");
        // In one slice, whose bounds are looked at once.
        let entry = ENTRY + 2 * entries;
        let [place, value_before] = &self.words[entry..entry + 2] else { return };
        Self::store(place, at as u64);
        Self::store(value_before, before);
        self.set(ENTRIES, entries as u64 + 1);
        self.set(at, value);
    }

    /// Changes words from one on, within a transaction; most of them are what they were.
    #[inline]
    pub fn put_all(&self, at: usize, values: &[u64]) {
        let words = &self.words[at..at + values.len()];
        for (index, (word, &value)) in words.iter().zip(values).enumerate() {
            if u64::from_le_bytes(word.get()) != value {
                self.put(at + index, value);
            }
        }
    }

    /// Changes a word for good, whatever becomes of the transaction: for what means nothing
    /// before the transaction ends, and did not before it.
    #[inline(always)]
    pub fn set(&self, at: usize, value: u64) {
        Self::store(&self.words[at], value);
    }

    /// Makes a store, which the next life sees after those before it, and before those after it.
    #[inline(always)]
    fn store(word: &Cell<[u8; 8]>, value: u64) {
        compiler_fence(Ordering::SeqCst);
        if G::allows() {
            word.set(value.to_le_bytes());
        }
        compiler_fence(Ordering::SeqCst);
    }

    /// Ends the transaction: what was changed counts.
    #[inline]
    pub fn commit(&self) {
        if self.entries() != 0 {
            self.set(ENTRIES, 0);
        }
    }

    /// Returns how many words the transaction has changed.
    #[inline(always)]
    pub fn entries(&self) -> usize {
        self.get(ENTRIES) as usize
    }

    /// Undoes the transaction; a life that ends meanwhile leaves the rest of it to the next one.
    pub fn undo(&self) {
        while let Some(last) = self.entries().checked_sub(1) {
            let at = self.get(ENTRY + 2 * last) as usize;
            self.set(at, self.get(ENTRY + 2 * last + 1));
            self.set(ENTRIES, last as u64);
        }
    }
}
