//! INT 17h: a printer at the first port, whose paper is PRN's.
//!
//! Source: IBM PC AT Technical Reference, BIOS listing, PRINTER_IO; RBIL INT 17, table 00631.

use crate::host::Host;
use crate::session::Session;

/// Not busy, selected.
const READY: u8 = 0x90;
/// Not busy, selected, and what was to be printed is not.
const FAILED: u8 = 0x98;

impl<H: Host> Session<H> {
    /// INT 17h: AH=00 prints AL, 01 initializes the printer, 02 asks for its state, which all of them
    /// tell in AH. Where there is no port nothing is done.
    pub(super) fn printer(&mut self) {
        if self.dx() != 0 {
            return;
        }
        let state = match self.ah() {
            0 => match self.print_on_paper(&[self.al()]) {
                Ok(()) => READY,
                Err(_) => FAILED,
            },
            1 | 2 => READY,
            _ => return,
        };
        self.set_ax(self.ax() & 0xff | u16::from(state) << 8);
    }
}
