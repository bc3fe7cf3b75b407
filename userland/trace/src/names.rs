//! Whose threads there are: names of slots, as they were when something happened.
//!
//! init names a thread of each native program, the UNIX personality its processes. All threads of
//! one address space belong to one process. Slots are used again: each name holds from a time on.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use kamen_kit::path;
use libipc::abi::snapshot::Snapshot;
use libipc::{Trace, now};
use protocols::process::Pid;

use crate::services::Services;

/// Bytes of one answer about processes.
const LINES_BYTES: usize = 4096;

/// The names of threads, each from a time on.
#[derive(Default)]
pub struct Names {
    slots: BTreeMap<u16, Vec<Name>>,
}

/// A name, and what it is of.
struct Name {
    from: u64,
    space: u32,
    badge: u64,
    text: String,
}

impl Names {
    /// Returns who had a slot at a time; of what came and went unseen, the number.
    pub fn at(&self, slot: u16, time: u64) -> String {
        let names = self.slots.get(&slot).map_or(&[][..], Vec::as_slice);
        let found = names.iter().rev().find(|name| name.from <= time).or(names.first());
        found.map_or_else(|| format!("thread {slot}"), |name| name.text.clone())
    }

    /// Returns whether something is known of a slot.
    pub fn has(&self, slot: u16) -> bool {
        self.slots.contains_key(&slot)
    }

    /// Looks who is there. What this asks of servers is traced as well.
    pub fn look(&mut self, services: &Services, threads: Trace) {
        let seen: Vec<Snapshot> = threads.threads().filter_map(Result::ok).collect();
        let is_new = |it: &Snapshot| {
            let last = self.slots.get(&it.slot).and_then(|names| names.last());
            last.is_none_or(|last| (last.space, last.badge) != (it.space, it.badge))
        };
        if !seen.iter().any(is_new) {
            return;
        }
        let natives = natives(services);
        let processes = processes(services);
        self.learn(&seen, &natives, &processes, now().0);
    }

    /// Takes up the names of what is new: `natives` by slot, `processes` of UNIX by number.
    fn learn(
        &mut self,
        seen: &[Snapshot],
        natives: &BTreeMap<u16, String>,
        processes: &BTreeMap<u64, String>,
        now: u64,
    ) {
        let of_slot = |it: &Snapshot| Some((it.space, natives.get(&it.slot)?.clone()));
        let spaces: BTreeMap<u32, String> = seen.iter().filter_map(of_slot).collect();
        for it in seen {
            let names = self.slots.entry(it.slot).or_default();
            let (space, badge) = (it.space, it.badge);
            if names.last().is_some_and(|last| (last.space, last.badge) == (space, badge)) {
                continue;
            }
            let text = match (spaces.get(&space), it.is_foreign) {
                (Some(name), _) => name.clone(),
                (None, true) => match processes.get(&badge) {
                    Some(name) => format!("{name} (unix {badge})"),
                    None => format!("unix {badge}"),
                },
                (None, false) => format!("thread {}", it.slot),
            };
            // What was there before anybody looked had its name all the time.
            let from = if names.is_empty() { 0 } else { now };
            names.push(Name { from, space, badge, text });
        }
    }
}

/// Returns the names of native programs' threads, by slot.
pub fn natives(services: &Services) -> BTreeMap<u16, String> {
    let mut names = BTreeMap::new();
    each_line(
        |after, lines| services.system.slots(after, lines).ok(),
        |line| {
            let mut words = line.splitn(3, ' ');
            let pid = words.next()?.parse().ok()?;
            let slot = words.next()?.parse().ok()?;
            names.insert(slot, words.next()?.to_string());
            Some(Pid(pid))
        },
    );
    names
}

/// Returns the names of UNIX processes, by number.
pub fn processes(services: &Services) -> BTreeMap<u64, String> {
    let mut names = BTreeMap::new();
    let Some(unix) = services.unix() else { return names };
    each_line(
        |after, lines| unix.list(after, lines).ok(),
        |line| {
            let mut words = line.splitn(5, ' ');
            let pid = words.next()?.parse().ok()?;
            let program = words.nth(3)?.split(' ').next()?;
            let name = path::name(program.as_bytes()).escape_ascii().to_string();
            names.insert(pid, name);
            Some(Pid(pid))
        },
    );
    names
}

/// Gives each line of a list to `take`, which returns the process that it is of.
fn each_line(
    list: impl Fn(Pid, &mut [u8]) -> Option<u64>,
    mut take: impl FnMut(&str) -> Option<Pid>,
) {
    let (mut after, mut lines) = (Pid(0), vec![0; LINES_BYTES]);
    while let Some(len @ 1..) = list(after, &mut lines) {
        let text = String::from_utf8_lossy(lines.get(..len as usize).unwrap_or(&[]));
        let before = after;
        for line in text.lines() {
            after = take(line).unwrap_or(after);
        }
        if after <= before {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use libipc::abi::snapshot::Activity;

    use super::*;

    fn thread(slot: u16, space: u32, badge: u64, is_foreign: bool) -> Snapshot {
        let activity = Activity::Ready;
        Snapshot { activity, space, badge, is_foreign, ..Snapshot::vacant(slot) }
    }

    #[test]
    fn threads_have_the_name_of_their_process_and_slots_that_of_their_time() {
        let mut names = Names::default();
        let natives = [(1, "console".to_string())].into();
        let processes = [(7, "sh".to_string())].into();
        let seen = [thread(1, 5, 0, false), thread(2, 5, 0, false), thread(3, 6, 7, true)];
        names.learn(&seen, &natives, &processes, 1_000);
        assert_eq!(names.at(1, 0), "console");
        assert_eq!(names.at(2, 0), "console");
        assert_eq!(names.at(3, 500), "sh (unix 7)");
        assert_eq!((names.at(9, 0), names.has(9)), ("thread 9".into(), false));
        // The slot is somebody else's now.
        names.learn(&[thread(3, 8, 9, true)], &natives, &processes, 2_000);
        assert_eq!(
            (names.at(3, 1_999), names.at(3, 2_000)),
            ("sh (unix 7)".into(), "unix 9".into())
        );
    }

    #[test]
    fn lists_are_read_to_their_end_and_a_server_that_repeats_itself_is_left() {
        let mut found = Vec::new();
        let answers = |after: Pid, lines: &mut [u8]| {
            let line: &[u8] = match after.0 {
                0 => b"1 a\n2 b\n",
                2 => b"5 c\n",
                _ => b"5 c\n",
            };
            lines[..line.len()].copy_from_slice(line);
            Some(line.len() as u64)
        };
        each_line(answers, |line| {
            found.push(line.to_string());
            Some(Pid(line.split(' ').next()?.parse().ok()?))
        });
        assert_eq!(found, ["1 a", "2 b", "5 c", "5 c"]);
    }
}
