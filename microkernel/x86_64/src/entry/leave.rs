//! From the kernel to user space: by `sysret` where it loads the same, else by `iretq`.
//!
//! ```text
//!                 to_user         with_message                       in user space
//!   rax           undefined       undefined                          as saved; 0
//!   rdi rsi rdx   the thread, -   words 0 to 2                       as saved; the same
//!   rcx r8 r9     undefined       words 3 to 5                       as saved; in r10, r8, r9
//!   r12 r13 r14   undefined       open call, tag, badge              as saved; the same
//!   r11           undefined       the thread                         rflags, or as saved
//!   others        undefined       undefined                          as saved
//!   gs base       the processor's block                              the thread's (set before)
//! ```
//! `sysret` takes rip from rcx and rflags from r11, so it will do where these are equal, as after
//! `syscall` (`kamen_core::Thread::is_interrupted`). The core has validated both: rip is below
//! `USER_END`, so that `sysret` cannot fault in the kernel. 22 instructions by `sysret`, 12 with a
//! message, 28 by `iretq` of a thread that was interrupted.
//!
//! The kernel's lock is free from the second instruction on. Whoever wants to change the thread's
//! registers then makes this processor enter the kernel first; it does so once it is in user space.

use core::mem::offset_of;

use kamen_abi::{Registers, WORDS};
use kamen_core::{Passage, Thread};

use crate::descriptors::{USER_CODE, USER_DATA};
use crate::lock::LOCK;
use crate::per_cpu::PerCpu;
use crate::stretch;

/// Loads a thread's registers and lets it run; the next entry saves them there again.
///
/// # Safety
/// The registers hold what user space may have, the thread stays where it is while it runs, and
/// nobody refers to it, nor to anything on the kernel stack.
#[inline(always)]
pub(crate) unsafe fn to_user(thread: *mut Thread) -> ! {
    stretch::end();
    // SAFETY: `leave` does not return; the caller answers for the thread.
    unsafe {
        core::arch::asm!("jmp {leave}", leave = sym leave, in("rdi") thread, options(noreturn))
    }
}

/// Lets a message arrive at its receiver, which was waiting in a system call, and lets it run.
///
/// # Safety
/// As for [`to_user`].
#[inline(always)]
pub(crate) unsafe fn with_message(passage: Passage<'_>, words: [u64; WORDS]) -> ! {
    let Passage { thread, target, tag, badge, is_loaded: _ } = passage;
    let [w0, w1, w2, w3, w4, w5] = words;
    stretch::end();
    // SAFETY: as in `to_user`.
    unsafe {
        core::arch::asm!(
            "jmp {arrive}",
            arrive = sym arrive,
            in("r11") core::ptr::from_mut(thread),
            in("r12") target,
            in("r13") tag.0,
            in("r14") badge,
            in("rdi") w0,
            in("rsi") w1,
            in("rdx") w2,
            in("rcx") w3,
            in("r8") w4,
            in("r9") w5,
            options(noreturn)
        )
    }
}

#[unsafe(naked)]
extern "C" fn arrive() -> ! {
    core::arch::naked_asm!(
        "mov gs:[{current}], r11",
        "mov byte ptr [{lock}], 0",
        "mov r10, rcx",
        "mov rcx, [r11 + {rip}]",
        "mov rbx, [r11 + {rbx}]",
        "mov rsp, [r11 + {rsp}]",
        "mov rbp, [r11 + {rbp}]",
        "mov r15, [r11 + {r15}]",
        "mov r11, [r11 + {rflags}]",
        "xor eax, eax",
        "swapgs",
        "sysretq",
        current = const offset_of!(PerCpu, current),
        lock = sym LOCK,
        rbx = const offset_of!(Registers, rbx),
        rsp = const offset_of!(Registers, rsp),
        rbp = const offset_of!(Registers, rbp),
        r15 = const offset_of!(Registers, r15),
        rip = const offset_of!(Registers, rip),
        rflags = const offset_of!(Registers, rflags),
    )
}

#[unsafe(naked)]
extern "C" fn leave() -> ! {
    core::arch::naked_asm!(
        "mov gs:[{current}], rdi",
        "mov byte ptr [{lock}], 0",
        "mov rcx, [rdi + {rip}]",
        "cmp byte ptr [rdi + {is_interrupted}], 0",
        "mov r11, [rdi + {rflags}]",
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
        "mov byte ptr [rdi + {is_interrupted}], 0",
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
        is_interrupted = const offset_of!(Thread, is_interrupted),
        lock = sym LOCK,
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
