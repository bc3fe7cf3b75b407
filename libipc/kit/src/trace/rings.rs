//! Reading the kernel's rings: at once, or again and again while they are written.
//!
//! A ring holds the last 2,046 events of its processor. [`Drain`] remembers how far it has read
//! each, so that whoever asks often enough gets all events, however long the trace is.

use alloc::vec;
use alloc::vec::Vec;

use libipc::abi::trace::{CAPACITY, Event, HEADER_BYTES, Header, RING_BYTES, event_at};
use libipc::{Destination, Error, Memory, Source, Time, copy};

/// Most rings that are read.
const RINGS_MAX: u64 = 64;

/// Where rings are read from: the kernel's memory object, or what a test wrote.
pub trait Rings {
    /// Copies the bytes at an offset.
    ///
    /// # Errors
    /// NoRights: READ; BadRange: beyond the end.
    fn copy(&self, at: u64, into: &mut [u8]) -> Result<(), Error>;
}

impl Rings for Memory {
    fn copy(&self, at: u64, into: &mut [u8]) -> Result<(), Error> {
        let len = into.len();
        Ok(copy(Source::Memory(*self, at), Destination::Bytes(into), len)?)
    }
}

/// What the rings hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recorded {
    /// The events of all processors, in order of time.
    pub events: Vec<Event>,
    /// Events that were overwritten by later ones.
    pub lost: u64,
}

impl Recorded {
    /// Returns what was recorded from a time on; the rings hold what was recorded before, too.
    pub fn since(mut self, begun: Time) -> Recorded {
        if self.events.first().is_some_and(|first| first.time < begun.0) {
            // Only earlier ones were overwritten.
            self.lost = 0;
        }
        self.events.retain(|event| event.time >= begun.0);
        self
    }
}

/// Returns what the rings hold; what is overwritten while it is read is left out.
///
/// # Errors
/// NoRights: READ; InvalidArgument: the object holds no rings.
pub fn read(rings: Memory) -> Result<Recorded, Error> {
    Drain::of_everything(rings).next()
}

/// Reads of the rings what was not read before.
pub struct Drain<R = Memory> {
    rings: R,
    /// Number of the next event of each ring.
    next: Vec<u64>,
    ring: Vec<u8>,
}

impl<R: Rings> Drain<R> {
    /// Returns a reader that begins with whatever is still there.
    pub fn of_everything(rings: R) -> Self {
        Drain { rings, next: Vec::new(), ring: vec![0; RING_BYTES] }
    }

    /// Returns a reader that begins with what is written from now on.
    ///
    /// # Errors
    /// As for [`Drain::next`].
    pub fn from_now(rings: R) -> Result<Self, Error> {
        let mut drain = Drain::of_everything(rings);
        let mut number = 0;
        loop {
            let header = drain.header(number)?;
            drain.next.push(header.written);
            number += 1;
            if number >= header.processors.min(RINGS_MAX) {
                return Ok(drain);
            }
        }
    }

    /// Returns the events that were written since the last time, and how many were lost.
    ///
    /// # Errors
    /// NoRights: READ; InvalidArgument: the object holds no rings.
    #[expect(clippy::should_implement_trait, reason = "there is no end")]
    pub fn next(&mut self) -> Result<Recorded, Error> {
        let mut recorded = Recorded::default();
        let mut number = 0;
        loop {
            let first = self.header(number)?;
            if self.next.len() <= number as usize {
                self.next.push(0);
            }
            self.read_ring(number, first, &mut recorded)?;
            number += 1;
            if number >= first.processors.min(RINGS_MAX) {
                break;
            }
        }
        recorded.events.sort_by_key(|event| event.time);
        Ok(recorded)
    }

    /// Reads of a ring what is new by its header `first`.
    fn read_ring(&mut self, ring: u64, first: Header, into: &mut Recorded) -> Result<(), Error> {
        let begin = self.next.get(ring as usize).copied().unwrap_or(0);
        let wanted = begin.max(first.held().start)..first.written;
        let mut at = wanted.start;
        while at < wanted.end {
            let (place, left) = (event_at(at), CAPACITY as u64 - at % CAPACITY as u64);
            let count = left.min(wanted.end - at) as usize;
            let bytes = self.ring.get_mut(place..place + count * Event::BYTES);
            let bytes = bytes.ok_or(Error::InvalidArgument)?;
            let offset = ring * RING_BYTES as u64 + place as u64;
            self.rings.copy(offset, bytes)?;
            at += count as u64;
        }
        let later = self.header(ring)?;
        let kept = later.held().start.max(wanted.start)..wanted.end;
        into.lost += kept.start.min(wanted.end).saturating_sub(begin);
        for number in kept {
            let words = words::<4>(&self.ring, event_at(number));
            into.events.extend(words.and_then(Event::from_words));
        }
        if let Some(next) = self.next.get_mut(ring as usize) {
            *next = wanted.end.max(begin);
        }
        Ok(())
    }

