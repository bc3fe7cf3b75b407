//! Editing of a line: cursor keys, history, completion, and the keys F1 and F3 of DOS.
//!
//! Extended keys come as two bytes, 0 and the scan code (RBIL INT 16/AH=00, table 00006). The text
//! that shows a change uses backspaces only, so that it works on any terminal.

use alloc::vec;
use alloc::vec::Vec;

/// Longest line.
const LINE_MAX: usize = 255;
/// Lines that are remembered.
const HISTORY_MAX: usize = 100;
const TAB: u8 = 9;
/// Scan code of F7.
const F7: u8 = 0x41;
const ESCAPE: u8 = 0x1b;
const DELETE: u8 = 0x7f;
/// What a terminal gives that has ended.
const END: u8 = 0x1a;

/// Lines that were entered, the last one at the end.
pub type History = Vec<Vec<u8>>;

/// What a key leads to.
pub enum Step {
    /// The input's end, or Ctrl-Z, on an empty line.
    End,
    /// The history is asked for (F7).
    History,
    /// The text that shows the change.
    More(Vec<u8>),
    /// The text to show, and the finished line.
    Line(Vec<u8>, Vec<u8>),
}

/// A line being edited.
#[derive(Default)]
pub struct Editor {
    line: Vec<u8>,
    cursor: usize,
    overwrites: bool,
    /// Whether the next key is a scan code.
    extended: bool,
    history: History,
    /// Which line of the history is shown; its length: none.
    at: usize,
    completion: Option<Completion>,
}

/// Names that Tab goes through.
struct Completion {
    from: usize,
    names: Vec<Vec<u8>>,
    next: usize,
}

impl Editor {
    /// Returns an empty line with the history that it may take lines from; `overwrites` tells
    /// whether it begins in overstrike mode.
    pub fn new(history: &[Vec<u8>], overwrites: bool) -> Editor {
        Editor { history: history.to_vec(), at: history.len(), overwrites, ..Editor::default() }
    }

    /// Takes a key; `complete` returns what a word may go on as.
    pub fn key(&mut self, key: u8, complete: impl FnOnce(&[u8]) -> Vec<Vec<u8>>) -> Step {
        if core::mem::take(&mut self.extended) {
            self.completion = None;
            return match key {
                F7 if !self.history.is_empty() => Step::History,
                key => Step::More(self.extended_key(key)),
            };
        }
        if key != TAB {
            self.completion = None;
        }
        Step::More(match key {
            0 => {
                self.extended = true;
                Vec::new()
            }
            END if self.line.is_empty() => return Step::End,
            b'\r' | b'\n' | END => {
                return Step::Line(b"\r\n".to_vec(), core::mem::take(&mut self.line));
            }
            8 | DELETE if self.cursor > 0 => self.change(self.cursor - 1, self.cursor, b""),
            ESCAPE => self.set_line(Vec::new()),
            TAB => self.complete(complete),
            byte if byte >= b' ' && byte != DELETE => self.insert(byte),
            _ => Vec::new(),
        })
    }

    fn extended_key(&mut self, scan: u8) -> Vec<u8> {
        let end = self.line.len();
        match scan {
            0x48 => self.recall(self.at.saturating_sub(1)),
            0x50 => self.recall((self.at + 1).min(self.history.len())),
            0x4b => self.move_to(self.cursor.saturating_sub(1)),
            0x4d if self.cursor == end => self.copy_template(1),
            0x4d => self.move_to(self.cursor + 1),
            0x47 => self.move_to(0),
            0x4f => self.move_to(end),
            0x73 => self.move_to(self.word_before()),
            0x74 => self.move_to(self.word_after()),
            0x52 => {
                self.overwrites = !self.overwrites;
                Vec::new()
            }
            0x53 if self.cursor < end => self.change(self.cursor, self.cursor + 1, b""),
            0x3b => self.copy_template(1),
            0x3d => self.copy_template(LINE_MAX),
            0x42 => self.recall_alike(),
            _ => Vec::new(),
        }
    }

