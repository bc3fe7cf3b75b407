//! The memory of a process: regions of memory objects in an address space.
//!
//! ```text
//!   0x400000         image, bss | heap (brk) ->        <- mappings | stack   USER_END
//! ```
//!
//! [`Mm`] (Linux's word) is what processes after `vfork` and threads share; [`Region`] is a run of
//! pages with one access from one [`Backing`]. A fork clones the backing of each private region
//! copy-on-write and shares the others. Backings and spaces whose last user went end in the
//! [`Trash`], which the event loop empties.

mod backing;
mod mm;
mod region;
#[cfg(test)]
mod tests;

pub use backing::{Backing, Trash};
pub use mm::{MAP_TOP, MAX_REGIONS, Mm, STACK_LIMIT, STACK_TOP};
pub use region::{Region, Sharing};

/// Bytes of a page.
pub const PAGE: u64 = 4096;

/// Returns the pages that `len` bytes need.
pub const fn pages(len: u64) -> u64 {
    len.div_ceil(PAGE)
}
