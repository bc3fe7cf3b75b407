//! What the core asks of the machine: frames, page tables, time, interrupt lines, ports.
//!
//! The core decides, the machine acts: nothing here chooses anything. `kamen-machine` implements
//! it for x86-64; the tests implement it over a `Vec` (see `fake.rs`).

use kamen_abi::PortWidth;

use crate::thread::Thread;

/// The number of a page frame: its physical address divided by the page size.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Frame(pub u32);

/// What user space may do with a mapped page; every mapped page may be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Read only.
    Read,
    /// Read and write.
    Write,
    /// Read and execute.
    Execute,
}

/// A page fault's cause, decoded from the error code (Intel SDM 3A 4.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultAccess {
    /// A load.
    Read,
    /// A store.
    Write,
    /// An instruction fetch.
    Execute,
}

/// Which ways into the kernel there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ways {
    /// All: each entry takes the fastest that does what it wants.
    All,
    /// Only those on which everything is recorded.
    Recorded,
}

/// The frame allocator gave out nothing: quota or machine are exhausted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoFrame;

/// The machine under the core.
///
/// Frames passed in are always ones that the core was given at boot, but for those of devices;
/// virtual addresses are page
/// aligned and below [`kamen_abi::USER_END`].
pub trait Machine {
    /// Fills a frame with zeros.
    fn zero(&mut self, frame: Frame);
    /// Copies `len` bytes between two frames; both ranges lie within their frame and may be in
    /// the same one, where they do not overlap.
    fn copy(&mut self, from: Frame, from_offset: usize, to: Frame, to_offset: usize, len: usize);
    /// Returns 64-bit word `index` (0..512) of a frame.
    fn load(&self, frame: Frame, index: usize) -> u64;
    /// Sets 64-bit word `index` (0..512) of a frame.
    fn store(&mut self, frame: Frame, index: usize, value: u64);
    /// Compares the aligned 32-bit word at byte `offset` with `expected`, sets it to `new` if
    /// equal, and returns what it was; atomic against other processors.
    fn compare_exchange(&mut self, frame: Frame, offset: usize, expected: u32, new: u32) -> u32;

    /// Makes a zeroed frame into the root page table of a new address space: kernel half shared,
    /// user half empty.
    fn init_root(&mut self, root: Frame);
    /// Maps a page, or changes its mapping; missing tables come (zeroed or not) from `allocate`.
    ///
    /// # Errors
    /// [`NoFrame`] when `allocate` gave none; tables that were added stay.
    fn map(
        &mut self,
        root: Frame,
        address: usize,
        frame: Frame,
        access: Access,
        allocate: &mut dyn FnMut() -> Option<Frame>,
    ) -> Result<(), NoFrame>;
    /// Maps a page of a device's registers, uncached and never executed, as [`Machine::map`] maps
    /// memory.
    ///
    /// # Errors
    /// As for [`Machine::map`].
    fn map_device(
        &mut self,
        root: Frame,
        address: usize,
        frame: Frame,
        access: Access,
        allocate: &mut dyn FnMut() -> Option<Frame>,
    ) -> Result<(), NoFrame>;
    /// Returns whether none of `pages` frames from `first` on is RAM, or holds registers that the
    /// kernel itself uses: whether user space may have them.
    fn is_device(&self, first: Frame, pages: usize) -> bool;
    /// Unmaps a page and returns what was mapped, if anything was; flushes it from this processor's
    /// TLB. Others may use the old mapping, as after `map` of a mapped page, until `shoot_down`.
    fn unmap(&mut self, root: Frame, address: usize) -> Option<Frame>;
    /// Returns the frame of a page of memory, not of a device, that is mapped so that user space
    /// may access it that way.
    fn mapped_memory(&self, root: Frame, address: usize, access: FaultAccess) -> Option<Frame>;
    /// Returns the mapping of a page.
    fn lookup(&self, root: Frame, address: usize) -> Option<(Frame, Access)>;
    /// Unmaps, as [`Machine::unmap`], the first mapped page from `address` to `end` that it finds
    /// in bounded time. Returns the address up to which, and whether, a page was unmapped: nothing
    /// is mapped before it now.
    fn unmap_next(&mut self, root: Frame, address: usize, end: usize) -> (usize, bool);
    /// Looks for a page table to detach, at an address of user space or after it; those before are
    /// gone, and the pages they mapped are unmapped already. Returns it, if it came to one, and
    /// where to look next: [`kamen_abi::USER_END`] or more when only the root is left. All
    /// processors leave a root that is current for one without a user half. It takes a few hundred
    /// instructions.
    fn take_table(&mut self, root: Frame, from: usize) -> (Option<Frame>, usize);
    /// Makes `root` the current address space, if it is not.
    fn activate(&mut self, root: Frame);

