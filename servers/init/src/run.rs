//! `/boot/run`: what this start of the machine is for.
//!
//! The host's tool writes it into the boot archive as `key=value` lines. init passes the lines
//! on to servers and shell as environment, so that a key that only the console knows needs no
//! change here.

use alloc::string::String;
use alloc::vec::Vec;

/// Most lines that count.
const MAX_LINES: usize = 32;
/// Longest line that counts, in bytes.
const MAX_LINE: usize = 256;

/// What the machine was started for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// A person at a terminal.
    #[default]
    Interactive,
    /// Commands from a pipe; the end of input ends the session.
    Piped,
    /// One program; its end ends the session.
    Program,
}

/// The settings of this start.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Run {
    /// What the machine was started for.
    pub mode: Mode,
    /// All lines, well-formed ones only.
    pub lines: Vec<String>,
}

impl Run {
    /// Returns the settings in a text; what is no `key=value` line is left out, and an unknown
    /// mode is interactive, because a person can then find out.
    pub fn parse(text: &[u8]) -> Self {
        let text = core::str::from_utf8(text).unwrap_or("");
        let lines: Vec<String> = text
            .lines()
            .filter(|line| line.len() <= MAX_LINE && line.contains('=') && !line.starts_with('='))
            .take(MAX_LINES)
            .map(String::from)
            .collect();
        let run = Run { mode: Mode::default(), lines };
        let mode = match run.value("mode") {
            Some("piped") => Mode::Piped,
            Some("program") => Mode::Program,
            _ => Mode::Interactive,
        };
        Run { mode, ..run }
    }

    /// Returns the value of a key.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.lines.iter().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_whole_key() {
        let run = Run::parse(b"mode=program\ncolumns=132\nempty=\nnonsense\n=x\n");
        assert_eq!(run.mode, Mode::Program);
        assert_eq!(run.value("columns"), Some("132"));
        assert_eq!(run.value("empty"), Some(""));
        assert_eq!(run.value("col"), None);
        assert_eq!(run.lines.len(), 3);
    }

    #[test]
    fn whatever_is_missing_means_interactive() {
        assert_eq!(Run::parse(b"").mode, Mode::Interactive);
        assert_eq!(Run::parse(b"mode=other").mode, Mode::Interactive);
        assert_eq!(Run::parse(&[0xff]).mode, Mode::Interactive);
        assert_eq!(Run::parse(b"mode=piped").mode, Mode::Piped);
    }
}
