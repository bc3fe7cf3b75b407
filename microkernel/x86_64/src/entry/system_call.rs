//! From user space into the kernel by `syscall`: who gets it, and what must be saved.
//!
//! ```text
//!   thread, operation              saved                     goes to
//!   native: Call, ReplyReceive     all                       on_call, on_reply_receive
//!   native: Send, Receive, Reply   all                       on_other
//!   native: any other              what a function changes   on_quick, with the lock; back by
//!                                                            sysret if that sufficed
//!                                  then all                  proceed, if another thread goes on
//!                                                            now; on_native, if nothing was done;
//!                                                            contend_native, without the lock
//!   foreign                        all                       on_foreign
//!   branching, from its entry      as for native             as for native
//!   branching, from elsewhere      nothing                   the in-process entry, by iretq
//!
//!                 on entry                      at the functions       at the in-process entry
//!   rax           number                        undefined              as it was
//!   rdi rsi rdx   words 0 to 2                  the same (*)           as they were
//!   r10 r8 r9     words 3 to 5                  in rcx, r8, r9 (*)     as they were
//!   rcx           user rip                      saved as rip           as it was
//!   r11           user rflags                   saved as rflags        the thread's block
//!   rsp           user space's                  kernel stack           as it was
//!   gs base       user space's                  the processor's block  user space's
//!   flags         IF TF DF NT AC clear (FMASK)  the same               user space's
//!
//!   (*) on_quick: number, target, word 0, deadline in rdi, rsi, rdx, rcx; it returns status and
//!       word 0 in rax and rdx, or a status with bit 63 set: -1 for "nothing was done"
//! ```
//! The time of a foreign thread's call is read here, where registers are free for it.
//! rcx and r11 of user space are its rip and rflags, and are not saved twice (see
//! `kamen_core::Thread::is_interrupted`, which is false between a return to user space and the
//! next trap).

use core::mem::offset_of;

use kamen_abi::{Operation, Registers};
use kamen_core::{Calls, Entry, Thread};

use crate::descriptors::{USER_CODE, USER_DATA};
use crate::dispatch::{
    contend_native, on_call, on_foreign, on_native, on_other, on_quick, on_reply_receive, proceed,
};
use crate::lock::LOCK;
use crate::per_cpu::PerCpu;

/// Saves rip, flags and stack pointer of user space, and the words; rsp is the current thread.
macro_rules! save_words {
    () => {
        "mov [rsp + {rip}], rcx
        mov [rsp + {rflags}], r11
        mov rcx, gs:[{scratch}]
        mov [rsp + {rsp}], rcx
        mov [rsp + {rdi}], rdi
        mov [rsp + {rsi}], rsi
        mov [rsp + {rdx}], rdx
        mov [rsp + {r10}], r10
        mov [rsp + {r8}], r8
        mov [rsp + {r9}], r9"
    };
}

/// Saves all other registers but rax, and switches to the kernel stack.
macro_rules! save_kept {
    () => {
        "mov [rsp + {rbx}], rbx
        mov [rsp + {rbp}], rbp
        mov [rsp + {r12}], r12
        mov [rsp + {r13}], r13
        mov [rsp + {r14}], r14
        mov [rsp + {r15}], r15
        mov rsp, gs:[{stack}]"
    };
}

