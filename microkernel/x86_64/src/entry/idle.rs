//! Nothing to run: the processor halts until an interrupt comes.
//!
//! ```text
//!   at `halt`     rsp undefined, gs base the processor's block, interrupts off, no current
//!                 thread
//!   interrupted   at `hlt` or the jump after it; the frame is dropped by the trap path, which
//!                 starts anew on the kernel stack and never comes back here
//! ```
//! These are the only kernel instructions with interrupts on. `sti` takes effect after the next
//! instruction, so that no interrupt slips in before `hlt`.

use core::mem::offset_of;

use crate::lock::LOCK;
use crate::per_cpu::PerCpu;
use crate::stretch;

/// Halts with interrupts on. The next entry into the kernel is an interrupt.
pub(crate) fn idle() -> ! {
    stretch::end();
    // SAFETY: `halt` does not return, and nothing on the stack is used again.
    unsafe { core::arch::asm!("jmp {halt}", halt = sym halt, options(noreturn)) }
}

#[unsafe(naked)]
extern "C" fn halt() -> ! {
    core::arch::naked_asm!(
        "mov rsp, gs:[{stack}]",
        "mov qword ptr gs:[{current}], 0",
        "mov byte ptr [{lock}], 0",
        "2:",
        "sti",
        "hlt",
        "jmp 2b",
        stack = const offset_of!(PerCpu, stack),
        current = const offset_of!(PerCpu, current),
        lock = sym LOCK,
    )
}
