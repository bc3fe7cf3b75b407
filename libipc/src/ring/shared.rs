//! The memory of a ring, mapped for as long as the ring is used.
//!
//! The ring's only unsafe code: everything above sees atomic words. Whatever the peer does to
//! them, a load returns some number, and what it means is checked where it is used.
//!
//! Who could destroy or shrink the memory object would make accesses fault; decisions/0024 says
//! whose it has to be.
#![expect(unsafe_code, reason = "turns a mapped address into atomic words")]

use core::sync::atomic::AtomicU64;

use kamen_abi::Error;

use crate::ring::MAX_PAGES;
use crate::{Memory, Object};

#[cfg(not(kamen))]
#[path = "shared/host.rs"]
mod place;
#[cfg(kamen)]
#[path = "shared/kernel.rs"]
mod place;

/// Words that this side shares with its peer.
#[derive(Debug)]
pub(super) struct Shared {
    /// Mapped until this is dropped; handed out only to who owns this as well.
    words: &'static [AtomicU64],
    /// What is mapped, unless the words are somebody else's to unmap.
    memory: Option<Memory>,
}

impl Shared {
    /// Maps a memory object, all of whose pages are committed first, so that touching them cannot
    /// fail for want of a quota. The capability goes with the result, and where this fails.
    ///
    /// # Errors
    /// InvalidArgument: more than [`MAX_PAGES`]; BadRange: it is mapped already; NoRights: READ,
    /// WRITE; QuotaExhausted: the object's; InvalidHandle.
    pub(super) fn map(memory: Memory) -> Result<Self, Error> {
        let range = prepare(memory).inspect_err(|_| {
            // Gone or not, it is of no use.
            let _ = memory.delete();
        })?;
        // SAFETY: the range was mapped just now, aligned to pages, readable and writable, and
        // stays so until `drop`; all bit patterns are words. Whoever else writes it is outside of
        // this program, or uses atomic words as well.
        let words = unsafe { &*range };
        Ok(Shared { words, memory: Some(memory) })
    }

    /// Returns words that are shared already and stay so.
    pub(super) const fn over(words: &'static [AtomicU64]) -> Self {
        Shared { words, memory: None }
    }

    pub(super) const fn words(&self) -> &'static [AtomicU64] {
        self.words
    }

    pub(super) const fn memory(&self) -> Option<Memory> {
        self.memory
    }
}

fn prepare(memory: Memory) -> Result<*const [AtomicU64], Error> {
    let pages = memory.pages()?;
    if pages > MAX_PAGES {
        return Err(Error::InvalidArgument);
    }
    memory.commit(0, pages)?;
    place::map(memory)
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(memory) = self.memory {
            place::unmap(memory, self.words);
            // One that is gone already leaves an empty slot, which is what is wanted.
            let _ = memory.delete();
        }
    }
}
