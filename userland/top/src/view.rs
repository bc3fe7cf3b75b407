//! What there is to see: processes by their servers' lists, threads by the kernel's.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use libipc::abi::snapshot::Snapshot;
use libipc::{Endpoint, Error, Failure, Object, Trace, Within};
use protocols::process::{Pid, ProcessClient, ProcessError, Signal};
use protocols::system::{SystemClient, SystemError};

use crate::count::Shares;
use crate::table::Row;

/// How long a server may take to answer.
const PATIENCE: Within = Within(2_000);
/// Bytes of one answer.
const LINES: usize = 4096;
/// KiB of a page.
const PAGE_KIB: u64 = 4;
/// init's own number.
const INIT: u64 = 1;

/// Who runs a process.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Runner {
    /// init: servers, native programs, DOS sessions.
    Native,
    /// The UNIX personality.
    Unix,
}

/// A process' name among those of all runners.
pub type Name = (Runner, u64);

/// Those who are asked.
pub struct View {
    system: SystemClient<Within>,
    native: ProcessClient<Within>,
    unix: Option<ProcessClient<Within>>,
    seen: Trace,
}

/// All processes and threads at one time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// Lines of the runners' lists: "pid parent state personality name".
    processes: Vec<(Name, String)>,
    /// Lines of init's: "pid used quota restarts".
    usage: BTreeMap<u64, [u64; 3]>,
    /// Threads of processes: their slots, and the calls that they made.
    threads: BTreeMap<Name, BTreeMap<u16, u64>>,
}

impl View {
    /// Returns a view by the capabilities to init and to the UNIX personality.
    ///
    /// # Errors
    /// init refuses.
    pub fn new(
        system: Endpoint,
        native: Endpoint,
        unix: Option<Endpoint>,
    ) -> Result<View, Failure<SystemError>> {
        let system = SystemClient::with(system, PATIENCE);
        let seen = system.threads()?;
        let runner = |endpoint| ProcessClient::with(endpoint, PATIENCE);
        Ok(View { system, native: runner(native), unix: unix.map(runner), seen })
    }

    /// Returns all processes and threads. A runner that does not answer has none to show.
    ///
    /// # Errors
    /// The kernel's, where it does not tell of threads.
    pub fn look(&self) -> Result<Seen, Error> {
        let mut seen = Seen::default();
        let mut badges = BTreeMap::new();
        for (runner, client) in self.runners() {
            lines(
                |after, into| client.list(after, into),
                |pid, rest| {
                    seen.processes.push(((runner, pid), rest.to_string()));
                },
            );
            lines(
                |after, into| client.badges(after, into),
                |pid, rest| {
                    if let Ok(badge) = rest.trim().parse::<u64>() {
                        badges.insert(badge, (runner, pid));
                    }
                },
            );
        }
        lines(
            |after, into| self.system.usage(after, into),
            |pid, rest| {
                seen.usage.extend(numbers(rest).map(|numbers| (pid, numbers)));
            },
        );
        for thread in self.seen.threads() {
            let thread = thread?;
            if let Some(name) = owner(&thread, &badges) {
                seen.threads.entry(name).or_default().insert(thread.slot, thread.calls);
            }
        }
        Ok(seen)
    }

    /// Ends a process.
    ///
    /// # Errors
    /// What its runner says.
    pub fn kill(&self, (runner, pid): Name) -> Result<(), Failure<ProcessError>> {
        let mut runners = self.runners();
        let client = runners.find(|(other, _)| *other == runner);
        let (_, client) = client.ok_or(Failure::Protocol(ProcessError::NoProcess))?;
        client.signal(Pid(pid), Signal::Kill)
    }

    /// Ends a server and has it start again.
    ///
    /// # Errors
    /// What init says.
    pub fn restart(&self, server: &str) -> Result<Pid, Failure<SystemError>> {
        self.system.restart(server.as_bytes())
    }

    /// Returns used and all memory of the machine in KiB.
    pub fn memory(&self) -> (u64, u64) {
        let memory = self.system.memory();
        memory.map_or((0, 0), |memory| (memory.used * PAGE_KIB, memory.total * PAGE_KIB))
    }

    fn runners(&self) -> impl Iterator<Item = (Runner, &ProcessClient<Within>)> {
        let unix = self.unix.iter().map(|client| (Runner::Unix, client));
        core::iter::once((Runner::Native, &self.native)).chain(unix)
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // What cannot be deleted goes with the program.
        let _ = self.seen.delete();
    }
}

impl Seen {
    /// Returns the rows of a table and what each stands for: processes that run, with what
    /// happened since they were `before`, `span_ns` ago.
    pub fn rows(&self, before: &Seen, shares: &Shares, span_ns: u64) -> Vec<(Name, Row)> {
        let rows = self.processes.iter().filter_map(|(name, line)| {
            let mut row = row(*name, line)?;
            let none = BTreeMap::new();
            let threads = self.threads.get(name).unwrap_or(&none);
            row.cpu_tenths = shares.tenths(threads.keys().copied());
            let then = before.threads.get(name).unwrap_or(&none);
            let calls = threads
                .iter()
                .map(|(slot, calls)| calls.saturating_sub(then.get(slot).copied().unwrap_or(0)));
            let calls: u64 = calls.sum();
            row.calls_per_second = (calls * 1_000_000_000).checked_div(span_ns).unwrap_or(0);
            if let ((Runner::Native, pid), Some([used, quota, restarts])) =
                (*name, self.usage.get(&name.1))
            {
                row.memory = Some((used * PAGE_KIB, quota * PAGE_KIB));
                row.restarts = (row.personality == "server" && pid != INIT).then_some(*restarts);
            }
            Some((*name, row))
        });
        rows.collect()
    }
}

