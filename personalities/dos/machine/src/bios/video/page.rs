//! Pages of text: where they are, what is on them.

use super::is_text;
use crate::bios::data;
use crate::devices::display::crtc;
use crate::{Bus, FarPointer};

/// A blank, light grey on black.
const BLANK: u16 = 0x0720;
/// Bytes of text memory.
const TEXT_BYTES: usize = 0x8000;
const COLOUR: u16 = 0xb800;
const MONOCHROME: u16 = 0xb000;
const GRAPHICS: u16 = 0xa000;

/// A page of text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Page {
    segment: u16,
    /// Offset in the text memory.
    pub(crate) start: usize,
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

impl Page {
    /// Returns the page that the BIOS gives a number.
    pub(crate) fn numbered(bus: &Bus, number: u8) -> Page {
        Page::at(bus, usize::from(number) * usize::from(data::page_bytes(bus)))
    }

    /// Returns the page that the display shows.
    pub(crate) fn shown(bus: &Bus) -> Page {
        Page::at(bus, usize::from(bus.devices.display.crtc_word(crtc::START)) * 2)
    }

    fn at(bus: &Bus, start: usize) -> Page {
        let is_monochrome = data::video_mode(bus) == 7;
        let (columns, rows) = (data::columns(bus), data::rows(bus));
        let fits = start + columns * rows * 2 <= TEXT_BYTES;
        Page {
            segment: if is_monochrome { MONOCHROME } else { COLOUR },
            start: if fits { start } else { 0 },
            columns,
            rows,
        }
    }

    /// Returns its bytes, character and attribute in turn; nothing in graphics modes.
    pub(crate) fn bytes(self, bus: &Bus) -> Option<&[u8]> {
        let at = FarPointer::new(self.segment, self.start as u16);
        let is_text = is_text(data::video_mode(bus));
        is_text.then(|| bus.slice(at, self.columns * self.rows * 2)).flatten()
    }

    /// Returns the cursor's row and column on it, unless it is hidden or elsewhere.
    pub(crate) fn cursor(self, bus: &Bus) -> Option<(usize, usize)> {
        let display = &bus.devices.display;
        let [first, last] = [crtc::CURSOR_START, crtc::CURSOR_END].map(|line| display.crtc(line));
        let is_hidden = first & 0x20 != 0 || first & 0x1f > last & 0x1f;
        let cell = usize::from(display.crtc_word(crtc::CURSOR)).checked_sub(self.start / 2)?;
        let is_here = cell < self.columns * self.rows;
        (!is_hidden && is_here).then_some((cell / self.columns, cell % self.columns))
    }

    /// Returns where a cell is; those outside are the last ones of their row or column.
    pub(super) fn cell(self, row: usize, column: usize) -> FarPointer {
        let (row, column) = (row.min(self.rows - 1), column.min(self.columns - 1));
        let offset = self.start + (row * self.columns + column) * 2;
        FarPointer::new(self.segment, offset as u16)
    }
}

/// Clears the memory of a mode.
pub(super) fn clear(bus: &mut Bus, mode: u8) {
    let (segment, len, fill) = match mode {
        7 => (MONOCHROME, TEXT_BYTES, BLANK),
        0..=3 => (COLOUR, TEXT_BYTES, BLANK),
        4..=6 => (COLOUR, TEXT_BYTES / 2, 0),
        _ => (GRAPHICS, 0x10000, 0),
    };
    if let Some(bytes) = bus.slice_mut(FarPointer::new(segment, 0), len) {
        bytes.chunks_exact_mut(2).for_each(|cell| cell.copy_from_slice(&fill.to_le_bytes()));
    }
}
