//! The processor's surroundings: 1 MiB of memory that wraps, the HMA, and the I/O ports.
//!
//! [`Bus`] is what the processor and DOS read and write. Addresses wrap at 1 MiB as on an 8086,
//! or as with A20 off: programs that enter DOS through `call 5` rely on it (PSP offset 5). With
//! A20 on they reach 65,520 bytes more.
//!
//! Addresses from the last byte of the first MiB on are treated apart: for all others the compiler
//! sees that a word is inside and needs no bounds check, and A20 costs nothing.
//!
//! The processor's cache of decoded instructions lives here, beside the memory that it is of; all that
//! changes memory tells `watch`, which knows the bytes that are in the cache.

use alloc::{boxed::Box, vec};

use crate::cpu::Cache;
use crate::devices::{COPROCESSOR, Devices};
use crate::mirror::Mirrors;
use crate::watch::Watch;

/// Bytes of memory that the processor can address (Intel iAPX 86 User's Manual 2.3).
pub const MEMORY_BYTES: usize = 1 << 20;

/// Bytes that FFFF:0010 to FFFF:FFFF reach with A20 on (the HMA).
const HIGH_BYTES: usize = 0xfff0;
const STORAGE: usize = MEMORY_BYTES + HIGH_BYTES;
const LAST: usize = MEMORY_BYTES - 1;

/// A segment and an offset in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FarPointer {
    /// The segment.
    pub segment: u16,
    /// The offset.
    pub offset: u16,
}

impl FarPointer {
    /// Returns the pointer to an offset in a segment.
    #[inline(always)]
    pub const fn new(segment: u16, offset: u16) -> Self {
        FarPointer { segment, offset }
    }

    /// Returns the pointer `bytes` further on, wrapping within the segment.
    #[inline(always)]
    pub const fn add(self, bytes: u16) -> Self {
        FarPointer { segment: self.segment, offset: self.offset.wrapping_add(bytes) }
    }

    /// Returns the address, wrapped at 1 MiB.
    #[inline(always)]
    pub const fn linear(self) -> usize {
        self.unwrapped() & LAST
    }

    /// Returns the address as with A20 on.
    #[inline(always)]
    pub(crate) const fn unwrapped(self) -> usize {
        ((self.segment as usize) << 4) + self.offset as usize
    }

    /// Returns whether the address depends on A20.
    #[inline(always)]
    pub(crate) const fn is_high(self) -> bool {
        self.unwrapped() > LAST
    }
}

/// Memory and I/O ports.
pub struct Bus {
    bytes: Box<[u8; STORAGE]>,
    /// Which bytes are in `cache`, and which of them were stored to.
    pub(crate) watch: Watch,
    /// Decoded instructions; absent while the processor runs, and before it first did.
    pub(crate) cache: Option<Box<Cache>>,
    pub(crate) mirrors: Mirrors,
    pub(crate) devices: Devices,
}

impl Default for Bus {
    fn default() -> Self {
        Self::new()
    }
}

impl Bus {
    /// Returns a bus with cleared memory.
    pub fn new() -> Self {
        let bytes = vec![0; STORAGE].into_boxed_slice();
        let bytes = bytes.try_into().expect("the slice was made with that length");
        let (watch, mirrors, devices) = (Watch::new(), Mirrors::default(), Devices::default());
        Bus { bytes, watch, cache: None, mirrors, devices }
    }

    /// Returns the byte at a pointer.
    #[inline(always)]
    pub fn read8(&self, at: FarPointer) -> u8 {
        let linear = at.unwrapped();
        if linear > LAST {
            return self.read8_high(at);
        }
        self.bytes[linear]
    }

    /// Stores a byte.
    #[inline(always)]
    pub fn write8(&mut self, at: FarPointer, value: u8) {
        let linear = at.unwrapped();
        if linear > LAST {
            return self.write8_high(at, value);
        }
        self.bytes[linear] = value;
        self.watch.stored8(linear);
    }

    /// Returns the word at a pointer; its high byte wraps within the segment.
    #[inline(always)]
    pub fn read16(&self, at: FarPointer) -> u16 {
        let linear = at.unwrapped();
        if at.offset == 0xffff || linear >= LAST {
            return self.read16_wrapping(at);
        }
        u16::from_le_bytes([self.bytes[linear], self.bytes[linear + 1]])
    }

