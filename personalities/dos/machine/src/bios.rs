//! The BIOS: its data area, stubs behind the interrupt vectors, and interrupts 10h to 1Ah.
//!
//! Video is a stream: teletype output is printed, the cursor and clearing become escape sequences
//! where the stream is a terminal. Programs that write to B800 are not shown yet.
//!
//! Data area and services: IBM PC AT Technical Reference, BIOS listing; RBIL MEMORY.LST, INT 10
//! to INT 1A.

use alloc::format;

use crate::cpu::{HOST_SEGMENT, bit};
use crate::dos::layout::MEMORY_END;
use crate::dos::time::DateTime;
use crate::dos::{BREAK_RETURN, Refusal};
use crate::host::{Host, Stream};
use crate::session::{End, Session};
use crate::{Bus, FarPointer};

/// Opcode of a host call, see [`crate::cpu`].
const HOST_CALL: u8 = 0x0f;
const IRET: u8 = 0xcf;
const RETF: u8 = 0xcb;
const JUMP_FAR: u8 = 0xea;

/// The data area.
const DATA: u16 = 0x40;
const EQUIPMENT: FarPointer = FarPointer::new(DATA, 0x10);
const MEMORY_KIB: FarPointer = FarPointer::new(DATA, 0x13);
const SHIFT_STATE: FarPointer = FarPointer::new(DATA, 0x17);
const VIDEO_MODE: FarPointer = FarPointer::new(DATA, 0x49);
const COLUMNS: FarPointer = FarPointer::new(DATA, 0x4a);
const CURSOR: FarPointer = FarPointer::new(DATA, 0x50);
const CURSOR_SHAPE: FarPointer = FarPointer::new(DATA, 0x60);
const DISPLAY_PORT: FarPointer = FarPointer::new(DATA, 0x63);
const TICKS: FarPointer = FarPointer::new(DATA, 0x6c);
const MIDNIGHT: FarPointer = FarPointer::new(DATA, 0x70);
const ROWS: FarPointer = FarPointer::new(DATA, 0x84);

/// Colour display, no coprocessor, no floppy drive, no printer (INT 11h).
const EQUIPMENT_WORD: u16 = 0x0020;
/// 80 by 25 colour text.
const TEXT_MODE: u8 = 3;
const SCREEN_COLUMNS: u16 = 80;
const SCREEN_ROWS: u8 = 25;
/// Ticks of a day (INT 1Ah).
const TICKS_A_DAY: u32 = 0x0018_00b0;

/// Writes vectors, stubs and data area.
pub(crate) fn install(bus: &mut Bus, host: &mut impl Host) {
    for vector in 0..=0xff {
        install_stub(bus, vector);
    }
    // The far call at PSP:5 wraps to here; it covers vector 30h and the first byte of 31h.
    bus.write(FarPointer::new(0, 0xc0), &[JUMP_FAR, 0xc0, 0x00, 0x00, 0xf0]);
    bus.write16(EQUIPMENT, EQUIPMENT_WORD);
    bus.write16(MEMORY_KIB, MEMORY_END >> 6);
    bus.write8(VIDEO_MODE, TEXT_MODE);
    bus.write16(COLUMNS, SCREEN_COLUMNS);
    bus.write16(CURSOR_SHAPE, 0x0607);
    bus.write16(DISPLAY_PORT, 0x3d4);
    bus.write8(ROWS, SCREEN_ROWS - 1);
    bus.write32(TICKS, DateTime::from_ns(host.time()).ticks());
    // Keyboard buffer: head, tail, begin and end, empty.
    for (offset, value) in [(0x1a, 0x1e), (0x1c, 0x1e), (0x80, 0x1e), (0x82, 0x3e)] {
        bus.write16(FarPointer::new(DATA, offset), value);
    }
    // The end of the ROM: reset vector, date, model (AT).
    bus.write(FarPointer::new(0xffff, 0), b"\xea\x64\x00\x00\xf001/01/92\0\xfc");
}

/// User vectors, free for programs, which look for a null pointer (RBIL INT 60).
fn is_free(vector: u8) -> bool {
    matches!(vector, 0x30..=0x32 | 0x60..=0x6f | 0x78..=0xff)
}

fn install_stub(bus: &mut Bus, vector: u8) {
    let at = FarPointer::new(HOST_SEGMENT, vector as u16 * 4);
    let last = if matches!(vector, 0x25 | 0x26) { RETF } else { IRET };
    bus.write(at, &[HOST_CALL, vector, last]);
    if !is_free(vector) {
        bus.write_far(FarPointer::new(0, vector as u16 * 4), at);
    }
}

