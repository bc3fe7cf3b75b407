//! What the bootable image reads before it runs: boot information, boot package, first task.
//!
//! ```text
//!   Handoff ─> plan ─┬─ pvh | multiboot2   memory map, boot package, ACPI pointer
//!                    ├─ package            first task and archive in the boot package
//!                    └─ first_task         segments to load
//! ```
//! All of it is pure over a view of physical memory and tested on the host; `main.rs` hands the
//! result to the machine and the core.
#![no_std]
#![deny(unsafe_code)]

mod error;
mod first_task;
mod memory_map;
mod multiboot2;
mod package;
mod plan;
mod pvh;

pub use error::BootError;
pub use first_task::{FirstTask, MAX_SEGMENTS};
pub use memory_map::{BootData, MemoryMap};
pub use package::Package;
pub use plan::Plan;
