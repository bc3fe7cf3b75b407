//! Registers of 16 bits, laid out so that the compiler never loads two at once.
//!
//! A load of 16 bits whose upper bits do not matter may become one of 32 where the address is a multiple
//! of four. Such a load waits until the stores to both halves have left the store buffer, a dozen cycles
//! and more; registers that lie four bytes apart, two bytes off such an address, escape that
//! (decisions/0051 has what it cost).

use core::ops::{Index, IndexMut};

#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(4))]
struct Register {
    _apart: u16,
    word: u16,
}

/// Sixteen registers.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Words([Register; 16]);

impl Words {
    /// Returns all of them.
    #[cfg(test)]
    pub(super) fn all(&self) -> [u16; 16] {
        self.0.map(|register| register.word)
    }
}

impl Index<usize> for Words {
    type Output = u16;
    #[inline(always)]
    fn index(&self, number: usize) -> &u16 {
        &self.0[number].word
    }
}

impl IndexMut<usize> for Words {
    #[inline(always)]
    fn index_mut(&mut self, number: usize) -> &mut u16 {
        &mut self.0[number].word
    }
}