/// Where `syscall` goes (IA32_LSTAR).
#[unsafe(naked)]
pub(crate) extern "C" fn system_call_entry() -> ! {
    core::arch::naked_asm!(
        "swapgs",
        "mov gs:[{scratch}], rsp",
        "mov rsp, gs:[{current}]",
        "cmp byte ptr [rsp + {calls}], {native}",
        "jne 6f",
        "2:",
        save_words!(),
        "cmp rax, {reply_receive}",
        "je 4f",
        "ja 5f",
        "cmp rax, {call}",
        "jb 5f",
        "jne 3f",
        "mov [rsp + {rax}], rax",
        save_kept!(),
        "mov rcx, r10",
        "jmp {on_call}",
        "3:",
        "mov [rsp + {rax}], rax",
        save_kept!(),
        "jmp {on_other}",
        "4:",
        "mov [rsp + {rax}], rax",
        save_kept!(),
        "mov rcx, r10",
        "jmp {on_reply_receive}",

        "5:",
        "mov [rsp + {rax}], rax",
        "mov rdx, rdi",
        "mov rdi, rax",
        "mov eax, gs:[{lock_word}]",
        "lea ecx, [rax + 1]",
        "lock cmpxchg dword ptr [{lock}], ecx",
        "jne 12f",
        "mov rsp, gs:[{stack}]",
        "mov rsi, r12",
        "mov rcx, r14",
        "call {on_quick}",
        "mov r11, gs:[{current}]",
        "test rax, rax",
        "js 7f",
        "mov rdi, rdx",
        "mov rsi, [r11 + {rsi}]",
        "mov rdx, [r11 + {rdx}]",
        "mov r10, [r11 + {r10}]",
        "mov r8, [r11 + {r8}]",
        "mov r9, [r11 + {r9}]",
        "mov rcx, [r11 + {rip}]",
        "mov rsp, [r11 + {rsp}]",
        "mov r11, [r11 + {rflags}]",
        "mov byte ptr [{lock}], 0",
        "swapgs",
        "sysretq",
        "7:",
        "mov rsp, r11",
        save_kept!(),
        "inc rax",
        "jz {on_native}",
        "jmp {proceed}",
        "12:",
        save_kept!(),
        "jmp {contend_native}",

        "6:",
        "cmp byte ptr [rsp + {calls}], {foreign}",
        "jne 8f",
        save_words!(),
        "mov [rsp + {rax}], rax",
        "rdtsc",
        "shl rdx, 32",
        "or rax, rdx",
        "mov gs:[{entered}], rax",
        "mov rdx, [rsp + {rdx}]",
        save_kept!(),
        "mov rcx, r10",
        "jmp {on_foreign}",

        "8:",
        "cmp rcx, [rsp + {start}]",
        "jbe 9f",
        "cmp rcx, [rsp + {end}]",
        "jbe 2b",
        "9:",
        "mov rsp, gs:[{stack}]",
        "push {user_data}",
        "push gs:[{scratch}]",
        "push r11",
        "push {user_code}",
        "mov r11, gs:[{current}]",
        "push [r11 + {start}]",
        "mov r11, [r11 + {block}]",
        "swapgs",
        "iretq",
        scratch = const offset_of!(PerCpu, scratch),
        current = const offset_of!(PerCpu, current),
        stack = const offset_of!(PerCpu, stack),
        entered = const offset_of!(PerCpu, entered),
        lock_word = const offset_of!(PerCpu, lock),
        lock = sym LOCK,
        calls = const offset_of!(Thread, calls),
        native = const Calls::Native as u8,
        foreign = const Calls::Foreign as u8,
        start = const offset_of!(Thread, entry) + offset_of!(Entry, start),
        end = const offset_of!(Thread, entry) + offset_of!(Entry, end),
        block = const offset_of!(Thread, entry) + offset_of!(Entry, block),
        call = const Operation::Call as u8,
        reply_receive = const Operation::ReplyReceive as u8,
        user_data = const USER_DATA,
        user_code = const USER_CODE,
        rax = const offset_of!(Registers, rax),
        rdx = const offset_of!(Registers, rdx),
        rbx = const offset_of!(Registers, rbx),
        rsp = const offset_of!(Registers, rsp),
        rbp = const offset_of!(Registers, rbp),
        rsi = const offset_of!(Registers, rsi),
        rdi = const offset_of!(Registers, rdi),
        r8 = const offset_of!(Registers, r8),
        r9 = const offset_of!(Registers, r9),
        r10 = const offset_of!(Registers, r10),
        r12 = const offset_of!(Registers, r12),
        r13 = const offset_of!(Registers, r13),
        r14 = const offset_of!(Registers, r14),
        r15 = const offset_of!(Registers, r15),
        rip = const offset_of!(Registers, rip),
        rflags = const offset_of!(Registers, rflags),
        on_call = sym on_call,
        on_reply_receive = sym on_reply_receive,
        on_native = sym on_native,
        on_other = sym on_other,
        contend_native = sym contend_native,
        on_foreign = sym on_foreign,
        on_quick = sym on_quick,
        proceed = sym proceed,
    )
}

const _: () = assert!(offset_of!(Thread, registers) == 0);
/// The order that the comparisons above count on.
const _: () = assert!(Operation::Null as u8 == 0 && Operation::Call as u8 == 1);
const _: () = assert!((Operation::Reply as u8) < Operation::ReplyReceive as u8);
