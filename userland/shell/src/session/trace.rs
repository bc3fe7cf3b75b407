//! The command `trace`: runs a program while the kernel records, and tells who called whom.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;

use kamen_kit::trace::{self, Recorded};
use libipc::abi::trace::EventKind;
use libipc::{Error, Memory, Object, Time, now};
use protocols::process::Pid;

use super::Session;
use crate::command::{Format, Run};

/// What is recorded: all but the operations themselves, of which there are too many.
const KINDS: u64 = EventKind::EVERYTHING & !EventKind::Entry.set();
/// Bytes of one answer about the names of threads.
const LINES_BYTES: usize = 4096;

impl Session {
    pub(super) fn trace(&self, format: Format, run: &Run) -> u8 {
        let mut names = BTreeMap::new();
        let begun = now();
        let rings = match self.services.system.trace(KINDS) {
            Ok(rings) => rings,
            Err(failure) => return self.failed(format!("trace: {failure:?}")),
        };
        self.find_names(&mut names);
        let status = self.program(run);
        // Those that were started meanwhile; what has ended already stays without a name.
        self.find_names(&mut names);
        if let Err(error) = self.show(rings, begun, format, &names) {
            return self.failed(format!("trace: {error:?}"));
        }
        status
    }

    /// Stops recording and prints what was recorded since then.
    fn show(
        &self,
        rings: Memory,
        begun: Time,
        format: Format,
        names: &BTreeMap<u16, String>,
    ) -> Result<(), Error> {
        if let Ok(again) = self.services.system.trace(0) {
            // Only the first capability is needed; what cannot be deleted is gone.
            let _ = again.delete();
        }
        let recorded = trace::read(rings);
        let _ = rings.delete();
        let recorded = recorded?.since(begun);
        let name =
            |slot: u16| names.get(&slot).cloned().unwrap_or_else(|| format!("thread {slot}"));
        match format {
            Format::Table => self.services.print(table(&recorded, name)),
            Format::Chrome => {
                let mut text = String::new();
                // What a String is written to does not fail.
                let _ = trace::chrome(&recorded.events, name, &mut text);
                self.services.print(text);
            }
        }
        Ok(())
    }

    /// Adds the names of native programs' threads, by slot.
    fn find_names(&self, names: &mut BTreeMap<u16, String>) {
        let mut after = Pid(0);
        let mut lines = vec![0; LINES_BYTES];
        while let Ok(len @ 1..) = self.services.system.slots(after, &mut lines) {
            let text = String::from_utf8_lossy(lines.get(..len as usize).unwrap_or(&[]));
            let before = after;
            for line in text.lines() {
                let mut words = line.splitn(3, ' ');
                let (pid, slot, name) = (words.next(), words.next(), words.next());
                if let Some(pid) = pid.and_then(|pid| pid.parse().ok()) {
                    after = Pid(pid);
                }
                if let (Some(slot), Some(name)) = (slot.and_then(|slot| slot.parse().ok()), name) {
                    names.insert(slot, name.to_string());
                }
            }
            if after == before {
                break;
            }
        }
    }
}

/// Returns the table of who called whom.
fn table(recorded: &Recorded, name: impl Fn(u16) -> String) -> String {
    let mut text = String::from("CALLER           SERVER            CALLS  TOTAL us LONGEST us\n");
    for pair in trace::pairs(&recorded.events) {
        let (total, longest) = (pair.total_ns / 1000, pair.longest_ns / 1000);
        let (caller, server, calls) = (name(pair.caller), name(pair.server), pair.calls);
        let open = if pair.open > 0 { format!("  {} open", pair.open) } else { String::new() };
        text += &format!("{caller:<16} {server:<16} {calls:>6} {total:>9} {longest:>10}{open}\n");
    }
    if recorded.lost > 0 {
        let kept = recorded.events.len();
        text +=
            &format!("the last {kept} events; {} before them were overwritten\n", recorded.lost);
    }
    text
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use libipc::abi::trace::Event;

    use super::*;

    #[test]
    fn the_table_names_who_called_whom() {
        let event = |time, kind, thread, detail| Event {
            time,
            kind,
            processor: 0,
            thread,
            detail,
            values: [1 << 16 | 3, 0],
        };
        let events: Vec<Event> = vec![
            event(1_000, EventKind::Message, 3, 7),
            event(51_000, EventKind::Reply, 7, 3),
            event(60_000, EventKind::Message, 3, 7),
        ];
        let name = |slot| if slot == 7 { "console".into() } else { format!("thread {slot}") };
        let text = table(&Recorded { events, lost: 5 }, name);
        let lines: Vec<&str> = text.lines().collect();
        let words: Vec<&str> = lines[1].split_whitespace().collect();
        assert_eq!(words, ["thread", "3", "console", "1", "50", "50", "1", "open"]);
        assert!(lines[2].starts_with("the last 3 events; 5 before"));
    }
}
