//! The guest's log (port 0xe9), and the few lines in it that mean something.
//!
//! `\x01exit N` tells the exit status, `\x01ready` that the console server takes input, and
//! `TIME error kernel: panic …` begins the kernel's epitaph. Lines that begin with the byte 1 are
//! not shown; where they tell a program's end, its backtrace follows (backtrace.rs).

use super::Event;
use super::backtrace::{Collector, Executables};
use super::terminal;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most bytes of the log that are kept; the older half goes first.
const KEPT: usize = 8 << 20;
/// Lines shown when a guest fails.
const TAIL_LINES: usize = 30;

const VERDICT: &[u8] = b"\x01exit ";
const PANIC: &[u8] = b"kernel: panic";
const READY: &[u8] = b"\x01ready";

/// What happens to the log as it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// It is kept only.
    Quiet,
    /// Backtraces are shown on stderr: something has ended that should not have.
    Backtraces,
    /// It is shown on stderr as well.
    Shown,
    /// A benchmark's lines are: its rows and what is missing.
    Rows,
}

impl Live {
    fn shows(self, line: &[u8]) -> bool {
        match self {
            Live::Quiet | Live::Backtraces => false,
            Live::Shown => !line.starts_with(b"\x01"),
            Live::Rows => line.starts_with(b"row ") || line.starts_with(b"missing "),
        }
    }
}

/// A guest's log, filled by one thread and read by others.
pub struct Log {
    live: Live,
    executables: Executables,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    /// Where the line begins that has not ended yet.
    line_at: usize,
    verdict: Option<u8>,
    has_panicked: bool,
    is_ready: bool,
    ends: Collector,
}

impl Log {
    /// Returns an empty log.
    pub fn new(live: Live, executables: Executables) -> Log {
        Log { live, executables, state: Mutex::default() }
    }

    /// Appends what the guest wrote, and returns what it means.
    pub fn append(&self, bytes: &[u8]) -> Vec<Event> {
        let mut state = self.state();
        let mut searched = state.bytes.len();
        state.bytes.extend_from_slice(bytes);
        let mut events = Vec::new();
        if searched == 0 && !bytes.is_empty() {
            events.push(Event::Started);
        }
        while let Some(len) = state.bytes[searched..].iter().position(|byte| *byte == b'\n') {
            let line = state.bytes[state.line_at..searched + len].to_vec();
            searched += len + 1;
            state.line_at = searched;
            if self.live.shows(&line) {
                terminal::say(&String::from_utf8_lossy(&line));
            }
            events.extend(state.interpret(&line));
            let told = self.backtrace(&mut state, &line);
            state.bytes.splice(searched..searched, told.bytes());
            searched += told.len();
            state.line_at = searched;
        }
        state.shorten();
        events
    }

    /// Returns the exit status that the guest told.
    pub fn verdict(&self) -> Option<u8> {
        self.state().verdict
    }

    /// Returns whether the kernel panicked.
    pub fn has_panicked(&self) -> bool {
        self.state().has_panicked
    }

    /// Returns whether the kernel runs already.
    pub fn has_started(&self) -> bool {
        !self.state().bytes.is_empty()
    }

