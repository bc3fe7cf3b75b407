//! Character devices by their drivers: programs call strategy and interrupt routine of a header.
//!
//! PRINT of MS-DOS prints so (MS-DOS 4.0, PRINT_R.ASM, `DOCALL`). The strategy routine keeps the
//! request's place; the interrupt routine leads to a host call, which performs the request for the
//! device whose header is at DS:SI, as the callers have it.
//!
//! ```text
//!   request (RBIL INT 21/AH=52, device driver request header, table 02597)
//!   02 command   03 status   0d a byte that would be read   0e transfer address   12 bytes
//! ```

use super::Call;
use super::layout::{DRIVER, DRIVER_ENTRY, DRIVER_REQUEST};
use super::paths::{DeviceName, device};
use crate::bus::Bus;
use crate::calls::DEVICE_REQUEST;
use crate::cpu::HOST_SEGMENT;
use crate::host::Host;
use crate::session::Session;

const DONE: u16 = 0x0100;
const BUSY: u16 = 0x0200;
const NOT_READY: u16 = 0x8002;
const UNKNOWN_COMMAND: u16 = 0x8003;
const WRITE_FAULT: u16 = 0x800a;

/// Attribute of a header.
const CHARACTER_DEVICE: u16 = 0x8000;

/// Commands (table 02595).
mod command {
    pub const NONDESTRUCTIVE_INPUT: u8 = 5;
    pub const INPUT_STATUS: u8 = 6;
    pub const INPUT_FLUSH: u8 = 7;
    pub const WRITE: u8 = 8;
    pub const WRITE_VERIFIED: u8 = 9;
    pub const OUTPUT_STATUS: u8 = 10;
    pub const OUTPUT_FLUSH: u8 = 11;
    pub const OPEN: u8 = 13;
    pub const CLOSE: u8 = 14;
}

/// Writes the routines of all devices.
pub(super) fn install(bus: &mut Bus) {
    let [low, high] = DRIVER_REQUEST.offset.to_le_bytes();
    let next = low + 2;
    // Strategy: mov cs:[request], bx; mov cs:[request + 2], es; retf.
    bus.write(DRIVER, &[0x2e, 0x89, 0x1e, low, high, 0x2e, 0x8c, 0x06, next, high, 0xcb]);
    let [low, high] = DRIVER_ENTRY.offset.to_le_bytes();
    let [segment_low, segment_high] = HOST_SEGMENT.to_le_bytes();
    // Interrupt: jmp to a host call and retf.
    bus.write(DRIVER.add(INTERRUPT), &[0xea, low, high, segment_low, segment_high]);
    bus.write(DRIVER_ENTRY, &[0x0f, DEVICE_REQUEST, 0xcb]);
}

/// Where the interrupt routine is behind the strategy routine.
pub(super) const INTERRUPT: u16 = 11;

impl<H: Host> Session<H> {
    /// The interrupt routine was called.
    pub(super) fn device_request(&mut self) -> Call {
        let request = self.bus.read_far(DRIVER_REQUEST);
        let mut name = [0; 8];
        self.bus.read(self.ds_si().add(0x0a), &mut name);
        let device = device(&name);
        let is_drive = self.bus.read16(self.ds_si().add(4)) & CHARACTER_DEVICE == 0;
        let status = match self.bus.read8(request.add(2)) {
            // Drives have no sectors (INT 25h, 26h).
            _ if is_drive => DONE | NOT_READY,
            command::WRITE | command::WRITE_VERIFIED => {
                let mut bytes = alloc::vec![0; self.bus.read16(request.add(0x12)).into()];
                let from = self.bus.read_far(request.add(0x0e));
                self.bus.read(from, &mut bytes);
                match self.write_to_device(device, &bytes) {
                    Ok(()) => DONE,
                    Err(_) => {
                        self.bus.write16(request.add(0x12), 0);
                        DONE | WRITE_FAULT
                    }
                }
            }
            command::NONDESTRUCTIVE_INPUT | command::INPUT_STATUS => DONE | BUSY,
            command::INPUT_FLUSH
            | command::OUTPUT_STATUS
            | command::OUTPUT_FLUSH
            | command::OPEN
            | command::CLOSE => DONE,
            _ => DONE | UNKNOWN_COMMAND,
        };
        self.bus.write16(request.add(3), status);
        Ok(())
    }

    fn write_to_device(&mut self, device: Option<DeviceName>, bytes: &[u8]) -> Call {
        match device {
            Some(DeviceName::Console) => self.print(bytes),
            Some(DeviceName::Printer) => self.print_on_paper(bytes),
            Some(DeviceName::Auxiliary) => self.send_to_auxiliary(bytes),
            Some(DeviceName::Null | DeviceName::Clock) | None => Ok(()),
        }
    }
}
