//! Keys from a terminal: bytes become characters of the code page with scan codes.
//!
//! A terminal sends escape sequences for the keys that have no character (ECMA-48, xterm); here
//! they become the pairs that the BIOS gives (IBM PC AT Technical Reference, keyboard encoding).

use alloc::collections::VecDeque;

use super::codepage::Encoder;
use crate::host::{Host, HostError, Wait};

/// Scan codes of the characters 20h to 7Eh on a US keyboard, shifted or not.
const SCAN_CODES: &[u8; 95] = b"\x39\x02\x28\x04\x05\x06\x08\x28\x0a\x0b\x09\x0d\x33\x0c\x34\x35\
\x0b\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x27\x27\x33\x0d\x34\x35\x03\
\x1e\x30\x2e\x20\x12\x21\x22\x23\x17\x24\x25\x26\x32\x31\x18\x19\x10\x13\x1f\x14\x16\x2f\x11\x2d\x15\x2c\
\x1a\x2b\x1b\x07\x0c\x29\
\x1e\x30\x2e\x20\x12\x21\x22\x23\x17\x24\x25\x26\x32\x31\x18\x19\x10\x13\x1f\x14\x16\x2f\x11\x2d\x15\x2c\
\x1a\x2b\x1b\x29";

/// What follows ESC for keys without a character, and the keys' scan codes.
const SEQUENCES: [(&[u8], u8); 22] = [
    (b"[A", 0x48),
    (b"[B", 0x50),
    (b"[C", 0x4d),
    (b"[D", 0x4b),
    (b"OA", 0x48),
    (b"OB", 0x50),
    (b"OC", 0x4d),
    (b"OD", 0x4b),
    (b"[H", 0x47),
    (b"[F", 0x4f),
    (b"[1~", 0x47),
    (b"[2~", 0x52),
    (b"[3~", 0x53),
    (b"[4~", 0x4f),
    (b"[5~", 0x49),
    (b"[6~", 0x51),
    (b"OP", 0x3b),
    (b"OQ", 0x3c),
    (b"OR", 0x3d),
    (b"OS", 0x3e),
    (b"[15~", 0x3f),
    (b"[17~", 0x40),
];

/// A key: scan code in the high byte, character in the low one, 0 for keys without.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Key(pub(crate) u16);

impl Key {
    /// Returns the character; 0 for keys without.
    pub(crate) fn character(self) -> u8 {
        self.0 as u8
    }

    /// Returns the scan code.
    pub(crate) fn scan(self) -> u8 {
        (self.0 >> 8) as u8
    }

    fn of_character(byte: u8) -> Key {
        let (byte, scan) = match byte {
            b'\n' | b'\r' => (b'\r', 0x1c),
            0x7f | 8 => (8, 0x0e),
            b'\t' => (b'\t', 0x0f),
            0x1b => (0x1b, 0x01),
            1..=0x1a => (byte, SCAN_CODES[(byte + 0x60 - 0x20) as usize]),
            0x20..=0x7e => (byte, SCAN_CODES[(byte - 0x20) as usize]),
            _ => (byte, 0),
        };
        Key((scan as u16) << 8 | byte as u16)
    }
}

/// Keys typed and not yet read, and what DOS remembers about its input.
#[derive(Default)]
pub(crate) struct Input {
    keys: VecDeque<Key>,
    encoder: Encoder,
    /// Second half of a key without character, for functions that give it in two.
    pub(super) second_half: Option<u8>,
    /// The rest of a line that the console device gave only in part.
    pub(super) line: VecDeque<u8>,
    /// Whether the last character of a line from a file was CR: a following LF belongs to it.
    pub(super) after_return: bool,
    ended: bool,
    /// Looks for input in a row that found none.
    pub(crate) empty_looks: u32,
}

impl Input {
    /// Returns whether the terminal hung up and everything was read.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended && self.keys.is_empty()
    }

    /// Returns the next key without taking it.
    pub(crate) fn peek(&self) -> Option<Key> {
        self.keys.front().copied()
    }

    /// Takes the next key.
    pub(crate) fn take(&mut self) -> Option<Key> {
        self.keys.pop_front()
    }

    /// Forgets what was typed.
    pub(crate) fn clear(&mut self) {
        self.keys.clear();
        self.second_half = None;
    }

    /// Reads what the terminal has; with [`Wait::Forever`] at least one key or the end.
    pub(crate) fn fill(&mut self, host: &mut impl Host, wait: Wait) -> Result<(), HostError> {
        while !self.ended {
            let mut bytes = [0; 64];
            match host.read_input(wait, &mut bytes) {
                Ok(0) => self.ended = true,
                Ok(len) => self.decode(&bytes[..len.min(64)]),
                Err(HostError::WouldBlock) => return Ok(()),
                Err(error) => return Err(error),
            }
            if wait == Wait::Never || !self.keys.is_empty() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn decode(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((first, tail)) = rest.split_first() {
            let sequence = SEQUENCES.iter().find(|(sequence, _)| tail.starts_with(sequence));
            match (first, sequence) {
                (0x1b, Some((sequence, scan))) => {
                    self.keys.push_back(Key((*scan as u16) << 8));
                    rest = &tail[sequence.len()..];
                }
                _ => {
                    self.keys.extend(self.encoder.push(*first).map(Key::of_character));
                    rest = tail;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Input, Key};

    #[test]
    fn characters_and_sequences_become_keys() {
        let mut input = Input::default();
        input.decode("aA\x1b[A\r\x1b\x03ä".as_bytes());
        let found: alloc::vec::Vec<u16> =
            core::iter::from_fn(|| input.take()).map(|Key(key)| key).collect();
        assert_eq!(found, [0x1e61, 0x1e41, 0x4800, 0x1c0d, 0x011b, 0x2e03, 0x0084]);
    }
}
