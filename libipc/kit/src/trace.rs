//! The kernel's trace, read and told: who called whom, how often, for how long.
//!
//! ```text
//!   rings (memory object) ──> read ──> events in order of time ──┬──> pairs: a table for people
//!                                                                └──> chrome: for a trace viewer
//! ```
//!
//! A call begins when its server receives it and ends with the answer; what a caller waits before
//! that is not counted. Threads are known by their slots; whoever prints finds names for them.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use libipc::abi::OpenCall;
use libipc::abi::trace::{Event, EventKind, HEADER_BYTES, Header, NOBODY, RING_BYTES, event_at};
use libipc::{Destination, Error, Memory, Source, Time, copy};

/// Most rings that are read.
const RINGS_MAX: u64 = 64;

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

/// Calls from one thread to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pair {
    /// Slot of the caller.
    pub caller: u16,
    /// Slot of the server.
    pub server: u16,
    /// Calls that were answered.
    pub calls: u64,
    /// Calls that were not, as long as the trace goes.
    pub open: u64,
    /// Nanoseconds from receipt to answer, of all calls.
    pub total_ns: u64,
    /// Of the longest.
    pub longest_ns: u64,
}

/// Returns what the rings hold; what is overwritten while it is read is left out.
///
/// # Errors
/// NoRights: READ; InvalidArgument: the object holds no rings.
pub fn read(rings: Memory) -> Result<Recorded, Error> {
    let mut ring = vec![0; RING_BYTES];
    let Recorded { mut events, mut lost } = Recorded::default();
    let mut number = 0;
    loop {
        let at = number * RING_BYTES as u64;
        copy(Source::Memory(rings, at), Destination::Bytes(&mut ring), RING_BYTES)?;
        let mut later = [0; HEADER_BYTES];
        copy(Source::Memory(rings, at), Destination::Bytes(&mut later), HEADER_BYTES)?;
        let header = header(&later).ok_or(Error::InvalidArgument)?;
        held(&ring, header, &mut events);
        lost += header.held().start;
        number += 1;
        if number >= header.processors.min(RINGS_MAX) {
            break;
        }
    }
    events.sort_by_key(|event| event.time);
    Ok(Recorded { events, lost })
}

/// Adds the events of a ring to those found, but what `later`, its header after it was copied,
/// says to be overwritten.
fn held(ring: &[u8], later: Header, events: &mut Vec<Event>) {
    let Some(first) = header(ring) else { return };
    for number in later.held().start..first.written {
        let words = words::<4>(ring, event_at(number));
        events.extend(words.and_then(Event::from_words));
    }
}

fn header(bytes: &[u8]) -> Option<Header> {
    words::<8>(bytes, 0).and_then(Header::from_words)
}

fn words<const N: usize>(bytes: &[u8], at: usize) -> Option<[u64; N]> {
    let bytes = bytes.get(at..at + 8 * N)?;
    let mut words = [0; N];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = u64::from_le_bytes(bytes.try_into().ok()?);
    }
    Some(words)
}

/// A call that was received.
struct Received {
    caller: u16,
    server: u16,
    time: u64,
}

/// Gives each call of the events, answered or not, to `tell`: what was received, and when it was
/// answered.
fn calls(events: &[Event], mut tell: impl FnMut(&Received, Option<u64>)) {
    let mut open: BTreeMap<u64, Received> = BTreeMap::new();
    for event in events {
        let call = event.values[0];
        match event.kind {
            EventKind::Message if OpenCall(call) != OpenCall::NONE => {
                let Event { thread: caller, time, .. } = *event;
                let received = Received { caller, server: event.detail as u16, time };
                open.insert(call, received);
            }
            EventKind::Reply => {
                if let Some(received) = open.remove(&call) {
                    tell(&received, Some(event.time));
                }
            }
            EventKind::Message
            | EventKind::Entry
            | EventKind::Switch
            | EventKind::Fault
            | EventKind::Interrupt => {}
        }
    }
    open.values().for_each(|received| tell(received, None));
}

/// Returns who called whom, those that took longest first.
pub fn pairs(events: &[Event]) -> Vec<Pair> {
    let mut found: BTreeMap<(u16, u16), Pair> = BTreeMap::new();
    calls(events, |received, answered| {
        let Received { caller, server, time, .. } = *received;
        let pair =
            found.entry((caller, server)).or_insert(Pair { caller, server, ..Pair::default() });
        match answered {
            Some(end) => {
                let ns = end.saturating_sub(time);
                pair.calls += 1;
                pair.total_ns += ns;
                pair.longest_ns = pair.longest_ns.max(ns);
            }
            None => pair.open += 1,
        }
    });
    let mut pairs: Vec<Pair> = found.into_values().collect();
    pairs.sort_by_key(|pair| core::cmp::Reverse((pair.total_ns, pair.open)));
    pairs
}

/// Writes the events as JSON of the Chrome trace format, which trace viewers show: what runs on
/// each processor as process 1, calls as process 2 with a row for each server, faults and
/// interrupts as moments.
///
/// # Errors
/// What `out` returns.
pub fn chrome(
    events: &[Event],
    mut name: impl FnMut(u16) -> alloc::string::String,
    out: &mut dyn Write,
) -> fmt::Result {
    let mut rows = Rows { out, first: true };
    rows.out.write_char('[')?;
    let mut running: BTreeMap<u8, (u16, u64)> = BTreeMap::new();
    for event in events {
        let Event { time, processor, thread, detail, .. } = *event;
        match event.kind {
            EventKind::Switch => {
                let was = running.insert(processor, (thread, time));
                if let Some((was, since)) = was.filter(|&(was, _)| was != NOBODY) {
                    rows.span(&name(was), 1, processor.into(), since, time)?;
                }
            }
            EventKind::Fault => rows.moment("exception", detail, processor, time)?,
            EventKind::Interrupt => rows.moment("interrupt", detail, processor, time)?,
            EventKind::Entry | EventKind::Message | EventKind::Reply => {}
        }
    }
    let mut result = Ok(());
    calls(events, |received, answered| {
        if let (Ok(()), Some(end)) = (result, answered) {
            let Received { caller, server, time, .. } = *received;
            result = rows.span(&name(caller), 2, server.into(), time, end);
        }
    });
    result?;
    rows.out.write_str("\n]\n")
}

