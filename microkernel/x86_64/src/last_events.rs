//! What the trace recorded last, for the epitaph of a kernel that was traced.

use core::sync::atomic::{AtomicU64, Ordering};

use kamen_abi::trace::{Event, Header, RING_BYTES, event_at};
use kamen_core::Frame;

use crate::epitaph;
use crate::memory::direct::DirectMap;

/// Where the first ring is mapped; 0: there is none.
static RINGS: AtomicU64 = AtomicU64::new(0);
/// Events of each processor that are written.
const SHOWN: usize = 8;
/// No more rings than this are read, whatever a header says: the kernel is broken.
const RINGS_MAX: u64 = 8;

/// Notes where the rings are.
pub(crate) fn remember(frames: &DirectMap, rings: core::ops::Range<u32>) {
    let address = if rings.is_empty() { 0 } else { frames.address(Frame(rings.start)) };
    RINGS.store(address, Ordering::Relaxed);
}

/// Writes the last events of each processor, the latest first; nothing where none were recorded.
pub(crate) fn write() {
    let rings = RINGS.load(Ordering::Relaxed);
    let Some(first) = header(rings) else { return };
    for processor in 0..first.processors.min(RINGS_MAX) {
        let ring = rings + processor * RING_BYTES as u64;
        let Some(header) = header(ring) else { return };
        for number in header.held().rev().take(SHOWN) {
            if let Some(event) = Event::from_words(words(ring + event_at(number) as u64)) {
                epitaph::line(epitaph::Level::Error, format_args!("before: {event:x?}"));
            }
        }
    }
}

fn header(ring: u64) -> Option<Header> {
    if ring == 0 { None } else { Header::from_words(words(ring)) }
}

/// Reads words of a ring.
fn words<const N: usize>(address: u64) -> [u64; N] {
    // SAFETY: rings are whole frames of the direct map, set apart for ever, and all addresses are
    // within those that the first header counts; the kernel has stopped, or is about to.
    core::array::from_fn(|index| unsafe { (address as *const u64).add(index).read_volatile() })
}
