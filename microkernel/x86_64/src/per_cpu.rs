//! What the entry paths find through GS: the processor's current thread and stack.

use core::cell::UnsafeCell;

use kamen_core::Thread;

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
}

/// A value that only its processor touches, with interrupts off.
#[repr(transparent)]
pub(crate) struct Local<T>(UnsafeCell<T>);

// SAFETY: one processor runs the kernel, with interrupts off, so that there is no other thread.
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

/// The first processor's block.
pub(crate) static PER_CPU: Local<PerCpu> =
    Local::new(PerCpu { current: core::ptr::null_mut(), stack: 0, scratch: 0 });

/// Bytes of the kernel stack; the page below it is not mapped.
const STACK_BYTES: usize = 32 * 1024;

/// The kernel stack and the page below it, which stays unmapped.
#[repr(C, align(4096))]
pub(crate) struct Stack {
    guard: [u8; 4096],
    stack: [u8; STACK_BYTES],
}

/// The first processor's kernel stack.
pub(crate) static STACK: Local<Stack> =
    Local::new(Stack { guard: [0; 4096], stack: [0; STACK_BYTES] });

/// Returns the address after the kernel stack; it is a multiple of 16.
pub(crate) fn stack_end() -> u64 {
    STACK.as_ptr() as u64 + size_of::<Stack>() as u64
}