/// Rows of a JSON array.
struct Rows<'a> {
    out: &'a mut dyn Write,
    first: bool,
}

impl Rows<'_> {
    fn begin(&mut self) -> fmt::Result {
        let separator = if core::mem::take(&mut self.first) { "\n" } else { ",\n" };
        self.out.write_str(separator)
    }

    /// Something that lasted; times in ns.
    fn span(&mut self, name: &str, pid: u32, row: u32, from: u64, to: u64) -> fmt::Result {
        self.begin()?;
        let (from_us, ns) = (from / 1000, to.saturating_sub(from));
        let name = name.escape_default();
        write!(
            self.out,
            "{{\"name\":\"{name}\",\"ph\":\"X\",\"pid\":{pid},\"tid\":{row},\
             \"ts\":{from_us}.{:03},\"dur\":{}.{:03}}}",
            from % 1000,
            ns / 1000,
            ns % 1000
        )
    }

    /// Something that happened on a processor at a time in ns.
    fn moment(&mut self, what: &str, number: u32, processor: u8, time: u64) -> fmt::Result {
        self.begin()?;
        write!(
            self.out,
            "{{\"name\":\"{what} {number}\",\"ph\":\"i\",\"s\":\"t\",\"pid\":1,\"tid\":{processor},\
             \"ts\":{}.{:03}}}",
            time / 1000,
            time % 1000
        )
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;

    use libipc::abi::trace::CAPACITY;

    use super::*;

    fn event(time: u64, kind: EventKind, thread: u16, detail: u32, call: u64) -> Event {
        Event { time, kind, processor: 0, thread, detail, values: [call, 0] }
    }

    /// Two calls of 3 to 7, one of which is answered by 9, and one of 4 that stays open.
    fn sample() -> Vec<Event> {
        use EventKind::{Fault, Message, Reply, Switch};
        vec![
            event(1_000, Switch, 3, 65535, 0),
            event(2_000, Message, 3, 7, 1 << 16 | 3),
            event(2_500, Switch, 7, 3, 0),
            event(5_000, Reply, 7, 3, 1 << 16 | 3),
            event(5_001, Message, 65535, 7, 0),
            event(6_000, Message, 3, 7, 2 << 16 | 3),
            event(6_500, Message, 4, 7, 9 << 16 | 4),
            event(7_000, Fault, 7, 14, 0xdead),
            event(7_250, Reply, 9, 3, 2 << 16 | 3),
            event(8_000, Switch, 65535, 7, 0),
        ]
    }

    #[test]
    fn calls_are_counted_by_caller_and_receiver() {
        let first =
            Pair { caller: 3, server: 7, calls: 2, open: 0, total_ns: 4_250, longest_ns: 3_000 };
        let second = Pair { caller: 4, server: 7, open: 1, ..Pair::default() };
        assert_eq!(pairs(&sample()), [first, second]);
        assert_eq!(pairs(&[]), []);
    }

    #[test]
    fn a_viewer_gets_spans_and_moments() {
        let mut text = String::new();
        chrome(&sample(), |slot| format!("t\"{slot}"), &mut text).unwrap();
        let rows: Vec<&str> = text.lines().collect();
        let span = |name: &str, pid, row, from: &str, lasted: &str| {
            format!(
                "{{\"name\":\"t\\\"{name}\",\"ph\":\"X\",\"pid\":{pid},\"tid\":{row},\"ts\":{from},\"dur\":{lasted}}}"
            )
        };
        let expected = [
            span("3", 1, 0, "1.000", "1.500"),
            String::from(
                "{\"name\":\"exception 14\",\"ph\":\"i\",\"s\":\"t\",\"pid\":1,\"tid\":0,\"ts\":7.000}",
            ),
            span("7", 1, 0, "2.500", "5.500"),
            span("3", 2, 7, "2.000", "3.000"),
            span("3", 2, 7, "6.000", "1.250"),
        ];
        assert_eq!(text, format!("[\n{}\n]\n", expected.join(",\n")));
        assert_eq!(rows.len(), 7);
    }

    #[test]
    fn what_was_overwritten_while_it_was_read_is_left_out() {
        let header = |written| Header { processor: 0, processors: 1, kinds: 2, written };
        let mut ring = vec![0; RING_BYTES];
        let mut put = |at: usize, words: &[u64]| {
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            ring[at..at + bytes.len()].copy_from_slice(&bytes);
        };
        put(0, &header(4).to_words());
        for number in 0..4 {
            put(event_at(number), &event(number, EventKind::Entry, 1, 0, 0).to_words());
        }
        let times = |later| {
            let mut events = Vec::new();
            held(&ring, header(later), &mut events);
            events.iter().map(|event| event.time).collect::<Vec<_>>()
        };
        assert_eq!(times(4), [0, 1, 2, 3]);
        assert_eq!(times(CAPACITY as u64 + 2), [2, 3]);
        assert_eq!(times(CAPACITY as u64 + 9), []);
        assert!(super::header(&[0; 64]).is_none() && super::header(&[0; 9]).is_none());
    }
}
