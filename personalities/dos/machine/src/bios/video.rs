//! INT 10h.
//!
//! Video is a stream: teletype output is printed, the cursor and clearing become escape sequences
//! where the stream is a terminal. Programs that write to B800 are not shown yet.
//!
//! Source: RBIL INT 10.

use alloc::format;

use super::data::{COLUMNS, CURSOR, CURSOR_SHAPE, DISPLAY_PORT, ROWS, VIDEO_MODE};
use crate::dos::Refusal;
use crate::host::{Host, Stream};
use crate::session::{End, Session};
use crate::{Bus, FarPointer};

/// 80 by 25 colour text.
const TEXT_MODE: u8 = 3;
const SCREEN_COLUMNS: u16 = 80;
const SCREEN_ROWS: u8 = 25;

/// Writes the display's part of the data area.
pub(super) fn install(bus: &mut Bus) {
    bus.write8(VIDEO_MODE, TEXT_MODE);
    bus.write16(COLUMNS, SCREEN_COLUMNS);
    bus.write16(CURSOR_SHAPE, 0x0607);
    bus.write16(DISPLAY_PORT, 0x3d4);
    bus.write8(ROWS, SCREEN_ROWS - 1);
}

impl<H: Host> Session<H> {
    /// INT 10h.
    pub(super) fn video(&mut self) {
        match self.ah() {
            0x00 => self.clear_screen(),
            0x01 => self.bus.write16(CURSOR_SHAPE, self.cx()),
            0x02 => self.move_cursor(self.dh(), self.dl()),
            0x03 => {
                let (cursor, shape) = (self.bus.read16(CURSOR), self.bus.read16(CURSOR_SHAPE));
                self.set_dx(cursor);
                self.set_cx(shape);
            }
            0x06 | 0x07 if self.al() == 0 => self.clear_screen(),
            0x08 => self.set_ax(0x0720),
            0x09 | 0x0a => {
                self.show(&alloc::vec![self.al(); self.cx().min(SCREEN_COLUMNS) as usize])
            }
            0x0e => self.teletype(self.al()),
            0x0f => {
                self.set_ax(SCREEN_COLUMNS << 8 | TEXT_MODE as u16);
                self.set_bx(self.bx() & 0xff);
            }
            0x12 if self.bl() == 0x10 => {
                self.set_bx(0x0003);
                self.set_cx(0);
            }
            0x13 => self.write_string(),
            0x1a if self.al() == 0 => {
                self.set_ax(0x001a);
                self.set_bx(0x0008);
            }
            _ => {}
        }
    }

    fn write_string(&mut self) {
        let at = FarPointer::new(self.es(), self.cpu.register(crate::cpu::register::BP));
        let mut bytes = alloc::vec![0; self.cx() as usize];
        self.bus.read(at, &mut bytes);
        if self.al() & 2 != 0 {
            bytes = bytes.chunks(2).map(|pair| pair[0]).collect();
        }
        self.show(&bytes);
    }

    fn teletype(&mut self, byte: u8) {
        let [column, row] = self.bus.read16(CURSOR).to_le_bytes();
        let (column, row) = match byte {
            b'\r' => (0, row),
            b'\n' => (column, (row + 1).min(SCREEN_ROWS - 1)),
            8 => (column.saturating_sub(1), row),
            7 => (column, row),
            _ if column as u16 + 1 >= SCREEN_COLUMNS => (0, (row + 1).min(SCREEN_ROWS - 1)),
            _ => (column + 1, row),
        };
        self.bus.write16(CURSOR, u16::from_le_bytes([column, row]));
        self.show(&[byte]);
    }

    fn move_cursor(&mut self, row: u8, column: u8) {
        self.bus.write16(CURSOR, u16::from_le_bytes([column, row]));
        let sequence = format!("\x1b[{};{}H", row as u16 + 1, column as u16 + 1);
        self.show_sequence(&sequence);
    }

    fn clear_screen(&mut self) {
        self.bus.write16(CURSOR, 0);
        self.show_sequence("\x1b[H\x1b[2J");
    }

    fn show_sequence(&mut self, sequence: &str) {
        if self.dos.output.is_terminal(Stream::Output) {
            self.show(sequence.as_bytes());
        }
    }

    fn show(&mut self, bytes: &[u8]) {
        if let Err(Refusal::BrokenPipe) = self.print(bytes) {
            self.finish(End::BrokenPipe);
        }
    }
}
