//! Devices' registers: ranges of physical memory, mapped.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU16, Ordering};

use libipc::abi::{PAGE_SIZE, boot};
use libipc::{DeviceRegisters, Error, Handle, Object, Physical, Quota};

/// The physical memory that the program may map registers of; the null handle: none.
static PHYSICAL: AtomicU16 = AtomicU16::new(Handle::NULL.0);

/// Tells where registers may be mapped from.
pub(crate) fn provide(physical: Physical) {
    PHYSICAL.store(physical.handle().0, Ordering::Release);
}

/// Returns whether a range of registers can be mapped.
pub(crate) fn contains(address: u64, len: u64) -> bool {
    let physical = Physical(Handle(PHYSICAL.load(Ordering::Acquire)));
    let Ok((first, last)) = physical.range() else { return false };
    let end = address.checked_add(len);
    let last_byte = end.and_then(|end| end.checked_sub(1)).map(|byte| byte / PAGE_SIZE as u64);
    address / (PAGE_SIZE as u64) >= first && last_byte.is_some_and(|frame| frame <= last)
}

/// Maps the pages that a range of registers lies in; returns where the range is, for as long as
/// the program runs.
///
/// # Errors
/// InvalidArgument: it is not within the range that was provided; whatever the kernel refuses.
pub(crate) fn map(address: u64, len: usize) -> Result<NonNull<u8>, Error> {
    let page = PAGE_SIZE as u64;
    let skip = (address % page) as usize;
    let memory = device(address / page, (skip + len).div_ceil(PAGE_SIZE) as u64)?;
    let mapped = libipc::map_shared(memory)?.cast::<u8>();
    // SAFETY: `skip` is less than a page, and at least one is mapped.
    Ok(unsafe { mapped.add(skip) })
}

/// Maps whole frames to be read and written a register at a time.
///
/// # Errors
/// As [`map`].
pub(crate) fn words(first: u64, pages: u64) -> Result<DeviceRegisters, Error> {
    DeviceRegisters::new(device(first, pages)?)
}

fn device(first: u64, pages: u64) -> Result<libipc::Memory, Error> {
    let physical = Physical(Handle(PHYSICAL.load(Ordering::Acquire)));
    Quota(boot::QUOTA).create_device(physical, first, pages)
}