    /// Returns the log's text, without the line that tells the exit status.
    pub fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.state().bytes).into_owned();
        text.lines()
            .filter(|line| !line.starts_with('\x01'))
            .flat_map(|line| [line, "\n"])
            .collect()
    }

    /// Returns the last lines, for a person to read.
    pub fn tail(&self) -> String {
        let text = self.text();
        let lines: Vec<&str> = text.lines().collect();
        let from = lines.len().saturating_sub(TAIL_LINES);
        lines[from..].iter().flat_map(|line| ["  log: ", line, "\n"]).collect()
    }

    /// Returns the lines to be added behind a line that completes what a program told of its end.
    fn backtrace(&self, state: &mut State, line: &[u8]) -> String {
        let told = str::from_utf8(line).ok().and_then(|line| state.ends.take(line));
        let Some(crash) = told else { return String::new() };
        let time = state.last_time();
        let lines = self.executables.lines(&crash).into_iter();
        let lines = lines.map(|line| format!("{time} error {}: {line}", crash.program));
        let lines: Vec<String> = lines.collect();
        if matches!(self.live, Live::Backtraces | Live::Shown) {
            lines.iter().for_each(|line| terminal::say(line));
        }
        lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No invariant can be broken half-way; a panic elsewhere must not hide the log.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn interpret(&mut self, line: &[u8]) -> Option<Event> {
        if let Some(status) = line.strip_prefix(VERDICT) {
            let status = str::from_utf8(status).ok()?.trim().parse().ok()?;
            self.verdict.get_or_insert(status);
            Some(Event::LastWord)
        } else if is_panic(line) {
            self.has_panicked = true;
            Some(Event::LastWord)
        } else if line == READY && !self.is_ready {
            self.is_ready = true;
            Some(Event::Ready)
        } else {
            None
        }
    }

    /// Returns the time of the last whole line that tells one.
    fn last_time(&self) -> String {
        let mut times =
            self.bytes[..self.line_at].rsplit(|byte| *byte == b'\n').filter_map(|line| {
                let first = str::from_utf8(line).ok()?.split(' ').next()?;
                (first.contains('.') && first.parse::<f64>().is_ok()).then(|| first.to_owned())
            });
        times.next().unwrap_or_else(|| "0.000000".into())
    }

    fn shorten(&mut self) {
        if self.bytes.len() > KEPT {
            let cut = KEPT / 2;
            self.bytes.drain(..cut);
            self.line_at = self.line_at.saturating_sub(cut);
        }
    }
}

/// Returns whether a line begins the kernel's epitaph: what comes after time and level tells.
fn is_panic(line: &[u8]) -> bool {
    line.splitn(3, |byte| *byte == b' ').nth(2).is_some_and(|rest| rest.starts_with(PANIC))
}

#[cfg(test)]
mod tests {
    use super::{Event, Executables, KEPT, Live, Log};

    fn log() -> Log {
        Log::new(Live::Quiet, Executables::default())
    }

    #[test]
    fn the_verdict_may_come_in_pieces() {
        let log = log();
        assert_eq!(log.append(b"init: bye\n\x01ex"), [Event::Started]);
        assert_eq!(log.append(b"it 42\n"), [Event::LastWord]);
        assert_eq!(log.verdict(), Some(42));
        assert_eq!(log.text(), "init: bye\n");
    }

    #[test]
    fn a_verdict_beyond_a_byte_is_none() {
        let log = log();
        assert_eq!(log.append(b"\x01exit 256\n\x01exit x\n\x01exit\n"), [Event::Started]);
        assert_eq!(log.verdict(), None);
    }

    #[test]
    fn the_first_verdict_counts() {
        let log = log();
        log.append(b"\x01exit 1\n\x01exit 0\n");
        assert_eq!(log.verdict(), Some(1));
    }

    #[test]
    fn ready_is_said_once_and_panic_noticed() {
        let log = log();
        let events = log.append(b"\x01ready\n\x01ready\n0.000001 error kernel: panic at x\n");
        assert_eq!(events, [Event::Started, Event::Ready, Event::LastWord]);
        assert!(log.has_panicked());
    }

    #[test]
    fn a_program_that_speaks_of_a_panic_is_not_the_kernel() {
        let log = log();
        log.append(b"1.000000 info init: process 9: kernel: panic\nkernel: panic\n");
        assert!(!log.has_panicked());
    }

    #[test]
    fn a_backtrace_follows_the_line_of_the_end() {
        let log = log();
        log.append(b"1.000007 error x: panic\n\x01bt r x 1 2 3 4\n\x01bt e x\n2.0");
        assert_eq!(log.append(b"00000 info y: z\n\x01exit 5\n"), [Event::LastWord]);
        let text = log.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "1.000007 error x: panic");
        assert!(lines[1].starts_with("1.000007 error x: no backtrace"), "{}", lines[1]);
        assert_eq!(lines[2..], ["2.000000 info y: z"]);
    }

    #[test]
    fn a_long_log_loses_its_beginning() {
        let log = log();
        for _ in 0..KEPT / 1000 + 10 {
            log.append(&[b'x'; 1000]);
        }
        assert_eq!(log.append(b"\n\x01exit 3\n"), [Event::LastWord]);
        assert!(log.text().len() <= KEPT);
    }
}
