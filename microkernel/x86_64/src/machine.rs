//! The machine as the core sees it.

use kamen_abi::{PAGE_SIZE, PortWidth};
use kamen_core::{Access, FaultAccess, Frame, MAX_PROCESSORS, Machine, NoFrame, Ways};
use x86_64::instructions::port::Port;

use crate::Ranges;
use crate::clock::{self, Clock, Factor, SECOND};
use crate::control::Bases;
use crate::devices::lines::Lines;
use crate::devices::local_apic::LocalApic;
use crate::devices::vectors;
use crate::extended::Extended;
use crate::lock::{self, Ask};
use crate::memory::direct::DirectMap;
use crate::memory::paging::{self, Tables};
use crate::per_cpu::PerCpu;
use crate::{per_cpu, stretch, undo};

pub(crate) mod others;
mod start;

/// Words of a root table that belong to the kernel: entries 256 to 511.
const KERNEL_ENTRIES: core::ops::Range<usize> = 256..512;
/// Nanoseconds for which the timer is armed at most; a later deadline is armed again.
const LONGEST_COUNTDOWN: u64 = SECOND;

/// x86-64 processors with local and I/O APICs.
pub struct X86 {
    pub(crate) frames: DirectMap,
    /// An address space without user half.
    kernel_root: Frame,
    /// The processor that is in the kernel.
    own: Own,
    /// The others', by number; what is in the place of the current one is old.
    parked: [Own; MAX_PROCESSORS as usize],
    /// How many processors run.
    processors: u8,
    /// Processors, a bit each, whose TLB may hold what is not in the page tables any more.
    stale: u8,
    clock: Clock,
    /// Each processor finds its own at this address.
    apic: LocalApic,
    timer_ticks_per_nanosecond: Factor,
    lines: Lines,
    /// RAM, and the frames of registers that the kernel keeps to itself.
    occupied: Ranges,
}

/// What the kernel knows of one processor's registers.
#[derive(Clone, Copy)]
struct Own {
    number: u8,
    /// By which interrupts are sent to it.
    apic: u8,
    /// What CR3 holds.
    current_root: Frame,
    bases: Bases,
    extended: Extended,
}

impl X86 {
    /// Takes an interrupt of the timer or of another processor.
    #[inline(always)]
    pub(crate) fn acknowledge(&mut self) {
        self.apic.acknowledge();
    }

    /// Takes an interrupt of a line; returns the line if the core is to be told.
    pub(crate) fn arrived(&mut self, vector: u64) -> Option<u32> {
        self.lines.arrived(vector)
    }

    /// Returns a byte of the current address space.
    pub(crate) fn user_byte(&self, address: u64) -> Option<u8> {
        undo::user_byte(&self.frames, self.own.current_root, address)
    }

    fn write_root(&mut self, root: Frame) {
        self.own.current_root = root;
        // SAFETY: the root's kernel half is the one that is active (see `init_root`), so that
        // the kernel goes on; PCIDs are not used.
        unsafe {
            core::arch::asm!("mov cr3, {}", in(reg) u64::from(root.0) << 12,
                options(nostack, preserves_flags));
        }
    }

    /// Flushes a page whose mapping has changed, and notes who else may have used it.
    fn flush(&mut self, root: Frame, address: usize) {
        let others = self.parked.iter().take(usize::from(self.processors));
        for other in others.filter(|other| other.number != self.own.number) {
            if other.current_root == root {
                self.stale |= 1 << other.number;
            }
        }
        if root == self.own.current_root {
            // SAFETY: flushing affects no memory.
            unsafe {
                core::arch::asm!("invlpg [{}]", in(reg) address, options(nostack, preserves_flags));
            }
        }
    }
}

impl Machine for X86 {
    #[inline]
    fn zero(&mut self, frame: Frame) {
        self.frames.zero(frame);
    }

    #[inline]
    fn copy(&mut self, from: Frame, from_offset: usize, to: Frame, to_offset: usize, len: usize) {
        self.frames.copy((from, from_offset), (to, to_offset), len);
    }

    #[inline(always)]
    fn load(&self, frame: Frame, index: usize) -> u64 {
        self.frames.load(frame, index)
    }

    #[inline(always)]
    fn store(&mut self, frame: Frame, index: usize, value: u64) {
        self.frames.store(frame, index, value);
    }

    #[inline]
    fn compare_exchange(&mut self, frame: Frame, offset: usize, expected: u32, new: u32) -> u32 {
        self.frames.compare_exchange(frame, offset, expected, new)
    }

    fn init_root(&mut self, root: Frame) {
        for index in KERNEL_ENTRIES {
            let entry = self.frames.load(self.kernel_root, index);
            if entry != 0 {
                self.frames.store(root, index, entry);
            }
        }
    }

    fn map(
        &mut self,
        root: Frame,
        address: usize,
        frame: Frame,
        access: Access,
        allocate: &mut dyn FnMut() -> Option<Frame>,
    ) -> Result<(), NoFrame> {
        if paging::map(&mut self.frames, root, address, frame, access, allocate)? {
            self.flush(root, address);
        }
        Ok(())
    }

    fn map_device(
        &mut self,
        root: Frame,
        address: usize,
        frame: Frame,
        access: Access,
        allocate: &mut dyn FnMut() -> Option<Frame>,
    ) -> Result<(), NoFrame> {
        if paging::map_device(&mut self.frames, root, address, frame, access, allocate)? {
            self.flush(root, address);
        }
        Ok(())
    }