/// Returns what a line of a list says, "parent state personality name". Native programs and DOS
/// sessions that a UNIX process runs as are init's, which tells of them itself.
fn row((runner, pid): Name, line: &str) -> Option<Row> {
    let mut words = line.trim_end().splitn(4, ' ');
    let (_parent, state, personality) = (words.next()?, words.next()?, words.next()?);
    let name = words.next()?.to_string();
    let is_twice = runner == Runner::Unix && personality != "unix";
    let (personality, state) = (personality.to_string(), state.to_string());
    (!is_twice && state != "ended").then(|| Row { pid, personality, state, name, ..Row::default() })
}

/// Returns whose a thread is: the badge of its handler tells; init, which has no handler, is the
/// one that nobody started.
fn owner(thread: &Snapshot, badges: &BTreeMap<u64, Name>) -> Option<Name> {
    match thread.badge {
        0 if !thread.is_foreign => Some((Runner::Native, INIT)),
        badge => badges.get(&badge).copied(),
    }
}

fn numbers<const N: usize>(text: &str) -> Option<[u64; N]> {
    let numbers: Option<Vec<u64>> =
        text.split_ascii_whitespace().map(|word| word.parse().ok()).collect();
    numbers?.try_into().ok()
}

/// Asks for lines of text that begin with a number, each time for those after the last one; gives
/// number and rest of each to `tell`. Ends where nothing comes any more, or what comes is odd.
fn lines<E>(
    mut ask: impl FnMut(Pid, &mut [u8]) -> Result<u64, Failure<E>>,
    mut tell: impl FnMut(u64, &str),
) {
    let mut after = 0;
    let mut bytes = vec![0; LINES];
    while let Ok(len @ 1..) = ask(Pid(after), &mut bytes) {
        let text = String::from_utf8_lossy(bytes.get(..len as usize).unwrap_or(&[]));
        let before = after;
        for line in text.lines() {
            let (number, rest) = line.split_once(' ').unwrap_or((line, ""));
            if let Ok(number) = number.parse() {
                tell(number, rest);
                after = number;
            }
        }
        if after <= before {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use libipc::abi::trace::{Event, EventKind};

    use super::*;

    const SHELL: Name = (Runner::Native, 7);

    fn seen(calls: u64) -> Seen {
        let line = |line: &str| line.to_string();
        Seen {
            processes: vec![
                ((Runner::Native, 1), line("0 running server init")),
                ((Runner::Native, 2), line("1 running server console")),
                (SHELL, line("1 running native shell")),
                ((Runner::Native, 8), line("7 ended native hello")),
                ((Runner::Unix, 9), line("1 stopped unix sh -c a b")),
                ((Runner::Unix, 10), line("9 running dos X.COM")),
            ],
            usage: [(2, [10, 512, 3]), (7, [20, 1024, 0])].into(),
            threads: [(SHELL, [(5, calls), (6, 1)].into())].into(),
        }
    }

    #[test]
    fn rows_are_put_together_from_all_that_is_seen() {
        let event = |time, thread| {
            let (kind, detail) = (EventKind::Interrupt, 0);
            Event { time, kind, processor: 0, thread, detail, values: [0; 2] }
        };
        let shares = Shares::of(&[event(250, 5), event(500, 6), event(1_000, 3)], 0);
        let rows = seen(101).rows(&seen(1), &shares, 500_000_000);
        let names: Vec<&str> = rows.iter().map(|(_, row)| row.name.as_str()).collect();
        assert_eq!(names, ["init", "console", "shell", "sh -c a b"]);
        let shell = &rows[2].1;
        assert_eq!((shell.cpu_tenths, shell.calls_per_second), (500, 200));
        assert_eq!((shell.memory, shell.restarts), (Some((80, 4096)), None));
        assert_eq!((rows[1].1.memory, rows[1].1.restarts), (Some((40, 2048)), Some(3)));
        assert_eq!((rows[3].1.state.as_str(), rows[3].1.memory), ("stopped", None));
    }

    #[test]
    fn threads_are_their_handlers_badge_s() {
        let badges = [(7, (Runner::Unix, 30)), (1 << 63 | 7, SHELL)].into();
        let thread = |badge, is_foreign| Snapshot { badge, is_foreign, ..Snapshot::vacant(1) };
        assert_eq!(owner(&thread(7, true), &badges), Some((Runner::Unix, 30)));
        assert_eq!(owner(&thread(1 << 63 | 7, false), &badges), Some(SHELL));
        assert_eq!(owner(&thread(0, false), &badges), Some((Runner::Native, INIT)));
        assert_eq!(owner(&thread(8, true), &badges), None);
    }

    #[test]
    fn lines_are_asked_for_to_their_end_and_no_further() {
        let mut told = Vec::new();
        let ask = |after: Pid, into: &mut [u8]| -> Result<u64, Failure<ProcessError>> {
            let text: &[u8] = match after.0 {
                0 => b"1 a\n2 b c\n",
                2 => b"3\n",
                _ => b"nonsense\n",
            };
            into[..text.len()].copy_from_slice(text);
            Ok(text.len() as u64)
        };
        lines(ask, |number, rest| told.push((number, rest.to_string())));
        assert_eq!(told, [(1, "a".into()), (2, "b c".into()), (3, "".into())]);
    }

    #[test]
    fn numbers_are_all_or_nothing() {
        assert_eq!(numbers("1 2 3"), Some([1, 2, 3]));
        assert_eq!(numbers::<3>("1 2"), None);
        assert_eq!(numbers::<2>("1 x"), None);
    }
}
