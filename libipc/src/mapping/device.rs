//! A device's registers mapped into the program, read and written one access at a time.
#![expect(unsafe_code, reason = "device registers are addresses")]

use core::ptr::with_exposed_provenance_mut;

use kamen_abi::{Error, PAGE_SIZE, Rights};

use super::map;
use crate::Memory;

/// Registers of a device, mapped uncached to be read and written for as long as the program runs.
///
/// Each access is one load or store of its width, made just when it is asked for, in order with
/// the other accesses. Offsets are in bytes and aligned to the width.
///
/// ```no_run
/// use libipc::{DeviceRegisters, Memory, start::Start};
/// # let start = Start::default();
/// let memory: Memory = start.find("uart").expect("the manifest gives it");
/// let registers = DeviceRegisters::new(memory)?;
/// while registers.read_u32(0x18)? & 0x20 != 0 {} // The transmitter is full.
/// registers.write_u32(0, b'!'.into())?;
/// # Ok::<(), libipc::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DeviceRegisters {
    address: usize,
    len: usize,
}

impl DeviceRegisters {
    /// Maps all of a memory object.
    ///
    /// # Errors
    /// BadRange: it is mapped already; InvalidArgument: larger than 1 GiB; NoRights: READ, WRITE;
    /// InvalidHandle.
    pub fn new(memory: Memory) -> Result<Self, Error> {
        let pages = memory.pages()?;
        let range = map(memory, Rights::READ.union(Rights::WRITE))?;
        Ok(DeviceRegisters { address: range.expose_provenance(), len: pages as usize * PAGE_SIZE })
    }

    /// Reads 32 bits.
    ///
    /// # Errors
    /// InvalidArgument: the offset is misaligned or beyond the end.
    #[inline]
    pub fn read_u32(self, offset: usize) -> Result<u32, Error> {
        let register = self.register::<u32>(offset)?;
        // SAFETY: the address is aligned and lies in a range that was mapped, readable, for the
        // program's whole life and in which no Rust object lies; what a device's register holds
        // is a number whatever it is.
        Ok(unsafe { register.read_volatile() })
    }

    /// Writes 32 bits.
    ///
    /// # Errors
    /// InvalidArgument: the offset is misaligned or beyond the end.
    #[inline]
    pub fn write_u32(self, offset: usize, value: u32) -> Result<(), Error> {
        let register = self.register::<u32>(offset)?;
        // SAFETY: as for reading; what the device makes of the number is the driver's affair: it
        // reaches memory only where the driver was told an address of (Memory::physical_address).
        unsafe { register.write_volatile(value) };
        Ok(())
    }

    fn register<T>(self, offset: usize) -> Result<*mut T, Error> {
        let end = offset.checked_add(size_of::<T>()).ok_or(Error::InvalidArgument)?;
        if end > self.len || !offset.is_multiple_of(size_of::<T>()) {
            return Err(Error::InvalidArgument);
        }
        Ok(with_exposed_provenance_mut(self.address + offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accesses_are_aligned_and_within_the_mapping() {
        let mut memory = [0x1122_3344u32, 0x5566_7788];
        let address = memory.as_mut_ptr().expose_provenance();
        let registers = DeviceRegisters { address, len: 8 };
        assert_eq!(registers.read_u32(4), Ok(0x5566_7788));
        assert_eq!(registers.write_u32(0, 7), Ok(()));
        assert_eq!(registers.read_u32(0), Ok(7));
        for offset in [1, 2, 5, 8, 12, usize::MAX - 3, usize::MAX] {
            assert_eq!(registers.read_u32(offset), Err(Error::InvalidArgument));
            assert_eq!(registers.write_u32(offset, 0), Err(Error::InvalidArgument));
        }
    }
}
