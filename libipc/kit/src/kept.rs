//! State in memory that outlives a server, which changes all at once or not at all.
//!
//! ```text
//!   0: word: length << 8 | 1 + half; 0: nothing yet     8: half 0      … half 1
//! ```
//!
//! New state goes to the half that is not in use; then one word says that it counts. A server that
//! dies in between leaves what it had. [`Kept`] is for little that changes as a whole; for tables of
//! which a word here and there changes there are [`Store`] and [`Table`].

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::sync::atomic::{Ordering, compiler_fence};

use libipc::Mapping;

mod store;
mod table;
#[cfg(test)]
mod tests;

pub use store::{FIRST, Found, Guard, JOURNAL, Living, Store, Unusable};
pub use table::{Row, Table, words};

/// Returns the name under which a server finds the capability that an earlier life left at a place
/// (`protocols::keep`).
pub fn kept_name(place: u32) -> String {
    format!("kept-{place}")
}

/// Bytes of the word.
const HEAD: usize = 8;

/// Memory that outlives its server: a mapped object, or a vector in tests.
pub trait Region {
    /// Returns its bytes.
    fn bytes(&self) -> &[u8];
    /// Returns its bytes, to be changed.
    fn bytes_mut(&mut self) -> &mut [u8];
}

impl Region for Mapping {
    fn bytes(&self) -> &[u8] {
        Mapping::bytes(self)
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        Mapping::bytes_mut(self)
    }
}

impl Region for Vec<u8> {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self
    }
}

/// The state is longer than half of the memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TooLong;

/// State that outlives its server.
#[derive(Debug)]
pub struct Kept<R> {
    region: R,
}

impl<R: Region> Kept<R> {
    /// Returns what is kept in a region.
    pub fn new(region: R) -> Self {
        Kept { region }
    }

    /// Returns the region.
    pub fn into_region(self) -> R {
        self.region
    }

    /// Returns the state that was kept last; nothing where none was, or the region holds nonsense.
    pub fn load(&self) -> Option<&[u8]> {
        let (len, half) = self.head();
        let from = self.start_of(half.checked_sub(1)?)?;
        self.region.bytes().get(from..from.checked_add(len)?)
    }

    /// Keeps a state instead of the one before.
    ///
    /// # Errors
    /// TooLong; what was kept stays.
    pub fn store(&mut self, state: &[u8]) -> Result<(), TooLong> {
        let next = if self.head().1 == 1 { 1 } else { 0 };
        let from = self.start_of(next).filter(|_| state.len() <= self.half()).ok_or(TooLong)?;
        self.region.bytes_mut()[from..from + state.len()].copy_from_slice(state);
        compiler_fence(Ordering::SeqCst);
        let word = (state.len() as u64) << 8 | (next as u64 + 1);
        self.region.bytes_mut()[..HEAD].copy_from_slice(&word.to_le_bytes());
        compiler_fence(Ordering::SeqCst);
        Ok(())
    }

    /// Returns the length of the state, and 1 + the half that it is in.
    fn head(&self) -> (usize, usize) {
        let word = self.region.bytes().first_chunk().map_or(0, |head| u64::from_le_bytes(*head));
        ((word >> 8) as usize, (word & 0xff) as usize)
    }

    fn half(&self) -> usize {
        self.region.bytes().len().saturating_sub(HEAD) / 2
    }

    fn start_of(&self, half: usize) -> Option<usize> {
        (half < 2 && self.half() > 0).then(|| HEAD + half * self.half())
    }
}