    fn is_device(&self, first: Frame, pages: usize) -> bool {
        let end = u32::try_from(pages).ok().and_then(|pages| first.0.checked_add(pages));
        end.is_some_and(|end| !self.occupied.overlaps(&(first.0..end)))
    }

    fn unmap(&mut self, root: Frame, address: usize) -> Option<Frame> {
        let frame = paging::unmap(&mut self.frames, root, address)?;
        self.flush(root, address);
        Some(frame)
    }

    #[inline]
    fn mapped_memory(&self, root: Frame, address: usize, access: FaultAccess) -> Option<Frame> {
        paging::mapped_memory(&self.frames, root, address, access)
    }

    #[inline]
    fn lookup(&self, root: Frame, address: usize) -> Option<(Frame, Access)> {
        paging::lookup(&self.frames, root, address)
    }

    fn unmap_next(&mut self, root: Frame, address: usize, end: usize) -> (usize, bool) {
        let (at, unmapped) = paging::unmap_next(&mut self.frames, root, address, end);
        if unmapped {
            self.flush(root, at - PAGE_SIZE);
        }
        (at, unmapped)
    }

    fn take_table(&mut self, root: Frame, from: usize) -> (Option<Frame>, usize) {
        // The processor may cache entries of tables that go; a space that loses them is dying.
        if root == self.own.current_root {
            self.write_root(self.kernel_root);
        }
        self.evict(root);
        paging::take_table(&mut self.frames, root, from)
    }

    #[inline]
    fn activate(&mut self, root: Frame) {
        if root != self.own.current_root {
            self.write_root(root);
        }
    }

    fn processors(&self) -> u8 {
        self.processors
    }

    fn take_over(&mut self, processor: u8) {
        self.parked[usize::from(self.own.number)] = self.own;
        self.own = self.parked[usize::from(processor)];
    }

    #[inline(always)]
    fn shoot_down(&mut self) {
        if self.stale != 0 {
            let stale = core::mem::take(&mut self.stale);
            self.ask_all(stale, Ask::Flush);
        }
    }

    fn set_ways(&mut self, ways: Ways) {
        for number in 0..self.processors {
            per_cpu::set_lock_word(number, lock::own_word(number, ways));
        }
    }

    fn nudge(&mut self, processor: u8) {
        let apic = self.parked[usize::from(processor)].apic;
        self.apic.interrupt(apic, vectors::CALL);
    }

    fn fetch(&mut self, processor: u8) {
        self.ask_all(1 << processor, Ask::Undo);
    }

    fn fetch_extended(&mut self, processor: u8, state: Frame) {
        let components = self.own.extended.components().unwrap_or(0);
        self.ask_all(1 << processor, Ask::Save(self.frames.address(state), components));
    }

    #[inline]
    fn set_bases(&mut self, fs_base: u64, gs_base: u64) {
        self.own.bases.set(fs_base, gs_base);
    }

    fn init_extended(&mut self, state: Frame) {
        self.own.extended.init(&mut self.frames, state);
    }

    fn save_extended(&mut self, state: Frame) {
        self.own.extended.save(&mut self.frames, state);
    }

    fn load_extended(&mut self, state: Frame) {
        self.own.extended.load(&mut self.frames, state);
    }

    fn sanitize_extended(&mut self, state: Frame) {
        self.own.extended.sanitize(&mut self.frames, state);
    }

    #[inline]
    fn enable_extended(&mut self, enabled: bool) {
        self.own.extended.enable(enabled);
    }

    #[inline]
    fn now(&mut self) -> u64 {
        self.clock.now()
    }

    #[inline(always)]
    fn ticks(&self) -> u64 {
        clock::ticks()
    }

    #[inline(always)]
    fn entered(&self) -> u64 {
        PerCpu::entered()
    }

    fn clock_scale(&self) -> [u64; 2] {
        self.clock.scale()
    }

    fn set_timer(&mut self, deadline: u64) {
        let left = deadline.saturating_sub(self.clock.now()).min(LONGEST_COUNTDOWN);
        let ticks = self.timer_ticks_per_nanosecond.times(left).clamp(1, u64::from(u32::MAX));
        self.apic.set_countdown(ticks as u32);
    }

    fn lines(&self) -> u32 {
        self.lines.count()
    }

    fn unmask(&mut self, line: u32) {
        self.lines.unmask(line);
    }

    fn port_in(&mut self, port: u16, width: PortWidth) -> u32 {
        // SAFETY: the core passes ports on a user's request that a capability covers; what the
        // device does is that user's affair.
        unsafe {
            match width {
                PortWidth::Byte => Port::<u8>::new(port).read().into(),
                PortWidth::Word => Port::<u16>::new(port).read().into(),
                PortWidth::Long => Port::<u32>::new(port).read(),
            }
        }
    }

    fn port_out(&mut self, port: u16, width: PortWidth, value: u32) {
        stretch::before_output(port);
        // SAFETY: as for `port_in`.
        unsafe {
            match width {
                PortWidth::Byte => Port::new(port).write(value as u8),
                PortWidth::Word => Port::new(port).write(value as u16),
                PortWidth::Long => Port::new(port).write(value),
            }
        }
    }
}
