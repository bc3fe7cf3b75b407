//! The machine as the core sees it.

use kamen_abi::{PAGE_SIZE, PortWidth};
use kamen_core::{Access, Frame, Machine, NoFrame};
use x86_64::instructions::port::Port;

use crate::Ranges;
use crate::clock::{Clock, Factor, SECOND};
use crate::control::Bases;
use crate::devices::lines::Lines;
use crate::devices::local_apic::LocalApic;
use crate::epitaph::Epitaph;
use crate::extended::Extended;
use crate::memory::direct::DirectMap;
use crate::memory::paging::{self, Tables};

mod start;

/// Words of a root table that belong to the kernel: entries 256 to 511.
const KERNEL_ENTRIES: core::ops::Range<usize> = 256..512;
/// Nanoseconds for which the timer is armed at most; a later deadline is armed again.
const LONGEST_COUNTDOWN: u64 = SECOND;

/// An x86-64 processor with local and I/O APICs.
pub struct X86 {
    frames: DirectMap,
    /// An address space without user half.
    kernel_root: Frame,
    /// What CR3 holds.
    current_root: Frame,
    bases: Bases,
    extended: Extended,
    clock: Clock,
    apic: LocalApic,
    timer_ticks_per_nanosecond: Factor,
    deadline: Option<u64>,
    lines: Lines,
    /// RAM, and the frames of registers that the kernel keeps to itself.
    occupied: Ranges,
}

impl X86 {
    /// Takes the timer's interrupt; tells whether the deadline has passed. If not, for it was
    /// too far for one countdown or the counters drift, the timer is armed again.
    pub(crate) fn is_timer_due(&mut self) -> bool {
        self.apic.acknowledge();
        match self.deadline {
            Some(deadline) if deadline <= self.clock.now() => {
                self.deadline = None;
                true
            }
            deadline => {
                self.set_timer(deadline);
                false
            }
        }
    }

    /// Takes an interrupt of a line; returns the line if the core is to be told.
    pub(crate) fn arrived(&mut self, vector: u64) -> Option<u32> {
        self.lines.arrived(vector)
    }

    /// Returns a byte of the current address space.
    pub(crate) fn user_byte(&self, address: u64) -> Option<u8> {
        let (page, offset) = (address as usize & !(PAGE_SIZE - 1), address as usize % PAGE_SIZE);
        let (frame, _) = paging::lookup(&self.frames, self.current_root, page)?;
        if self.is_device(frame, 1) {
            return None;
        }
        let word = self.frames.load(frame, offset / 8);
        Some(word.to_le_bytes()[offset % 8])
    }

    fn write_root(&mut self, root: Frame) {
        self.current_root = root;
        // SAFETY: the root's kernel half is the one that is active (see `init_root`), so that
        // the kernel goes on; PCIDs are not used.
        unsafe {
            core::arch::asm!("mov cr3, {}", in(reg) u64::from(root.0) << 12,
                options(nostack, preserves_flags));
        }
    }

    fn flush(&self, root: Frame, address: usize) {
        if root == self.current_root {
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
    fn lookup(&self, root: Frame, address: usize) -> Option<(Frame, Access)> {
        paging::lookup(&self.frames, root, address)
    }

    fn next_mapped(&self, root: Frame, address: usize, end: usize) -> usize {
        paging::next_mapped(&self.frames, root, address, end)
    }

    fn take_table(&mut self, root: Frame) -> Option<Frame> {
        // The processor may cache entries of tables that go; a space that loses them is dying.
        if root == self.current_root {
            self.write_root(self.kernel_root);
        }
        paging::take_table(&mut self.frames, root)
    }

    #[inline]
    fn activate(&mut self, root: Frame) {
        if root != self.current_root {
            self.write_root(root);
        }
    }

    #[inline]
    fn set_bases(&mut self, fs_base: u64, gs_base: u64) {
        self.bases.set(fs_base, gs_base);
    }

    fn init_extended(&mut self, state: Frame) {
        self.extended.init(&mut self.frames, state);
    }

    fn save_extended(&mut self, state: Frame) {
        self.extended.save(&mut self.frames, state);
    }

    fn load_extended(&mut self, state: Frame) {
        self.extended.load(&mut self.frames, state);
    }

    fn sanitize_extended(&mut self, state: Frame) {
        self.extended.sanitize(&mut self.frames, state);
    }

    #[inline]
    fn enable_extended(&mut self, enabled: bool) {
        self.extended.enable(enabled);
    }

    #[inline]
    fn now(&mut self) -> u64 {
        self.clock.now()
    }

    fn set_timer(&mut self, deadline: Option<u64>) {
        self.deadline = deadline;
        let Some(deadline) = deadline else {
            return self.apic.set_countdown(0);
        };
        let left = deadline.saturating_sub(self.clock.now()).min(LONGEST_COUNTDOWN);
        let ticks = self.timer_ticks_per_nanosecond.times(left).clamp(1, u64::from(u32::MAX));
        self.apic.set_countdown(ticks as u32);
    }

    fn lines(&self) -> u32 {
        self.lines.count()
    }

    fn mask(&mut self, line: u32) {
        self.lines.mask(line);
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
        // SAFETY: as for `port_in`.
        unsafe {
            match width {
                PortWidth::Byte => Port::new(port).write(value as u8),
                PortWidth::Word => Port::new(port).write(value as u16),
                PortWidth::Long => Port::new(port).write(value),
            }
        }
    }

    fn epitaph(&mut self, text: core::fmt::Arguments<'_>) {
        // Writing to the debug console cannot fail.
        let _ = core::fmt::Write::write_fmt(&mut Epitaph, text);
    }
}
