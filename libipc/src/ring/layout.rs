//! Where the parts of a ring lie in its memory object, and what its header must say.
//!
//! ```text
//!   word 0    magic | entries | 0 …                        written when the ring is made
//!   word 8    the client's line: position | sleeps | 0 …   a cache line each
//!   word 16   the server's line: position | sleeps | 0 …
//!   word 32   submissions, 4 words each
//!             completions, 2 words each
//!   from the next page on: the data area, to the end of the object
//!
//!   position: generation << 32 | count                     see `line.rs`
//! ```

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use kamen_abi::PAGE_SIZE;

use super::entry::{COMPLETION_WORDS, CompletionSlot, SUBMISSION_WORDS, SubmissionSlot};
use super::line::Line;
use super::{Area, PeerError};

/// Most entries of a queue.
pub const MAX_ENTRIES: u32 = 1 << 12;
/// Most pages of a ring's memory object: 16 MiB.
pub const MAX_PAGES: u64 = 4096;

/// The first word of every ring; its last character is the layout's version.
const MAGIC: u64 = u64::from_le_bytes(*b"kamring1");
const PAGE_WORDS: usize = PAGE_SIZE / 8;
const LINE_WORDS: usize = 8;
const CLIENT_AT: usize = 8;
const SERVER_AT: usize = 16;
const QUEUES_AT: usize = 32;

/// How large a ring is: entries of its queues, and its data area.
///
/// ```
/// use libipc::ring::Shape;
/// let shape = Shape::new(8, 8 * 4096).expect("8 is a power of two");
/// assert_eq!(shape.pages(), 9);
/// assert_eq!(shape.area_at(), 4096);
/// assert_eq!(Shape::new(7, 0), None);
/// ```
///
/// ```
/// use libipc::ring::{MAX_ENTRIES, MAX_PAGES, Shape};
/// let largest = Shape::new(MAX_ENTRIES, 0).expect("it is a power of two");
/// assert_eq!(largest.entries(), MAX_ENTRIES);
/// assert!(largest.pages() < MAX_PAGES);
/// assert_eq!(Shape::new(2 * MAX_ENTRIES, 0), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    entries: u32,
    area_pages: u32,
}

impl Shape {
    /// Returns the shape of a ring with `entries` entries, a power of two up to [`MAX_ENTRIES`],
    /// and a data area of at least `area_bytes`; none where it would exceed [`MAX_PAGES`].
    pub const fn new(entries: u32, area_bytes: u32) -> Option<Shape> {
        let shape = Shape { entries, area_pages: area_bytes.div_ceil(PAGE_SIZE as u32) };
        if are_entries(entries as u64) && shape.pages() <= MAX_PAGES { Some(shape) } else { None }
    }

    /// Returns how many submissions may be in flight.
    pub const fn entries(self) -> u32 {
        self.entries
    }

    /// Returns how many pages its memory object has.
    pub const fn pages(self) -> u64 {
        area_page(self.entries) as u64 + self.area_pages as u64
    }

    /// Returns where the data area begins in the memory object, in bytes: at a page. A driver
    /// whose device reads and writes buffers adds the object's physical address.
    pub const fn area_at(self) -> u64 {
        (area_page(self.entries) * PAGE_SIZE) as u64
    }
}

const fn are_entries(entries: u64) -> bool {
    entries.is_power_of_two() && entries <= MAX_ENTRIES as u64
}

/// Returns the page at which the data area begins.
const fn area_page(entries: u32) -> usize {
    let words = QUEUES_AT + entries as usize * (SUBMISSION_WORDS + COMPLETION_WORDS);
    words.div_ceil(PAGE_WORDS)
}

/// The parts of a ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts {
    pub(super) client: Line,
    pub(super) server: Line,
    /// As many as `completions`: a power of two.
    pub(super) submissions: &'static [SubmissionSlot],
    pub(super) completions: &'static [CompletionSlot],
    pub(super) area: &'static [AtomicU64],
    /// What of a count is its entry's place.
    pub(super) mask: usize,
}

impl Parts {
    /// Makes the words a ring; the lines are left as they are. None where they are too few.
    pub(super) fn make(words: &'static [AtomicU64], shape: Shape) -> Option<Parts> {
        let entries = shape.entries;
        if words.len() < shape.pages() as usize * PAGE_WORDS {
            return None;
        }
        let parts = Parts::of(words, entries)?;
        words.first()?.store(MAGIC, Relaxed);
        words.get(1)?.store(entries.into(), Relaxed);
        Some(parts)
    }

    /// Returns the parts of the ring that the peer has made.
    ///
    /// # Errors
    /// Layout: the words are none.
    pub(super) fn find(words: &'static [AtomicU64]) -> Result<Parts, PeerError> {
        let [magic, entries, ..] = words else { return Err(PeerError::Layout) };
        let entries = entries.load(Relaxed);
        if magic.load(Relaxed) != MAGIC || !are_entries(entries) {
            return Err(PeerError::Layout);
        }
        Parts::of(words, entries as u32).ok_or(PeerError::Layout)
    }

    /// `entries` is a power of two.
    fn of(words: &'static [AtomicU64], entries: u32) -> Option<Parts> {
        let count = entries as usize;
        let area = words.get(area_page(entries) * PAGE_WORDS..)?;
        let queues = words.get(QUEUES_AT..)?;
        let (submissions, queues) = queues.split_at_checked(count * SUBMISSION_WORDS)?;
        let completions = queues.get(..count * COMPLETION_WORDS)?;
        Some(Parts {
            client: line(words, CLIENT_AT)?,
            server: line(words, SERVER_AT)?,
            submissions: submissions.as_chunks().0,
            completions: completions.as_chunks().0,
            area,
            mask: count - 1,
        })
    }

    pub(super) const fn entries(&self) -> u32 {
        self.submissions.len() as u32
    }

    #[inline(always)]
    pub(super) const fn area(&self) -> Area<'_> {
        Area::new(self.area)
    }
}

fn line(words: &'static [AtomicU64], at: usize) -> Option<Line> {
    let [position, sleeps, ..] = words.get(at..at + LINE_WORDS)? else { return None };
    Some(Line::new(position, sleeps))
}
