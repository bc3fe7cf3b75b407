//! INT 10h's colours, fonts, and what it tells about the display: a VGA with 256 KiB.
//!
//! Source: RBIL INT 10/AH=0B, 10, 11, 12, 1A, 1B, tables 00010 and 00038; IBM PS/2 and PC BIOS
//! Interface Technical Reference (1987).

use super::{is_text, set_cell};
use crate::bios::data;
use crate::cpu::HOST_SEGMENT;
use crate::cpu::register::BP;
use crate::devices::display::crtc;
use crate::host::Host;
use crate::session::Session;
use crate::{Bus, FarPointer};

/// What the BIOS can do: modes 0 to 7 and 0D to 13; 200, 350 and 400 lines; fonts and palettes.
const ABILITIES: FarPointer = FarPointer::new(HOST_SEGMENT, 0xe000);
const ABILITY_BYTES: [u8; 16] = [0xff, 0xe0, 0x0f, 0, 0, 0, 0, 7, 2, 8, 0xff, 0x0e, 0, 0, 0x3f, 0];
/// Where fonts would be, had the display any pixels.
const FONT: FarPointer = FarPointer::new(HOST_SEGMENT, 0xe010);
/// The display: a VGA with a colour monitor.
const VGA: u8 = 8;
/// Registers of the palette, the border with them.
const PALETTE: u8 = 17;

/// Writes the ROM's table.
pub(super) fn install(bus: &mut Bus) {
    bus.write(ABILITIES, &ABILITY_BYTES);
}

impl<H: Host> Session<H> {
    /// AH=0B: the border, or the palette of mode 4, which is not shown.
    pub(super) fn set_border(&mut self) {
        if self.bh() == 0 {
            let colour = self.bl() & 15;
            self.bus.devices.display.set_attribute(0x11, colour);
        }
    }

    /// AH=10.
    pub(super) fn colours(&mut self) {
        let (bh, bl) = (self.bh(), self.bl());
        let table = FarPointer::new(self.es(), self.dx());
        let display = &mut self.bus.devices.display;
        match self.cpu.register(crate::cpu::register::AX) as u8 {
            0x00 => display.set_attribute(bl, bh),
            0x01 => display.set_attribute(0x11, bh),
            0x02 => {
                for register in 0..PALETTE {
                    let value = self.bus.read8(table.add(register.into()));
                    self.bus.devices.display.set_attribute(palette(register), value);
                }
            }
            0x03 => {
                let mode = display.attribute(0x10) & !8;
                display.set_attribute(0x10, mode | (bl & 1) << 3);
            }
            0x07 => {
                let value = display.attribute(bl);
                self.set_bh(value);
            }
            0x08 => {
                let value = display.attribute(0x11);
                self.set_bh(value);
            }
            0x09 => {
                for register in 0..PALETTE {
                    let value = self.bus.devices.display.attribute(palette(register));
                    self.bus.write8(table.add(register.into()), value);
                }
            }
            0x10 => {
                let colour = [self.dh(), self.ch(), self.cl()];
                self.set_colour(self.bx(), colour);
            }
            0x12 => {
                for place in 0..self.cx() {
                    let at = table.add(place.wrapping_mul(3));
                    let colour = [0, 1, 2].map(|part| self.bus.read8(at.add(part)));
                    self.set_colour(self.bx().wrapping_add(place), colour);
                }
            }
            0x15 => {
                let [red, green, blue] = self.colour(self.bx());
                self.set_dx(u16::from_be_bytes([red, self.dl()]));
                self.set_cx(u16::from_be_bytes([green, blue]));
            }
            0x17 => {
                for place in 0..self.cx() {
                    let colour = self.colour(self.bx().wrapping_add(place));
                    self.bus.write(table.add(place.wrapping_mul(3)), &colour);
                }
            }
            0x1a => self.set_bx(0),
            _ => {}
        }
    }

    fn colour(&self, number: u16) -> [u8; 3] {
        let first = usize::from(number & 0xff) * 3;
        [0, 1, 2].map(|part| self.bus.devices.display.dac[first + part])
    }

    fn set_colour(&mut self, number: u16, colour: [u8; 3]) {
        let first = usize::from(number & 0xff) * 3;
        for (part, value) in colour.into_iter().enumerate() {
            self.bus.devices.display.dac[first + part] = value & 0x3f;
        }
    }

    /// AH=11: fonts, whose heights say how many rows there are.
    pub(super) fn fonts(&mut self) {
        let cell = match self.al() {
            // A program's own font: its shapes are not shown, its height counts.
            0x10 if (1..=32).contains(&self.bh()) => self.bh(),
            0x11 => 14,
            0x12 => 8,
            0x14 => 16,
            0x30 => return self.font_information(),
            _ => return,
        };
        if is_text(data::video_mode(&self.bus)) {
            let lines = self.screen.lines();
            set_cell(&mut self.bus, lines, cell);
            self.go_full();
        }
    }

    fn font_information(&mut self) {
        let cell = self.bus.devices.display.crtc(crtc::CELL) + 1;
        let rows = data::rows(&self.bus) as u8;
        self.set_cx(cell.into());
        self.set_dl(rows - 1);
        self.set_es(FONT.segment);
        self.cpu.set_register(BP, FONT.offset);
    }

    /// AH=12: information about the EGA, and choices, by BL.
    pub(super) fn alternatives(&mut self) {
        match self.bl() {
            0x10 => {
                // Colour, 256 KiB; the switches of an EGA with a colour monitor.
                self.set_bx(0x0003);
                self.set_cx(0x0009);
            }
            0x30 => {
                let lines = match self.al() {
                    0 => 200,
                    1 => 350,
                    _ => 400,
                };
                self.screen.set_lines(lines);
                self.set_al(0x12);
            }
            0x31..=0x36 => self.set_al(0x12),
            _ => {}
        }
    }

    /// AH=1A.
    pub(super) fn display_codes(&mut self) {
        if self.al() == 0 {
            self.set_bx(VGA.into());
        }
        self.set_al(0x1a);
    }

    /// AH=1B: 64 bytes about the state at ES:DI.
    pub(super) fn video_state(&mut self) {
        let mut state = [0; 64];
        state[..4].copy_from_slice(&data::far_bytes(ABILITIES));
        // Mode to palette, as they are in the data area.
        self.bus.read(data::VIDEO_MODE, &mut state[4..0x22]);
        state[0x22] = data::rows(&self.bus) as u8;
        state[0x23] = self.bus.devices.display.crtc(crtc::CELL) + 1;
        state[0x25] = VGA;
        // 16 colours, eight pages, 400 lines.
        (state[0x27], state[0x29], state[0x2a]) = (16, 8, 2);
        state[0x2d] = u8::from(self.bus.devices.display.blinks()) << 5;
        // 256 KiB.
        state[0x31] = 3;
        let at = self.es_di();
        self.bus.write(at, &state);
        self.set_al(0x1b);
    }
}

/// Returns the register of the palette's place: 16 colours, then the border.
fn palette(place: u8) -> u8 {
    if place == PALETTE - 1 { 0x11 } else { place }
}
