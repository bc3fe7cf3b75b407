//! From the kernel to user space: by `sysret` where it loads the same, else by `iretq`.
//!
//! ```text
//!                 at `leave`                  in user space
//!   rdi           the thread's `Registers`    
//!   rax..r15      undefined                   as in `Registers`
//!   rip, rflags                               as in `Registers`
//!   gs base       the processor's block       the thread's (set before)
//! ```
//! `sysret` takes rip from rcx and rflags from r11, so it will do where the saved ones are
//! equal, as after `syscall`. The core has validated both: rip is below `USER_END`, so that
//! `sysret` cannot fault in the kernel. 23 instructions by `sysret`, 26 by `iretq` of a thread
//! that was interrupted.

use core::mem::offset_of;

use kamen_abi::Registers;

use crate::descriptors::{USER_CODE, USER_DATA};
use crate::per_cpu::PerCpu;

/// Loads a thread's registers and lets it run; the next entry saves them there again.
///
/// # Safety
/// The registers hold what user space may have, stay where they are while the thread runs, and
/// nobody refers to them, nor to anything on the kernel stack.
#[inline(always)]
pub(crate) unsafe fn to_user(registers: *mut Registers) -> ! {
    // SAFETY: `leave` does not return; the caller answers for the registers.
    unsafe {
        core::arch::asm!(
            "jmp {leave}",
            leave = sym leave,
            in("rdi") registers,
            options(noreturn)
        )
    }
}

#[unsafe(naked)]
extern "C" fn leave() -> ! {
    core::arch::naked_asm!(
        "mov gs:[{current}], rdi",
        "mov rcx, [rdi + {rip}]",
        "mov r11, [rdi + {rflags}]",
        "cmp rcx, [rdi + {rcx}]",
        "jne 2f",
        "cmp r11, [rdi + {r11}]",
        "jne 2f",
        "mov rax, [rdi + {rax}]",
        "mov rdx, [rdi + {rdx}]",
        "mov rbx, [rdi + {rbx}]",
        "mov rsp, [rdi + {rsp}]",
        "mov rbp, [rdi + {rbp}]",
        "mov rsi, [rdi + {rsi}]",
        "mov r8, [rdi + {r8}]",
        "mov r9, [rdi + {r9}]",
        "mov r10, [rdi + {r10}]",
        "mov r12, [rdi + {r12}]",
        "mov r13, [rdi + {r13}]",
        "mov r14, [rdi + {r14}]",
        "mov r15, [rdi + {r15}]",
        "mov rdi, [rdi + {rdi}]",
        "swapgs",
        "sysretq",
        "2:",
        "push {user_data}",
        "push [rdi + {rsp}]",
        "push r11",
        "push {user_code}",
        "push rcx",
        "mov rax, [rdi + {rax}]",
        "mov rcx, [rdi + {rcx}]",
        "mov rdx, [rdi + {rdx}]",
        "mov rbx, [rdi + {rbx}]",
        "mov rbp, [rdi + {rbp}]",
        "mov rsi, [rdi + {rsi}]",
        "mov r8, [rdi + {r8}]",
        "mov r9, [rdi + {r9}]",
        "mov r10, [rdi + {r10}]",
        "mov r11, [rdi + {r11}]",
        "mov r12, [rdi + {r12}]",
        "mov r13, [rdi + {r13}]",
        "mov r14, [rdi + {r14}]",
        "mov r15, [rdi + {r15}]",
        "mov rdi, [rdi + {rdi}]",
        "swapgs",
        "iretq",
        current = const offset_of!(PerCpu, current),
        user_data = const USER_DATA,
        user_code = const USER_CODE,
        rax = const offset_of!(Registers, rax),
        rcx = const offset_of!(Registers, rcx),
        rdx = const offset_of!(Registers, rdx),
        rbx = const offset_of!(Registers, rbx),
        rsp = const offset_of!(Registers, rsp),
        rbp = const offset_of!(Registers, rbp),
        rsi = const offset_of!(Registers, rsi),
        rdi = const offset_of!(Registers, rdi),
        r8 = const offset_of!(Registers, r8),
        r9 = const offset_of!(Registers, r9),
        r10 = const offset_of!(Registers, r10),
        r11 = const offset_of!(Registers, r11),
        r12 = const offset_of!(Registers, r12),
        r13 = const offset_of!(Registers, r13),
        r14 = const offset_of!(Registers, r14),
        r15 = const offset_of!(Registers, r15),
        rip = const offset_of!(Registers, rip),
        rflags = const offset_of!(Registers, rflags),
    )
}
