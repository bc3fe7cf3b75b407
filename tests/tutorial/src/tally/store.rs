//! The total in memory that outlives the server: whole, whenever the server may end.

use core::sync::atomic::{Ordering, compiler_fence};

use libipc::Mapping;

use super::Total;

// ANCHOR: words
/// Words that outlive the server: a mapped memory object, or an array in tests. They are 0 at first.
pub trait Words {
    /// Returns a word.
    fn load(&self, word: usize) -> u64;
    /// Changes a word, in one step.
    fn store(&mut self, word: usize, value: u64);
}

impl Words for Mapping {
    fn load(&self, word: usize) -> u64 {
        self.bytes().as_chunks().0.get(word).map_or(0, |&bytes| u64::from_le_bytes(bytes))
    }

    fn store(&mut self, word: usize, value: u64) {
        // The server may end between any two words: the compiler must not move one across another.
        compiler_fence(Ordering::SeqCst);
        if let Some(bytes) = self.bytes_mut().as_chunks_mut().0.get_mut(word) {
            *bytes = value.to_le_bytes();
        }
        compiler_fence(Ordering::SeqCst);
    }
}
// ANCHOR_END: words

// ANCHOR: kept
/// A total that is replaced in one step.
///
/// ```text
///   word 0: how often it was replaced     1, 2: sum, entries     3, 4: sum, entries
///           even: words 1, 2 count; odd: words 3, 4 count
/// ```
pub struct Kept<W>(W);

/// The word that says which of the two copies counts.
const COUNT: usize = 0;

impl<W: Words> Kept<W> {
    /// Returns the total in words that an earlier life may have left.
    pub fn new(words: W) -> Self {
        Kept(words)
    }

    /// Returns the total.
    pub fn total(&self) -> Total {
        let at = place(self.0.load(COUNT));
        Total { sum: self.0.load(at), entries: self.0.load(at + 1) }
    }

    /// Replaces the total: first the copy that does not count, then, by one word, which one does.
    pub fn replace(&mut self, total: Total) {
        let count = self.0.load(COUNT).wrapping_add(1);
        self.0.store(place(count), total.sum);
        self.0.store(place(count) + 1, total.entries);
        self.0.store(COUNT, count);
    }
}

/// Returns the first word of the copy that counts after so many replacements.
const fn place(count: u64) -> usize {
    if count.is_multiple_of(2) { 1 } else { 3 }
}
// ANCHOR_END: kept
