//! Backtraces in the log: what guest programs tell of their ends, and the lines made of it.
//!
//! ```text
//!   \x01bt … lines (libipc/src/log/crash.rs) ──Collector──> Crash ──symbols──> lines of the log:
//!   1.042113 error crash: #0 crash::fall (userland/demos/crash/src/main.rs:41)
//! ```

use crate::symbols::Symbols;
use crate::symbols::unwind::Crash;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What such lines begin with.
const MARK: &str = "\x01bt ";
/// Most programs whose ends are collected at a time.
const OPEN_MAX: usize = 64;
/// Most words of a stack, but for those of its last line.
const WORDS_MAX: usize = 8192;

/// Where the executables of a guest's programs are on the host, by their names in the log.
#[derive(Clone, Debug, Default)]
pub struct Executables(BTreeMap<String, PathBuf>);

impl Executables {
    /// Returns executables by their names.
    pub fn new(named: impl IntoIterator<Item = (String, PathBuf)>) -> Executables {
        Executables(named.into_iter().collect())
    }

    /// Returns these with another one for a name.
    pub fn with(mut self, name: &str, path: PathBuf) -> Executables {
        self.0.insert(name.to_owned(), path);
        self
    }

    /// Returns the file of a program.
    pub fn find(&self, name: &str) -> Option<&Path> {
        self.0.get(name).map(PathBuf::as_path)
    }

    /// Returns the names of all.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Returns the lines that tell how a program came to its end.
    pub fn lines(&self, crash: &Crash) -> Vec<String> {
        let Some(path) = self.find(&crash.program) else {
            return vec!["no backtrace: its executable is not known on the host".into()];
        };
        match Symbols::read(path) {
            Ok(symbols) => {
                let frames = symbols.backtrace(crash);
                folded(frames.iter().map(|frame| frame.text()))
            }
            Err(error) => vec![format!("no backtrace: {error:#}")],
        }
    }
}

/// Returns numbered lines; those of one call after another of the same function at the same place
/// become one, as where a stack ran out.
fn folded(frames: impl Iterator<Item = String>) -> Vec<String> {
    let frames: Vec<String> = frames.collect();
    let runs = frames.chunk_by(|one, next| one == next);
    let numbered = runs.scan(0, |next, run| {
        let first = std::mem::replace(next, *next + run.len());
        Some(match run.len() {
            1 => format!("#{first} {}", run[0]),
            count => format!("#{first} {} ({count} times)", run[0]),
        })
    });
    numbered.collect()
}

/// What programs have told so far.
#[derive(Default)]
pub struct Collector {
    open: BTreeMap<String, Crash>,
}

impl Collector {
    /// Takes a line of the log; returns what a program has told once it is complete. Malformed
    /// lines are nobody's.
    pub fn take(&mut self, line: &str) -> Option<Crash> {
        let mut words = line.strip_prefix(MARK)?.split(' ');
        let (kind, name) = (words.next()?, words.next()?);
        let numbers: Option<Vec<u64>> = words.map(number).collect();
        let numbers = numbers?;
        if kind == "e" {
            return self.open.remove(name);
        }
        if self.open.len() == OPEN_MAX && !self.open.contains_key(name) {
            return None;
        }
        let crash = self.open.entry(name.to_owned()).or_default();
        name.clone_into(&mut crash.program);
        match (kind, &numbers[..]) {
            ("r", &[rip, rsp, rbp, rbx]) => crash.set_first([rip, rsp, rbp, rbx]),
            ("q", &[r12, r13, r14, r15]) => crash.set_second([r12, r13, r14, r15]),
            ("t", &[rip, rsp]) => crash.trap = Some((rip, rsp)),
            ("s", [at, words @ ..]) if crash.stack.len() < WORDS_MAX => {
                let addresses = (0..).map_while(|index: u64| at.checked_add(index * 8));
                crash.stack.extend(addresses.zip(words.iter().copied()));
            }
            _ => {}
        }
        None
    }
}

/// Returns a number in hex; "-" is 0.
fn number(word: &str) -> Option<u64> {
    if word == "-" { Some(0) } else { u64::from_str_radix(word, 16).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_is_put_together_from_its_lines() {
        let mut collector = Collector::default();
        for line in [
            "\x01bt r crash 2011a0 7000 - 3",
            "\x01bt q crash c d e f",
            "\x01bt r other 1 2 3 4",
            "\x01bt s crash 7000 - 201000",
            "1.000000 info crash: bt e crash",
            "\x01bt x crash 1",
            "\x01bt s crash nonsense",
        ] {
            assert_eq!(collector.take(line), None, "{line}");
        }
        let crash = collector.take("\x01bt e crash").unwrap();
        let mut wanted = Crash { program: "crash".into(), ..Crash::default() };
        wanted.set_first([0x2011a0, 0x7000, 0, 3]);
        wanted.set_second([12, 13, 14, 15]);
        wanted.stack = [(0x7000, 0), (0x7008, 0x201000)].into();
        assert_eq!(crash, wanted);
        assert_eq!(collector.take("\x01bt e crash"), None);
    }

    #[test]
    fn repeated_frames_are_one_line_and_numbers_go_on() {
        let frames = ["a", "b", "b", "b", "c"].map(str::to_owned);
        assert_eq!(folded(frames.into_iter()), ["#0 a", "#1 b (3 times)", "#4 c"]);
    }

    #[test]
    fn what_is_collected_has_a_bound() {
        let mut collector = Collector::default();
        for number in 0..2 * OPEN_MAX {
            collector.take(&format!("\x01bt r p{number} 1 2 3 4"));
        }
        assert_eq!(collector.open.len(), OPEN_MAX);
        for at in 0..2 * WORDS_MAX {
            collector.take(&format!("\x01bt s p1 {:x} 1", at * 8));
        }
        assert_eq!(collector.take("\x01bt e p1").unwrap().stack.len(), WORDS_MAX);
    }

    #[test]
    fn a_program_that_is_not_known_says_so() {
        let crash = Crash { program: "x".into(), ..Crash::default() };
        assert!(Executables::default().lines(&crash)[0].starts_with("no backtrace"));
        let gone = Executables::default().with("x", "/nowhere/x".into());
        assert!(gone.lines(&crash)[0].contains("/nowhere/x"));
    }
}
