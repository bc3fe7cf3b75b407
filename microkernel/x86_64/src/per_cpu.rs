//! What the entry paths find through GS: the processor's current thread and stack.

use core::cell::UnsafeCell;
use core::mem::offset_of;

use kamen_core::Thread;

use crate::descriptors::Tables;
use crate::memory::PROCESSORS;

/// A processor's block; GS points to it in the kernel.
#[repr(C)]
pub(crate) struct PerCpu {
    /// The thread that runs in user space: where the entry paths save its registers. Null while the
    /// processor idles.
    pub(crate) current: *mut Thread,
    /// Where the kernel stack begins, as a function that was called would find it.
    pub(crate) stack: u64,
    /// Holds the stack pointer of user space for three instructions.
    pub(crate) scratch: u64,
    /// The lock's word where it is free and this processor had it last; see [`crate::lock`].
    pub(crate) lock: u32,
    /// The time-stamp counter at the last system call of a foreign thread.
    pub(crate) entered: u64,
}

impl PerCpu {
    /// Returns the time-stamp counter as the entry path read it for a foreign thread.
    #[inline(always)]
    pub(crate) fn entered() -> u64 {
        let entered: u64;
        // SAFETY: in the kernel GS points to the processor's block.
        unsafe {
            core::arch::asm!("mov {}, gs:[{}]", out(reg) entered,
                const offset_of!(PerCpu, entered), options(nostack, preserves_flags, readonly));
        }
        entered
    }

    /// Returns the lock's word for this processor.
    #[inline(always)]
    pub(crate) fn lock() -> u32 {
        let lock: u32;
        // SAFETY: in the kernel GS points to the processor's block.
        unsafe {
            core::arch::asm!("mov {:e}, gs:[{}]", out(reg) lock,
                const offset_of!(PerCpu, lock), options(nostack, preserves_flags, readonly));
        }
        lock
    }

    /// Returns this processor's current thread; null after idling.
    #[inline(always)]
    pub(crate) fn current() -> *mut Thread {
        let current: *mut Thread;
        // SAFETY: as above.
        unsafe {
            core::arch::asm!("mov {}, gs:[{}]", out(reg) current,
                const offset_of!(PerCpu, current), options(nostack, preserves_flags, readonly));
        }
        current
    }
}

/// A value that only the holder of the kernel's lock touches, with interrupts off; or one
/// processor before the others run.
#[repr(transparent)]
pub(crate) struct Local<T>(UnsafeCell<T>);

// SAFETY: one processor at a time has the kernel's lock, whose passing on orders what they do, and
// interrupts are off, so that there is no other thread.
unsafe impl<T> Sync for Local<T> {}

impl<T> Local<T> {
    /// Returns a local value.
    pub(crate) const fn new(value: T) -> Self {
        Local(UnsafeCell::new(value))
    }

    /// Returns where the value is; dereferencing it must not overlap with another reference.
    #[inline(always)]
    pub(crate) const fn as_ptr(&self) -> *mut T {
        self.0.get()
    }
}

/// Bytes of the kernel stack; the page below it is not mapped.
const STACK_BYTES: usize = 32 * 1024;

/// The kernel stack and the page below it, which stays unmapped.
#[repr(C, align(4096))]
pub(crate) struct Stack {
    guard: [u8; 4096],
    stack: [u8; STACK_BYTES],
}

/// All that a processor has for itself: pages of which the first, the guard, is not mapped.
#[repr(C, align(4096))]
pub(crate) struct Processor {
    pub(crate) stack: Stack,
    pub(crate) tables: Tables,
    pub(crate) block: PerCpu,
}

/// The first processor's.
pub(crate) static FIRST: Local<Processor> = Local::new(Processor {
    stack: Stack { guard: [0; 4096], stack: [0; STACK_BYTES] },
    tables: Tables::EMPTY,
    block: PerCpu { current: core::ptr::null_mut(), stack: 0, scratch: 0, lock: 0, entered: 0 },
});

/// Returns where a processor has its own; mapped for those that the machine has.
pub(crate) fn of(number: u8) -> *mut Processor {
    match number.checked_sub(1) {
        None => FIRST.as_ptr(),
        Some(place) => {
            (PROCESSORS + u64::from(place) * size_of::<Processor>() as u64) as *mut Processor
        }
    }
}

/// Sets a processor's own word for the lock; the caller has the lock. The processor may be reading
/// it: an entry with the old word waits for the lock or goes on as before.
pub(crate) fn set_lock_word(number: u8, word: u32) {
    // SAFETY: the block of each processor that runs is mapped for good; this field is only ever
    // written by who has the lock, and read in one piece.
    unsafe { (&raw mut (*of(number)).block.lock).write_volatile(word) };
}

/// Returns the address after a processor's kernel stack; it is a multiple of 16.
pub(crate) fn stack_end(processor: *mut Processor) -> u64 {
    processor as u64 + size_of::<Stack>() as u64
}
