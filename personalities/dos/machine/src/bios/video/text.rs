//! Text: cells read, written and scrolled, and the teletype.

use alloc::format;

use super::page::Page;
use super::{is_text, show_cursor};
use crate::FarPointer;
use crate::bios::data;
use crate::cpu::register::BP;
use crate::dos::Refusal;
use crate::host::{Host, Stream};
use crate::screen::Meaning;
use crate::session::{End, Session};

/// Light grey on black.
const PLAIN: u8 = 0x07;
const TAB: usize = 8;

impl<H: Host> Session<H> {
    /// AH=06, 07: scrolls a window up or down by AL rows, or clears it; BH is the new cells'
    /// attribute.
    pub(super) fn scroll(&mut self) {
        let page = Page::numbered(&self.bus, data::active_page(&self.bus));
        let [top, left] = self.cx().to_be_bytes().map(usize::from);
        let [bottom, right] = self.dx().to_be_bytes().map(usize::from);
        let (bottom, right) = (bottom.min(page.rows - 1), right.min(page.columns - 1));
        if top > bottom || left > right || !is_text(data::video_mode(&self.bus)) {
            return;
        }
        let window = Window { top, left, bottom, right };
        let (rows, attribute) = (usize::from(self.al()), self.bh());
        self.scroll_window(page, window, rows, self.ah() == 0x06, attribute);
        let is_whole = (top, left) == (0, 0)
            && (bottom, right) == (page.rows - 1, page.columns - 1)
            && (rows == 0 || rows >= page.rows);
        if is_whole && attribute == PLAIN { self.clear_stream() } else { self.go_full() }
    }

    fn scroll_window(
        &mut self,
        page: Page,
        window: Window,
        rows: usize,
        is_up: bool,
        attribute: u8,
    ) {
        let height = window.bottom - window.top + 1;
        let rows = if rows == 0 { height } else { rows.min(height) };
        let cells = window.right - window.left + 1;
        for step in 0..height {
            let (row, from) = match is_up {
                true => (window.top + step, window.top + step + rows),
                false => (window.bottom - step, (window.bottom - step).wrapping_sub(rows)),
            };
            let to = page.cell(row, window.left);
            if (window.top..=window.bottom).contains(&from) {
                let from = page.cell(from, window.left);
                self.bus.copy_up(from, to, cells * 2);
            } else {
                self.fill(to, cells, u16::from_le_bytes([b' ', attribute]));
            }
        }
    }

    fn fill(&mut self, at: FarPointer, cells: usize, cell: u16) {
        for place in 0..cells {
            self.bus.write16(at.add(place as u16 * 2), cell);
        }
    }

    /// AH=08.
    pub(super) fn read_cell(&mut self, page: u8) {
        let (row, column) = data::cursor(&self.bus, page);
        let at = Page::numbered(&self.bus, page).cell(row.into(), column.into());
        let cell = self.bus.read16(at);
        self.set_ax(cell);
    }

    /// AH=09, 0A: CX times the character in AL from the cursor on, with the attribute in BL or
    /// the cells' own.
    pub(super) fn write_characters(&mut self, page: u8) {
        if !is_text(data::video_mode(&self.bus)) {
            return;
        }
        let (row, column) = data::cursor(&self.bus, page);
        let page = Page::numbered(&self.bus, page);
        let first = usize::from(row) * page.columns + usize::from(column);
        let last = (first + usize::from(self.cx())).min(page.columns * page.rows);
        let (character, attribute) = (self.al(), self.bl());
        for place in first..last {
            let at = page.cell(place / page.columns, place % page.columns);
            self.bus.write8(at, character);
            if self.ah() == 0x09 {
                self.bus.write8(at.add(1), attribute);
            }
        }
        self.go_full();
        if !self.dos.output.is_terminal(Stream::Output) {
            self.stream(&alloc::vec![character; last.saturating_sub(first)]);
        }
    }

    /// AH=13: CX characters at ES:BP; bit 0 of AL moves the cursor, bit 1 says that attributes
    /// follow characters.
    pub(super) fn write_string(&mut self, page: u8) {
        let mut at = FarPointer::new(self.es(), self.cpu.register(BP));
        let (mode, mut attribute, before) = (self.al(), self.bl(), data::cursor(&self.bus, page));
        let place = (self.dh(), self.dl());
        data::set_cursor(&mut self.bus, page, place);
        for _ in 0..self.cx() {
            let character = self.bus.read8(at);
            if mode & 2 != 0 {
                attribute = self.bus.read8(at.add(1));
            }
            at = at.add(1 + u16::from(mode >> 1 & 1));
            self.type_character(page, character, Some(attribute));
        }
        if mode & 1 == 0 {
            data::set_cursor(&mut self.bus, page, before);
        }
        show_cursor(&mut self.bus, page);
        self.go_full();
        if !self.dos.output.is_terminal(Stream::Output) {
            self.stream_string();
        }
    }

