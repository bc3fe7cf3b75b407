//! Memory that is seen in several places: a store to one of them is one to all.
//!
//! ```text
//!   store ─► watch ─► the processor stops behind the instruction ─► copied to the other places
//! ```
//!
//! What is nowhere twice costs nothing: the bits that [`Watch`](crate::watch::Watch) tests at each store
//! are those that tell of stored code.

use alloc::vec::Vec;

use crate::Bus;
use crate::watch::Touched;

/// Groups of places that show the same bytes.
#[derive(Default)]
pub(crate) struct Mirrors {
    groups: Vec<Vec<usize>>,
    /// Bytes of each place.
    bytes: usize,
}

impl Bus {
    /// Says which places of so many bytes are the same memory from now on; they are equal already.
    pub(crate) fn mirror(&mut self, groups: Vec<Vec<usize>>, bytes: usize) {
        if groups == self.mirrors.groups {
            return;
        }
        let places = groups.iter().flatten().map(|first| Touched { first: *first, bytes });
        self.watch.pin(places.collect());
        self.mirrors = Mirrors { groups, bytes };
    }

    /// Copies what was stored to one place to the others.
    pub(crate) fn reflect(&mut self) {
        if self.mirrors.groups.is_empty() || !self.watch.is_touched() {
            return;
        }
        let (Mirrors { groups, bytes }, stored) =
            (core::mem::take(&mut self.mirrors), self.watch.touched().to_vec());
        for group in &groups {
            for range in &stored {
                self.reflect_range(group, bytes, *range);
            }
        }
        self.mirrors = Mirrors { groups, bytes };
    }

    fn reflect_range(&mut self, group: &[usize], bytes: usize, range: Touched) {
        // What tells of all memory tells of no store.
        if range.bytes >= crate::MEMORY_BYTES {
            return;
        }
        for place in group.iter().filter(|place| meets(**place, bytes, range)) {
            let first = range.first.max(*place);
            let len = (range.first + range.bytes).min(*place + bytes) - first;
            let Some(stored) = self.flat(first, len).map(<[u8]>::to_vec) else { continue };
            for other in group.iter().filter(|other| *other != place) {
                if let Some(bytes) = self.flat_mut(other + (first - place), len) {
                    bytes.copy_from_slice(&stored);
                }
            }
        }
    }
}

fn meets(place: usize, bytes: usize, range: Touched) -> bool {
    range.first < place + bytes && place < range.first + range.bytes
}
