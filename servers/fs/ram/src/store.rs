//! The flat region of memory that holds a file system, and words in it.
//!
//! [`Store`] is what the file system needs of the region: a memory object mapped in the guest, a
//! vector in tests. A store changes word by word, so that a test can end the server's life
//! between any two changes.

use alloc::vec::Vec;

use libipc::Mapping;

/// A region of memory, of a fixed length, that outlives the server.
///
/// What was never written reads as zeros.
pub trait Store {
    /// Returns the region's contents.
    fn bytes(&self) -> &[u8];

    /// Returns `len` bytes from byte `at`, to be overwritten.
    ///
    /// Panics where the range is not within the region: whoever computes offsets checks them.
    fn window(&mut self, at: usize, len: usize) -> &mut [u8];
}

impl Store for Vec<u8> {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn window(&mut self, at: usize, len: usize) -> &mut [u8] {
        &mut self[at..at + len]
    }
}

impl Store for &mut [u8] {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn window(&mut self, at: usize, len: usize) -> &mut [u8] {
        &mut self[at..at + len]
    }
}

impl Store for Mapping {
    #[inline(always)]
    fn bytes(&self) -> &[u8] {
        Mapping::bytes(self)
    }

    #[inline(always)]
    fn window(&mut self, at: usize, len: usize) -> &mut [u8] {
        &mut self.bytes_mut()[at..at + len]
    }
}

/// Returns the little-endian word at byte `at` of `bytes`, which must hold all of it.
#[inline(always)]
pub(crate) fn word(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}
