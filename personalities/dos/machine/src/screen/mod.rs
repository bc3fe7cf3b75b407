//! The text screen: a plain stream of characters, or all of a terminal.
//!
//! ```text
//!   printed by DOS or INT 10h/0E ─► text memory, and as long as it is a stream ─► terminal
//!   cursor moved, cells written by INT 10h or straight to B800 ─► full screen:
//!       text memory ─► Renderer ─► terminal, up to fifty times a second
//! ```
//!
//! A program that only prints stays a filter, whose escape sequences (ANSI.SYS) are the terminal's; they
//! draw on the page, too. Stores to B800 are noticed by comparing the page
//! with what it was, when the machine looks at its clock and before it prints, so that stores
//! cost nothing. What is on the page at the end, down to the cursor, is printed again when the shell's
//! screen has come back: in DOS it would still be there, and a report is not lost.

mod ansi;
mod render;

use alloc::string::String;
use alloc::vec::Vec;

use crate::bios::data;
use crate::bios::video::Page;
use crate::dos::codepage::glyph;
use crate::host::{Host, Stream};
use crate::session::Session;
pub(crate) use ansi::{Ansi, Meaning};
use render::{BLANK, Frame, Renderer};

/// Time between two frames while a program runs, ns.
const FRAME_NS: u64 = 20_000_000;

/// The screen.
pub(crate) struct Screen {
    /// What the terminal shows, once it is all the machine's.
    renderer: Option<Renderer>,
    /// The page as it was when it was last looked at, while the screen is a stream.
    shadow: Vec<u8>,
    next_frame: u64,
    /// Whether the stream's cursor is in the corner, because the screen was cleared.
    is_cleared: bool,
    /// Escape sequences in what is printed.
    pub(crate) ansi: Ansi,
    /// Lines that the next text mode has (INT 10h/12, BL=30).
    lines: u16,
}

impl Default for Screen {
    fn default() -> Self {
        Screen {
            renderer: None,
            shadow: Vec::new(),
            next_frame: 0,
            is_cleared: false,
            ansi: Ansi::default(),
            lines: 400,
        }
    }
}

impl Screen {
    /// Returns the lines of text modes.
    pub(crate) fn lines(&self) -> u16 {
        self.lines
    }

    /// Sets the lines of text modes.
    pub(crate) fn set_lines(&mut self, lines: u16) {
        self.lines = lines;
    }

    /// Returns whether the terminal shows the text memory.
    pub(crate) fn is_full(&self) -> bool {
        self.renderer.is_some()
    }

    /// Returns and forgets whether nothing was printed since the stream was cleared.
    pub(crate) fn take_cleared(&mut self) -> bool {
        core::mem::take(&mut self.is_cleared)
    }

    /// Tells of text that was printed.
    pub(crate) fn printed(&mut self) {
        self.is_cleared = false;
    }
}

impl<H: Host> Session<H> {
    /// Makes all of the terminal the screen, if there is one.
    pub(crate) fn go_full(&mut self) {
        if self.screen.is_full() || !self.dos.output.is_terminal(Stream::Output) {
            return;
        }
        let size = self.host.terminal_size();
        let mut bytes = Vec::new();
        self.screen.renderer = Some(Renderer::enter(size, &mut bytes));
        self.screen.next_frame = 0;
        self.send(&bytes);
    }

    /// Clears the stream's terminal.
    pub(crate) fn clear_stream(&mut self) {
        if !self.screen.is_full() && self.dos.output.is_terminal(Stream::Output) {
            self.send(b"\x1b[H\x1b[2J");
            self.screen.is_cleared = true;
        }
    }

    /// Looks whether a program has stored to the page, before something else changes it.
    pub(crate) fn notice_stores(&mut self) {
        if self.screen.is_full() || !self.dos.output.is_terminal(Stream::Output) {
            return;
        }
        let page = Page::shown(&self.bus);
        let Some(bytes) = page.bytes(&self.bus) else { return };
        if self.screen.shadow != bytes {
            self.go_full();
        }
    }

    /// Takes the page as it is for what it should be.
    pub(crate) fn remember_page(&mut self) {
        if !self.screen.is_full()
            && self.dos.output.is_terminal(Stream::Output)
            && let Some(bytes) = Page::shown(&self.bus).bytes(&self.bus)
        {
            self.screen.shadow.clear();
            self.screen.shadow.extend_from_slice(bytes);
        }
    }

    /// Shows what has changed, if the last time is long enough ago.
    pub(crate) fn refresh_screen(&mut self, now: u64) {
        if now < self.screen.next_frame {
            return;
        }
        self.screen.next_frame = now + FRAME_NS;
        self.notice_stores();
        self.draw_screen();
    }

    /// Shows what has changed.
    pub(crate) fn draw_screen(&mut self) {
        let Some(mut renderer) = self.screen.renderer.take() else { return };
        let page = Page::shown(&self.bus);
        let cells = match page.bytes(&self.bus) {
            Some(bytes) => bytes.chunks_exact(2).map(cell).collect(),
            None => notice(data::video_mode(&self.bus), page.columns * page.rows),
        };
        let frame = Frame {
            cells: &cells,
            columns: page.columns,
            cursor: page.cursor(&self.bus),
            blinks: self.bus.devices.display.blinks(),
        };
        let mut bytes = Vec::new();
        renderer.draw(frame, &mut bytes);
        self.screen.renderer = Some(renderer);
        if !bytes.is_empty() {
            self.send(&bytes);
        }
    }

    /// Gives the terminal back, and prints again what was printed last.
    pub(crate) fn leave_screen(&mut self) {
        self.notice_stores();
        if !self.screen.is_full() {
            return;
        }
        self.draw_screen();
        self.screen.renderer = None;
        let text = self.text_left();
        let mut bytes = Vec::new();
        Renderer::leave(&mut bytes);
        self.send(&bytes);
        self.send(&text);
    }

    /// Returns the page's lines down to the cursor, as text for a stream.
    fn text_left(&self) -> Vec<u8> {
        let page = Page::shown(&self.bus);
        let (row, _) = data::cursor(&self.bus, data::active_page(&self.bus));
        let bytes = page.bytes(&self.bus).unwrap_or_default();
        let rows = bytes.chunks(page.columns * 2).take(usize::from(row) + 1);
        let line = |row: &[u8]| row.chunks(2).map(|cell| glyph(cell[0])).collect::<String>();
        let lines: Vec<String> = rows.map(line).collect();
        let has_text = |line: &&str| !line.is_empty();
        let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
        let first = lines.iter().position(has_text).unwrap_or(lines.len());
        let last = lines.iter().rposition(has_text).map_or(first, |at| at + 1);
        let text: String = lines[first..last].iter().flat_map(|line| [*line, "\n"]).collect();
        text.into_bytes()
    }

    fn send(&mut self, bytes: &[u8]) {
        if self.dos.output.send(&mut self.host, bytes).is_err() {
            self.finish(crate::End::BrokenPipe);
        }
    }
}

fn cell(bytes: &[u8]) -> u16 {
    u16::from_le_bytes([bytes[0], bytes[1]])
}

/// Returns a page that says why there is nothing on it.
fn notice(mode: u8, cells: usize) -> Vec<u16> {
    let text = alloc::format!("graphics mode {mode:02X}h is not shown");
    let text = text.bytes().map(|byte| BLANK & 0xff00 | u16::from(byte));
    text.chain(core::iter::repeat(BLANK)).take(cells).collect()
}
