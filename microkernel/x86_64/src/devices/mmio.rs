//! A window of 32-bit device registers.

/// Device registers, mapped uncached.
#[derive(Clone, Copy)]
pub(crate) struct Mmio(u64);

impl Mmio {
    /// Returns the registers mapped at an address.
    ///
    /// # Safety
    /// A page of device registers is mapped there for good, from `address` to the page's end.
    pub(crate) const unsafe fn new(address: u64) -> Self {
        Mmio(address)
    }

    /// Reads the register at a byte offset, which is within the page: the sum does not wrap.
    #[inline(always)]
    pub(crate) fn read(&self, offset: u64) -> u32 {
        debug_assert!(offset < 4096 && offset.is_multiple_of(4));
        // SAFETY: mapped, by the contract of `new`.
        unsafe { ((self.0.wrapping_add(offset)) as *const u32).read_volatile() }
    }

    /// Writes the register at a byte offset.
    #[inline(always)]
    pub(crate) fn write(&mut self, offset: u64, value: u32) {
        debug_assert!(offset < 4096 && offset.is_multiple_of(4));
        // SAFETY: mapped, by the contract of `new`.
        unsafe { ((self.0.wrapping_add(offset)) as *mut u32).write_volatile(value) }
    }
}
