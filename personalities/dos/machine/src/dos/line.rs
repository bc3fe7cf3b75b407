//! A line that is typed at the terminal, with the keys by which the last one comes back.
//!
//! ```text
//!   template  c o p y   a . t x t        the last line; F1, F2, F3 copy from here on, DEL and F4 skip
//!                     ▲ at
//!   text      c o p y   █                what was typed or copied
//! ```
//! Source: MS-DOS 5.0 User's Guide and Reference, chapter 7, "Editing a command line"; MS-DOS
//! Programmer's Reference, function 0Ah; MS-DOS 4.0's STRIN.ASM.

use alloc::vec::Vec;

const BACKSPACE: u8 = 8;
/// Ctrl-Backspace.
const RUBOUT: u8 = 0x7f;
const TAB: u8 = 9;
const RETURN: u8 = b'\r';
const ESCAPE: u8 = 0x1b;
/// End of a text (Ctrl-Z), which F6 gives.
const END: u8 = 0x1a;
/// What is heard where a line is full.
const BELL: &[u8] = b"\x07";

/// Scan codes of the keys without character.
mod scan {
    pub const F1: u8 = 0x3b;
    pub const F2: u8 = 0x3c;
    pub const F3: u8 = 0x3d;
    pub const F4: u8 = 0x3e;
    pub const F5: u8 = 0x3f;
    pub const F6: u8 = 0x40;
    pub const LEFT: u8 = 0x4b;
    pub const RIGHT: u8 = 0x4d;
    pub const INSERT: u8 = 0x52;
    pub const DELETE: u8 = 0x53;
}

/// A key as DOS gives it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    Character(u8),
    Scan(u8),
}

/// What F2 and F4 do with the template up to the next character that is typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum UpTo {
    Copy,
    Skip,
}

/// A line that is being typed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Line {
    template: Vec<u8>,
    /// Where in the template copying goes on.
    at: usize,
    text: Vec<u8>,
    /// Most bytes of `text`.
    most: usize,
    /// Whether what is typed leaves the template where it is.
    inserts: bool,
    up_to: Option<UpTo>,
}

impl Line {
    pub(super) fn new(most: usize, template: Vec<u8>) -> Line {
        Line { most, template, ..Line::default() }
    }

    pub(super) fn into_text(self) -> Vec<u8> {
        self.text
    }

    /// Takes a key; returns what the terminal shows, nothing at the line's end.
    pub(super) fn key(&mut self, key: Key) -> Option<Vec<u8>> {
        let mut shown = Vec::new();
        if let Some(up_to) = self.up_to.take() {
            if let Key::Character(byte) = key {
                self.up_to_character(up_to, byte, &mut shown);
            }
            return Some(shown);
        }
        match key {
            Key::Character(RETURN) => return None,
            Key::Character(BACKSPACE | RUBOUT) | Key::Scan(scan::LEFT) => self.back(&mut shown),
            Key::Character(ESCAPE) => self.drop_with(b"\\\r\n", &mut shown),
            // Ctrl-Enter: the line goes on below.
            Key::Character(b'\n') => shown.extend(b"\r\n"),
            Key::Character(byte) => self.typed(byte, &mut shown),
            Key::Scan(scan::F1 | scan::RIGHT) => self.copy(1, &mut shown),
            Key::Scan(scan::F2) => self.up_to = Some(UpTo::Copy),
            Key::Scan(scan::F3) => self.copy(usize::MAX, &mut shown),
            Key::Scan(scan::F4) => self.up_to = Some(UpTo::Skip),
            Key::Scan(scan::F5) => {
                self.template = core::mem::take(&mut self.text);
                self.drop_with(b"@\r\n", &mut shown);
            }
            Key::Scan(scan::F6) => self.typed(END, &mut shown),
            Key::Scan(scan::INSERT) => self.inserts = !self.inserts,
            Key::Scan(scan::DELETE) => self.at = (self.at + 1).min(self.template.len()),
            Key::Scan(_) => {}
        }
        Some(shown)
    }

    fn typed(&mut self, byte: u8, shown: &mut Vec<u8>) {
        if self.append(byte, shown) && !self.inserts {
            self.at = (self.at + 1).min(self.template.len());
        }
    }

    /// Appends a byte; returns whether there was room.
    fn append(&mut self, byte: u8, shown: &mut Vec<u8>) -> bool {
        if self.text.len() >= self.most {
            shown.extend(BELL);
            return false;
        }
        self.text.push(byte);
        show(byte, shown);
        true
    }

    fn back(&mut self, shown: &mut Vec<u8>) {
        let Some(byte) = self.text.pop() else { return };
        self.at = self.at.saturating_sub(1);
        (0..1 + usize::from(is_control(byte))).for_each(|_| shown.extend(b"\x08 \x08"));
    }

