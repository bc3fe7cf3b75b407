//! Calls and switches as JSON of the Chrome trace format, which Perfetto shows.
//!
//! ```text
//!   process 1 "processors"   a row for each: who runs; exceptions and interrupts as moments
//!   process 2 "threads"      a row for each: calls it makes, and calls it works on
//!
//!   client    ├── File::read ───────────┤          a call, from it to its end
//!                 ╲ (arrow)
//!   server         ├─ for client ──┤              until it answers or turns to something else
//!                     ├ Clock::… ┤                 calls that it makes for it lie within
//! ```
//!
//! The format: "Trace Event Format", Google, sections "Complete Events", "Flow Events",
//! "Metadata Events". Spans of one row nest, as a thread makes one call at a time.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use core::fmt::{self, Write};

use libipc::abi::trace::{Event, EventKind, NOBODY, TIMER};

use super::calls::Call;
use super::told;

const PROCESSORS: u32 = 1;
const THREADS: u32 = 2;

/// Writes events, and the calls made of them, as one JSON object.
///
/// # Errors
/// What `out` returns.
pub fn chrome(
    events: &[Event],
    calls: &[Call],
    name: impl Fn(u16, u64) -> String,
    out: &mut dyn Write,
) -> fmt::Result {
    out.write_str("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
    let mut rows = Rows { out, first: true };
    rows.label("process_name", PROCESSORS, 0, "processors")?;
    rows.label("process_name", THREADS, 0, "threads")?;
    let end = events.last().map_or(0, |event| event.time);
    let seen: BTreeSet<u16> = calls.iter().flat_map(|call| [call.caller, call.server]).collect();
    for slot in seen {
        rows.label("thread_name", THREADS, slot.into(), &name(slot, end))?;
    }
    processors(events, &name, &mut rows)?;
    for (index, call) in calls.iter().enumerate().filter(|(_, call)| call.asked.is_some()) {
        rows.call(index, call, end, &name)?;
    }
    rows.out.write_str("\n]}\n")
}

fn processors(
    events: &[Event],
    name: impl Fn(u16, u64) -> String,
    rows: &mut Rows<'_>,
) -> fmt::Result {
    let mut running: BTreeMap<u8, (u16, u64)> = BTreeMap::new();
    for event in events {
        let Event { time, processor, thread, detail, .. } = *event;
        let what = match event.kind {
            EventKind::Switch => {
                let was = running.insert(processor, (thread, time));
                if let Some((was, since)) = was.filter(|&(was, _)| was != NOBODY) {
                    let span =
                        Span { pid: PROCESSORS, row: processor.into(), from: since, to: time };
                    rows.span(&name(was, since), span, "")?;
                }
                continue;
            }
            EventKind::Fault => alloc::format!("exception {detail}"),
            EventKind::Interrupt if detail == TIMER => "timer".into(),
            EventKind::Interrupt => alloc::format!("interrupt {detail}"),
            EventKind::Entry
            | EventKind::Message
            | EventKind::Reply
            | EventKind::Words
            | EventKind::Queued
            | EventKind::Broken => continue,
        };
        rows.moment(&what, processor, time)?;
    }
    Ok(())
}

/// Where and when a span is.
struct Span {
    pid: u32,
    row: u32,
    from: u64,
    to: u64,
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

    fn label(&mut self, what: &str, pid: u32, row: u32, name: &str) -> fmt::Result {
        self.begin()?;
        let name = Escaped(name);
        write!(
            self.out,
            "{{\"name\":\"{what}\",\"ph\":\"M\",\"pid\":{pid},\"tid\":{row},\
             \"args\":{{\"name\":\"{name}\"}}}}"
        )
    }

    /// A call on its caller's row, the work on it on its server's, and the arrow between them.
    fn call(
        &mut self,
        index: usize,
        call: &Call,
        end: u64,
        name: impl Fn(u16, u64) -> String,
    ) -> fmt::Result {
        let (caller, server) = (name(call.caller, call.begun), name(call.server, call.received));
        let (request, outcome) = (told::request(call), told::outcome(call));
        let detail = alloc::format!(
            ",\"args\":{{\"request\":\"{}\",\"result\":\"{}\",\"server\":\"{}\",\"own_ns\":{}}}",
            Escaped(&request),
            Escaped(&outcome),
            Escaped(&server),
            call.own_ns
        );
        let operation = told::operation(call);
        let made = Span {
            pid: THREADS,
            row: call.caller.into(),
            from: call.begun,
            to: call.ended.unwrap_or(end),
        };
        self.span(&operation, made, &detail)?;
        let work = Span {
            pid: THREADS,
            row: call.server.into(),
            from: call.received,
            to: call.left.or(call.ended).unwrap_or(end),
        };
        self.span(&alloc::format!("{operation} for {caller}"), work, "")?;
        self.arrow("s", index, call.caller, call.begun)?;
        self.arrow("f\",\"bp\":\"e", index, call.server, call.received)
    }

    /// One end of an arrow.
    fn arrow(&mut self, phase: &str, id: usize, row: u16, time: u64) -> fmt::Result {
        self.begin()?;
        let (us, ns) = (time / 1000, time % 1000);
        write!(
            self.out,
            "{{\"name\":\"call\",\"cat\":\"call\",\"ph\":\"{phase}\",\"id\":{id},\
             \"pid\":{THREADS},\"tid\":{row},\"ts\":{us}.{ns:03}}}"
        )
    }

    /// Something that lasted; times in ns.
    fn span(&mut self, name: &str, span: Span, rest: &str) -> fmt::Result {
        self.begin()?;
        let Span { pid, row, from, to } = span;
        let (name, lasted) = (Escaped(name), to.saturating_sub(from));
        write!(
            self.out,
            "{{\"name\":\"{name}\",\"ph\":\"X\",\"pid\":{pid},\"tid\":{row},\
             \"ts\":{}.{:03},\"dur\":{}.{:03}{rest}}}",
            from / 1000,
            from % 1000,
            lasted / 1000,
            lasted % 1000
        )
    }

    /// Something that happened on a processor at a time in ns.
    fn moment(&mut self, what: &str, processor: u8, time: u64) -> fmt::Result {
        self.begin()?;
        write!(
            self.out,
            "{{\"name\":\"{what}\",\"ph\":\"i\",\"s\":\"t\",\"pid\":{PROCESSORS},\
             \"tid\":{processor},\"ts\":{}.{:03}}}",
            time / 1000,
            time % 1000
        )
    }
}

/// A text as it stands in a JSON string (RFC 8259, 7).
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                '\0'..' ' => write!(f, "\\u{:04x}", u32::from(character))?,
                _ => f.write_char(character)?,
            }
        }
        Ok(())
    }
}
