//! The kernel without the machine: objects, capabilities, IPC, scheduling, memory.
//!
//! ```text
//!   kamen-kernel (boot) ──> kamen-machine (x86-64: traps, paging, timers)
//!                               │ enters                    ▲ acts through
//!                               ▼                           │ trait Machine
//!                          kamen-core (this crate: decides; safe Rust, deterministic)
//!                               │
//!                          kamen-abi
//! ```
//!
//! The machine saves a thread's registers into the thread (the pointer it got from
//! [`Kernel::next`]), calls one of [`Kernel::system_call`], [`Kernel::exception`],
//! [`Kernel::interrupt`] and [`Kernel::timer`], and loads the registers that `next` returns.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;

mod machine;

pub use machine::{Access, FaultAccess, Frame, Machine, Next, NoFrame};

/// The kernel's state over a machine.
pub struct Kernel<M: Machine> {
    /// The machine.
    pub machine: M,
}

/// What the machine found at boot.
pub struct BootInfo<'a> {
    /// Free physical memory, as frame ranges `first..end`.
    pub free: &'a [core::ops::Range<u32>],
    /// Frames that hold the boot archive, in order: `first..end`.
    pub archive: core::ops::Range<u32>,
    /// Bytes of the boot archive.
    pub archive_len: usize,
    /// Loadable segments of the first task.
    pub segments: &'a [Segment],
    /// Entry point of the first task.
    pub entry: usize,
}

/// A loadable segment of the first task: pages of the image are copied, the rest is zero.
pub struct Segment {
    /// Page-aligned address in the task.
    pub address: usize,
    /// Pages in the task.
    pub pages: usize,
    /// What the task may do with them.
    pub access: Access,
    /// Frames that hold the image's bytes, page aligned like the segment: `first..end`.
    pub image: core::ops::Range<u32>,
    /// Bytes of the image to copy from the beginning of `image`.
    pub image_len: usize,
}

impl<M: Machine> Kernel<M> {
    /// Returns a kernel whose first task is about to run.
    pub fn boot(machine: M, _info: &BootInfo<'_>) -> Self {
        Kernel { machine }
    }

    /// Handles a `syscall` instruction of the current thread.
    pub fn system_call(&mut self) {}

    /// Handles an exception that the current thread met in user space: its vector, error code
    /// and, for a page fault, the address (CR2).
    pub fn exception(&mut self, _vector: u8, _error: u64, _address: u64) {}

    /// Handles a software interrupt (`int n`) of the current thread.
    pub fn software_interrupt(&mut self, _number: u8) {}

    /// Handles an interrupt on a line, which the machine acknowledged to its controller and
    /// has masked.
    pub fn interrupt(&mut self, _line: u32) {}

    /// Handles the timer's interrupt.
    pub fn timer(&mut self) {}

    /// Returns what the processor does next; called once before every return from the kernel.
    pub fn next(&mut self) -> Next<'_> {
        Next::Idle
    }
}
