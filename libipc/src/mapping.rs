//! Memory objects mapped into the program for as long as it runs.
//!
//! A server's own data are on its heap; this is for memory that comes as a capability: what the
//! supervisor keeps for the server's next life, and archives that are read in place.
#![expect(unsafe_code, reason = "turns mapped addresses into slices")]

use core::ptr::{NonNull, slice_from_raw_parts_mut, with_exposed_provenance_mut};

use kamen_abi::{Error, PAGE_SIZE, Rights, boot};

use crate::{Memory, Object, Space};

mod device;
mod published;

pub use device::DeviceRegisters;
pub use published::PublishedWords;

/// Where mappings lie: each capability slot has a place of its own, so that no slot is mapped
/// twice. The last one ends where the first task has the boot archive.
const MAPPINGS_AT: u64 = 0x2000_0000_0000;
/// Bytes of address space for each slot, the most that can be mapped.
const SLOT_BYTES: u64 = 1 << 30;

/// A memory object that only this program uses, mapped to be read and written.
///
/// That nobody else maps or writes it is the supervisor's promise: it gives a kept object to one
/// server. Whoever breaks that has one server's data changed under it, nobody else's.
///
/// ```no_run
/// use libipc::{Mapping, Memory, start::Start};
/// # let start = Start::default();
/// let store: Memory = start.find("store").expect("the manifest gives it");
/// let mut store = Mapping::new(store).expect("nobody has mapped it yet");
/// store.bytes_mut()[0] += 1;
/// assert_ne!(store.bytes()[0], 0, "as many lives as this server had");
/// ```
#[derive(Debug)]
pub struct Mapping {
    bytes: &'static mut [u8],
}

impl Mapping {
    /// Maps all of a memory object.
    ///
    /// # Errors
    /// BadRange: it is mapped already; InvalidArgument: larger than 1 GiB; NoRights: READ, WRITE;
    /// InvalidHandle.
    pub fn new(memory: Memory) -> Result<Self, Error> {
        let range = map(memory, Rights::READ.union(Rights::WRITE))?;
        // SAFETY: the range was mapped just now, readable and writable, nothing else in the
        // program knows it, and nothing unmaps it; all bytes are initialised, as memory objects
        // are. Others do not write it, as the type says.
        Ok(Mapping { bytes: unsafe { &mut *range } })
    }

    /// Returns the contents.
    #[inline(always)]
    pub fn bytes(&self) -> &[u8] {
        self.bytes
    }

    /// Returns the contents, to be changed.
    #[inline(always)]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        self.bytes
    }
}

/// Maps all of a memory object for a driver, which shares it with a device: registers, uncached,
/// or contiguous memory. Returns where, for as long as the program runs; a driver's code that may
/// say `unsafe` makes something of it.
///
/// ```no_run
/// use libipc::{Memory, map_shared, start::Start};
/// # let start = Start::default();
/// let buffers: Memory = start.find("dma-frames").expect("the manifest gives it");
/// let range = map_shared(buffers)?;
/// assert!(range.len() >= 4096);
/// # Ok::<(), libipc::Error>(())
/// ```
///
/// # Errors
/// BadRange: it is mapped already; InvalidArgument: larger than 1 GiB; NoRights: READ, WRITE;
/// InvalidHandle.
pub fn map_shared(memory: Memory) -> Result<NonNull<[u8]>, Error> {
    let range = map(memory, Rights::READ.union(Rights::WRITE))?;
    NonNull::new(range).ok_or(Error::InvalidArgument)
}

/// Maps all of a memory object that nobody writes any more, such as the boot archive.
///
/// ```no_run
/// use libipc::{Memory, map_constant, start::Start};
/// # let start = Start::default();
/// let archive: Memory = start.find("archive").expect("the manifest gives it");
/// let archive: &'static [u8] = map_constant(archive).expect("nobody writes it");
/// assert!(archive.starts_with(b"070701"));
/// ```
///
/// # Errors
/// BadRange: it is mapped already; InvalidArgument: larger than 1 GiB; NoRights: READ;
/// InvalidHandle.
pub fn map_constant(memory: Memory) -> Result<&'static [u8], Error> {
    let range = map(memory, Rights::READ)?;
    // SAFETY: the range was mapped just now, readable, nothing unmaps it, all bytes are
    // initialised, and nobody writes them, as the caller knows.
    Ok(unsafe { &*range })
}

/// Maps all of a memory object, for good or until the caller unmaps it.
pub(crate) fn map(memory: Memory, rights: Rights) -> Result<*mut [u8], Error> {
    let pages = memory.pages()?;
    if pages > SLOT_BYTES / PAGE_SIZE as u64 {
        return Err(Error::InvalidArgument);
    }
    let address = place_of(memory);
    Space(boot::SPACE).map(memory, 0, address, pages, rights)?;
    let first = with_exposed_provenance_mut(address as usize);
    Ok(slice_from_raw_parts_mut(first, pages as usize * PAGE_SIZE))
}

/// Returns where the object of a capability slot is mapped.
fn place_of(memory: Memory) -> u64 {
    MAPPINGS_AT + u64::from(memory.handle().0) * SLOT_BYTES
}

#[cfg(test)]
mod tests {
    use kamen_abi::Handle;

    use super::*;

    #[test]
    fn mappings_end_below_the_boot_archive() {
        let end = MAPPINGS_AT + (u64::from(u16::MAX) + 1) * SLOT_BYTES;
        assert!(end <= boot::ARCHIVE_AT as u64);
    }

    #[test]
    fn without_a_kernel_nothing_is_mapped() {
        let error = Mapping::new(Memory(Handle(7))).err();
        assert_eq!(error, Some(Error::InvalidOperation));
        assert_eq!(map_shared(Memory(Handle(7))), Err(Error::InvalidOperation));
    }
}
