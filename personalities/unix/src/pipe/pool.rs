//! Which pages of the pipes' memory are whose: powers of two of them, aligned to their number.
//!
//! Nothing of this is kept: the rows of the pipes say the same.

use alloc::vec::Vec;

use crate::Errno;

/// Bytes of a page.
pub(super) const PAGE: usize = 4096;
/// Most pages that one pipe has.
const MOST: usize = super::MAX_CAPACITY / PAGE;

/// Pages in use, a bit each.
#[derive(Debug)]
pub(super) struct Pool {
    words: Vec<u64>,
    used: usize,
}

impl Pool {
    /// Returns the pool of a memory, none of it in use.
    pub fn new(bytes: usize) -> Self {
        Pool { words: alloc::vec![0; bytes / PAGE / 64], used: 0 }
    }

    /// Returns whether half of it is in use.
    pub fn is_scarce(&self) -> bool {
        self.used >= self.words.len() * 32
    }

    /// Returns whether three quarters of it are in use.
    pub fn is_nearly_used(&self) -> bool {
        self.used >= self.words.len() * 48
    }

    /// Takes so many bytes, a power of two of pages; returns the first page.
    ///
    /// # Errors
    /// EPERM: there are not so many together.
    pub fn take(&mut self, bytes: usize) -> Result<usize, Errno> {
        let pages = bytes / PAGE;
        debug_assert!(pages.is_power_of_two() && pages <= MOST);
        let mut places = (0..self.words.len() * 64).step_by(pages);
        // Words without room are passed by as a whole.
        let place = loop {
            let at = places.next().ok_or(Errno::EPERM)?;
            if at.is_multiple_of(64) && self.words[at / 64] == u64::MAX {
                places = (at + pages.max(64)..self.words.len() * 64).step_by(pages);
                continue;
            }
            if self.is_free(at, pages) {
                break at;
            }
        };
        self.mark(place, bytes);
        Ok(place)
    }

    /// Says of pages that they are in use.
    pub fn mark(&mut self, place: usize, bytes: usize) {
        self.each(place, bytes / PAGE, |word, mask| *word |= mask);
        self.used += bytes / PAGE;
    }

    /// Gives pages back.
    pub fn free(&mut self, place: usize, bytes: usize) {
        self.each(place, bytes / PAGE, |word, mask| *word &= !mask);
        self.used -= bytes / PAGE;
    }

    fn is_free(&self, at: usize, pages: usize) -> bool {
        let words = self.words.get(at / 64..(at + pages).div_ceil(64));
        let mask = mask(at, pages);
        words.is_some_and(|words| words.iter().all(|word| word & mask == 0))
    }

    fn each(&mut self, at: usize, pages: usize, change: impl Fn(&mut u64, u64)) {
        let mask = mask(at, pages);
        for word in &mut self.words[at / 64..(at + pages).div_ceil(64)] {
            change(word, mask);
        }
    }
}

/// Returns the bits of so many pages in each word that they touch.
fn mask(at: usize, pages: usize) -> u64 {
    if pages >= 64 { u64::MAX } else { ((1 << pages) - 1) << (at % 64) }
}
