//! The first parallel port, 378 to 37A, with a printer at it that is always ready.
//!
//! Source: IBM PC AT Technical Reference, "Serial/Parallel Adapter"; RBIL PORTS.LST, 0378 to 037A.

use alloc::vec::Vec;

/// The first of its three ports.
pub(crate) const PORT: u16 = 0x378;
/// Its last one.
pub(crate) const LAST_PORT: u16 = PORT + 2;
/// Status: not busy, not acknowledging, selected, no error; bits that nobody has are set.
const READY: u8 = 0xdf;
/// Control: the printer takes what is on the data lines.
const STROBE: u8 = 1;
/// Bits of the control port that nobody has.
const UNUSED: u8 = 0xe0;

/// Port and printer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parallel {
    data: u8,
    control: u8,
    printed: Vec<u8>,
}

impl Parallel {
    /// Reads one of the ports.
    pub(crate) fn read(&self, port: u16) -> u8 {
        match port - PORT {
            0 => self.data,
            1 => READY,
            _ => self.control | UNUSED,
        }
    }

    /// Writes one of the ports.
    pub(crate) fn write(&mut self, port: u16, value: u8) {
        match port - PORT {
            0 => self.data = value,
            1 => {}
            _ => {
                if value & !self.control & STROBE != 0 {
                    self.printed.push(self.data);
                }
                self.control = value & !UNUSED;
            }
        }
    }

    /// Returns and forgets what the printer has got.
    pub(crate) fn take_printed(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.printed)
    }
}

#[cfg(test)]
mod tests {
    use super::{PORT, Parallel};

    #[test]
    fn a_strobe_prints_what_is_on_the_lines() {
        let mut port = Parallel::default();
        for byte in b"ab" {
            port.write(PORT, *byte);
            assert_eq!((port.read(PORT), port.read(PORT + 1) & 0x80), (*byte, 0x80));
            for control in [0x0d, 0x0d, 0x0c] {
                port.write(PORT + 2, control);
            }
        }
        assert_eq!((port.take_printed(), port.read(PORT + 2)), (b"ab".to_vec(), 0xec));
    }
}