    /// Returns how many processors run, the first included; they are numbered from 0.
    fn processors(&self) -> u8;
    /// Makes a processor's state the current one: that processor is in the kernel now.
    fn take_over(&mut self, processor: u8);
    /// Makes other processors forget what `unmap` and `map` have changed since the last time, and
    /// waits until they have. Called before a frame is freed and before the kernel is left.
    fn shoot_down(&mut self);
    /// Makes another processor enter the kernel and call [`crate::Kernel::reschedule`]; does not
    /// wait for it.
    fn nudge(&mut self, processor: u8);
    /// Opens or closes the ways on which nothing is recorded, for all processors: what enters after
    /// the kernel is left finds it so.
    fn set_ways(&mut self, ways: Ways);
    /// Brings another processor, which runs a thread, to where it waits for the kernel, and waits
    /// until its thread's registers are saved. What the thread had entered for is undone: it will
    /// do it again, and the processor only asks what is next.
    fn fetch(&mut self, processor: u8);
    /// Makes another processor save its extended state to a frame, and waits until it has.
    fn fetch_extended(&mut self, processor: u8, state: Frame);

    /// Sets the bases of FS and GS for the thread that runs next.
    fn set_bases(&mut self, fs_base: u64, gs_base: u64);
    /// Writes the initial extended state (all features in their reset state) to a frame.
    fn init_extended(&mut self, state: Frame);
    /// Saves the processor's extended state to a frame.
    fn save_extended(&mut self, state: Frame);
    /// Loads the processor's extended state from a frame.
    fn load_extended(&mut self, state: Frame);
    /// Makes an extended state that user space may have written safe to load.
    fn sanitize_extended(&mut self, state: Frame);
    /// Lets user space use the extended state, or makes its use an exception (CR0.TS).
    fn enable_extended(&mut self, enabled: bool);

    /// Returns nanoseconds since boot.
    fn now(&mut self) -> u64;
    /// Returns the time-stamp counter, which all processors share.
    fn ticks(&self) -> u64;
    /// Returns what [`Machine::ticks`] was when the current, foreign thread made its system call.
    fn entered(&self) -> u64;
    /// Returns what the time-stamp counter was at boot, and the nanoseconds of a tick times 2³².
    fn clock_scale(&self) -> [u64; 2];
    /// Arms the processor's timer for a time in ns since boot; a time that has passed interrupts at
    /// once. It may interrupt too early, and is armed anew then.
    fn set_timer(&mut self, deadline: u64);

    /// Number of interrupt lines (global system interrupts of the I/O APIC).
    fn lines(&self) -> u32;
    /// Unmasks an interrupt line.
    fn unmask(&mut self, line: u32);
    /// Reads an I/O port.
    fn port_in(&mut self, port: u16, width: PortWidth) -> u32;
    /// Writes an I/O port.
    fn port_out(&mut self, port: u16, width: PortWidth, value: u32);
}

/// What the processor does next; see [`crate::Kernel::next`].
pub enum Next<'k> {
    /// Return to user space with this thread's registers.
    Run(&'k mut Thread),
    /// No thread can run: halt with interrupts on until one arrives.
    Idle,
}
