//! The memory of a process: regions of memory objects in an address space.
//!
//! ```text
//!   0x400000         image, bss | heap (brk) ->        <- mappings | stack   USER_END
//! ```
//!
//! [`Mm`] (Linux's word) is what processes after `vfork` and threads share; [`Region`] is a run of
//! pages with one access from one [`Backing`]. A fork clones the backing of each private region
//! copy-on-write and shares the others. Pages of files are a [`MappedFile`]'s. Backings and spaces
//! whose last user went end in the [`Trash`], which the event loop empties.
//!
//! `mm` places, splits and forks, `join` joins; `heap` is brk, `fault` what a fault means and stacks
//! that grow, `remap` is mremap, `advice` is madvise, `bounds` are limits,
//! `barrier` is membarrier.

mod advice;
mod backing;
mod barrier;
mod bounds;
mod fault;
mod heap;
mod join;
mod mapped;
mod mm;
mod region;
mod remap;
#[cfg(test)]
mod tests;

pub use backing::{Backing, Trash};
pub use bounds::{Bounds, Counted, Locked};
pub use fault::Fault;
pub use mapped::{MAX_MAPPED_FILES, MappedFile};
pub use mm::{MAP_TOP, MAX_REGIONS, Mm, STACK_LIMIT, STACK_TOP};
pub use region::{AtFork, Purpose, Region, Sharing};
pub use remap::{Destination, Old, Remap};

/// Bytes of a page.
pub const PAGE: u64 = 4096;

/// Returns the pages that `len` bytes need.
pub const fn pages(len: u64) -> u64 {
    len.div_ceil(PAGE)
}
