//! INT 10h: modes, the cursor, pages; text and state are in files of their own.
//!
//! Text lies in guest memory at B800 (B000 in mode 7), where programs read and write it; what of
//! it is shown, and where the cursor is, says the display's controller. [`crate::screen`] brings
//! it to the terminal.
//!
//! Source: RBIL INT 10; IBM VGA Technical Reference (1987), "Modes of Operation".

mod page;
mod pixel;
mod saved;
mod state;
mod text;

pub(crate) use page::Page;

use super::data::{self, CURSOR_SHAPE};
use crate::Bus;
use crate::devices::display::crtc;
use crate::host::Host;
use crate::session::Session;

/// 80 by 25 colour text.
const TEXT_MODE: u8 = 3;
/// The cursor's lines in a cell of eight, as programs see it.
const UNDERLINE: u16 = 0x0607;
/// Lines of a character's cell, and of the screen.
const CELL_LINES: u8 = 16;
const SCREEN_LINES: u16 = 400;

/// Writes the display's part of the data area, and the ROM's tables.
pub(super) fn install(bus: &mut Bus) {
    state::install(bus);
    set_mode(bus, TEXT_MODE, SCREEN_LINES);
    page::clear(bus, TEXT_MODE);
}

/// Returns whether a mode shows characters.
pub(crate) fn is_text(mode: u8) -> bool {
    matches!(mode, 0..=3 | 7)
}

/// Returns characters in a row, or nothing for modes that no VGA has.
fn columns(mode: u8) -> Option<u16> {
    match mode {
        0 | 1 | 4 | 5 | 0x0d | 0x13 => Some(40),
        2 | 3 | 6 | 7 | 0x0e..=0x12 => Some(80),
        _ => None,
    }
}

/// Sets a mode's registers and data; the memory stays.
fn set_mode(bus: &mut Bus, mode: u8, lines: u16) {
    let columns = columns(mode).unwrap_or(80);
    data::set_video_mode(bus, mode, columns);
    bus.devices.display.reset_colours();
    bus.devices.display.set_attribute(0x10, if is_text(mode) { 0x0c } else { 0x41 });
    let cell = if is_text(mode) { CELL_LINES } else { 8 };
    // 200 and 350 lines have cells of 8 and 14.
    let (lines, cell) = match (is_text(mode), lines) {
        (true, 200) => (200, 8),
        (true, 350) => (350, 14),
        _ => (u16::from(cell) * 25, cell),
    };
    set_cell(bus, lines, cell);
    bus.write16(CURSOR_SHAPE, UNDERLINE);
    bus.devices.display.set_crtc_word(crtc::CURSOR_START, UNDERLINE);
    select_page(bus, 0);
}

/// Sets the height of characters, by which the screen has more rows or fewer.
fn set_cell(bus: &mut Bus, lines: u16, cell: u8) {
    let rows = (lines / u16::from(cell)) as u8;
    data::set_rows(bus, rows, cell);
    bus.devices.display.set_crtc(crtc::CELL, cell - 1);
}

fn select_page(bus: &mut Bus, page: u8) {
    let start = data::select_page(bus, page);
    bus.devices.display.set_crtc_word(crtc::START, start / 2);
    show_cursor(bus, page);
}

/// Moves the controller's cursor to the page's, if that page is shown.
fn show_cursor(bus: &mut Bus, number: u8) {
    if number == data::active_page(bus) {
        let page = Page::numbered(bus, number);
        let (row, column) = data::cursor(bus, number);
        let cell = page.start / 2 + usize::from(row) * page.columns + usize::from(column);
        bus.devices.display.set_crtc_word(crtc::CURSOR, cell as u16);
    }
}

impl<H: Host> Session<H> {
    /// INT 10h.
    pub(super) fn video(&mut self) {
        self.notice_stores();
        let page = data::known_page(self.bh());
        match self.ah() {
            0x00 => self.select_mode(),
            0x01 => self.shape_cursor(),
            0x02 => self.move_cursor(page, self.dh(), self.dl()),
            0x03 => {
                let (row, column) = data::cursor(&self.bus, page);
                let shape = self.bus.read16(CURSOR_SHAPE);
                self.set_dx(u16::from_be_bytes([row, column]));
                self.set_cx(shape);
            }
            // No light pen.
            0x04 => self.set_ax(self.ax() & 0xff),
            0x05 => self.show_page(),
            0x06 | 0x07 => self.scroll(),
            0x08 => self.read_cell(page),
            0x09 | 0x0a => self.write_characters(page),
            0x0b => self.set_border(),
            0x0c => self.write_pixel(),
            0x0d => self.read_pixel(),
            0x0e => self.teletype_service(),
            0x0f => {
                let columns = data::columns(&self.bus) as u16;
                let mode = data::told_video_mode(&self.bus);
                let shown = data::active_page(&self.bus);
                self.set_ax(columns << 8 | u16::from(mode));
                self.set_bx(self.bx() & 0xff | u16::from(shown) << 8);
            }
            0x10 => self.colours(),
            0x11 => self.fonts(),
            0x12 => self.alternatives(),
            0x13 => self.write_string(page),
            0x1a => self.display_codes(),
            0x1b => self.video_state(),
            0x1c => self.saved_state(),
            _ => {}
        }
        self.remember_page();
    }

    /// AH=00: a mode; with bit 7 of AL the memory stays as it is.
    fn select_mode(&mut self) {
        let (mode, keeps) = (self.al() & 0x7f, self.al() & 0x80 != 0);
        if columns(mode).is_none() {
            return;
        }
        let was = data::video_mode(&self.bus);
        set_mode(&mut self.bus, mode, self.screen.lines());
        if keeps {
            data::note_kept_memory(&mut self.bus);
        } else {
            page::clear(&mut self.bus, mode);
        }
        // What a mode returns: 20h above 7, 3Fh for 6, 30h else (RBIL INT 10/AH=00).
        self.set_al(match mode {
            6 => 0x3f,
            0..=7 => 0x30,
            _ => 0x20,
        });
        match (mode, was) {
            (2 | 3 | 7, 2 | 3 | 7) => self.clear_stream(),
            _ => self.go_full(),
        }
    }

    /// AH=01.
    fn shape_cursor(&mut self) {
        let shape = self.cx();
        self.bus.write16(CURSOR_SHAPE, shape);
        self.bus.devices.display.set_crtc_word(crtc::CURSOR_START, shape);
    }

    /// AH=02. To where it is already, or to the corner of a cleared stream, changes nothing.
    fn move_cursor(&mut self, page: u8, row: u8, column: u8) {
        let was = data::cursor(&self.bus, page);
        let cleared = self.screen.take_cleared() && (row, column) == (0, 0);
        data::set_cursor(&mut self.bus, page, (row, column));
        show_cursor(&mut self.bus, page);
        if was != (row, column) && !cleared {
            self.go_full();
        }
    }

    /// AH=05.
    fn show_page(&mut self) {
        let page = data::known_page(self.al());
        if page != data::active_page(&self.bus) {
            select_page(&mut self.bus, page);
            self.go_full();
        }
    }
}
