//! Which bytes of memory are cached code, and which of them were stored to.
//!
//! The processor keeps decoded instructions ([`crate::cpu`]). Each byte that one was decoded from has a
//! bit here; a store tests the bits of its bytes, and what it hits is noted for the processor to
//! forget. Code and data may share lines and pages: a store beside code costs nothing.
//!
//! Memory that is the same as other memory ([`crate::mirror`]) is watched as well, whether code of it is
//! cached or not.

use alloc::vec::Vec;
use alloc::{boxed::Box, vec};

use crate::bus::MEMORY_BYTES;

/// Most ranges that are noted; more of them are all of memory.
const MOST_RANGES: usize = 32;
/// Bytes of the map: a word's bits are read at once, the last one's too.
const MAP_BYTES: usize = MEMORY_BYTES / 8 + 1;

/// A range of memory that was stored to: first byte and length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Touched {
    pub(crate) first: usize,
    pub(crate) bytes: usize,
}

/// The map of cached code.
pub(crate) struct Watch {
    map: Box<[u8; MAP_BYTES]>,
    touched: Vec<Touched>,
    is_touched: bool,
    /// What is watched always: multiples of eight bytes.
    pinned: Vec<Touched>,
}

impl Watch {
    /// Returns the map of memory in which no code is cached.
    pub(crate) fn new() -> Watch {
        let map = vec![0; MAP_BYTES].into_boxed_slice();
        let map = map.try_into().expect("the slice was made with that length");
        let touched = Vec::with_capacity(MOST_RANGES);
        Watch { map, touched, is_touched: false, pinned: Vec::new() }
    }

    /// Returns whether cached code was stored to since the last look.
    #[inline(always)]
    pub(crate) fn is_touched(&self) -> bool {
        self.is_touched
    }

    /// Notes a store of a byte.
    #[inline(always)]
    pub(crate) fn stored8(&mut self, linear: usize) {
        let place = (linear >> 3) & (MEMORY_BYTES / 8 - 1);
        if self.map[place] >> (linear & 7) & 1 != 0 {
            self.touch(linear, 1);
        }
    }

    /// Notes a store of a word.
    #[inline(always)]
    pub(crate) fn stored16(&mut self, linear: usize) {
        let place = (linear >> 3) & (MEMORY_BYTES / 8 - 1);
        let bits = u16::from_le_bytes([self.map[place], self.map[place + 1]]);
        if bits >> (linear & 7) & 3 != 0 {
            self.touch(linear, 2);
        }
    }

    /// Notes stores to a range.
    pub(crate) fn stored(&mut self, first: usize, bytes: usize) {
        if bytes == 0 {
            return;
        }
        let (start, end) = (first >> 3, (first + bytes - 1) >> 3);
        // Without an early end, so that the compiler takes many at once.
        if self.map[start..=end].iter().fold(0, |all, bits| all | bits) != 0 {
            self.touch(first, bytes);
        }
    }

    /// Watches ranges always, and no others as always; their bounds are multiples of eight bytes.
    pub(crate) fn pin(&mut self, ranges: Vec<Touched>) {
        self.pinned = ranges;
        self.mark_pinned();
        // What was watched is forgotten with all code.
        self.touch_all();
    }

    fn mark_pinned(&mut self) {
        for range in &self.pinned {
            self.map[range.first >> 3..(range.first + range.bytes) >> 3].fill(0xff);
        }
    }

    /// Returns what was stored to, without forgetting it.
    pub(crate) fn touched(&self) -> &[Touched] {
        &self.touched
    }

    /// Notes that all of memory may be other than it was.
    pub(crate) fn touch_all(&mut self) {
        self.touch(0, MEMORY_BYTES);
    }

    /// Marks bytes as cached code.
    pub(crate) fn mark(&mut self, first: usize, bytes: usize) {
        for linear in first..first + bytes {
            self.map[linear >> 3] |= 1 << (linear & 7);
        }
    }

    /// Marks bytes as no longer cached.
    pub(crate) fn unmark(&mut self, range: Touched) {
        for linear in range.first..(range.first + range.bytes).min(MEMORY_BYTES) {
            self.map[linear >> 3] &= !(1 << (linear & 7));
        }
        self.mark_pinned();
    }

    /// Marks all of memory as no longer cached.
    pub(crate) fn unmark_all(&mut self) {
        self.map.fill(0);
        self.mark_pinned();
    }

    /// Returns and forgets what was stored to.
    pub(crate) fn take(&mut self) -> Vec<Touched> {
        self.is_touched = false;
        core::mem::take(&mut self.touched)
    }

    #[cold]
    #[inline(never)]
    fn touch(&mut self, first: usize, bytes: usize) {
        self.is_touched = true;
        if let Some(last) = self.touched.last_mut()
            && last.first + last.bytes == first
        {
            last.bytes += bytes;
        } else if let Some(last) = self.touched.last_mut()
            && first + bytes == last.first
        {
            *last = Touched { first, bytes: last.bytes + bytes };
        } else if self.touched.len() < MOST_RANGES {
            self.touched.push(Touched { first, bytes });
        } else {
            self.touched.clear();
            self.touched.push(Touched { first: 0, bytes: MEMORY_BYTES });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_RANGES, Touched, Watch};
    use crate::MEMORY_BYTES;
    use alloc::{vec, vec::Vec};

    #[test]
    fn stores_beside_code_are_not_noted() {
        let mut watch = Watch::new();
        watch.mark(0x101, 3);
        watch.stored8(0x100);
        watch.stored8(0x104);
        watch.stored16(0xff);
        watch.stored16(0x104);
        watch.stored(0xe0, 0x18);
        assert!(!watch.is_touched());
    }

    #[test]
    fn stores_to_code_are_noted_once_asked_for() {
        let mut watch = Watch::new();
        watch.mark(0x107, 2);
        watch.stored8(0x108);
        watch.stored16(0x106);
        watch.stored(0x80, 0x88);
        // Neighbours become one range.
        let ranges = [(0x106, 3), (0x80, 0x88)];
        let expected = ranges.map(|(first, bytes)| Touched { first, bytes });
        assert!(watch.is_touched());
        assert_eq!(watch.take(), expected);
        assert!(!watch.is_touched());
        expected.into_iter().for_each(|range| watch.unmark(range));
        watch.stored8(0x108);
        assert!(!watch.is_touched());
    }

    #[test]
    fn pinned_ranges_stay_watched() {
        let mut watch = Watch::new();
        let pinned = Touched { first: 0x100, bytes: 0x10 };
        watch.pin(vec![pinned]);
        assert_eq!(watch.take(), [Touched { first: 0, bytes: MEMORY_BYTES }]);
        watch.unmark(Touched { first: 0, bytes: MEMORY_BYTES });
        watch.unmark_all();
        for place in [0x10f, 0x10e, 0x110, 0xff] {
            watch.stored8(place);
        }
        assert_eq!(watch.take(), [Touched { first: 0x10e, bytes: 2 }]);
        watch.pin(Vec::new());
        watch.unmark_all();
        watch.take();
        watch.stored8(0x100);
        assert!(!watch.is_touched());
    }

    #[test]
    fn too_many_ranges_are_all_of_memory() {
        let mut watch = Watch::new();
        watch.mark(0, 128);
        (0..=MOST_RANGES).for_each(|place| watch.stored8(place * 2));
        assert_eq!(watch.take(), [Touched { first: 0, bytes: MEMORY_BYTES }]);
        watch.mark(MEMORY_BYTES - 1, 1);
        watch.stored8(MEMORY_BYTES - 1);
        assert_eq!(watch.take().len(), 1);
    }
}
