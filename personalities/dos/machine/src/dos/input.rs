//! Keys from a terminal: bytes become strokes of a keyboard.
//!
//! A terminal sends escape sequences for the keys that have no character (ECMA-48 5.4, xterm's
//! and Linux' function keys), ESC and a character for Alt. An ESC alone is told from these by
//! the time: nothing follows it at once.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::codepage::Encoder;
use super::line::Line;
use crate::bios::keys::{Modifiers, Stroke};
use crate::host::{Host, HostError, Wait};

const ESCAPE: u8 = 0x1b;
/// How long the rest of a sequence may take, ns.
pub(crate) const SEQUENCE_NS: u64 = 50_000_000;
/// Longest sequence that is waited for.
const SEQUENCE_MAX: usize = 16;
/// Strokes that are read ahead of the keyboard at most.
const AHEAD_MAX: usize = 256;

/// What was typed and has not reached the keyboard, and what DOS remembers about its input.
#[derive(Default)]
pub(crate) struct Input {
    strokes: VecDeque<Stroke>,
    /// Bytes that are no whole sequence yet.
    bytes: Vec<u8>,
    /// When the first of `bytes` came.
    since: u64,
    encoder: Encoder,
    /// Second half of a key without character, for functions that give it in two.
    pub(super) second_half: Option<u8>,
    /// The rest of a line that the console device gave only in part.
    pub(super) line: VecDeque<u8>,
    /// Keys that a raw read has got.
    pub(super) partial: Vec<u8>,
    /// A line that is being typed.
    pub(super) editing: Option<Line>,
    /// The last line that the console device gave.
    pub(super) template: Vec<u8>,
    /// Whether function 0Ch has dropped what was typed, and waits for a key now.
    pub(super) is_flushed: bool,
    /// Whether the last character of a line from a file was CR: a following LF belongs to it.
    pub(super) after_return: bool,
    /// Lines that were asked for since the input, which is no terminal, has ended.
    pub(super) beyond_end: u32,
    /// Whether a program has asked for keys: what others do not read is the shell's.
    pub(crate) is_wanted: bool,
    /// Whether the program's last look for keys took Ctrl-C for one like others.
    pub(crate) is_raw: bool,
    ended: bool,
    /// Reports of the cursor's place that the terminal will send, and that have been answered.
    reports: u32,
}

impl Input {
    /// Returns whether the terminal hung up and everything was read.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended && self.strokes.is_empty() && self.bytes.is_empty()
    }

    /// Returns when the ESC that was read counts as a key.
    pub(crate) fn escape_due(&self) -> Option<u64> {
        (!self.bytes.is_empty()).then_some(self.since + SEQUENCE_NS)
    }

    /// Takes the next stroke.
    pub(crate) fn take(&mut self) -> Option<Stroke> {
        self.strokes.pop_front()
    }

    /// Returns the next stroke without taking it.
    pub(crate) fn next(&self) -> Option<Stroke> {
        self.strokes.front().copied()
    }

    /// Appends a stroke that nobody typed as such.
    pub(crate) fn type_stroke(&mut self, stroke: Stroke) {
        self.strokes.push_back(stroke);
    }

    /// Types the answer to a question for the cursor's place, which the terminal may have seen as well.
    pub(crate) fn report(&mut self, answer: &[u8], is_seen: bool) {
        self.strokes.extend(answer.iter().copied().map(Stroke::character));
        self.reports += u32::from(is_seen);
    }

    /// Forgets what was typed.
    pub(crate) fn clear(&mut self) {
        self.strokes.clear();
        self.bytes.clear();
        self.second_half = None;
    }

    /// Reads what the terminal has; with [`Wait::Forever`] at least one stroke or the end.
    pub(crate) fn fill(&mut self, host: &mut impl Host, wait: Wait) -> Result<(), HostError> {
        while !self.ended && self.strokes.len() < AHEAD_MAX {
            let mut bytes = [0; 64];
            match host.read_input(wait, &mut bytes) {
                Ok(0) => self.ended = true,
                Ok(len) => {
                    let now = host.monotonic();
                    self.decode(&bytes[..len.min(64)], now);
                }
                Err(HostError::WouldBlock) => break,
                Err(error) => return Err(error),
            }
            if wait == Wait::Never || !self.strokes.is_empty() {
                break;
            }
        }
        if let Some(due) = self.escape_due()
            && (self.ended || host.monotonic() >= due)
        {
            self.decode_all(true);
        }
        Ok(())
    }

    fn decode(&mut self, bytes: &[u8], now: u64) {
        if self.bytes.is_empty() {
            self.since = now;
        }
        self.bytes.extend_from_slice(bytes);
        self.decode_all(false);
    }

    /// Turns bytes into strokes; an unfinished sequence stays unless it is late.
    fn decode_all(&mut self, is_late: bool) {
        let bytes = core::mem::take(&mut self.bytes);
        let mut rest = bytes.as_slice();
        while let Some((first, tail)) = rest.split_first() {
            rest = tail;
            if *first != ESCAPE {
                self.strokes.extend(self.encoder.push(*first).map(Stroke::character));
                continue;
            }
            if self.reports > 0
                && let Some(len) = report_len(tail)
            {
                self.reports -= 1;
                rest = &tail[len..];
                continue;
            }
            match sequence(tail) {
                Sequence::Stroke(stroke, len) => {
                    self.strokes.push_back(stroke);
                    rest = &tail[len..];
                }
                Sequence::Unknown(len) => rest = &tail[len..],
                Sequence::Unfinished if !is_late => {
                    self.bytes.push(ESCAPE);
                    self.bytes.extend_from_slice(tail);
                    return;
                }
                Sequence::Unfinished | Sequence::None => {
                    self.strokes.push_back(Stroke::character(ESCAPE));
                }
            }
        }
    }
}

