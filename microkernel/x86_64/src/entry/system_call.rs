//! From user space into the kernel by `syscall`.
//!
//! ```text
//!                 on entry                      at `on_system_call`
//!   rax..r15      user space's                  undefined; saved in the current `Registers`
//!   rcx           user rip                      saved as rip and as rcx
//!   r11           user rflags                   saved as rflags and as r11
//!   rsp           user space's                  kernel stack, as if called
//!   gs base       user space's                  the processor's block
//!   flags         IF TF DF NT AC clear (FMASK)  the same
//! ```
//! 24 instructions.

use core::mem::offset_of;

use kamen_abi::Registers;

use crate::dispatch::on_system_call;
use crate::per_cpu::PerCpu;

/// Where `syscall` goes (IA32_LSTAR).
#[unsafe(naked)]
pub(crate) extern "C" fn system_call_entry() -> ! {
    core::arch::naked_asm!(
        "swapgs",
        "mov gs:[{scratch}], rsp",
        "mov rsp, gs:[{current}]",
        "mov [rsp + {rcx}], rcx",
        "mov [rsp + {rip}], rcx",
        "mov [rsp + {r11}], r11",
        "mov [rsp + {rflags}], r11",
        "mov rcx, gs:[{scratch}]",
        "mov [rsp + {rsp}], rcx",
        "mov [rsp + {rax}], rax",
        "mov [rsp + {rdx}], rdx",
        "mov [rsp + {rbx}], rbx",
        "mov [rsp + {rbp}], rbp",
        "mov [rsp + {rsi}], rsi",
        "mov [rsp + {rdi}], rdi",
        "mov [rsp + {r8}], r8",
        "mov [rsp + {r9}], r9",
        "mov [rsp + {r10}], r10",
        "mov [rsp + {r12}], r12",
        "mov [rsp + {r13}], r13",
        "mov [rsp + {r14}], r14",
        "mov [rsp + {r15}], r15",
        "mov rsp, gs:[{stack}]",
        "jmp {handler}",
        scratch = const offset_of!(PerCpu, scratch),
        current = const offset_of!(PerCpu, current),
        stack = const offset_of!(PerCpu, stack),
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
        handler = sym on_system_call,
    )
}
