//! The machine under the core: an x86-64 processor with its APICs and clocks.
//!
//! It decides nothing. Traps end in [`run`]'s kernel, which acts through [`X86`]:
//!
//! ```text
//!   entry/boot ─> Handoff ─> X86::start ─> Kernel::boot ─> run ─┐        (once)
//!                                                               ▼
//!   user space ─> entry/{system_call,trap} ─> dispatch ─> Kernel::… ─> Kernel::next
//!       ▲                                                               │
//!       └────────────── entry/leave <── registers ──────────────────────┤
//!                       entry/idle  <── nothing to run ─────────────────┘
//! ```
//!
//! This is the kernel's only crate with unsafe code. What it relies on: interrupts are off in
//! the kernel, one processor at a time has its lock, and the core passes only frames it was given
//! at boot.
#![no_std]
#![cfg_attr(
    not(feature = "image"),
    expect(dead_code, reason = "only the boot entry starts other processors")
)]

mod acpi;
mod backtrace;
#[cfg(feature = "image")]
mod boot;
mod clock;
mod control;
mod descriptors;
mod devices;
mod dispatch;
mod entry;
mod epitaph;
mod extended;
mod heap;
mod last_events;
mod lock;
mod machine;
#[cfg(feature = "image")]
mod mem;
mod memory;
mod per_cpu;
mod physical;
#[cfg(feature = "stretch")]
mod stretch;
#[cfg(not(feature = "stretch"))]
#[path = "stretch/none.rs"]
mod stretch;
mod undo;

pub use dispatch::run;
pub use epitaph::{Epitaph, stop};
pub use heap::Heap;
pub use machine::X86;
pub use memory::ranges::Ranges;
pub use physical::{Handoff, Image, LoaderProtocol, Physical};

/// Defines the function `fn(Handoff) -> !` that the boot entry calls.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        #[unsafe(no_mangle)]
        extern "Rust" fn kamen_main(handoff: $crate::Handoff) -> ! {
            $main(handoff)
        }
    };
}
