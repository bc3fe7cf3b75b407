//! The loader's memory map, as frames.

use core::ops::Range;

use kamen_machine::Ranges;

/// Bytes of a page.
pub(crate) const PAGE: u64 = kamen_abi::PAGE_SIZE as u64;

/// What a loader tells.
#[derive(Clone, Debug, Default)]
pub struct BootData {
    /// The memory that there is.
    pub memory: MemoryMap,
    /// Physical addresses of the boot package.
    pub package: Option<Range<u64>>,
    /// Physical address of ACPI's root pointer.
    pub acpi: Option<u64>,
}

/// RAM, less what the firmware keeps.
///
/// Maps may overlap and come unsorted; what any entry keeps is not RAM.
#[derive(Clone, Debug, Default)]
pub struct MemoryMap {
    ram: Ranges,
    kept: Ranges,
}

impl MemoryMap {
    /// The type of usable RAM in all memory maps (ACPI 6.5, table 15.4).
    pub const RAM: u32 = 1;

    /// Adds an entry of the loader's map.
    pub fn add(&mut self, address: u64, len: u64, kind: u32) {
        let end = address.saturating_add(len);
        if kind == Self::RAM {
            self.ram.insert(frame(address.div_ceil(PAGE))..frame(end / PAGE));
        } else {
            self.kept.insert(frame(address / PAGE)..frame(end.div_ceil(PAGE)));
        }
    }

    /// Returns the frames of RAM.
    pub fn ram(&self) -> Ranges {
        let mut ram = self.ram.clone();
        for kept in self.kept.as_slice() {
            ram.remove(kept.clone());
        }
        ram
    }
}

/// Returns the frames that a range of physical addresses touches.
pub(crate) fn frames(range: &Range<u64>) -> Range<u32> {
    frame(range.start / PAGE)..frame(range.end.div_ceil(PAGE))
}

/// Returns a frame's number; memory beyond 16 TiB counts as its end.
fn frame(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_any_entry_keeps_is_not_ram() {
        let mut map = MemoryMap::default();
        map.add(0x1800, 0x2000, 2);
        map.add(0, 0x10000, MemoryMap::RAM);
        map.add(0x20800, 0x2000, MemoryMap::RAM);
        map.add(0, 0, 0);
        assert_eq!(map.ram().as_slice(), [0..1, 4..16, 0x21..0x22]);
    }

    #[test]
    fn entries_at_the_end_of_the_address_space_do_not_wrap() {
        let mut map = MemoryMap::default();
        map.add(u64::MAX - 10, 100, MemoryMap::RAM);
        map.add(u64::MAX - 10, 100, 2);
        assert_eq!(map.ram().frames(), 0);
    }
}
