//! The kernel's trace: what it writes down of its own doings, in a ring for each processor.
//!
//! The rings lie one after the other in one memory object that the first task may read
//! ([`boot::TRACE_MEMORY`](crate::boot)); [`Operation::Trace`](crate::Operation) says which
//! events are recorded. Readers copy a ring out of the object, then its header once more, which
//! tells what has been overwritten meanwhile.
//!
//! ```text
//!   ring n: byte n * RING_BYTES
//!   ┌───────────────────────────────┐ 0
//!   │ header: 8 words               │
//!   ├───────────────────────────────┤ HEADER_BYTES
//!   │ events: CAPACITY of 32 bytes  │   event number i is at i % CAPACITY
//!   └───────────────────────────────┘ RING_BYTES
//! ```

use crate::PAGE_SIZE;

/// Bytes of a processor's ring.
pub const RING_BYTES: usize = 16 * PAGE_SIZE;
/// Bytes of a ring's header.
pub const HEADER_BYTES: usize = 64;
/// Events that a ring holds.
pub const CAPACITY: usize = (RING_BYTES - HEADER_BYTES) / Event::BYTES;
/// The first word of a header: "KAMENT", then the version of this layout, 1.
pub const MAGIC: u64 = u64::from_le_bytes(*b"KAMENT\x01\x00");

/// No thread: the processor idles, or the kernel itself acts.
pub const NOBODY: u16 = u16::MAX;
/// The line of an event of kind Interrupt that stands for the kernel's own timer.
pub const TIMER: u32 = u32::MAX;

/// What happened. A set of kinds is a word with bit `kind` set for each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum EventKind {
    /// The thread asked for an operation: its number in `detail`, target (r12) and word 0 in
    /// `values`. Of operations made while recording begins on another processor one may miss.
    Entry = 1,
    /// The processor goes on with the thread, or idles; `detail` is the one that ran before.
    Switch = 2,
    /// The thread's message was received by the thread `detail`: the open call (0: none is to be
    /// answered) and the tag in `values`. Notices and notifications come from nobody.
    Message = 3,
    /// The thread answered the thread `detail`: the open call and the tag in `values`.
    Reply = 4,
    /// The thread met an exception: its vector in `detail`, the faulting address (page faults) and
    /// the instruction's in `values`.
    Fault = 5,
    /// An interrupt arrived while the thread ran: its line in `detail`, or [`TIMER`].
    Interrupt = 6,
    /// What the message or answer carried that its processor recorded just before: its words
    /// `detail` and following in `values`; where `detail` is 6, the first 16 bytes of its page.
    /// Words that are 0 both are not recorded.
    Words = 7,
    /// The thread's message waits to be received at the endpoint `detail` (its slot); the tag in
    /// the second of `values`.
    Queued = 8,
    /// The kernel ended the thread's wait with the error of number `detail`: the open call that is
    /// over with it (0: it had none) in the first of `values`.
    Broken = 9,
}

impl EventKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [EventKind; 9] = [
        EventKind::Entry,
        EventKind::Switch,
        EventKind::Message,
        EventKind::Reply,
        EventKind::Fault,
        EventKind::Interrupt,
        EventKind::Words,
        EventKind::Queued,
        EventKind::Broken,
    ];

    /// The set of all kinds.
    pub const EVERYTHING: u64 = 0b11_1111_1110;

    /// Returns the kind of a number, if it names one.
    pub const fn from_number(number: u8) -> Option<EventKind> {
        match number {
            1..=9 => Some(EventKind::ALL[number as usize - 1]),
            _ => None,
        }
    }

    /// Returns the set of this kind alone.
    pub const fn set(self) -> u64 {
        1 << self as u8
    }
}

/// What is recorded of something that happened.
///
/// ```text
///   word 0   time, ns since boot
///   word 1   63..32 detail   31..16 thread   15..8 processor   7..0 kind
///   word 2   values[0]
///   word 3   values[1]
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// When, in ns since boot.
    pub time: u64,
    /// What.
    pub kind: EventKind,
    /// On which processor.
    pub processor: u8,
    /// Whose doing it was, by thread slot, as in open calls; or [`NOBODY`].
    pub thread: u16,
    /// What it is stands at the kind.
    pub detail: u32,
    /// What they are stands at the kind.
    pub values: [u64; 2],
}