    fn header(&self, ring: u64) -> Result<Header, Error> {
        let mut bytes = [0; HEADER_BYTES];
        self.rings.copy(ring * RING_BYTES as u64, &mut bytes)?;
        let header = words::<8>(&bytes, 0).and_then(Header::from_words);
        header.ok_or(Error::InvalidArgument)
    }
}

fn words<const N: usize>(bytes: &[u8], at: usize) -> Option<[u64; N]> {
    let bytes = bytes.get(at..at + 8 * N)?;
    let mut words = [0; N];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = u64::from_le_bytes(bytes.try_into().ok()?);
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use core::cell::RefCell;

    use libipc::abi::trace::EventKind;

    use super::*;

    /// Rings of two processors that a test writes.
    struct Fake {
        bytes: RefCell<Vec<u8>>,
        written: RefCell<[u64; 2]>,
        /// Events that the first processor writes during each copy of events.
        meanwhile: u64,
    }

    impl Fake {
        fn new(meanwhile: u64) -> Self {
            let fake = Fake {
                bytes: RefCell::new(vec![0; 2 * RING_BYTES]),
                written: RefCell::new([0; 2]),
                meanwhile,
            };
            (0..2).for_each(|ring| fake.put(ring * RING_BYTES, &fake.header(ring).to_words()));
            fake
        }

        fn header(&self, ring: usize) -> Header {
            let written = self.written.borrow()[ring];
            Header { processor: ring as u64, processors: 2, kinds: 2, written }
        }

        fn put(&self, at: usize, words: &[u64]) {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            self.bytes.borrow_mut()[at..at + bytes.len()].copy_from_slice(&bytes);
        }

        fn write(&self, ring: usize, count: u64) {
            for _ in 0..count {
                let number = self.written.borrow()[ring];
                let event = Event {
                    time: 10 * number + ring as u64,
                    kind: EventKind::Entry,
                    processor: ring as u8,
                    thread: 1,
                    detail: 0,
                    values: [number, 0],
                };
                self.put(ring * RING_BYTES + event_at(number), &event.to_words());
                self.written.borrow_mut()[ring] += 1;
                self.put(ring * RING_BYTES, &self.header(ring).to_words());
            }
        }
    }

    impl Rings for &Fake {
        fn copy(&self, at: u64, into: &mut [u8]) -> Result<(), Error> {
            if into.len() > HEADER_BYTES {
                self.write(0, self.meanwhile);
            }
            let at = at as usize;
            into.copy_from_slice(&self.bytes.borrow()[at..at + into.len()]);
            Ok(())
        }
    }

    fn numbers(recorded: &Recorded, processor: u8) -> Vec<u64> {
        let events = recorded.events.iter().filter(|event| event.processor == processor);
        events.map(|event| event.values[0]).collect()
    }

    #[test]
    fn who_reads_often_enough_gets_everything_in_order_of_time() {
        let fake = Fake::new(0);
        let mut drain = Drain::of_everything(&fake);
        let mut all = Vec::new();
        for round in 0..5 {
            fake.write(0, 1500);
            fake.write(1, 7);
            let recorded = drain.next().unwrap();
            assert_eq!(recorded.lost, 0);
            assert!(recorded.events.is_sorted_by_key(|event| event.time));
            assert_eq!(numbers(&recorded, 1), (7 * round..7 * round + 7).collect::<Vec<_>>());
            all.extend(numbers(&recorded, 0));
        }
        assert_eq!(all, (0..7500).collect::<Vec<_>>());
        assert_eq!(drain.next(), Ok(Recorded::default()));
    }

    #[test]
    fn what_was_overwritten_before_it_was_read_is_counted() {
        let fake = Fake::new(0);
        fake.write(0, 5);
        let mut drain = Drain::from_now(&fake).unwrap();
        fake.write(0, CAPACITY as u64 + 30);
        let recorded = drain.next().unwrap();
        assert_eq!((recorded.events.len(), recorded.lost), (CAPACITY, 30));
        assert_eq!(recorded.events[0].values[0], 35);
        fake.write(0, 1);
        assert_eq!(numbers(&drain.next().unwrap(), 0), [CAPACITY as u64 + 35]);
    }

    #[test]
    fn what_is_overwritten_while_it_is_read_is_left_out() {
        let fake = Fake::new(40);
        fake.write(0, CAPACITY as u64);
        let mut drain = Drain::of_everything(&fake);
        let recorded = drain.next().unwrap();
        assert_eq!((recorded.events.len(), recorded.lost), (CAPACITY - 40, 40));
        assert_eq!(recorded.events[0].values[0], 40);
    }

    #[test]
    fn memory_that_holds_no_rings_is_refused() {
        let fake = Fake::new(0);
        fake.put(0, &[1]);
        assert_eq!(Drain::of_everything(&fake).next(), Err(Error::InvalidArgument));
        assert!(Drain::from_now(&fake).is_err());
    }
}