/// What follows an ESC.
enum Sequence {
    /// A key and its length.
    Stroke(Stroke, usize),
    /// A sequence of that length that no key sends.
    Unknown(usize),
    /// More bytes decide.
    Unfinished,
    /// Nothing that belongs to it.
    None,
}

fn sequence(tail: &[u8]) -> Sequence {
    match tail {
        [] | [b'[' | b'O'] | [b'[', b'['] => Sequence::Unfinished,
        [b'[', b'[', letter @ b'A'..=b'E', ..] => {
            Sequence::Stroke(Stroke::function(letter - b'A' + 0x3b, Modifiers::default()), 3)
        }
        [b'[', rest @ ..] => control_sequence(rest),
        [b'O', letter, ..] => match lettered(*letter) {
            Some(scan) => Sequence::Stroke(Stroke::function(scan, Modifiers::default()), 2),
            None => Sequence::Unknown(2),
        },
        [byte @ (b' '..=b'~' | 0x7f | b'\r'), ..] => {
            Sequence::Stroke(Stroke::character(*byte).with_alt(), 1)
        }
        _ => Sequence::None,
    }
}

/// Returns the length of a report of the cursor's place behind its ESC (ECMA-48 8.3.14).
fn report_len(tail: &[u8]) -> Option<usize> {
    let rest = tail.strip_prefix(b"[")?;
    let len = rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';'))?;
    (rest[len] == b'R' && rest[..len].contains(&b';')).then_some(len + 2)
}

/// Decodes what follows CSI: up to two numbers and a final byte.
fn control_sequence(rest: &[u8]) -> Sequence {
    let Some(len) = rest.iter().position(|byte| (0x40..=0x7e).contains(byte)) else {
        let is_open =
            rest.len() < SEQUENCE_MAX && rest.iter().all(|byte| (0x20..0x40).contains(byte));
        return if is_open { Sequence::Unfinished } else { Sequence::None };
    };
    let mut numbers = rest[..len].split(|byte| *byte == b';').map(number);
    let (first, second) = (numbers.next().flatten(), numbers.next().flatten());
    let with = second.map_or(Modifiers::default(), modifiers);
    let (scan, with) = match (rest[len], first) {
        (b'~', Some(number)) => (numbered(number), with),
        (b'Z', _) => (Some(0x0f), Modifiers { shift: true, ..with }),
        (letter, _) => (lettered(letter), with),
    };
    match scan {
        // '[' and the final byte.
        Some(scan) => Sequence::Stroke(Stroke::function(scan, with), len + 2),
        None => Sequence::Unknown(len + 2),
    }
}

