//! The display adapter's registers: an EGA and VGA as far as programs read them back.
//!
//! What is shown is the BIOS's page of text memory at the place and with the cursor that the
//! controller's registers say. The palette is kept and given back.
//!
//! Source: IBM VGA Technical Reference (1987), "Registers"; RBIL PORTS.LST, 03C0 to 03DF.

/// Registers of the CRT controller.
pub(crate) mod crtc {
    /// Height of a character's cell less one, in bits 0 to 4.
    pub(crate) const CELL: usize = 0x09;
    /// First line of the cursor; bit 5 hides it.
    pub(crate) const CURSOR_START: usize = 0x0a;
    /// Last line of the cursor.
    pub(crate) const CURSOR_END: usize = 0x0b;
    /// High half of the place, in cells, of what the screen's corner shows.
    pub(crate) const START: usize = 0x0c;
    /// High half of the cursor's place, in cells.
    pub(crate) const CURSOR: usize = 0x0e;
    pub(super) const COUNT: usize = 0x19;
}

/// A frame at 70 Hz, and the vertical retrace in it, ns (VGA, 400 lines of 31.5 kHz).
const FRAME_NS: u64 = 14_268_000;
const RETRACE_NS: u64 = 1_557_000;
const COLOURS: usize = 256;

/// The registers.
#[derive(Clone, Debug)]
pub(crate) struct Display {
    selected: u8,
    crtc: [u8; crtc::COUNT],
    sequencer: (u8, [u8; 8]),
    graphics: (u8, [u8; 16]),
    attribute: (u8, [u8; 32]),
    /// Whether port 3C0 takes a value next, not an index.
    takes_value: bool,
    mode_control: u8,
    miscellaneous: u8,
    dac_mask: u8,
    dac_read: usize,
    dac_write: usize,
    /// Red, green and blue of each colour, 6 bits each.
    pub(crate) dac: [u8; COLOURS * 3],
    polls: u8,
    now: u64,
}

impl Display {
    /// Returns the registers in text mode 3.
    pub(crate) fn new() -> Display {
        let mut display = Display {
            selected: 0,
            crtc: [0; crtc::COUNT],
            sequencer: (0, [3, 0, 3, 0, 2, 0, 0, 0]),
            graphics: (0, [0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff, 0, 0, 0, 0, 0, 0, 0]),
            attribute: (0, [0; 32]),
            takes_value: false,
            mode_control: 0x29,
            miscellaneous: 0x67,
            dac_mask: 0xff,
            dac_read: 0,
            dac_write: 0,
            dac: [0; COLOURS * 3],
            polls: 0,
            now: 0,
        };
        display.reset_colours();
        display
    }

    /// Gives the first 16 colours, and the palette, their values of text modes.
    pub(crate) fn reset_colours(&mut self) {
        // Dark brown instead of dark yellow has index 14h, the bright ones begin at 38h.
        let places = [0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f];
        self.attribute.1[..16].copy_from_slice(&places);
        self.attribute.1[0x10..0x15].copy_from_slice(&[0x0c, 0, 0x0f, 8, 0]);
        // The 64 colours of the EGA: rgbRGB, a capital for two thirds.
        for colour in 0..64 {
            for (place, bits) in [(0, (2, 5)), (1, (1, 4)), (2, (0, 3))] {
                let (strong, weak) = (colour >> bits.0 & 1, colour >> bits.1 & 1);
                self.dac[colour * 3 + place] = (strong * 42 + weak * 21) as u8;
            }
        }
    }

    /// Returns the registers, but for the colours, as they are saved and restored.
    pub(crate) fn saved_registers(&mut self) -> impl Iterator<Item = &mut u8> {
        let single = [
            &mut self.selected,
            &mut self.mode_control,
            &mut self.miscellaneous,
            &mut self.sequencer.0,
            &mut self.graphics.0,
            &mut self.attribute.0,
        ];
        let (crtc, sequencer) = (&mut self.crtc, &mut self.sequencer.1);
        let (graphics, attribute) = (&mut self.graphics.1, &mut self.attribute.1);
        single.into_iter().chain(crtc).chain(sequencer).chain(graphics).chain(attribute)
    }

    /// Returns the colours' parts and their mask as they are saved and restored.
    pub(crate) fn saved_colours(&mut self) -> impl Iterator<Item = &mut u8> {
        self.dac.iter_mut().chain([&mut self.dac_mask])
    }

    /// Moves the time on.
    pub(crate) fn advance(&mut self, now: u64) {
        self.now = now;
    }

    /// Returns a register of the CRT controller.
    pub(crate) fn crtc(&self, register: usize) -> u8 {
        self.crtc.get(register).copied().unwrap_or(0)
    }

    /// Returns two registers as a word, the first one its high half.
    pub(crate) fn crtc_word(&self, register: usize) -> u16 {
        u16::from_be_bytes([self.crtc(register), self.crtc(register + 1)])
    }

    /// Sets a register of the CRT controller.
    pub(crate) fn set_crtc(&mut self, register: usize, value: u8) {
        if let Some(place) = self.crtc.get_mut(register) {
            *place = value;
        }
    }

    /// Sets two registers from a word, the first one to its high half.
    pub(crate) fn set_crtc_word(&mut self, register: usize, value: u16) {
        let [high, low] = value.to_be_bytes();
        self.set_crtc(register, high);
        self.set_crtc(register + 1, low);
    }

