//! The general registers of a thread, as saved at its last entry into the kernel.

use crate::WORDS;

/// All of a thread's registers but the extended (FPU, SSE, AVX) state.
///
/// The layout is what the trap entry stores and what register access copies through the message
/// page; the order is the one of the instruction encoding (Intel SDM 2A 2.1), then the rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
#[expect(missing_docs, reason = "the names are the processor's")]
pub struct Registers {
    pub rax: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rbx: u64,
    pub rsp: u64,
    pub rbp: u64,
    pub rsi: u64,
    pub rdi: u64,
    pub r8: u64,
    pub r9: u64,
    pub r10: u64,
    pub r11: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    pub rip: u64,
    pub rflags: u64,
    pub fs_base: u64,
    pub gs_base: u64,
}

impl Registers {
    /// Bytes of the structure in the message page.
    pub const BYTES: usize = size_of::<Registers>();

    /// Flags that user space may set itself: CF PF AF ZF SF TF DF OF RF AC ID (Intel SDM 1 3.4.3).
    pub const USER_FLAGS: u64 = 0x0025_0dd5 & !0x0200;
    /// Flags that are always set in user space: bit 1 and IF.
    pub const FIXED_FLAGS: u64 = 0x0202;

    /// Returns the six message words.
    #[inline(always)]
    pub const fn words(&self) -> [u64; WORDS] {
        [self.rdi, self.rsi, self.rdx, self.r10, self.r8, self.r9]
    }

    /// Sets the six message words.
    #[inline(always)]
    pub const fn set_words(&mut self, words: [u64; WORDS]) {
        [self.rdi, self.rsi, self.rdx, self.r10, self.r8, self.r9] = words;
    }

    /// Returns the registers with flags and addresses forced to what user space may have, or
    /// nothing where an address is not in the user half.
    pub const fn validated(mut self) -> Option<Self> {
        let end = crate::USER_END as u64;
        if self.rip >= end || self.fs_base >= end || self.gs_base >= end {
            return None;
        }
        self.rflags = self.rflags & Self::USER_FLAGS | Self::FIXED_FLAGS;
        Some(self)
    }
}
