//! Access to the contents of frames through the direct map.
//!
//! All functions here are safe to call only with frames that the direct map holds and the
//! kernel image does not use; the Machine contract says so for the core, and boot code takes
//! its frames from the free list. User space may map the same frames, so that no reference to
//! their contents is ever made: only raw and volatile accesses.

use core::sync::atomic::{AtomicU32, Ordering};

use kamen_abi::PAGE_SIZE;
use kamen_core::Frame;

use super::paging::Tables;
use super::{DIRECT_MAP, PAGE};

/// The frames of the machine, reached through the direct map.
pub(crate) struct DirectMap(());

impl DirectMap {
    /// Returns access to all frames.
    ///
    /// # Safety
    /// The direct map is active, and all frames passed to the methods are in it and are not
    /// part of the kernel image.
    pub(crate) const unsafe fn new() -> Self {
        DirectMap(())
    }

    /// Returns where a frame is mapped.
    #[inline(always)]
    pub(crate) fn address(&self, frame: Frame) -> u64 {
        DIRECT_MAP + u64::from(frame.0) * PAGE
    }

    #[inline(always)]
    fn word(&self, frame: Frame, index: usize) -> *mut u64 {
        debug_assert!(index < PAGE_SIZE / 8);
        (self.address(frame) as *mut u64).wrapping_add(index)
    }

    /// Copies bytes between two frames, or within one where the ranges do not overlap.
    #[inline]
    pub(crate) fn copy(&mut self, from: (Frame, usize), to: (Frame, usize), len: usize) {
        debug_assert!(from.1 + len <= PAGE_SIZE && to.1 + len <= PAGE_SIZE);
        let source = (self.address(from.0) as *const u8).wrapping_add(from.1);
        let destination = (self.address(to.0) as *mut u8).wrapping_add(to.1);
        // SAFETY: both ranges lie within mapped frames (the contract of `new`) and do not
        // overlap. `rep movs` reads and writes bytes that user space may change meanwhile,
        // which the processor defines; bulk goes by words, as TCG does those at once.
        unsafe {
            core::arch::asm!(
                "rep movsq",
                "mov ecx, edx",
                "and ecx, 7",
                "rep movsb",
                inout("rcx") len / 8 => _,
                inout("rsi") source => _,
                inout("rdi") destination => _,
                in("edx") len,
                options(nostack)
            );
        }
    }

    /// Compares and exchanges an aligned 32-bit word.
    #[inline]
    pub(crate) fn compare_exchange(
        &mut self,
        frame: Frame,
        offset: usize,
        expected: u32,
        new: u32,
    ) -> u32 {
        debug_assert!(offset.is_multiple_of(4) && offset < PAGE_SIZE);
        let word = (self.address(frame) as *mut u32).wrapping_add(offset / 4);
        // SAFETY: the word lies in a mapped frame and is aligned; everybody who shares it
        // accesses it through user space's own instructions or this function.
        let word = unsafe { AtomicU32::from_ptr(word) };
        match word.compare_exchange(expected, new, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(old) | Err(old) => old,
        }
    }
}

impl Tables for DirectMap {
    #[inline(always)]
    fn load(&self, frame: Frame, index: usize) -> u64 {
        // SAFETY: the word lies in a mapped frame (the contract of `new`).
        unsafe { self.word(frame, index).read_volatile() }
    }

    #[inline(always)]
    fn store(&mut self, frame: Frame, index: usize, value: u64) {
        // SAFETY: as for `load`; the frame is not the kernel image's.
        unsafe { self.word(frame, index).write_volatile(value) }
    }

    #[inline]
    fn zero(&mut self, frame: Frame) {
        // SAFETY: as for `store`, for all words of the frame.
        unsafe {
            core::arch::asm!(
                "rep stosq",
                inout("rcx") PAGE_SIZE / 8 => _,
                inout("rdi") self.word(frame, 0) => _,
                in("rax") 0u64,
                options(nostack, preserves_flags)
            );
        }
    }
}
