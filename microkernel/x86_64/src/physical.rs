//! What the boot loader left: a view of physical memory, and where to look in it.
//!
//! A [`Handoff`] exists from the boot entry until [`X86::start`](crate::X86::start) consumes it.
//! In that time nobody writes to physical memory but the kernel image's own stack and data, so
//! that views of it may be shared.

use core::ops::Range;

/// Read access to physical memory, as far as it is mapped.
pub trait Physical {
    /// Returns `len` bytes at a physical address, or nothing where they are out of reach.
    fn bytes(&self, address: u64, len: usize) -> Option<&[u8]>;

    /// Returns the little-endian 32-bit word at a physical address.
    fn word(&self, address: u64) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(address, 4)?.try_into().ok()?))
    }

    /// Returns the little-endian 64-bit word at a physical address.
    fn long(&self, address: u64) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(address, 8)?.try_into().ok()?))
    }
}

/// The protocol by which a boot loader entered the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoaderProtocol {
    /// Direct boot as a hypervisor does it (Xen's PVH, `qemu -kernel`).
    Pvh,
    /// Multiboot2 (GRUB).
    Multiboot2,
}

/// Physical addresses of the kernel image's parts, each a whole number of pages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// Everything, with what only the boot entry uses.
    pub whole: Range<u64>,
    /// Code.
    pub text: Range<u64>,
    /// Constants.
    pub constants: Range<u64>,
    /// Variables and stacks.
    pub data: Range<u64>,
    /// The page below the kernel stack, part of the variables, that stays unmapped.
    pub guard: u64,
}

/// The machine as the boot loader left it.
pub struct Handoff {
    pub(crate) protocol: Option<LoaderProtocol>,
    pub(crate) info: u64,
    pub(crate) image: Image,
    /// Physical addresses of the code with which other processors begin.
    pub(crate) start_other: Range<u64>,
    /// The time-stamp counter at the kernel's first instruction.
    pub(crate) ticks_at_entry: u64,
}

impl Handoff {
    /// Bytes of physical memory that the boot entry has mapped.
    const REACH: u64 = 4 << 30;

    /// Returns how the kernel was entered; nothing where the loader is unknown.
    pub fn protocol(&self) -> Option<LoaderProtocol> {
        self.protocol
    }

    /// Returns the physical address of the boot information, as the protocol defines it.
    pub fn info(&self) -> u64 {
        self.info
    }

    /// Returns where the kernel image lies.
    pub fn image(&self) -> &Image {
        &self.image
    }
}

impl Physical for Handoff {
    fn bytes(&self, address: u64, len: usize) -> Option<&[u8]> {
        let end = address.checked_add(len as u64)?;
        if end > Self::REACH || address == 0 {
            return None;
        }
        let first = (crate::memory::DIRECT_MAP + address) as *const u8;
        // SAFETY: the boot entry has mapped the first 4 GiB there, and nobody writes to what
        // the loader left while a `Handoff` exists (see the head of this file).
        Some(unsafe { core::slice::from_raw_parts(first, len) })
    }
}
