//! The guest's log (port 0xe9), and the few lines in it that mean something.
//!
//! `\x01exit N` tells the exit status, `\x01ready` that the console server takes input, and
//! `TIME error kernel: panic …` begins the kernel's epitaph. Lines that begin with the byte 1 are
//! not shown.

use super::Event;
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
    /// It is shown on stderr as well.
    Shown,
    /// A benchmark's lines are: its rows and what is missing.
    Rows,
}

impl Live {
    fn shows(self, line: &[u8]) -> bool {
        match self {
            Live::Quiet => false,
            Live::Shown => !line.starts_with(b"\x01"),
            Live::Rows => line.starts_with(b"row ") || line.starts_with(b"missing "),
        }
    }
}

/// A guest's log, filled by one thread and read by others.
pub struct Log {
    live: Live,
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
}

impl Log {
    /// Returns an empty log.
    pub fn new(live: Live) -> Log {
        Log { live, state: Mutex::default() }
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
    use super::{Event, KEPT, Live, Log};

    #[test]
    fn the_verdict_may_come_in_pieces() {
        let log = Log::new(Live::Quiet);
        assert_eq!(log.append(b"init: bye\n\x01ex"), [Event::Started]);
        assert_eq!(log.append(b"it 42\n"), [Event::LastWord]);
        assert_eq!(log.verdict(), Some(42));
        assert_eq!(log.text(), "init: bye\n");
    }

    #[test]
    fn a_verdict_beyond_a_byte_is_none() {
        let log = Log::new(Live::Quiet);
        assert_eq!(log.append(b"\x01exit 256\n\x01exit x\n\x01exit\n"), [Event::Started]);
        assert_eq!(log.verdict(), None);
    }

    #[test]
    fn the_first_verdict_counts() {
        let log = Log::new(Live::Quiet);
        log.append(b"\x01exit 1\n\x01exit 0\n");
        assert_eq!(log.verdict(), Some(1));
    }

    #[test]
    fn ready_is_said_once_and_panic_noticed() {
        let log = Log::new(Live::Quiet);
        let events = log.append(b"\x01ready\n\x01ready\n0.000001 error kernel: panic at x\n");
        assert_eq!(events, [Event::Started, Event::Ready, Event::LastWord]);
        assert!(log.has_panicked());
    }

    #[test]
    fn a_program_that_speaks_of_a_panic_is_not_the_kernel() {
        let log = Log::new(Live::Quiet);
        log.append(b"1.000000 info init: process 9: kernel: panic\nkernel: panic\n");
        assert!(!log.has_panicked());
    }

    #[test]
    fn a_long_log_loses_its_beginning() {
        let log = Log::new(Live::Quiet);
        for _ in 0..KEPT / 1000 + 10 {
            log.append(&[b'x'; 1000]);
        }
        assert_eq!(log.append(b"\n\x01exit 3\n"), [Event::LastWord]);
        assert!(log.text().len() <= KEPT);
    }
}
