//! The bootable kernel: reads what the loader left and runs the first task.
#![no_std]
#![no_main]

#[cfg(feature = "forced-end")]
mod forced;
#[cfg(not(feature = "forced-end"))]
#[path = "forced/none.rs"]
mod forced;
mod panic;

use kamen_core::{BootInfo, Kernel};
use kamen_kernel::Plan;
use kamen_machine::{Handoff, Heap, X86};

kamen_machine::entry!(main);

#[global_allocator]
static HEAP: Heap = Heap::new();

fn main(handoff: Handoff) -> ! {
    let plan = Plan::read(&handoff, handoff.protocol(), handoff.info(), handoff.image());
    let mut plan = plan.unwrap_or_else(|error| panic!("{error}"));
    let machine = X86::start(handoff, &plan.ram, plan.acpi, &mut plan.free, &HEAP);
    forced::end(&machine);
    let info = BootInfo {
        ram_pages: plan.ram.frames() as usize,
        free: plan.free.as_slice(),
        archive: plan.archive,
        archive_len: plan.archive_len,
        segments: plan.first_task.segments(),
        entry: plan.first_task.entry,
    };
    let kernel = Kernel::boot(machine, &info);
    let kernel = kernel.unwrap_or_else(|error| panic!("the first task does not fit: {error:?}"));
    kamen_machine::run(kernel)
}
