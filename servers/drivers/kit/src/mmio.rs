//! The board microvm's slots for virtio over MMIO (virtio 1.2 4.2.2; QEMU's hw/i386/microvm.c).

use core::ops::RangeInclusive;

use libipc::abi::PAGE_SIZE;
use virtio_drivers::transport::mmio::MmioTransport;
use virtio_drivers::transport::{DeviceType, SomeTransport};

use crate::hardware::{Found, HardwareError, Place};
use crate::registers;

/// Where the slots lie, one behind the other.
const FIRST: u64 = 0xfeb0_0000;
const SLOT_BYTES: usize = 512;
/// As many as the second interrupt controller has lines.
const SLOTS: u32 = 24;
/// Interrupt lines of the slots.
const LINES: RangeInclusive<u32> = 24..=24 + SLOTS - 1;

/// Offsets in a slot, and what stands there: "virt", and the device's type or 0.
const MAGIC: usize = 0;
const MAGIC_VALUE: u32 = 0x7472_6976;
const DEVICE: usize = 8;

/// Returns the first device of a type.
pub(crate) fn find(kind: DeviceType) -> Result<Option<Found>, HardwareError> {
    let bytes = SLOTS as usize * SLOT_BYTES;
    let page = PAGE_SIZE as u64;
    let words = registers::words(FIRST / page, bytes.div_ceil(PAGE_SIZE) as u64)?;
    for slot in 0..SLOTS {
        let at = slot as usize * SLOT_BYTES;
        let is_slot = words.read_u32(at + MAGIC)? == MAGIC_VALUE;
        if is_slot && words.read_u32(at + DEVICE)? == kind as u32 {
            let header = registers::map(FIRST + at as u64, SLOT_BYTES)?;
            // SAFETY: the registers of the slot are mapped for as long as the program runs, its
            // configuration included; they begin at a multiple of 512.
            let transport = unsafe { MmioTransport::new(header.cast(), SLOT_BYTES) };
            let transport = transport.map_err(|_| HardwareError::Transport)?;
            let (line, place) = (LINES.start() + slot, Place::Mmio { slot });
            return Ok(Some(Found { transport: SomeTransport::Mmio(transport), line, place }));
        }
    }
    Ok(None)
}
