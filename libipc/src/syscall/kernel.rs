//! The `syscall` instruction.
//!
//! ```text
//!   register               in                        out
//!   rax                    operation                 status
//!   r12                    target                    open call or handle
//!   r13 r14 r15            tag deadline second       tag badge -        (messages only)
//!   rdi rsi rdx r10 r8 r9  words                     words
//!   rcx r11                                          destroyed
//! ```
//!
//! Safety of the operations themselves: the kernel writes only to the message page (reached only
//! through `page`), to memory that a copy or lease names (made only from exclusive slices that
//! outlive the call) and to mappings that no Rust object lies in.
#![expect(unsafe_code, reason = "the system-call instruction")]

use core::arch::asm;

use kamen_abi::{Operation, Tag, WORDS};

use super::{Inbound, Outbound};

/// Executes an operation that uses all message registers.
#[inline(always)]
pub(crate) fn message(operation: Operation, outbound: Outbound) -> (u64, Inbound) {
    let Outbound { target, tag, deadline, second, words: [w0, w1, w2, w3, w4, w5] } = outbound;
    let (mut status, mut target, mut tag, mut badge) =
        (operation as u64, target, tag.0, deadline.0);
    let [mut r0, mut r1, mut r2, mut r3, mut r4, mut r5] = [w0, w1, w2, w3, w4, w5];
    // SAFETY: the registers are those of the table above; the stack and all other registers are
    // unchanged; the memory that the kernel touches is discussed in the file's head.
    unsafe {
        asm!(
            "syscall",
            inout("rax") status,
            inout("r12") target,
            inout("r13") tag,
            inout("r14") badge,
            in("r15") u64::from(second.0),
            inout("rdi") r0,
            inout("rsi") r1,
            inout("rdx") r2,
            inout("r10") r3,
            inout("r8") r4,
            inout("r9") r5,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    (status, Inbound { target, tag: Tag(tag), badge, words: [r0, r1, r2, r3, r4, r5] })
}

/// Executes an operation that uses only target and words; returns status, `r12` and words.
#[inline(always)]
pub(crate) fn operate(
    operation: Operation,
    target: u64,
    words: [u64; WORDS],
) -> (u64, u64, [u64; WORDS]) {
    let (mut status, mut target) = (operation as u64, target);
    let [mut r0, mut r1, mut r2, mut r3, mut r4, mut r5] = words;
    // SAFETY: as in `message`; these operations leave r13 to r15 unchanged.
    unsafe {
        asm!(
            "syscall",
            inout("rax") status,
            inout("r12") target,
            inout("rdi") r0,
            inout("rsi") r1,
            inout("rdx") r2,
            inout("r10") r3,
            inout("r8") r4,
            inout("r9") r5,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    (status, target, [r0, r1, r2, r3, r4, r5])
}