    fn insert(&mut self, byte: u8) -> Vec<u8> {
        let replaces = self.overwrites && self.cursor < self.line.len();
        if self.line.len() >= LINE_MAX && !replaces {
            return vec![7];
        }
        self.change(self.cursor, self.cursor + replaces as usize, &[byte])
    }

    /// F1, F3: takes characters of the last line, from the cursor's column on.
    fn copy_template(&mut self, count: usize) -> Vec<u8> {
        let template = self.history.last().and_then(|last| last.get(self.line.len()..));
        let more: Vec<u8> = template.unwrap_or_default().iter().take(count).copied().collect();
        let mut text = self.move_to(self.line.len());
        text.extend(self.change(self.cursor, self.cursor, &more));
        text
    }

    fn recall(&mut self, at: usize) -> Vec<u8> {
        self.at = at;
        let line = self.history.get(at).cloned().unwrap_or_default();
        self.set_line(line)
    }

    /// F8: the last line before this one that begins with what is left of the cursor.
    fn recall_alike(&mut self) -> Vec<u8> {
        let begin = &self.line[..self.cursor];
        let lines = self.history[..self.at].iter().enumerate().rev();
        let Some(at) = lines.clone().find(|(_, line)| line.starts_with(begin)).map(|(at, _)| at)
        else {
            return vec![7];
        };
        let cursor = self.cursor;
        let mut text = self.recall(at);
        text.extend(self.move_to(cursor));
        text
    }

    fn set_line(&mut self, line: Vec<u8>) -> Vec<u8> {
        self.change(0, self.line.len(), &line)
    }

    fn complete(&mut self, complete: impl FnOnce(&[u8]) -> Vec<Vec<u8>>) -> Vec<u8> {
        if self.completion.is_none() {
            let ends =
                |byte: &u8| matches!(byte, b' ' | b'\t' | b',' | b';' | b'=' | b'<' | b'>' | b'|');
            let from = self.line[..self.cursor].iter().rposition(ends).map_or(0, |at| at + 1);
            let names = complete(&self.line[from..self.cursor]);
            self.completion = Some(Completion { from, names, next: 0 });
        }
        let Some(completion) = &mut self.completion else { return Vec::new() };
        let Some(name) = completion.names.get(completion.next).cloned() else { return vec![7] };
        completion.next = (completion.next + 1) % completion.names.len();
        let from = completion.from;
        self.change(from, self.cursor, &name)
    }

    fn word_before(&self) -> usize {
        let before = self.line[..self.cursor].trim_ascii_end();
        before.iter().rposition(|byte| *byte == b' ').map_or(0, |at| at + 1)
    }

    fn word_after(&self) -> usize {
        let rest = &self.line[self.cursor..];
        let blank = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
        let blanks = rest[blank..].iter().take_while(|byte| **byte == b' ').count();
        self.cursor + blank + blanks
    }

    /// Moves the cursor; returns the text that does so.
    fn move_to(&mut self, to: usize) -> Vec<u8> {
        let text = match to.checked_sub(self.cursor) {
            Some(_) => self.line[self.cursor..to].to_vec(),
            None => vec![8; self.cursor - to],
        };
        self.cursor = to;
        text
    }

    /// Replaces a part of the line, with the cursor behind it; returns the text that shows it.
    fn change(&mut self, from: usize, to: usize, by: &[u8]) -> Vec<u8> {
        let by = &by[..by.len().min(LINE_MAX + (to - from) - self.line.len().min(LINE_MAX))];
        let old = self.line.len();
        let mut text = self.move_to(from);
        self.line.splice(from..to, by.iter().copied());
        text.extend(&self.line[from..]);
        let blanks = old.saturating_sub(self.line.len());
        text.extend(vec![b' '; blanks]);
        self.cursor = from + by.len();
        text.extend(vec![8; self.line.len() - self.cursor + blanks]);
        text
    }
}