/// Returns whether a program hooked the tick, 08h or 1Ch.
pub(crate) fn tick_is_hooked(bus: &Bus) -> bool {
    [0x08u16, 0x1c]
        .into_iter()
        .any(|vector| bus.read_far(FarPointer::new(0, vector * 4)).segment != HOST_SEGMENT)
}

/// Counts a tick in the data area.
pub(crate) fn count_tick(bus: &mut Bus) {
    let ticks = bus.read32(TICKS) + 1;
    if ticks >= TICKS_A_DAY {
        bus.write32(TICKS, 0);
        bus.write8(MIDNIGHT, 1);
    } else {
        bus.write32(TICKS, ticks);
    }
}

impl<H: Host> Session<H> {
    /// Answers a host call: the stub of an interrupt was reached.
    pub(crate) fn host_call(&mut self, number: u8) {
        match number {
            0x00 => self.fault("division by zero or quotient too large", self.caller()),
            0x06 => self.fault("invalid instruction", self.caller()),
            0x08 => self.tick(),
            0x10 => self.video(),
            0x11 => self.set_ax(EQUIPMENT_WORD),
            0x12 => self.set_ax(MEMORY_END >> 6),
            0x13 | 0x14 => self.refuse_service(0x80),
            0x15 => self.refuse_service(0x86),
            0x16 => self.keyboard(),
            0x17 => self.set_ax(self.ax() & 0xff | 0x3000),
            0x18 | 0x19 => self.finish(End::Exit(0)),
            0x1a => self.clock(),
            0x20..=0x30 | BREAK_RETURN => self.dos_interrupt(number),
            0x33 => self.mouse(),
            _ => {}
        }
    }

    fn tick(&mut self) {
        count_tick(&mut self.bus);
        self.cpu.interrupt(&mut self.bus, 0x1c);
    }

    /// A service that is not there: CF set, the reason in AH.
    fn refuse_service(&mut self, reason: u8) {
        self.set_ax(self.ax() & 0xff | (reason as u16) << 8);
        self.set_carry(true);
    }

    /// INT 33h: no mouse.
    fn mouse(&mut self) {
        if self.ax() == 0 {
            self.set_bx(0);
        }
    }

    /// INT 16h.
    fn keyboard(&mut self) {
        match self.ah() {
            0x00 | 0x10 => self.read_key(),
            0x01 | 0x11 => self.look_for_key(),
            0x02 | 0x12 => {
                let state = self.bus.read8(SHIFT_STATE);
                self.set_al(state);
            }
            _ => {}
        }
    }

    fn read_key(&mut self) {
        match self.wait_for_key() {
            Ok(Some(key)) => self.set_ax(key.0),
            // The terminal is gone: nobody will type any more.
            Ok(None) => self.finish(End::Terminated),
            Err(_) => self.look_for_requests(),
        }
    }

    fn look_for_key(&mut self) {
        let ready = self.key_is_ready().unwrap_or_else(|refusal| {
            if refusal == Refusal::Break {
                self.look_for_requests();
            }
            false
        });
        let key = self.dos.input.peek().filter(|_| ready);
        self.set_caller_flag(bit::ZERO, key.is_none());
        if let Some(key) = key {
            self.set_ax(key.0);
        }
    }

    /// INT 1Ah: ticks since midnight, and the real-time clock in BCD.
    fn clock(&mut self) {
        match self.ah() {
            0x00 => {
                let ticks = self.bus.read32(TICKS);
                let midnight = self.bus.read8(MIDNIGHT);
                self.bus.write8(MIDNIGHT, 0);
                self.set_cx((ticks >> 16) as u16);
                self.set_dx(ticks as u16);
                self.set_al(midnight);
            }
            0x01 => {
                let ticks = self.cx_dx();
                self.bus.write32(TICKS, ticks);
            }
            0x02 => {
                let now = self.now();
                self.set_cx(u16::from_le_bytes([bcd(now.minute), bcd(now.hour)]));
                self.set_dx(u16::from_le_bytes([0, bcd(now.second)]));
                self.set_carry(false);
            }
            0x04 => {
                let now = self.now();
                let (century, year) = ((now.year / 100) as u8, (now.year % 100) as u8);
                self.set_cx(u16::from_le_bytes([bcd(year), bcd(century)]));
                self.set_dx(u16::from_le_bytes([bcd(now.day), bcd(now.month)]));
                self.set_carry(false);
            }
            _ => self.set_carry(true),
        }
    }

    /// INT 10h.
    fn video(&mut self) {
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

fn bcd(value: u8) -> u8 {
    value / 10 * 16 + value % 10
}
