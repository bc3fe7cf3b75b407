//! INT 15h, what an AT's BIOS adds, and INT 33h, a mouse that is not there.
//!
//! Source: IBM PC AT Technical Reference, BIOS listing; RBIL INT 15, table 00509 (the
//! configuration), INT 33/AX=0000.

use crate::cpu::HOST_SEGMENT;
use crate::host::Host;
use crate::session::Session;
use crate::{Bus, FarPointer};

/// Where IBM's ROM has the configuration.
const CONFIGURATION: FarPointer = FarPointer::new(HOST_SEGMENT, 0xe6f5);
/// Its length, an AT (FC, 01), revision 0; second interrupt controller, real-time clock and
/// INT 15h/4F.
const CONFIGURATION_BYTES: [u8; 10] = [8, 0, 0xfc, 0x01, 0x00, 0x70, 0, 0, 0, 0];
/// The function is not there.
const NO_FUNCTION: u8 = 0x86;

/// Writes what programs read in the ROM.
pub(super) fn install(bus: &mut Bus) {
    bus.write(CONFIGURATION, &CONFIGURATION_BYTES);
    // The end of the ROM: reset vector, date, model (AT).
    bus.write(FarPointer::new(0xffff, 0), b"\xea\x64\x00\x00\xf001/01/92\0\xfc");
}

impl<H: Host> Session<H> {
    /// INT 15h.
    pub(super) fn system_service(&mut self) {
        match self.ah() {
            0x24 => self.address_line(),
            // The scan code goes on as it is.
            0x4f => self.set_carry(true),
            // Devices are opened, closed, asked for, waited for: nobody else wants them.
            0x80..=0x82 | 0x85 | 0x90 | 0x91 => self.succeed(),
            0x83 => self.set_alarm(),
            0x86 => self.wait_microseconds(),
            // XMS has all memory above 1 MiB.
            0x88 => {
                self.set_ax(0);
                self.set_carry(false);
            }
            0xc0 => {
                self.set_es(CONFIGURATION.segment);
                self.set_bx(CONFIGURATION.offset);
                self.succeed();
            }
            _ => self.refuse_service(NO_FUNCTION),
        }
    }

    /// INT 15h/24: the address line A20.
    fn address_line(&mut self) {
        let keyboard = &mut self.bus.devices.keyboard;
        match self.cpu.register(crate::cpu::register::AX) as u8 {
            0 => keyboard.set_a20(false),
            1 => keyboard.set_a20(true),
            2 => {
                let on = keyboard.a20();
                self.set_al(u8::from(on));
            }
            // By the keyboard's controller and by port 92h.
            3 => self.set_bx(3),
            _ => return self.refuse_service(NO_FUNCTION),
        }
        self.succeed();
    }

    fn succeed(&mut self) {
        self.set_ax(self.ax() & 0xff);
        self.set_carry(false);
    }

    /// A service that is not there: CF set, the reason in AH.
    pub(super) fn refuse_service(&mut self, reason: u8) {
        self.set_ax(self.ax() & 0xff | (reason as u16) << 8);
        self.set_carry(true);
    }

    /// INT 33h without a driver: its reset leaves AX 0, the others everything as it was.
    pub(super) fn mouse(&mut self) {
        if self.ax() == 0 {
            self.set_bx(0);
        }
    }
}
