//! A page of text memory as what a terminal has to be sent, in differences.
//!
//! ```text
//!   cells (character, attribute), cursor ─► Renderer ─► CUP, SGR, UTF-8, DECTCEM
//! ```
//!
//! Where the terminal has fewer rows than the page, it shows those around the cursor.
//!
//! Source: ECMA-48 8.3.21 (CUP), 8.3.39 (ED), 8.3.117 (SGR); xterm's control sequences for
//! bright colours (aixterm), DECSET 7, 25 and 1049.

use alloc::format;
use alloc::vec::Vec;

use crate::dos::codepage::glyph;

/// What takes the terminal over: the alternate screen, no wrapping, nothing on it.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?7l";
/// What gives it back.
const LEAVE: &[u8] = b"\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
/// A blank, light grey on black.
pub(crate) const BLANK: u16 = 0x0720;
/// The terminal's size where nobody knows it.
const UNKNOWN_SIZE: (u16, u16) = (u16::MAX, u16::MAX);
/// ANSI's numbers of the colours black, blue, green, cyan, red, magenta, brown, grey.
const COLOURS: [u8; 8] = [0, 4, 2, 6, 1, 5, 3, 7];

/// What a screen shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'a> {
    /// Rows of cells: attribute in the high byte, character in the low one.
    pub(crate) cells: &'a [u16],
    pub(crate) columns: usize,
    /// Row and column, unless it is hidden.
    pub(crate) cursor: Option<(usize, usize)>,
    /// Whether attribute bit 7 blinks; otherwise it is the background's brightness.
    pub(crate) blinks: bool,
}

/// What the terminal shows, to the best of our knowledge.
#[derive(Clone, Debug)]
pub(crate) struct Renderer {
    cells: Vec<u16>,
    columns: usize,
    blinks: bool,
    /// Columns and rows of the terminal.
    size: (usize, usize),
    /// The page's row that the terminal's first one shows.
    top: usize,
    /// Where the terminal writes next, if that is known, in rows of the page.
    position: Option<(usize, usize)>,
    attribute: Option<u8>,
    cursor_is_shown: bool,
}

impl Renderer {
    /// Returns the bytes that take a terminal of these columns and rows over, and its state then.
    pub(crate) fn enter(size: Option<(u16, u16)>, out: &mut Vec<u8>) -> Renderer {
        out.extend_from_slice(ENTER);
        let (columns, rows) = size.unwrap_or(UNKNOWN_SIZE);
        Renderer {
            cells: Vec::new(),
            columns: 0,
            blinks: true,
            size: (columns.max(1).into(), rows.max(1).into()),
            top: 0,
            position: None,
            attribute: None,
            cursor_is_shown: true,
        }
    }

    /// Appends what gives the terminal back.
    pub(crate) fn leave(out: &mut Vec<u8>) {
        out.extend_from_slice(LEAVE);
    }

    /// Appends what makes the terminal show a frame.
    pub(crate) fn draw(&mut self, frame: Frame<'_>, out: &mut Vec<u8>) {
        let rows = frame.cells.len() / frame.columns.max(1);
        let top = self.top_for(rows, frame.cursor);
        let is_other = self.columns != frame.columns
            || self.cells.len() != frame.cells.len()
            || self.blinks != frame.blinks
            || self.top != top;
        if is_other {
            (self.columns, self.blinks, self.top) = (frame.columns, frame.blinks, top);
            self.clear(frame.cells.len(), out);
        }
        let shown = frame.columns.min(self.size.0);
        for row in top..rows.min(top.saturating_add(self.size.1)) {
            for column in 0..shown {
                let at = row * frame.columns + column;
                if self.cells[at] != frame.cells[at] {
                    self.put((row, column), frame.cells[at], out);
                    self.cells[at] = frame.cells[at];
                }
            }
        }
        self.place_cursor(frame.cursor.filter(|(_, column)| *column < shown), out);
    }

    /// Returns the first row to show: all rows from the first, or those around the cursor.
    fn top_for(&self, rows: usize, cursor: Option<(usize, usize)>) -> usize {
        let most = rows.saturating_sub(self.size.1);
        let Some((row, _)) = cursor else { return self.top.min(most) };
        if row < self.top {
            row
        } else {
            self.top.max((row + 1).saturating_sub(self.size.1)).min(most)
        }
    }

    fn clear(&mut self, cells: usize, out: &mut Vec<u8>) {
        self.set_attribute((BLANK >> 8) as u8, out);
        out.extend_from_slice(b"\x1b[2J");
        self.cells.clear();
        self.cells.resize(cells, BLANK);
        self.position = None;
    }

    fn put(&mut self, at: (usize, usize), cell: u16, out: &mut Vec<u8>) {
        let [character, attribute] = cell.to_le_bytes();
        self.move_to(at, out);
        self.set_attribute(attribute, out);
        let mut buffer = [0; 4];
        out.extend_from_slice(glyph(character).encode_utf8(&mut buffer).as_bytes());
        // In the last column the terminal stays where it is.
        self.position = (at.1 + 1 < self.size.0).then_some((at.0, at.1 + 1));
    }

    fn move_to(&mut self, at: (usize, usize), out: &mut Vec<u8>) {
        if self.position != Some(at) {
            let (row, column) = (at.0 - self.top + 1, at.1 + 1);
            out.extend_from_slice(format!("\x1b[{row};{column}H").as_bytes());
            self.position = Some(at);
        }
    }

    fn set_attribute(&mut self, attribute: u8, out: &mut Vec<u8>) {
        if self.attribute == Some(attribute) {
            return;
        }
        self.attribute = Some(attribute);
        let (front, back) = (attribute & 15, attribute >> 4);
        let blink = if self.blinks && back & 8 != 0 { ";5" } else { "" };
        let back = if self.blinks { back & 7 } else { back };
        let (front, back) = (colour(front, 30), colour(back, 40));
        out.extend_from_slice(format!("\x1b[0;{front};{back}{blink}m").as_bytes());
    }

    fn place_cursor(&mut self, cursor: Option<(usize, usize)>, out: &mut Vec<u8>) {
        if let Some(at) = cursor {
            self.move_to(at, out);
        }
        if self.cursor_is_shown != cursor.is_some() {
            self.cursor_is_shown = cursor.is_some();
            out.extend_from_slice(if cursor.is_some() { b"\x1b[?25h" } else { b"\x1b[?25l" });
        }
    }
}

/// Returns the number of a colour for SGR; bright ones are 60 further on.
fn colour(colour: u8, base: u8) -> u8 {
    base + COLOURS[(colour & 7) as usize] + if colour & 8 != 0 { 60 } else { 0 }
}

#[cfg(test)]
mod tests;
