//! Other processors: started one by one, asked things, waited for.

use core::hint::spin_loop;
use core::ops::Range;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use kamen_core::{Frame, MAX_PROCESSORS};

use super::{Own, X86, start};
use crate::acpi::Routing;
use crate::control::{self, Features};
use crate::devices::local_apic::LocalApic;
use crate::devices::mmio::Mmio;
use crate::devices::vectors;
use crate::dispatch::run_other;
use crate::epitaph;
use crate::extended::Extended;
use crate::lock::{self, Ask};
use crate::memory::{DEVICES, PAGE};
use crate::{Ranges, descriptors, per_cpu};

/// Frames in which a processor can begin: it starts in real mode.
const LOW: u32 = 0x9f;
/// Nanoseconds between reset and start-up (Intel SDM 3A 9.4.4.1).
const RESET_NS: u64 = 10_000_000;
/// Nanoseconds that a processor has to arrive in the kernel.
const ARRIVAL_NS: u64 = 200_000_000;

/// Number of the processor that is being started. Who takes it goes on; who finds 0 is too late.
static TICKET: AtomicU32 = AtomicU32::new(0);
/// Where its stack ends.
static STACK: AtomicU64 = AtomicU64::new(0);
/// Physical address of the kernel's root table.
static ROOT: AtomicU64 = AtomicU64::new(0);
/// Number of the processor that has arrived last.
static ARRIVED: AtomicU32 = AtomicU32::new(0);

impl X86 {
    /// Starts the processors that the firmware has named; those that do not come are left out.
    /// `code` is the physical address of what they begin with, `ram` all RAM.
    pub(super) fn start_others(&mut self, routing: &Routing, code: &Range<u64>, ram: &Ranges) {
        let Some(page) = ram.clone().take(1, LOW).filter(|page| *page > 0) else { return };
        let own = self.own.apic;
        let others = routing.processors.iter().flatten().filter(|apic| **apic != own);
        let from = (Frame((code.start / PAGE) as u32), (code.start % PAGE) as usize);
        self.frames.copy(from, (Frame(page), 0), (code.end - code.start) as usize);
        ROOT.store(u64::from(self.kernel_root.0) * PAGE, Ordering::Relaxed);
        for &apic in others {
            if self.processors < MAX_PROCESSORS {
                self.start_other(apic, page as u8);
            }
        }
    }

    fn start_other(&mut self, apic: u8, page: u8) {
        let number = self.processors;
        STACK.store(per_cpu::stack_end(per_cpu::of(number)), Ordering::Relaxed);
        TICKET.store(number.into(), Ordering::Release);
        self.apic.reset(apic);
        self.wait(RESET_NS, || false);
        self.apic.start_up(apic, page);
        let arrived = || ARRIVED.load(Ordering::Acquire) == number.into();
        // One whose ticket is gone has arrived, if late, and its stack is in use.
        if self.wait(ARRIVAL_NS, arrived) || TICKET.swap(0, Ordering::AcqRel) == 0 {
            while !arrived() {
                spin_loop();
            }
            self.parked[usize::from(number)] =
                Own { number, apic, current_root: self.kernel_root, ..self.own };
            self.processors += 1;
        } else {
            let text = format_args!("the processor with APIC {apic} does not start");
            epitaph::line(epitaph::Level::Warn, text);
        }
    }

    /// Waits until something has happened, or for that long; returns whether it has.
    fn wait(&self, nanoseconds: u64, happened: impl Fn() -> bool) -> bool {
        let end = self.clock.now() + nanoseconds;
        while self.clock.now() < end {
            if happened() {
                return true;
            }
            spin_loop();
        }
        happened()
    }

    /// Makes other processors leave an address space that is about to go.
    pub(super) fn evict(&mut self, root: Frame) {
        let kernel_root = self.kernel_root;
        let mut there = 0;
        for other in self.parked.iter_mut().take(usize::from(self.processors)) {
            if other.number != self.own.number && other.current_root == root {
                other.current_root = kernel_root;
                there |= 1 << other.number;
            }
        }
        if there != 0 {
            self.stale &= !there;
            self.ask_all(there, Ask::Leave(u64::from(kernel_root.0) * PAGE));
        }
    }

    /// Asks the same of several processors, a bit each, and waits until they have done it.
    pub(super) fn ask_all(&mut self, processors: u8, ask: Ask) {
        let chosen = |number: &u8| processors >> number & 1 != 0;
        for number in (0..self.processors).filter(chosen) {
            lock::ask(number, ask);
            self.apic.interrupt(self.parked[usize::from(number)].apic, vectors::CALL);
        }
        for number in (0..self.processors).filter(chosen) {
            while !lock::is_answered(number) {
                spin_loop();
            }
        }
    }
}

/// Continues the boot code on another processor: long mode, the boot code's address space, no
/// stack.
#[unsafe(naked)]
pub(crate) extern "C" fn arrive() -> ! {
    core::arch::naked_asm!(
        "mov rax, [{root}]",
        "mov cr3, rax",
        "xor edi, edi",
        "xchg edi, [{ticket}]",
        "test edi, edi",
        "jz 2f",
        "mov rsp, [{stack}]",
        "xor ebp, ebp",
        "call {main}",
        "2:",
        "cli",
        "hlt",
        "jmp 2b",
        root = sym ROOT,
        ticket = sym TICKET,
        stack = sym STACK,
        main = sym main,
    )
}

/// Sets another processor up as the first was.
extern "C" fn main(number: u32) -> ! {
    let number = number as u8;
    let features = Features::read();
    control::enable(&features);
    // SAFETY: the first processor has mapped this one's memory and gives it to nobody else, and
    // has filled the gates.
    unsafe { descriptors::load(per_cpu::of(number)) };
    // SAFETY: as above.
    unsafe { start::set_entry_paths(number) };
    // SAFETY: the first processor has mapped it there for good; each finds its own.
    LocalApic::enable(unsafe { Mmio::new(DEVICES) });
    Extended::new(&features);
    ARRIVED.store(number.into(), Ordering::Release);
    run_other()
}
