//! AH=44: what a handle or drive is.
//!
//! Device information words: RBIL INT 21/AX=4400, tables 01421 and 01423. Generic requests: AX=440C
//! and 440D, tables 01545, 01558 to 01560.

use super::files::FileKind;
use super::files::OpenFile;
use super::{Call, DosError};
use crate::FarPointer;
use crate::bios::data;
use crate::host::{FileTree, Host};
use crate::session::Session;

const DEVICE: u16 = 0x80;
const RAW: u16 = 0x20;
const NOT_WRITTEN: u16 = 0x40;

impl<H: Host> Session<H> {
    pub(super) fn device_control(&mut self) -> Call {
        match self.al() {
            0x00 => self.device_information(),
            0x01 => self.set_device_information(),
            0x02 | 0x03 => self.control_channel(),
            0x04 | 0x05 => self.drive_control_channel(),
            0x06 => self.handle_input_status(),
            0x07 => self.handle_output_status(),
            0x08 => self.drive_is_fixed(),
            0x09 => self.drive_is_remote(),
            0x0a => self.handle_is_remote(),
            // Retry counts: nothing is retried.
            0x0b => Ok(()),
            0x0c => self.generic_character(),
            0x0d => self.generic_block(),
            0x0e | 0x0f => self.logical_drive(),
            0x10 | 0x11 => Err(DosError::InvalidFunction.into()),
            _ => Err(DosError::InvalidFunction.into()),
        }
    }

    fn device_information(&mut self) -> Call {
        let entry = self.entry(self.bx())?;
        let information = information(self.dos.files.get(entry)?);
        self.set_dx(information);
        self.set_ax(information);
        Ok(())
    }

    fn set_device_information(&mut self) -> Call {
        if self.dh() != 0 {
            return Err(DosError::InvalidData.into());
        }
        let raw = self.dx() & RAW != 0;
        let entry = self.entry(self.bx())?;
        let file = self.dos.files.get(entry)?;
        if file.kind.is_device() {
            file.raw = raw;
            self.show_file(entry);
            return Ok(());
        }
        Err(DosError::InvalidFunction.into())
    }

    fn handle_input_status(&mut self) -> Call {
        let entry = self.entry(self.bx())?;
        let file = self.dos.files.get(entry)?.clone();
        let ready = match file.kind {
            FileKind::Console => self.key_is_ready()?,
            FileKind::File(node) => {
                (file.position as u64) < self.host.files().attributes(node)?.size
            }
            FileKind::Stream(_) => true,
            FileKind::Null | FileKind::Auxiliary | FileKind::Printer | FileKind::Clock => false,
        };
        self.set_al(if ready { 0xff } else { 0 });
        Ok(())
    }

    fn handle_output_status(&mut self) -> Call {
        self.entry(self.bx())?;
        self.set_al(0xff);
        Ok(())
    }

    fn drive_is_fixed(&mut self) -> Call {
        self.drive_argument(self.bl())?;
        self.set_ax(1);
        Ok(())
    }

    /// AX=4409: no drive is remote; bit 15 tells of one that stands for a directory.
    fn drive_is_remote(&mut self) -> Call {
        let drive = self.drive_argument(self.bl())?;
        let substituted = self.substitute_of(drive).is_some();
        self.set_dx(if substituted { 0x8000 } else { 0 });
        Ok(())
    }

    fn handle_is_remote(&mut self) -> Call {
        self.entry(self.bx())?;
        self.set_dx(0);
        Ok(())
    }

    fn logical_drive(&mut self) -> Call {
        self.drive_argument(self.bl())?;
        self.set_al(0);
        Ok(())
    }

    /// AX=4402, 4403: no device here has a control channel.
    fn control_channel(&mut self) -> Call {
        self.entry(self.bx())?;
        Err(DosError::InvalidFunction.into())
    }

    /// AX=4404, 4405: nor has a drive.
    fn drive_control_channel(&mut self) -> Call {
        self.drive_argument(self.bl())?;
        Err(DosError::InvalidFunction.into())
    }