    fn drop_with(&mut self, text: &[u8], shown: &mut Vec<u8>) {
        self.text.clear();
        (self.at, self.inserts) = (0, false);
        shown.extend(text);
    }

    /// Copies bytes of the template.
    fn copy(&mut self, count: usize, shown: &mut Vec<u8>) {
        self.inserts = false;
        let end = self.at.saturating_add(count).min(self.template.len());
        while self.at < end {
            let byte = self.template[self.at];
            if !self.append(byte, shown) {
                return;
            }
            self.at += 1;
        }
    }

    /// Copies or skips the template up to the next such character behind the current one.
    fn up_to_character(&mut self, up_to: UpTo, byte: u8, shown: &mut Vec<u8>) {
        let rest = self.template.get(self.at + 1..).unwrap_or_default();
        let Some(count) = rest.iter().position(|known| *known == byte) else { return };
        match up_to {
            UpTo::Copy => self.copy(count + 1, shown),
            UpTo::Skip => self.at += count + 1,
        }
    }
}

/// Shows a character of a line: control characters with a caret.
pub(super) fn show(byte: u8, shown: &mut Vec<u8>) {
    match is_control(byte) {
        true => shown.extend([b'^', byte ^ 0x40]),
        false => shown.push(byte),
    }
}

/// Ctrl-T and Ctrl-U are the signs of paragraph and section (MS-DOS 4.0's CPMIO2.ASM, BUFOUT).
fn is_control(byte: u8) -> bool {
    byte < 0x20 && !matches!(byte, TAB | 0x14 | 0x15)
}

#[cfg(test)]
mod tests {
    use super::{Key, Line, scan};
    use alloc::vec::Vec;

    /// Types characters, and scan codes after a 0; returns the line and what was shown.
    fn typed(template: &[u8], keys: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut line = Line::new(20, template.to_vec());
        let (mut shown, mut keys) = (Vec::new(), keys.iter());
        while let Some(byte) = keys.next() {
            let key = match byte {
                0 => Key::Scan(*keys.next().expect("a scan code")),
                byte => Key::Character(*byte),
            };
            shown.extend(line.key(key).expect("no Enter"));
        }
        (line.into_text(), shown)
    }

    fn line(template: &[u8], keys: &[u8]) -> Vec<u8> {
        typed(template, keys).0
    }

    #[test]
    fn the_template_is_copied_by_characters_and_as_a_whole() {
        assert_eq!(line(b"copy a", &[0, scan::F3]), b"copy a");
        assert_eq!(line(b"copy a", &[0, scan::F1, 0, scan::RIGHT]), b"co");
        assert_eq!(line(b"copy a", &[0, scan::F2, b'y', b'Y', 0, scan::F3]), b"copY a");
        assert_eq!(line(b"copy a", &[0, scan::F2, b'z']), b"");
        // What is typed takes the template's place; with INS it goes before it.
        assert_eq!(line(b"dir b:", &[b'D', 0, scan::F3]), b"Dir b:");
        assert_eq!(line(b"dir", &[0, scan::INSERT, b'a', b'b', 0, scan::F3]), b"abdir");
    }

    #[test]
    fn the_template_is_skipped() {
        assert_eq!(line(b"copy a", &[0, scan::DELETE, 0, scan::F3]), b"opy a");
        assert_eq!(line(b"copy a", &[0, scan::F4, b' ', 0, scan::F3]), b" a");
        assert_eq!(line(b"ab", &[0, scan::DELETE, 0, scan::DELETE, 0, scan::DELETE]), b"");
    }

    #[test]
    fn a_line_becomes_the_template_or_is_dropped() {
        let (text, shown) = typed(b"", b"abc\0\x3f\0\x3d");
        assert_eq!((&text[..], &shown[..]), (&b"abc"[..], &b"abc@\r\nabc"[..]));
        let (text, shown) = typed(b"xyz", b"abc\x1b\0\x3d");
        assert_eq!((&text[..], &shown[..]), (&b"xyz"[..], &b"abc\\\r\nxyz"[..]));
    }

    #[test]
    fn what_is_taken_back_can_be_copied_again() {
        assert_eq!(line(b"copy", &[0, scan::F3, 8, 0, scan::LEFT, 0, scan::F3]), b"copy");
        assert_eq!(line(b"", b"ab\x7f\x7fc"), b"c");
        let (text, shown) = typed(b"", &[0, scan::F6, 8]);
        assert_eq!((&text[..], &shown[..]), (&b""[..], &b"^Z\x08 \x08\x08 \x08"[..]));
    }

    #[test]
    fn a_full_line_rings_the_bell() {
        let (text, shown) = typed(&[b'x'; 30], &[0, scan::F3]);
        assert_eq!((text.len(), shown.last()), (20, Some(&7)));
    }
}
