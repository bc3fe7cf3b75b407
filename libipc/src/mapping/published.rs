//! Words that another program changes, mapped to be read.
#![expect(unsafe_code, reason = "turns mapped addresses into atomic words")]

use core::ptr::with_exposed_provenance;
use core::sync::atomic::{AtomicU64, Ordering};

use kamen_abi::{Error, PAGE_SIZE, Rights, boot};

use super::place_of;
use crate::{Memory, Space};

/// Words of 64 bits that another program publishes: read one at a time, each as it is at that
/// moment, for as long as the program runs.
///
/// What a word says holds only for that word; a protocol tells how to know that others belong to
/// it (`protocols::file::Generations`).
///
/// ```no_run
/// use libipc::{Memory, PublishedWords, start::Start};
/// # let start = Start::default();
/// let memory: Memory = start.find("counters").expect("the manifest gives it");
/// let words = PublishedWords::new(memory, 0, 512)?;
/// assert!(words.load(0).is_some() && words.load(512).is_none());
/// # Ok::<(), libipc::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PublishedWords {
    words: &'static [AtomicU64],
}

impl PublishedWords {
    /// Maps the `count` words from byte `offset`, which begins a page, of a memory object.
    ///
    /// # Errors
    /// BadRange: the object is mapped already, or is shorter; InvalidArgument: the offset is within
    /// a page, or the words need more than 1 GiB; NoRights: READ; InvalidHandle.
    pub fn new(memory: Memory, offset: u64, count: u64) -> Result<Self, Error> {
        let page = PAGE_SIZE as u64;
        let pages = count.checked_mul(8).ok_or(Error::InvalidArgument)?.div_ceil(page);
        if !offset.is_multiple_of(page) || pages > super::SLOT_BYTES / page {
            return Err(Error::InvalidArgument);
        }
        let address = place_of(memory);
        Space(boot::SPACE).map(memory, offset / page, address, pages, Rights::READ)?;
        let first = with_exposed_provenance::<AtomicU64>(address as usize);
        // SAFETY: the range was mapped just now, readable, aligned to a page, and nothing unmaps
        // it; `count` words lie in its pages; all bytes are initialised, as memory objects are;
        // whoever else writes them, they are read here as atomic words only.
        let words = unsafe { core::slice::from_raw_parts(first, count as usize) };
        Ok(PublishedWords { words })
    }

    /// Returns a word as it is now; what was read before it is not older.
    #[inline]
    pub fn load(self, index: usize) -> Option<u64> {
        Some(self.words.get(index)?.load(Ordering::SeqCst))
    }
}