    /// AX=440C: of CON the size of the display (minor code 7F), of a printer its retries (65).
    fn generic_character(&mut self) -> Call {
        let entry = self.entry(self.bx())?;
        let kind = self.dos.files.get(entry)?.kind;
        let [minor, category] = self.cx().to_le_bytes();
        match (kind, category, minor) {
            (FileKind::Console, 3, 0x7f) => {
                let at = self.ds_dx();
                let columns = data::columns(&self.bus) as u16;
                let rows = data::rows(&self.bus) as u16;
                // Information level 0, 14 bytes follow: text, colour, 16 colours, pixels, size.
                for (offset, word) in [
                    (4, 0),
                    (6, 1),
                    (8, 16),
                    (10, columns * 8),
                    (12, 400),
                    (14, columns),
                    (16, rows),
                ] {
                    self.bus.write16(at.add(offset), word);
                }
                self.bus.write8(at.add(6), 1);
                Ok(())
            }
            (FileKind::Console, 3, 0x5f) => Ok(()),
            (FileKind::Printer, 5, 0x65) => {
                self.bus.write16(self.ds_dx(), 0);
                Ok(())
            }
            (FileKind::Printer, 5, 0x45) => Ok(()),
            _ => Err(DosError::InvalidFunction.into()),
        }
    }

    /// AX=440D: parameters (60), serial number (66), access flag (67) of a drive.
    fn generic_block(&mut self) -> Call {
        let drive = self.drive_argument(self.bl())?;
        let [minor, category] = self.cx().to_le_bytes();
        let at = self.ds_dx();
        match (category, minor) {
            (8, 0x60) => self.write_device_parameters(drive, at),
            (8, 0x66) => return self.write_serial_number(at),
            (8, 0x67) => self.bus.write8(at.add(1), 1),
            (8, 0x47) => {}
            _ => return Err(DosError::InvalidFunction.into()),
        }
        Ok(())
    }

    /// Writes a fixed disk's parameters, as its parameter block has them (RBIL table 01560).
    fn write_device_parameters(&mut self, drive: u8, at: FarPointer) {
        let block = super::tables::drive_parameters(drive);
        let clusters = self.bus.read16(block.add(0x0d)) as u32;
        let cluster_sectors = self.bus.read8(block.add(4)) + 1;
        self.bus.write(at.add(1), &[5, 1, 0]);
        for (offset, word) in [(4, 1024), (7, 512)] {
            self.bus.write16(at.add(offset), word);
        }
        self.bus.write(at.add(6), &[0]);
        self.bus.write8(at.add(9), cluster_sectors);
        self.bus.write16(at.add(10), 1);
        self.bus.write8(at.add(12), 2);
        self.bus.write16(at.add(13), 512);
        self.bus.write16(at.add(15), 0);
        self.bus.write8(at.add(17), 0xf8);
        self.bus.write16(at.add(18), 0x100);
        for (offset, word) in [(20, 63), (22, 255)] {
            self.bus.write16(at.add(offset), word);
        }
        self.bus.write32(at.add(24), 0);
        self.bus.write32(at.add(28), clusters * cluster_sectors as u32);
    }
}

/// Returns the device information word of an open file.
pub(super) fn information(file: &OpenFile) -> u16 {
    let raw = if file.raw { RAW } else { 0 };
    let written = if file.written { 0 } else { NOT_WRITTEN };
    match file.kind {
        FileKind::Console => 0x8053 | DEVICE | raw,
        FileKind::Null => 0x8004 | DEVICE | raw,
        FileKind::Auxiliary => 0x8000 | DEVICE | NOT_WRITTEN | raw,
        FileKind::Printer => 0xa000 | DEVICE | NOT_WRITTEN | raw,
        FileKind::Clock => 0x8008 | DEVICE | raw,
        FileKind::Stream(_) => 2 | written,
        FileKind::File(_) => file.drive as u16 | written,
    }
}
