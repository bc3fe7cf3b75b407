//! The code between a program and its signal handlers: it keeps the extended state.
//!
//! A handler may use the FPU, SSE and AVX registers of the function that it interrupts. This
//! server cannot reach them, but the program can: every process has a page of code (one memory
//! object for all) through which handlers are entered and left.
//!
//! ```text
//!   enter: r14 handler, r15 state area    leave: rsp at the ucontext (the handler has returned)
//!     mov r13, rdx                          mov r15, [rsp + 224]     ; uc_mcontext.fpstate
//!     mov eax, 1                            test r15, r15
//!     cpuid                                 jz 2
//!     bt ecx, 27      ; OSXSAVE             (cpuid, bt as on the left; jnc 1)
//!     jnc 1                                 mov eax, 7
//!     mov eax, 7      ; x87, SSE, AVX       xor edx, edx
//!     xor edx, edx                          xrstor64 [r15]
//!     xsave64 [r15]                         jmp 2
//!     jmp 2                               1:fxrstor64 [r15]
//!   1:fxsave64 [r15]                      2:mov eax, 15              ; rt_sigreturn
//!   2:mov rdx, r13                          syscall
//!     xor eax, eax
//!     jmp r14
//! ```
//! All registers that it changes are in the frame already. Intel SDM 1 13.4 (XSAVE area), 2D.

use crate::exec::vdso::SIGNALS_AT;

/// Where the page is.
pub const AT: u64 = SIGNALS_AT;
/// Address of "enter".
pub const ENTER: u64 = AT;
/// Address of "leave".
pub const LEAVE: u64 = AT + LEAVE_OFFSET as u64;

/// Bytes of the state area: FXSAVE's 512, the header's 64, AVX's 256.
pub const STATE_BYTES: usize = 832;
/// Alignment of the state area.
pub const STATE_ALIGN: u64 = 64;

const LEAVE_OFFSET: usize = 64;

const ENTER_CODE: &[u8] = &[
    0x49, 0x89, 0xd5, // mov r13, rdx
    0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1
    0x0f, 0xa2, // cpuid
    0x0f, 0xba, 0xe1, 0x1b, // bt ecx, 27
    0x73, 0x0d, // jnc 1
    0xb8, 0x07, 0x00, 0x00, 0x00, // mov eax, 7
    0x31, 0xd2, // xor edx, edx
    0x49, 0x0f, 0xae, 0x27, // xsave64 [r15]
    0xeb, 0x04, // jmp 2
    0x49, 0x0f, 0xae, 0x07, // 1: fxsave64 [r15]
    0x4c, 0x89, 0xea, // 2: mov rdx, r13
    0x31, 0xc0, // xor eax, eax
    0x41, 0xff, 0xe6, // jmp r14
];

const LEAVE_CODE: &[u8] = &[
    0x4c, 0x8b, 0xbc, 0x24, 0xe0, 0x00, 0x00, 0x00, // mov r15, [rsp + 224]
    0x4d, 0x85, 0xff, // test r15, r15
    0x74, 0x1e, // jz 2
    0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1
    0x0f, 0xa2, // cpuid
    0x0f, 0xba, 0xe1, 0x1b, // bt ecx, 27
    0x73, 0x0d, // jnc 1
    0xb8, 0x07, 0x00, 0x00, 0x00, // mov eax, 7
    0x31, 0xd2, // xor edx, edx
    0x49, 0x0f, 0xae, 0x2f, // xrstor64 [r15]
    0xeb, 0x04, // jmp 2
    0x49, 0x0f, 0xae, 0x0f, // 1: fxrstor64 [r15]
    0xb8, 0x0f, 0x00, 0x00, 0x00, // 2: mov eax, 15
    0x0f, 0x05, // syscall
];

const _: () = assert!(ENTER_CODE.len() <= LEAVE_OFFSET);

/// Returns the page's code and the offset of each part.
pub fn parts() -> [(u64, &'static [u8]); 2] {
    [(0, ENTER_CODE), (LEAVE_OFFSET as u64, LEAVE_CODE)]
}