/// Remembers a line, unless it is empty or the last one again.
pub fn remember(history: &mut History, line: &[u8]) {
    if line.trim_ascii().is_empty() || history.last().is_some_and(|last| last == line) {
        return;
    }
    if history.len() >= HISTORY_MAX {
        history.remove(0);
    }
    history.push(line.to_vec());
}

#[cfg(test)]
mod tests {
    use super::{Editor, Step};
    use alloc::vec::Vec;

    /// Types keys on a terminal of one line and returns what it shows, and the finished line.
    fn type_keys(history: &[&[u8]], keys: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
        let history: Vec<Vec<u8>> = history.iter().map(|line| line.to_vec()).collect();
        let mut editor = Editor::new(&history, false);
        let (mut shown, mut column) = (Vec::new(), 0);
        for key in keys {
            let names = |_: &[u8]| alloc::vec![b"READ.ME".to_vec(), b"REAL.TXT".to_vec()];
            let (text, line) = match editor.key(*key, names) {
                Step::More(text) => (text, None),
                Step::Line(text, line) => (text, Some(line)),
                Step::End | Step::History => return (shown, None),
            };
            for byte in text {
                match byte {
                    8 => column -= 1,
                    b'\r' | b'\n' | 7 => {}
                    byte => {
                        shown.resize(shown.len().max(column + 1), b' ');
                        shown[column] = byte;
                        column += 1;
                    }
                }
            }
            if line.is_some() {
                return (shown, line);
            }
        }
        (shown, None)
    }

    fn line_of(history: &[&[u8]], keys: &[u8]) -> Vec<u8> {
        let (shown, line) = type_keys(history, keys);
        let line = line.expect("a finished line");
        assert_eq!(shown.trim_ascii_end(), line.trim_ascii_end(), "the screen shows the line");
        line
    }

    #[test]
    fn characters_are_inserted_and_deleted_at_the_cursor() {
        assert_eq!(line_of(&[], b"dor\x08\x00\x4bi\x00\x4f x\r"), b"dio x");
        assert_eq!(line_of(&[], b"abc\x00\x47\x00\x53\r"), b"bc");
        assert_eq!(line_of(&[], b"abc\x00\x47\x00\x52X\r"), b"Xbc");
        assert_eq!(line_of(&[], b"abc\x1bd\r"), b"d");
        assert_eq!(line_of(&[], b"one two\x00\x73\x00\x73>\r"), b">one two");
    }

    #[test]
    fn lines_come_back() {
        let history: &[&[u8]] = &[b"first", b"second"];
        assert_eq!(line_of(history, b"\x00\x48\r"), b"second");
        assert_eq!(line_of(history, b"\x00\x48\x00\x48\x00\x48\r"), b"first");
        assert_eq!(line_of(history, b"\x00\x48\x00\x50x\r"), b"x");
        assert_eq!(line_of(history, b"f\x00\x42\x00\x4f!\r"), b"first!");
        assert_eq!(line_of(history, b"\x00\x3b\x00\x3bX\x00\x3d\r"), b"seXond");
    }

    #[test]
    fn tab_goes_through_the_names() {
        assert_eq!(line_of(&[], b"type re\t\r"), b"type READ.ME");
        assert_eq!(line_of(&[], b"type re\t\t\r"), b"type REAL.TXT");
        assert_eq!(line_of(&[], b"type re\t\t\t!\r"), b"type READ.ME!");
    }

    #[test]
    fn the_end_of_the_input_ends_the_line() {
        assert_eq!(line_of(&[], b"exit\x1a"), b"exit");
        assert!(matches!(Editor::new(&[], false).key(0x1a, |_| Vec::new()), Step::End));
    }

    #[test]
    fn a_line_has_a_bound() {
        let keys = [&[b'x'; 300][..], b"\r"].concat();
        assert_eq!(line_of(&[], &keys).len(), 255);
    }
}