    /// Prints AH=13's characters where standard output is no terminal.
    fn stream_string(&mut self) {
        let at = FarPointer::new(self.es(), self.cpu.register(BP));
        let step = 1 + u16::from(self.al() >> 1 & 1);
        let bytes: alloc::vec::Vec<u8> =
            (0..self.cx()).map(|place| self.bus.read8(at.add(place.wrapping_mul(step)))).collect();
        self.stream(&bytes);
    }

    /// AH=0E.
    pub(super) fn teletype_service(&mut self) {
        let byte = self.al();
        let page = data::active_page(&self.bus);
        self.type_character(page, byte, None);
        show_cursor(&mut self.bus, page);
        self.screen.printed();
        self.stream(&[byte]);
    }

    /// Puts what DOS prints on the page; the caller streams it where the screen is a stream.
    pub(crate) fn type_on_screen(&mut self, bytes: &[u8]) {
        let page = data::active_page(&self.bus);
        for byte in bytes {
            let meaning = self.screen.ansi.push(*byte);
            self.type_meaning(page, meaning);
        }
        show_cursor(&mut self.bus, page);
        self.screen.printed();
    }

    fn type_meaning(&mut self, number: u8, meaning: Meaning) {
        let (row, column) = data::cursor(&self.bus, number);
        let page = Page::numbered(&self.bus, number);
        let attribute = self.screen.ansi.attribute();
        let cell = u16::from_le_bytes([b' ', attribute.unwrap_or(PLAIN)]);
        let place = match meaning {
            Meaning::Nothing => return,
            Meaning::Character(b'\t') => {
                for _ in usize::from(column) % TAB..TAB {
                    self.type_character(number, b' ', attribute);
                }
                return;
            }
            Meaning::Character(byte) => return self.type_character(number, byte, attribute),
            Meaning::Save => {
                self.screen.ansi.saved = (row, column);
                return;
            }
            Meaning::Report => return self.report_cursor(row, column),
            Meaning::ClearRow => {
                let cells = page.columns.saturating_sub(column.into());
                let at = page.cell(row.into(), column.into());
                return self.fill(at, cells, cell);
            }
            Meaning::Clear => {
                let at = page.cell(0, 0);
                self.fill(at, page.columns * page.rows, cell);
                (0, 0)
            }
            Meaning::Restore => self.screen.ansi.saved,
            Meaning::Move(row, column) => (row, column),
            Meaning::MoveBy(rows, columns) => {
                let moved = |from: u8, by: i16| (i16::from(from) + by).clamp(0, 255) as u8;
                (moved(row, rows), moved(column, columns))
            }
        };
        let last = |count: usize| count.min(255) as u8 - 1;
        let place = (place.0.min(last(page.rows)), place.1.min(last(page.columns)));
        data::set_cursor(&mut self.bus, number, place);
    }

    /// Answers a device status report as ANSI.SYS does: by keys. A terminal that saw the question, too,
    /// answers as well, which is dropped.
    fn report_cursor(&mut self, row: u8, column: u8) {
        if self.host.is_terminal(Stream::Input) {
            let answer = format!("\x1b[{:02};{:02}R\r", u16::from(row) + 1, u16::from(column) + 1);
            let is_seen = !self.screen.is_full() && self.dos.output.is_terminal(Stream::Output);
            self.dos.input.report(answer.as_bytes(), is_seen);
        }
    }

    fn type_character(&mut self, number: u8, byte: u8, attribute: Option<u8>) {
        if !is_text(data::video_mode(&self.bus)) {
            return;
        }
        let page = Page::numbered(&self.bus, number);
        let (row, column) = data::cursor(&self.bus, number);
        let (row, column) = (usize::from(row), usize::from(column));
        let at = page.cell(row, column);
        let (mut row, column) = match byte {
            b'\r' => (row, 0),
            b'\n' => (row + 1, column),
            8 => (row, column.saturating_sub(1)),
            7 => {
                if self.screen.is_full() {
                    self.stream_bell();
                }
                (row, column)
            }
            _ => {
                self.bus.write8(at, byte);
                if let Some(attribute) = attribute {
                    self.bus.write8(at.add(1), attribute);
                }
                if column + 1 < page.columns { (row, column + 1) } else { (row + 1, 0) }
            }
        };
        if row >= page.rows {
            row = page.rows - 1;
            let attribute = self.bus.read8(at.add(1));
            let (bottom, right) = (row, page.columns - 1);
            let window = Window { top: 0, left: 0, bottom, right };
            self.scroll_window(page, window, 1, true, attribute);
        }
        data::set_cursor(&mut self.bus, number, (row as u8, column as u8));
    }

    fn stream_bell(&mut self) {
        if self.dos.output.send(&mut self.host, b"\x07").is_err() {
            self.finish(End::BrokenPipe);
        }
    }

    /// Prints where the screen is a stream.
    fn stream(&mut self, bytes: &[u8]) {
        if let Err(Refusal::BrokenPipe) = self.print_stream(bytes) {
            self.finish(End::BrokenPipe);
        }
    }
}

/// Rows and columns, the last ones included.
#[derive(Clone, Copy, Debug)]
struct Window {
    top: usize,
    left: usize,
    bottom: usize,
    right: usize,
}
