//! The heap: one memory object, mapped at a fixed address, that grows when it is exhausted.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};

use libipc::abi::{PAGE_SIZE, boot};
use libipc::{Error, Memory, Quota, Rights, Space, yield_now};
use linked_list_allocator::Heap;

mod classes;

use classes::{Classes, GRAIN};

/// Where the heap lies, far from program, stack and message page.
const HEAP_AT: usize = 0x1000_0000_0000;
/// Most bytes of a heap.
const HEAP_MAX: usize = 1 << 36;
/// Least pages to grow by.
const STEP_PAGES: usize = 16;

#[global_allocator]
static ALLOCATOR: Allocator =
    Allocator { locked: AtomicBool::new(false), state: UnsafeCell::new(State::new()) };

/// The heap behind a lock.
struct Allocator {
    locked: AtomicBool,
    /// Touched only by who set `locked`.
    state: UnsafeCell<State>,
}

// SAFETY: `with` gives the state to one thread at a time.
unsafe impl Sync for Allocator {}

/// Returns the memory object beneath the heap, once there is one.
pub(crate) fn memory() -> Option<Memory> {
    ALLOCATOR.with(|state| state.memory)
}

/// Returns how many bytes of the heap are in use.
pub fn used() -> usize {
    ALLOCATOR.with(|state| state.heap.used())
}

impl Allocator {
    fn with<T>(&self, use_it: impl FnOnce(&mut State) -> T) -> T {
        while self.locked.swap(true, Ordering::Acquire) {
            yield_now();
        }
        // SAFETY: the lock is held, and `use_it` cannot reach it again.
        let result = use_it(unsafe { &mut *self.state.get() });
        self.locked.store(false, Ordering::Release);
        result
    }
}

// SAFETY: the blocks come from a heap of mapped memory that nothing else uses, and are as large
// and aligned as the layout says; what fails is the null pointer.
unsafe impl GlobalAlloc for Allocator {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.with(|state| state.allocate(layout))
    }

    #[inline(never)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let (Some(block), Some(layout)) = (ptr::NonNull::new(block), in_grains(layout)) else {
            return;
        };
        self.with(|state| {
            if layout.align() > GRAIN
                || !state.kept.keep(layout.size(), block.as_ptr().expose_provenance())
            {
                // SAFETY: the caller got the block from `alloc` with the same layout, which is
                // rounded in the same way.
                unsafe { state.heap.deallocate(block, layout) };
            }
        });
    }
}

/// Returns a layout whose size and alignment are multiples of [`GRAIN`].
fn in_grains(layout: Layout) -> Option<Layout> {
    let align = layout.align().max(GRAIN);
    let size = layout.size().checked_next_multiple_of(GRAIN)?;
    Layout::from_size_align(size, align).ok()
}

/// The heap and the memory object beneath it.
struct State {
    heap: Heap,
    kept: Classes,
    memory: Option<Memory>,
    pages: usize,
}

impl State {
    const fn new() -> Self {
        State { heap: Heap::empty(), kept: Classes::new(), memory: None, pages: 0 }
    }

    fn allocate(&mut self, layout: Layout) -> *mut u8 {
        let Some(layout) = in_grains(layout) else { return ptr::null_mut() };
        if layout.align() == GRAIN
            && let Some(block) = self.kept.take(layout.size())
        {
            return ptr::with_exposed_provenance_mut(block);
        }
        if let Ok(block) = self.heap.allocate_first_fit(layout) {
            return block.as_ptr();
        }
        // The header of a block may need some room, and its alignment more.
        let more = layout.size().saturating_add(layout.align()).saturating_add(64);
        match self.grow(more) {
            Ok(()) => self.heap.allocate_first_fit(layout).map_or(ptr::null_mut(), |b| b.as_ptr()),
            Err(_) => ptr::null_mut(),
        }
    }

    /// Maps at least `bytes` more.
    fn grow(&mut self, bytes: usize) -> Result<(), Error> {
        let room = HEAP_MAX / PAGE_SIZE - self.pages;
        let pages = bytes.div_ceil(PAGE_SIZE).max(STEP_PAGES).max(self.pages / 4);
        if pages > room {
            return Err(Error::OutOfMemory);
        }
        let memory = self.resize(self.pages + pages)?;
        let address = HEAP_AT + self.pages * PAGE_SIZE;
        let rights = Rights::READ.union(Rights::WRITE);
        Space(boot::SPACE).map(memory, self.pages as u64, address as u64, pages as u64, rights)?;
        // SAFETY: the new pages are mapped, unused, and follow those that the heap has.
        unsafe {
            if self.pages == 0 {
                let start = ptr::with_exposed_provenance_mut(HEAP_AT);
                self.heap.init(start, pages * PAGE_SIZE);
            } else {
                self.heap.extend(pages * PAGE_SIZE);
            }
        }
        self.pages += pages;
        Ok(())
    }

    fn resize(&mut self, pages: usize) -> Result<Memory, Error> {
        match self.memory {
            Some(memory) => {
                memory.resize(pages as u64)?;
                Ok(memory)
            }
            None => {
                let memory = Quota(boot::QUOTA).create_memory(pages as u64)?;
                self.memory = Some(memory);
                Ok(memory)
            }
        }
    }
}