fn number(digits: &[u8]) -> Option<u8> {
    core::str::from_utf8(digits).ok()?.parse().ok()
}

/// xterm: one more than the sum of 1 for shift, 2 for Alt, 4 for Ctrl.
fn modifiers(number: u8) -> Modifiers {
    let bits = number.saturating_sub(1);
    Modifiers { shift: bits & 1 != 0, alt: bits & 2 != 0, control: bits & 4 != 0 }
}

fn lettered(letter: u8) -> Option<u8> {
    Some(match letter {
        b'A' => 0x48,
        b'B' => 0x50,
        b'C' => 0x4d,
        b'D' => 0x4b,
        b'E' => 0x4c,
        b'F' => 0x4f,
        b'H' => 0x47,
        b'P'..=b'S' => letter - b'P' + 0x3b,
        _ => return None,
    })
}

fn numbered(number: u8) -> Option<u8> {
    Some(match number {
        1 | 7 => 0x47,
        2 => 0x52,
        3 => 0x53,
        4 | 8 => 0x4f,
        5 => 0x49,
        6 => 0x51,
        11..=15 => number - 11 + 0x3b,
        17..=21 => number - 17 + 0x40,
        23 | 24 => number - 23 + 0x57,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::Input;
    use crate::bios::keys::{Modifiers, Stroke};
    use alloc::vec::Vec;

    fn strokes(input: &mut Input, bytes: &[u8]) -> Vec<Stroke> {
        input.decode(bytes, 0);
        core::iter::from_fn(|| input.take()).collect()
    }

    fn key(scan: u8) -> Stroke {
        Stroke::function(scan, Modifiers::default())
    }

    #[test]
    fn characters_and_sequences_become_strokes() {
        let found = strokes(&mut Input::default(), "aA\x1b[A\r\x1b\x03ä".as_bytes());
        let [letter, capital, escape, control, umlaut] =
            [b'a', b'A', 0x1b, 3, 0x84].map(Stroke::character);
        let enter = Stroke::character(b'\r');
        assert_eq!(found, [letter, capital, key(0x48), enter, escape, control, umlaut]);
    }

    #[test]
    fn function_keys_come_in_the_dialects_of_terminals() {
        let found = strokes(&mut Input::default(), b"\x1bOP\x1b[[B\x1b[13~\x1b[24~\x1b[1~\x1bOH");
        assert_eq!(found, [0x3b, 0x3c, 0x3d, 0x58, 0x47, 0x47].map(key));
    }

    #[test]
    fn modifiers_are_numbers_in_sequences_and_escape_before_characters() {
        let found = strokes(&mut Input::default(), b"\x1b[1;5C\x1b[3;2~\x1b[1;3P\x1bx\x1b[Z");
        let none = Modifiers::default();
        let [shift, control, alt] = [
            Modifiers { shift: true, ..none },
            Modifiers { control: true, ..none },
            Modifiers { alt: true, ..none },
        ];
        let expected = [
            Stroke::function(0x4d, control),
            Stroke::function(0x53, shift),
            Stroke::function(0x3b, alt),
            Stroke::character(b'x').with_alt(),
            Stroke::function(0x0f, shift),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_sequence_may_come_in_parts_and_escape_alone_is_a_key() {
        let mut input = Input::default();
        assert_eq!(strokes(&mut input, b"\x1b"), []);
        assert!(input.escape_due().is_some());
        assert_eq!(strokes(&mut input, b"[5"), []);
        assert_eq!(strokes(&mut input, b"~"), [key(0x49)]);
        assert_eq!(strokes(&mut input, b"\x1b"), []);
        input.decode_all(true);
        assert_eq!(input.take(), Some(Stroke::character(0x1b)));
    }

    #[test]
    fn sequences_of_no_key_are_dropped() {
        let found = strokes(&mut Input::default(), b"\x1b[200~x\x1b[?1;2cy");
        assert_eq!(found, [b'x', b'y'].map(Stroke::character));
    }
}
