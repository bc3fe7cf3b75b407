//! Where a program of the system has its message page.

use core::arch::asm;

use kamen_abi::MessagePage;

use crate::stacks;

/// Returns the calling thread's page: mapped read-write for the thread's whole life by whoever
/// started it.
#[inline(always)]
pub(super) fn page() -> *mut MessagePage {
    let stack: usize;
    // SAFETY: the stack pointer is read; nothing else is touched.
    unsafe {
        asm!("mov {}, rsp", out(reg) stack, options(pure, nomem, nostack, preserves_flags));
    }
    core::ptr::with_exposed_provenance_mut(stacks::message_page(stack))
}