impl Event {
    /// Bytes of an event in the ring.
    pub const BYTES: usize = 32;

    /// Returns the event's words.
    pub const fn to_words(self) -> [u64; 4] {
        let [first, second] = self.values;
        let what = (self.detail as u64) << 32
            | (self.thread as u64) << 16
            | (self.processor as u64) << 8
            | self.kind as u64;
        [self.time, what, first, second]
    }

    /// Returns the event that words stand for; nothing where none was written yet.
    pub const fn from_words(words: [u64; 4]) -> Option<Event> {
        let [time, what, first, second] = words;
        let Some(kind) = EventKind::from_number(what as u8) else { return None };
        Some(Event {
            time,
            kind,
            processor: (what >> 8) as u8,
            thread: (what >> 16) as u16,
            detail: (what >> 32) as u32,
            values: [first, second],
        })
    }
}

/// The head of a ring.
///
/// ```text
///   word 0 MAGIC   1 processor   2 processors   3 kinds   4 written   5..7 0
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Whose ring it is.
    pub processor: u64,
    /// How many rings there are.
    pub processors: u64,
    /// The set of kinds that are recorded.
    pub kinds: u64,
    /// Events ever written to the ring; the last [`CAPACITY`] of them are there.
    pub written: u64,
}

impl Header {
    /// Word of the header that counts the events.
    pub const WRITTEN_AT: usize = 4;

    /// Returns the header's words.
    pub const fn to_words(self) -> [u64; 8] {
        [MAGIC, self.processor, self.processors, self.kinds, self.written, 0, 0, 0]
    }

    /// Returns the header that words stand for, if they are one.
    pub const fn from_words(words: [u64; 8]) -> Option<Header> {
        let [magic, processor, processors, kinds, written, ..] = words;
        if magic == MAGIC { Some(Header { processor, processors, kinds, written }) } else { None }
    }

    /// Returns the numbers of the events that the ring still holds.
    pub const fn held(self) -> core::ops::Range<u64> {
        self.written.saturating_sub(CAPACITY as u64)..self.written
    }
}

/// Returns the byte in the ring at which an event is.
pub const fn event_at(number: u64) -> usize {
    HEADER_BYTES + (number % CAPACITY as u64) as usize * Event::BYTES
}

const _: () = assert!(HEADER_BYTES.is_multiple_of(Event::BYTES), "no event crosses a page");
const _: () = assert!(PAGE_SIZE.is_multiple_of(Event::BYTES));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_what_its_words_say() {
        for kind in EventKind::ALL {
            let event = Event {
                time: 1 << 40,
                kind,
                processor: 3,
                thread: 0xfffe,
                detail: 77,
                values: [5, u64::MAX],
            };
            assert_eq!(Event::from_words(event.to_words()), Some(event));
            assert_eq!(EventKind::from_number(kind as u8), Some(kind));
            assert_eq!(EventKind::EVERYTHING & kind.set(), kind.set());
        }
        assert_eq!(Event::from_words([0; 4]), None);
        assert_eq!(EventKind::from_number(10), None);
    }

    #[test]
    fn a_header_tells_what_the_ring_still_holds() {
        let header = |written| Header { processor: 0, processors: 1, kinds: 2, written };
        assert_eq!(Header::from_words(header(3).to_words()), Some(header(3)));
        assert_eq!(Header::from_words([0; 8]), None);
        assert_eq!(header(3).held(), 0..3);
        assert_eq!(header(CAPACITY as u64 + 2).held(), 2..CAPACITY as u64 + 2);
        assert_eq!(event_at(CAPACITY as u64), HEADER_BYTES);
        assert_eq!(event_at(CAPACITY as u64 - 1) + Event::BYTES, RING_BYTES);
    }
}
