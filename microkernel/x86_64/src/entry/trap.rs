//! Into the kernel by exception or interrupt, through one stub per vector.
//!
//! The stubs make the stacks of all exceptions look alike: vector, error code (0 where the
//! processor pushes none), then the processor's frame: rip, cs, rflags, rsp, ss. Interrupts have no
//! error code.
//!
//! ```text
//!   from                         saved in the current `Registers`   goes to
//!   user space, vector < 32      all                                on_exception
//!   user space, vector >= 32     all                                on_interrupt
//!   idle, vector >= 32           nothing: it has no state           on_interrupt
//!   kernel, vector < 32          nothing                            on_kernel_trap
//!   anywhere, vectors 2, 8, 18   nothing                            on_kernel_trap, own stacks
//!
//!                 at `on_exception`       at `on_interrupt`
//!   rdi           vector                  vector
//!   rsi           error code              user rip; 0 from idle
//!   rdx           user rip                undefined, as all others
//!   rsp           kernel stack, as if called
//!   gs base       the processor's block
//!   flags         all clear: IF and TF by the gate, DF and AC by popfq
//! ```

use core::mem::offset_of;

use kamen_abi::Registers;
use kamen_core::Thread;

use crate::dispatch::{on_exception, on_interrupt, on_kernel_trap};
use crate::per_cpu::PerCpu;
use crate::stretch;

/// Bytes of a stub.
const STUB: usize = 16;

/// Returns the address of a vector's stub.
pub(crate) fn stub(vector: usize) -> u64 {
    (stubs as *const () as usize + vector * STUB) as u64
}

/// A stub per vector, 16 bytes each. Vectors with error code: Intel SDM 3A table 6-1.
#[unsafe(naked)]
extern "C" fn stubs() -> ! {
    core::arch::naked_asm!(
        ".set vector, 0",
        ".rept 256",
        ".balign {size}",
        ".if vector < 32 && vector != 8 && (vector < 10 || vector > 14) && vector != 17 && vector != 21 && vector != 29 && vector != 30",
        "pushq $0",
        ".endif",
        "pushq $vector",
        ".if vector == 2 || vector == 8 || vector == 18",
        "jmp {fatal}",
        ".elseif vector < 32",
        "jmp {exception}",
        ".else",
        "jmp {interrupt}",
        ".endif",
        ".set vector, vector + 1",
        ".endr",
        size = const STUB,
        fatal = sym kernel_trap,
        exception = sym stretch::exception,
        interrupt = sym stretch::interrupt,
        options(att_syntax)
    )
}

/// Saves all registers but those in the processor's frame; rax is the current thread then.
macro_rules! save_registers {
    () => {
        "push rax
        mov rax, gs:[{current}]
        mov byte ptr [rax + {is_interrupted}], 1
        mov [rax + {rcx}], rcx
        mov [rax + {rdx}], rdx
        mov [rax + {rbx}], rbx
        mov [rax + {rbp}], rbp
        mov [rax + {rsi}], rsi
        mov [rax + {rdi}], rdi
        mov [rax + {r8}], r8
        mov [rax + {r9}], r9
        mov [rax + {r10}], r10
        mov [rax + {r11}], r11
        mov [rax + {r12}], r12
        mov [rax + {r13}], r13
        mov [rax + {r14}], r14
        mov [rax + {r15}], r15
        pop [rax + {rax}]"
    };
}

/// Saves the rest of the frame, of which rip and cs are popped; makes the flags the kernel's.
macro_rules! save_frame {
    () => {
        "pop [rax + {rflags}]
        pop [rax + {rsp}]
        push 2
        popfq"
    };
}

/// Where the stubs of interrupts go.
#[unsafe(naked)]
pub(crate) extern "C" fn interrupt() -> ! {
    core::arch::naked_asm!(
        "test byte ptr [rsp + 16], 3",
        "jz 2f",
        "swapgs",
        save_registers!(),
        "pop rdi",
        "pop rsi",
        "mov [rax + {rip}], rsi",
        "pop rcx",
        save_frame!(),
        "jmp {on_interrupt}",
        "2:",
        "mov rdi, [rsp]",
        "xor esi, esi",
        "mov rsp, gs:[{stack}]",
        "jmp {on_interrupt}",
        current = const offset_of!(PerCpu, current),
        is_interrupted = const offset_of!(Thread, is_interrupted),
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
        on_interrupt = sym on_interrupt,
    )
}

/// Where the stubs of exceptions go.
#[unsafe(naked)]
pub(crate) extern "C" fn exception() -> ! {
    core::arch::naked_asm!(
        "test byte ptr [rsp + 24], 3",
        "jz {kernel_trap}",
        "swapgs",
        save_registers!(),
        "pop rdi",
        "pop rsi",
        "pop rdx",
        "mov [rax + {rip}], rdx",
        "pop rcx",
        save_frame!(),
        "jmp {on_exception}",
        current = const offset_of!(PerCpu, current),
        is_interrupted = const offset_of!(Thread, is_interrupted),
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
        on_exception = sym on_exception,
        kernel_trap = sym kernel_trap,
    )
}

/// An exception inside the kernel, or one that ends it wherever it happens.
#[unsafe(naked)]
extern "C" fn kernel_trap() -> ! {
    core::arch::naked_asm!(
        "mov rdi, [rsp]",
        "mov rsi, [rsp + 8]",
        "lea rdx, [rsp + 16]",
        "and rsp, -16",
        "call {handler}",
        handler = sym on_kernel_trap,
    )
}
