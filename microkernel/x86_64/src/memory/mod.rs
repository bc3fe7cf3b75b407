//! Physical memory and page tables.
//!
//! ```text
//!   0000_0000_0000_0000 .. 0000_7fff_ffff_f000   user space
//!   ffff_8000_0000_0000 .. ffff_8080_0000_0000   all RAM (direct map), 2 MiB pages, no execution
//!   ffff_ffff_8000_0000 .. ffff_ffff_c000_0000   kernel image, 4 KiB pages, W^X
//!   ffff_ffff_c000_0000 .. ffff_ffff_d000_0000   device registers, uncached
//!   ffff_ffff_d000_0000 ..                       stacks and tables of processors but the first
//! ```

pub(crate) mod direct;
pub(crate) mod kernel_space;
pub(crate) mod paging;
pub mod ranges;

/// Where physical address 0 is mapped.
pub(crate) const DIRECT_MAP: u64 = 0xffff_8000_0000_0000;
/// Bytes of physical memory that the direct map can hold: one entry of the root table.
pub(crate) const DIRECT_MAP_BYTES: u64 = 1 << 39;
/// Where the kernel image would see physical address 0.
pub(crate) const KERNEL_BASE: u64 = 0xffff_ffff_8000_0000;
/// Where the first page of device registers is mapped.
pub(crate) const DEVICES: u64 = 0xffff_ffff_c000_0000;
/// Where the memory of each processor but the first is mapped.
pub(crate) const PROCESSORS: u64 = 0xffff_ffff_d000_0000;
/// Bytes of a page, as physical addresses count.
pub(crate) const PAGE: u64 = kamen_abi::PAGE_SIZE as u64;