    /// Stores a word; its high byte wraps within the segment.
    #[inline(always)]
    pub fn write16(&mut self, at: FarPointer, value: u16) {
        let linear = at.unwrapped();
        if at.offset == 0xffff || linear >= LAST {
            return self.write16_wrapping(at, value);
        }
        let [low, high] = value.to_le_bytes();
        self.bytes[linear] = low;
        self.bytes[linear + 1] = high;
        self.watch.stored16(linear);
    }

    /// Returns the double word at a pointer.
    pub fn read32(&self, at: FarPointer) -> u32 {
        self.read16(at) as u32 | (self.read16(at.add(2)) as u32) << 16
    }

    /// Stores a double word.
    pub fn write32(&mut self, at: FarPointer, value: u32) {
        self.write16(at, value as u16);
        self.write16(at.add(2), (value >> 16) as u16);
    }

    /// Returns the far pointer stored at a pointer, offset first.
    pub fn read_far(&self, at: FarPointer) -> FarPointer {
        FarPointer { offset: self.read16(at), segment: self.read16(at.add(2)) }
    }

    /// Stores a far pointer, offset first.
    pub fn write_far(&mut self, at: FarPointer, value: FarPointer) {
        self.write16(at, value.offset);
        self.write16(at.add(2), value.segment);
    }

    /// Copies bytes out of memory; the offset wraps within the segment.
    pub fn read(&self, at: FarPointer, into: &mut [u8]) {
        for (place, byte) in (0..=u16::MAX).cycle().zip(into) {
            *byte = self.read8(at.add(place));
        }
    }

    /// Copies bytes into memory; the offset wraps within the segment.
    pub fn write(&mut self, at: FarPointer, bytes: &[u8]) {
        for (place, byte) in (0..=u16::MAX).cycle().zip(bytes) {
            self.write8(at.add(place), *byte);
        }
    }

    /// Returns `len` bytes of memory as a slice, if they wrap neither in segment nor in memory.
    pub fn slice(&self, at: FarPointer, len: usize) -> Option<&[u8]> {
        self.range(at, len).map(|range| &self.bytes[range])
    }

    /// Returns `len` bytes of memory as a slice to change, if they do not wrap.
    pub fn slice_mut(&mut self, at: FarPointer, len: usize) -> Option<&mut [u8]> {
        let range = self.range(at, len)?;
        self.stored(&range);
        Some(&mut self.bytes[range])
    }

    /// Returns bytes from a linear address on, the HMA included, wherever A20 is.
    pub(crate) fn flat(&self, start: usize, len: usize) -> Option<&[u8]> {
        self.bytes.get(start..start.checked_add(len)?)
    }

    /// Returns bytes from a linear address on to change, the HMA included, wherever A20 is.
    pub(crate) fn flat_mut(&mut self, start: usize, len: usize) -> Option<&mut [u8]> {
        let range = start..start.checked_add(len).filter(|end| *end <= STORAGE)?;
        self.stored(&range);
        self.bytes.get_mut(range)
    }

    /// Copies `len` bytes upwards from `from` to `to` at once, where the result is the same as
    /// byte by byte: nothing wraps, and the target does not begin inside the source.
    pub(crate) fn copy_up(&mut self, from: FarPointer, to: FarPointer, len: usize) -> bool {
        let (Some(source), Some(target)) = (self.range(from, len), self.range(to, len)) else {
            return false;
        };
        if target.start > source.start && target.start < source.end {
            return false;
        }
        self.stored(&target);
        self.bytes.copy_within(source, target.start);
        true
    }

    /// Tells that addresses mean other memory than before: decoded code is forgotten.
    pub fn remapped(&mut self) {
        self.watch.touch_all();
    }

    /// Returns the bytes from a linear address on, if so many are left before the end.
    pub(crate) fn window<const BYTES: usize>(&self, linear: usize) -> Option<&[u8; BYTES]> {
        self.bytes[..MEMORY_BYTES].get(linear..)?.first_chunk()
    }

    /// Reads an I/O port; FF where there is no device.
    pub fn port_in(&mut self, port: u16) -> u8 {
        self.devices.read(port)
    }

    /// Writes an I/O port.
    pub fn port_out(&mut self, port: u16, value: u8) {
        self.devices.write(port, value);
    }

