//! The line editor: bytes typed go in, bytes to show and finished lines come out.
//!
//! Sans I/O: [`Editor::feed`] gets what was typed, byte by byte, from a terminal that passes input
//! on as it comes and makes CR LF of LF in output. The line is shown on one row and scrolls
//! sideways where it is longer than the terminal is wide, so that a redraw needs no knowledge of
//! where the cursor was. Escape sequences are those of ECMA-48 as xterm sends them (ctlseqs
//! "PC-Style Function Keys"). Lines are bytes; a UTF-8 character counts as one column.

mod history;
mod keys;

use alloc::format;
use alloc::vec::Vec;

use history::History;
use keys::{Key, Keys};

/// Longest line in bytes.
pub const MAX_LINE: usize = 2048;

/// What the person at the terminal did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A line was finished with Return.
    Line(Vec<u8>),
    /// Ctrl-C: the line was dropped.
    Dropped,
    /// Ctrl-D on an empty line.
    End,
}

/// State of the line being edited.
pub struct Editor {
    prompt: Vec<u8>,
    columns: usize,
    line: Vec<u8>,
    /// Byte index into `line`, always at the beginning of a character.
    cursor: usize,
    keys: Keys,
    history: History,
}

impl Editor {
    /// Returns an editor for a terminal of so many columns.
    pub fn new(columns: usize) -> Self {
        Editor {
            prompt: Vec::new(),
            columns: columns.max(20),
            line: Vec::new(),
            cursor: 0,
            keys: Keys::default(),
            history: History::default(),
        }
    }

    /// Begins an empty line behind `prompt` (printable characters only) and shows it.
    pub fn begin(&mut self, prompt: &[u8], show: &mut Vec<u8>) {
        self.prompt = prompt.to_vec();
        self.line.clear();
        self.cursor = 0;
        self.redraw(show);
    }

    /// Takes one typed byte; appends what is to be shown to `show`.
    pub fn feed(&mut self, byte: u8, show: &mut Vec<u8>) -> Option<Event> {
        let key = self.keys.feed(byte)?;
        match key {
            Key::Byte(byte) => self.insert(byte, show),
            Key::Return => return Some(self.finish(show)),
            Key::Drop => {
                show.extend_from_slice(b"^C\n");
                self.history.leave();
                return Some(Event::Dropped);
            }
            Key::EndOrDelete if self.line.is_empty() => {
                show.push(b'\n');
                return Some(Event::End);
            }
            Key::ClearScreen => {
                show.extend_from_slice(b"\x1b[H\x1b[2J");
                self.redraw(show);
            }
            _ => {
                self.edit(key);
                self.redraw(show);
            }
        }
        None
    }

    /// Changes line and cursor as a key says that does nothing else.
    fn edit(&mut self, key: Key) {
        let end = self.line.len();
        match key {
            Key::Left => self.cursor = self.before(self.cursor),
            Key::Right => self.cursor = self.after(self.cursor),
            Key::Home => self.cursor = 0,
            Key::End => self.cursor = end,
            Key::Backspace => self.remove(self.before(self.cursor)..self.cursor),
            Key::Delete | Key::EndOrDelete => self.remove(self.cursor..self.after(self.cursor)),
            Key::KillToStart => self.remove(0..self.cursor),
            Key::KillToEnd => self.remove(self.cursor..end),
            Key::KillWord => self.remove(self.word_start()..self.cursor),
            Key::Up => self.recall(History::older),
            Key::Down => self.recall(History::newer),
            Key::Byte(_) | Key::Return | Key::Drop | Key::ClearScreen => {}
        }
    }

    fn insert(&mut self, byte: u8, show: &mut Vec<u8>) {
        if self.line.len() >= MAX_LINE {
            show.push(b'\x07');
            return;
        }
        let at_end = self.cursor == self.line.len();
        self.line.insert(self.cursor, byte);
        self.cursor += 1;
        // The usual case, and all that a slow line should carry for it.
        if at_end && self.width() < self.room() {
            show.push(byte);
        } else if !self.splits_character() {
            self.redraw(show);
        }
    }

    fn finish(&mut self, show: &mut Vec<u8>) -> Event {
        show.push(b'\n');
        self.history.add(&self.line);
        self.cursor = 0;
        Event::Line(core::mem::take(&mut self.line))
    }

    fn recall(&mut self, step: fn(&mut History, &[u8]) -> Option<Vec<u8>>) {
        if let Some(line) = step(&mut self.history, &self.line) {
            self.cursor = line.len();
            self.line = line;
        }
    }

    fn remove(&mut self, range: core::ops::Range<usize>) {
        self.cursor = range.start;
        self.line.drain(range);
    }

    /// Shows prompt and the part of the line around the cursor on the cursor's row.
    fn redraw(&self, show: &mut Vec<u8>) {
        let room = self.room();
        let ahead = columns(&self.line[..self.cursor]);
        let first = (ahead + 1).saturating_sub(room);
        show.push(b'\r');
        show.extend_from_slice(&self.prompt);
        show.extend_from_slice(window(&self.line, first, room));
        show.extend_from_slice(b"\x1b[K\r");
        let column = columns(&self.prompt) + ahead - first;
        if column > 0 {
            show.extend_from_slice(format!("\x1b[{column}C").as_bytes());
        }
    }

    /// Returns the columns for the line behind the prompt; the last one stays free, because
    /// terminals differ in where the cursor goes from there.
    fn room(&self) -> usize {
        self.columns.saturating_sub(columns(&self.prompt) + 1).max(8)
    }

    fn width(&self) -> usize {
        columns(&self.line)
    }

    /// Returns whether the character before the cursor is still to be completed by its next bytes.
    fn splits_character(&self) -> bool {
        let start = self.before(self.cursor);
        let wanted = match self.line.get(start) {
            Some(0xc0..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            Some(0xf0..=0xff) => 4,
            _ => 1,
        };
        self.cursor - start < wanted
    }

    fn before(&self, cursor: usize) -> usize {
        self.line[..cursor].iter().rposition(|&byte| !continues(byte)).unwrap_or(0)
    }

    fn after(&self, cursor: usize) -> usize {
        let rest = self.line.get(cursor + 1..).unwrap_or(&[]);
        let step = rest.iter().position(|&byte| !continues(byte)).unwrap_or(rest.len());
        (cursor + 1 + step).min(self.line.len())
    }

    fn word_start(&self) -> usize {
        let blank = |byte: &u8| *byte == b' ';
        let line = &self.line[..self.cursor];
        let end = line.iter().rposition(|byte| !blank(byte)).map_or(0, |last| last + 1);
        line[..end].iter().rposition(blank).map_or(0, |last| last + 1)
    }
}

/// Returns whether a byte continues a UTF-8 character (RFC 3629, section 3).
fn continues(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

fn columns(text: &[u8]) -> usize {
    text.iter().filter(|&&byte| !continues(byte)).count()
}

/// Returns the part of the text that covers `len` columns from column `first` on.
fn window(text: &[u8], first: usize, len: usize) -> &[u8] {
    let start_of = |column: usize| {
        let mut starts = text.iter().enumerate().filter(|(_, byte)| !continues(**byte));
        starts.nth(column).map_or(text.len(), |(index, _)| index)
    };
    &text[start_of(first)..start_of(first + len)]
}

#[cfg(test)]
mod tests;
