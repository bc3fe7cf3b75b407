//! The chip's registers behind I/O ports.

use libipc::{PortWidth, Ports};

use crate::uart::{Device, Register};

/// First port of COM1 (PC/AT convention).
const COM1: u16 = 0x3f8;

/// The chip of COM1.
#[derive(Clone, Copy, Debug)]
pub struct Chip {
    ports: Ports,
}

impl Chip {
    /// Returns the chip behind a capability for its ports.
    pub fn new(ports: Ports) -> Self {
        Chip { ports }
    }
}

// ANCHOR: chip
impl Device for Chip {
    fn read(&mut self, register: Register) -> u8 {
        let port = COM1 + register as u16;
        self.ports.read(port, PortWidth::Byte).map_or(0xff, |value| value as u8)
    }

    fn write(&mut self, register: Register, value: u8) {
        // A port that can't be written is a chip that is not there.
        let _ = self.ports.write(COM1 + register as u16, PortWidth::Byte, value.into());
    }

    fn send(&mut self, bytes: &[u8]) {
        let _ = self.ports.write_bytes(COM1, bytes);
    }
}
// ANCHOR_END: chip
