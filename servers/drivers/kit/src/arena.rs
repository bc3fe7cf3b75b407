//! Memory that the device reaches: one contiguous object, given out by pages.
//!
//! virtio-drivers asks for memory by functions without an object, so that the arena is the
//! program's one: a driver has one device and one piece of memory for it. What was taken is not
//! given back, as the device may still know it: who has to begin anew ends, and its next life
//! resets the device first.

use core::ptr::{NonNull, with_exposed_provenance_mut, write_bytes};
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use libipc::abi::PAGE_SIZE;
use libipc::{Error, Memory};
use virtio_drivers::{BufferDirection, Hal, PhysAddr};

use crate::registers;

/// Where the arena is mapped; 0 before there is one. Written once, before the others are read.
static ADDRESS: AtomicUsize = AtomicUsize::new(0);
/// Where the device finds it.
static PHYSICAL: AtomicU64 = AtomicU64::new(0);
/// How many pages it has.
static PAGES: AtomicUsize = AtomicUsize::new(0);
/// How many of its pages are taken.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// Makes contiguous memory the arena. A second one is not taken.
///
/// # Errors
/// NoRights: CONTROL, which tells the physical address; InvalidArgument: it is not contiguous, or
/// there is an arena; whatever the kernel refuses.
pub(crate) fn provide(memory: Memory) -> Result<(), Error> {
    let physical = memory.physical_address()?.ok_or(Error::NoRights)?;
    let range = libipc::map_shared(memory)?;
    // SAFETY: the range was mapped just now, readable and writable, for as long as the program
    // runs, begins at a page, and nothing else here knows it.
    unsafe { set(range, physical) }
}

/// Makes a range the arena.
///
/// # Safety
/// The range is valid for reads and writes for as long as the program runs, begins at a page, and
/// nothing else uses it, but the device that finds it at `physical`.
pub(crate) unsafe fn set(range: NonNull<[u8]>, physical: u64) -> Result<(), Error> {
    let address = range.as_ptr().expose_provenance();
    let set = ADDRESS.compare_exchange(0, address, Ordering::AcqRel, Ordering::Acquire);
    set.map_err(|_| Error::InvalidArgument)?;
    PHYSICAL.store(physical, Ordering::Release);
    PAGES.store(range.len() / PAGE_SIZE, Ordering::Release);
    Ok(())
}

/// Takes adjacent pages, filled with zeros; none where there are not as many.
pub(crate) fn take(pages: usize) -> Option<NonNull<u8>> {
    let limit = PAGES.load(Ordering::Acquire);
    let add = |taken: usize| taken.checked_add(pages).filter(|&taken| taken <= limit);
    let first = TAKEN.fetch_update(Ordering::AcqRel, Ordering::Acquire, add).ok()?;
    let address = ADDRESS.load(Ordering::Acquire) + first * PAGE_SIZE;
    let start: *mut u8 = with_exposed_provenance_mut(address);
    // SAFETY: the pages lie in the arena, valid for writes, and are taken: nobody else uses them.
    unsafe { write_bytes(start, 0, pages * PAGE_SIZE) };
    NonNull::new(start)
}

/// Returns where the device finds a byte of the arena; none for others.
pub(crate) fn physical(byte: NonNull<u8>) -> Option<u64> {
    let offset = byte.addr().get().checked_sub(ADDRESS.load(Ordering::Acquire))?;
    let len = PAGES.load(Ordering::Acquire) * PAGE_SIZE;
    (offset < len).then(|| PHYSICAL.load(Ordering::Acquire) + offset as u64)
}

/// The arena and the registers, as virtio-drivers wants them.
#[derive(Debug)]
pub(crate) struct Access;

// SAFETY: `dma_alloc` returns pages of the arena, zeroed and nobody else's for good, or the
// physical address 0 that stands for none; `mmio_phys_to_virt` returns a mapping of its own each
// time, of the registers that were asked for.
unsafe impl Hal for Access {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        match take(pages).and_then(|start| Some((physical(start)?, start))) {
            Some(found) => found,
            None => (0, NonNull::dangling()),
        }
    }

    unsafe fn dma_dealloc(_: PhysAddr, _: NonNull<u8>, _: usize) -> i32 {
        0 // It stays taken.
    }

    unsafe fn mmio_phys_to_virt(address: PhysAddr, len: usize) -> NonNull<u8> {
        // Before a device's transport is made, its registers are checked to be in the range.
        registers::map(address, len).expect("the device's registers were found in the range")
    }

    unsafe fn share(buffer: NonNull<[u8]>, _: BufferDirection) -> PhysAddr {
        // Only queues' own buffers are shared, which lie in the arena.
        physical(buffer.cast()).expect("buffers lie in the arena")
    }

    unsafe fn unshare(_: PhysAddr, _: NonNull<[u8]>, _: BufferDirection) {}
}
