//! Freed blocks of small sizes, kept for the next that is asked for.
//!
//! ```text
//!   alloc(40) ──> class 48 ── has a block ──> that one          dealloc ──> class 48, if it has room
//!                             └ has none ───> the list's first fit           └─ the list otherwise
//! ```
//!
//! The list of free blocks is searched from its beginning, both ways; a server that makes and drops
//! the same few kinds of values finds them here instead (decisions/0042).

/// Sizes and alignments of blocks are multiples of this, in bytes, so that none leaves a gap that
/// is too small for another.
pub const GRAIN: usize = 16;
/// The largest size that is kept, in bytes.
const LARGEST: usize = 2048;
/// Most blocks kept of one size: over all sizes one MiB, which is lost to other sizes.
const KEPT: usize = 8;
const CLASSES: usize = LARGEST / GRAIN;

/// Addresses of free blocks by their size.
pub struct Classes {
    blocks: [[usize; KEPT]; CLASSES],
    counts: [usize; CLASSES],
}

impl Classes {
    /// Returns classes without a block.
    pub const fn new() -> Self {
        Classes { blocks: [[0; KEPT]; CLASSES], counts: [0; CLASSES] }
    }

    /// Returns a block of a size, which is a multiple of [`GRAIN`], and forgets it.
    pub fn take(&mut self, size: usize) -> Option<usize> {
        let class = class(size)?;
        let count = self.counts[class].checked_sub(1)?;
        self.counts[class] = count;
        self.blocks[class].get(count).copied()
    }

    /// Keeps a block of a size, which is a multiple of [`GRAIN`]; returns whether it could.
    pub fn keep(&mut self, size: usize, block: usize) -> bool {
        let Some(class) = class(size) else { return false };
        let count = self.counts[class];
        let Some(place) = self.blocks[class].get_mut(count) else { return false };
        *place = block;
        self.counts[class] = count + 1;
        true
    }
}

/// Returns the class of a size, if it is small.
fn class(size: usize) -> Option<usize> {
    (size / GRAIN).checked_sub(1).filter(|class| *class < CLASSES)
}
