//! The kernel's heap: used at boot, when the core sizes its arenas.

use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{NonNull, null_mut};

use crate::per_cpu::Local;

/// A heap, empty until [`X86::start`](crate::X86::start) gives it memory.
pub struct Heap(Local<linked_list_allocator::Heap>);

impl Heap {
    /// Returns an empty heap.
    pub const fn new() -> Self {
        Heap(Local::new(linked_list_allocator::Heap::empty()))
    }

    /// Gives the heap its memory.
    ///
    /// # Safety
    /// The memory is mapped for good and nobody else's; called once.
    pub(crate) unsafe fn init(&self, first: *mut u8, bytes: usize) {
        // SAFETY: the caller answers for the memory; nobody else refers to the heap meanwhile.
        unsafe { (*self.0.as_ptr()).init(first, bytes) };
    }
}

impl Default for Heap {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: the list allocator gives out disjoint blocks of the layout asked for; one processor
// at a time uses it, which has the kernel's lock, and its methods do not call back.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: see the impl.
        let heap = unsafe { &mut *self.0.as_ptr() };
        heap.allocate_first_fit(layout).map_or(null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller got the block from `alloc` with this layout, so that it is not null.
        unsafe { (*self.0.as_ptr()).deallocate(NonNull::new_unchecked(block), layout) };
    }
}
