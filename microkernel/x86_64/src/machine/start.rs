//! From the boot loader's machine to the kernel's: address space, tables, controllers, clock.

use kamen_core::{Frame, MAX_PROCESSORS};

use super::{Own, X86};
use crate::acpi::Routing;
use crate::clock::{Clock, Factor, Rates, SECOND};
use crate::control::{self, Bases, Features};
use crate::devices::io_apic::IoApic;
use crate::devices::lines::{Lines, MAX_CONTROLLERS};
use crate::devices::local_apic::LocalApic;
use crate::devices::mmio::Mmio;
use crate::devices::pic;
use crate::extended::Extended;
use crate::memory::direct::DirectMap;
use crate::memory::kernel_space::KernelSpace;
use crate::memory::paging::Tables;
use crate::memory::{DIRECT_MAP, PAGE};
use crate::per_cpu::{self, Processor, stack_end};
use crate::physical::Handoff;
use crate::stretch::system_call_entry;
use crate::{Heap, Ranges, descriptors, lock};

/// First frame that the boot entry's mapping does not reach.
const REACH: u32 = 1 << 20;
/// What boot panics with; a machine this small cannot run the first task either.
const NO_MEMORY: &str = "not enough memory for the kernel's tables and heap";

impl X86 {
    /// Starts the machine: takes what it needs from the free frames, and gives the processor
    /// the kernel's address space, traps and clock. From here on there is a heap.
    ///
    /// # Panics
    /// Where there is not enough memory.
    pub fn start(
        handoff: Handoff,
        ram: &Ranges,
        root_pointer: Option<u64>,
        free: &mut Ranges,
        heap: &Heap,
    ) -> X86 {
        let features = Features::read();
        control::enable(&features);
        let routing = Routing::read(&handoff, root_pointer);
        // SAFETY: the boot entry's mapping is active and reaches the frames that are taken below;
        // the kernel's own maps all RAM.
        let mut frames = unsafe { DirectMap::new() };
        let space = AddressSpace::build(&mut frames, &handoff, ram, &routing, free);
        space.activate();
        give_memory(heap, ram, free);
        descriptors::fill_gates();
        // SAFETY: this is the only call for the first processor, whose memory is static.
        unsafe { descriptors::load(per_cpu::of(0)) };
        // SAFETY: as above.
        unsafe { set_entry_paths(0) };
        pic::disable();
        let mut apic = LocalApic::enable(space.local_apic());
        let rates = Rates::measure(&mut apic);
        let own = Own {
            number: 0,
            apic: apic.id(),
            current_root: space.root,
            bases: Bases::new(),
            extended: Extended::new(&features),
        };
        let mut machine = X86 {
            frames,
            kernel_root: space.root,
            own,
            parked: [own; MAX_PROCESSORS as usize],
            processors: 1,
            stale: 0,
            clock: Clock::new(handoff.ticks_at_entry, &rates),
            apic,
            timer_ticks_per_nanosecond: Factor::new(rates.timer_hertz, SECOND),
            lines: Lines::new(space.io_apics(&routing), apic, |line| routing.signal(line)),
            occupied: occupied(ram, &routing),
        };
        machine.start_others(&routing, &handoff.start_other, ram);
        machine
    }
}

/// The kernel's address space, and where device registers are mapped in it.
struct AddressSpace {
    root: Frame,
    local_apic: u64,
    io_apics: [Option<u64>; MAX_CONTROLLERS],
}

impl AddressSpace {
    /// Builds it in frames that the boot entry's mapping reaches.
    fn build(
        frames: &mut DirectMap,
        handoff: &Handoff,
        ram: &Ranges,
        routing: &Routing,
        free: &mut Ranges,
    ) -> Self {
        let mut allocate = || free.take(1, REACH).map(Frame);
        let root = allocate().expect(NO_MEMORY);
        frames.zero(root);
        let mut space = KernelSpace { tables: frames, root, allocate: &mut allocate };
        space.map_image(&handoff.image).expect(NO_MEMORY);
        for range in ram.as_slice() {
            let bytes = u64::from(range.start) * PAGE..u64::from(range.end) * PAGE;
            space.map_ram(bytes, &handoff.image).expect(NO_MEMORY);
        }
        let local_apic = space.map_device(0, routing.local_apic).expect(NO_MEMORY);
        let mut slot = 0;
        let io_apics = routing.controllers.map(|controller| {
            slot += 1;
            let (physical, _) = controller?;
            Some(space.map_device(slot, physical).expect(NO_MEMORY))
        });
        for number in 1..routing.processors.iter().flatten().count() {
            let bytes = size_of::<Processor>() as u64;
            space.map_guarded(per_cpu::of(number as u8) as u64, bytes).expect(NO_MEMORY);
        }
        AddressSpace { root, local_apic, io_apics }
    }

    /// Switches to it; what the boot entry had mapped besides is gone.
    fn activate(&self) {
        // SAFETY: it maps the kernel image, with the stack, where the boot entry did, and all
        // RAM; nothing of the low mapping is used from here on.
        unsafe {
            core::arch::asm!("mov cr3, {}", in(reg) u64::from(self.root.0) * PAGE,
                options(nostack, preserves_flags));
        }
    }

    fn local_apic(&self) -> Mmio {
        // SAFETY: mapped by `build`, and active.
        unsafe { Mmio::new(self.local_apic) }
    }

    fn io_apics(&self, routing: &Routing) -> [Option<IoApic>; MAX_CONTROLLERS] {
        core::array::from_fn(|number| {
            let (_, first_line) = routing.controllers[number]?;
            // SAFETY: mapped by `build`, and active.
            let registers = unsafe { Mmio::new(self.io_apics[number]?) };
            Some(IoApic::new(registers, first_line))
        })
    }
}

/// Returns the frames that no driver may have: RAM and the interrupt controllers.
fn occupied(ram: &Ranges, routing: &Routing) -> Ranges {
    let mut occupied = ram.clone();
    let io_apics = routing.controllers.iter().flatten().map(|(address, _)| *address);
    for address in io_apics.chain([routing.local_apic]) {
        // Physical addresses have 52 bits at most (Intel SDM 3A 4.1.4); a frame has 32 here.
        let frame = (address / PAGE) as u32;
        occupied.insert(frame..frame.saturating_add(1));
    }
    occupied
}

/// Gives the heap what the core needs of the free memory.
fn give_memory(heap: &Heap, ram: &Ranges, free: &mut Ranges) {
    let highest = ram.as_slice().last().map_or(0, |highest| highest.end);
    let bytes = kamen_core::heap_bytes(ram.frames() as usize, highest as usize);
    let count = (bytes as u64).div_ceil(PAGE) as u32;
    let first = free.take(count, u32::MAX).expect(NO_MEMORY);
    let address = DIRECT_MAP + u64::from(first) * PAGE;
    // SAFETY: the frames were free and belong to nobody else now; the direct map is active.
    unsafe { heap.init(address as *mut u8, count as usize * PAGE as usize) };
}

/// Tells a processor where system calls go and what the entry paths need.
///
/// # Safety
/// The processor's own memory is mapped for good and nobody else uses it; this is that processor.
pub(super) unsafe fn set_entry_paths(number: u8) {
    let processor = per_cpu::of(number);
    // SAFETY: no entry has happened on this processor yet, so that nobody refers to the block.
    let block = unsafe {
        let block = &raw mut (*processor).block;
        (*block).stack = stack_end(processor) - 8;
        (*block).lock = lock::word(number);
        block
    };
    let entry = system_call_entry as *const () as u64;
    control::set_entry(descriptors::STAR, entry, block as u64);
}