    /// Returns a register of the attribute controller: the palette, the border, modes.
    pub(crate) fn attribute(&self, register: u8) -> u8 {
        self.attribute.1[(register & 0x1f) as usize]
    }

    /// Sets a register of the attribute controller.
    pub(crate) fn set_attribute(&mut self, register: u8, value: u8) {
        self.attribute.1[(register & 0x1f) as usize] = value;
    }

    /// Returns whether attribute bit 7 blinks; otherwise it is the background's brightness.
    pub(crate) fn blinks(&self) -> bool {
        self.attribute(0x10) & 8 != 0
    }

    /// Reads one of the ports 3B0 to 3DF.
    pub(crate) fn read(&mut self, port: u16) -> u8 {
        match port {
            0x3b4 | 0x3d4 => self.selected,
            0x3b5 | 0x3d5 => self.crtc(self.selected as usize),
            0x3ba | 0x3da => self.status(),
            0x3c0 => self.attribute.0,
            0x3c1 => self.attribute(self.attribute.0),
            // No switches, no pending interrupt.
            0x3c2 => 0x10,
            0x3c4 => self.sequencer.0,
            0x3c5 => self.sequencer.1[(self.sequencer.0 & 7) as usize],
            0x3c6 => self.dac_mask,
            0x3c7 => 0,
            0x3c8 => (self.dac_write / 3) as u8,
            0x3c9 => self.next_colour(),
            0x3cc => self.miscellaneous,
            0x3ce => self.graphics.0,
            0x3cf => self.graphics.1[(self.graphics.0 & 15) as usize],
            _ => 0xff,
        }
    }

    /// Writes one of the ports 3B0 to 3DF.
    pub(crate) fn write(&mut self, port: u16, value: u8) {
        match port {
            0x3b4 | 0x3d4 => self.selected = value,
            0x3b5 | 0x3d5 => self.set_crtc(self.selected as usize, value),
            0x3c0 => self.write_attribute(value),
            0x3c2 => self.miscellaneous = value,
            0x3c4 => self.sequencer.0 = value,
            0x3c5 => self.sequencer.1[(self.sequencer.0 & 7) as usize] = value,
            0x3c6 => self.dac_mask = value,
            0x3c7 => self.dac_read = value as usize * 3,
            0x3c8 => self.dac_write = value as usize * 3,
            0x3c9 => {
                self.dac[self.dac_write] = value & 0x3f;
                self.dac_write = (self.dac_write + 1) % self.dac.len();
            }
            0x3ce => self.graphics.0 = value,
            0x3cf => self.graphics.1[(self.graphics.0 & 15) as usize] = value,
            0x3d8 => self.mode_control = value,
            _ => {}
        }
    }

    fn next_colour(&mut self) -> u8 {
        let value = self.dac[self.dac_read];
        self.dac_read = (self.dac_read + 1) % self.dac.len();
        value
    }

    fn write_attribute(&mut self, value: u8) {
        if self.takes_value {
            self.set_attribute(self.attribute.0, value);
        } else {
            self.attribute.0 = value & 0x1f;
        }
        self.takes_value = !self.takes_value;
    }

    /// The input status: bit 3 in the vertical retrace, bit 0 there and in the horizontal one,
    /// which comes with every other look, so that nobody waits for 30 microseconds.
    fn status(&mut self) -> u8 {
        self.takes_value = false;
        self.polls = self.polls.wrapping_add(1);
        let vertical = self.now % FRAME_NS < RETRACE_NS;
        if vertical { 9 } else { self.polls & 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::{Display, crtc};

    #[test]
    fn registers_read_as_written() {
        let mut display = Display::new();
        display.write(0x3d4, 0x0e);
        display.write(0x3d5, 0x07);
        display.write(0x3d4, 0x0f);
        display.write(0x3d5, 0xcf);
        assert_eq!(display.crtc_word(crtc::CURSOR), 0x07cf);
        assert_eq!((display.read(0x3d4), display.read(0x3d5)), (0x0f, 0xcf));
    }

    #[test]
    fn colours_pass_in_threes() {
        let mut display = Display::new();
        display.write(0x3c8, 0x10);
        for value in [1, 2, 63, 4] {
            display.write(0x3c9, value);
        }
        display.write(0x3c7, 0x10);
        assert_eq!([0; 4].map(|_| display.read(0x3c9)), [1, 2, 63, 4]);
        // Brown: two thirds of red, one of green.
        display.write(0x3c7, 0x14);
        assert_eq!([0; 3].map(|_| display.read(0x3c9)), [42, 21, 0]);
    }

    #[test]
    fn the_vertical_retrace_comes_with_the_time() {
        let mut display = Display::new();
        display.advance(1_000_000);
        assert_eq!(display.read(0x3da) & 8, 8);
        display.advance(5_000_000);
        let found = [0; 4].map(|_| display.read(0x3da));
        assert!(found.contains(&0) && found.contains(&1), "{found:?}");
        display.advance(14_268_000 + 1_000_000);
        assert_eq!(display.read(0x3da), 9);
    }

    #[test]
    fn attribute_registers_take_index_and_value_in_turn() {
        let mut display = Display::new();
        display.read(0x3da);
        display.write(0x3c0, 0x30);
        display.write(0x3c0, 0x00);
        assert!(!display.blinks());
    }
}
