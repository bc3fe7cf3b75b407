//! From the boot loader to Rust: headers, 32-bit entry, long mode.
//!
//! ```text
//!                 PVH (`entry_pvh`)         multiboot2 (`entry_multiboot2`)
//!   mode          32-bit, paging off        32-bit, paging off
//!   eax           undefined                 0x36d76289
//!   ebx           hvm_start_info            multiboot2 information
//!
//!                 at `boot_main`
//!   edi           1                         2 (0: eax was wrong)
//!   esi           ebx                       ebx
//!   mapped        the first 4 GiB at 0, at the direct map, and at the kernel's base (1 GiB)
//! ```
//! Another processor begins in real mode with a copy of `start_other`, in a page below 1 MiB, and
//! takes the same way up to `others::arrive`.
//! Sources: Xen's `pvh.markdown`; the Multiboot2 specification 3.1 to 3.3; Intel SDM 3A 9.8.5.

use crate::machine::others;
use crate::per_cpu::{self, FIRST};
use crate::physical::{Handoff, Image, LoaderProtocol};

core::arch::global_asm!(include_str!("boot.s"),
    stack = sym FIRST, stack_bytes = const size_of::<per_cpu::Stack>(), main = sym boot_main,
    other = sym others::arrive,
    options(att_syntax));

unsafe extern "Rust" {
    /// The kernel's main function, defined by the [`entry!`](crate::entry) macro.
    safe fn kamen_main(handoff: Handoff) -> !;
}

unsafe extern "C" {
    // From the linker script.
    static image_start: u8;
    static text_start: u8;
    static constants_start: u8;
    static data_start: u8;
    static image_end: u8;
    // From the boot code: the time-stamp counter at its first instruction.
    static boot_ticks: u64;
    // From the boot code: what other processors begin with.
    static start_other: u8;
    static start_other_end: u8;
}

/// Continues the boot entry on the kernel stack.
extern "C" fn boot_main(loader: u32, info: u32) -> ! {
    let protocol = match loader {
        1 => Some(LoaderProtocol::Pvh),
        2 => Some(LoaderProtocol::Multiboot2),
        _ => None,
    };
    // SAFETY: the boot code wrote it and nobody will; it is mapped at its low address.
    let ticks_at_entry = unsafe { (&raw const boot_ticks).read() };
    kamen_main(Handoff {
        protocol,
        info: u64::from(info),
        image: image(),
        start_other: &raw const start_other as u64..&raw const start_other_end as u64,
        ticks_at_entry,
    })
}

fn image() -> Image {
    let physical = |symbol: *const u8| symbol as u64 - crate::memory::KERNEL_BASE;
    let start = &raw const image_start as u64;
    let text = physical(&raw const text_start);
    let constants = physical(&raw const constants_start);
    let data = physical(&raw const data_start);
    let end = physical(&raw const image_end);
    Image {
        whole: start..end,
        text: text..constants,
        constants: constants..data,
        data: data..end,
        guard: physical(FIRST.as_ptr().cast()),
    }
}