    /// Asks for the interrupt of the coprocessor's errors.
    pub fn coprocessor_error(&mut self) {
        self.devices.pic.raise(COPROCESSOR);
    }

    /// Returns and forgets whether the last port access is to be looked at before the processor
    /// goes on.
    #[inline]
    pub fn wants_attention(&mut self) -> bool {
        self.devices.attention()
    }

    fn range(&self, at: FarPointer, len: usize) -> Option<core::ops::Range<usize>> {
        let has_high = self.devices.keyboard.a20();
        let (start, end) = match has_high {
            true => (at.unwrapped(), STORAGE),
            false => (at.linear(), MEMORY_BYTES),
        };
        let inside = at.offset as usize + len <= 0x10000 && start + len <= end;
        inside.then_some(start..start + len)
    }

    /// Tells that a range was stored to; no code is cached in the HMA.
    fn stored(&mut self, range: &core::ops::Range<usize>) {
        let end = range.end.min(MEMORY_BYTES);
        if range.start < end {
            self.watch.stored(range.start, end - range.start);
        }
    }

    /// Returns where an address from 1 MiB on lies.
    fn high(&self, at: FarPointer) -> usize {
        if self.devices.keyboard.a20() { at.unwrapped() } else { at.linear() }
    }

    #[cold]
    #[inline(never)]
    fn read8_high(&self, at: FarPointer) -> u8 {
        self.bytes[self.high(at)]
    }

    #[cold]
    #[inline(never)]
    fn write8_high(&mut self, at: FarPointer, value: u8) {
        let linear = self.high(at);
        self.bytes[linear] = value;
        self.stored(&(linear..linear + 1));
    }

    #[cold]
    fn read16_wrapping(&self, at: FarPointer) -> u16 {
        u16::from_le_bytes([self.read8(at), self.read8(at.add(1))])
    }

    #[cold]
    fn write16_wrapping(&mut self, at: FarPointer, value: u16) {
        let [low, high] = value.to_le_bytes();
        self.write8(at, low);
        self.write8(at.add(1), high);
    }
}

#[cfg(test)]
mod tests {
    use super::{Bus, FarPointer};

    #[test]
    fn addresses_wrap_at_one_mebibyte() {
        let mut bus = Bus::new();
        bus.write16(FarPointer::new(0xf01d, 0xfef0), 0x1234);
        assert_eq!(bus.read16(FarPointer::new(0, 0xc0)), 0x1234);
        bus.write16(FarPointer::new(0xffff, 0x000f), 0xaabb);
        assert_eq!(bus.read8(FarPointer::new(0, 0)), 0xaa);
    }

    #[test]
    fn with_a20_on_there_is_memory_above() {
        let mut bus = Bus::new();
        let (high, low) = (FarPointer::new(0xffff, 0x10), FarPointer::new(0, 0));
        bus.write16(low, 0x1111);
        bus.devices.keyboard.set_a20(true);
        bus.write16(high, 0x2222);
        bus.write8(FarPointer::new(0xffff, 0xffff), 0x33);
        assert_eq!((bus.read16(high), bus.read16(low)), (0x2222, 0x1111));
        assert!(bus.slice(high, 0xfff0).is_some_and(|bytes| bytes[0xffef] == 0x33));
        bus.devices.keyboard.set_a20(false);
        assert_eq!((bus.read16(high), bus.slice(high, 2)), (0x1111, Some(&[0x11, 0x11][..])));
        bus.devices.keyboard.set_a20(true);
        assert_eq!(bus.read16(high), 0x2222);
    }

    #[test]
    fn words_wrap_within_their_segment() {
        let mut bus = Bus::new();
        bus.write16(FarPointer::new(0x1000, 0xffff), 0xaabb);
        assert_eq!(bus.read8(FarPointer::new(0x1000, 0)), 0xaa);
        assert_eq!(bus.read16(FarPointer::new(0x1000, 0xffff)), 0xaabb);
    }

    #[test]
    fn slices_that_would_wrap_are_refused() {
        let bus = Bus::new();
        assert!(bus.slice(FarPointer::new(0x1000, 0xffff), 2).is_none());
        assert!(bus.slice(FarPointer::new(0xffff, 0), 17).is_none());
        assert!(bus.slice(FarPointer::new(0xffff, 0), 16).is_some());
    }
}
