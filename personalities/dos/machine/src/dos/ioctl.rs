//! AH=44: what a handle or drive is.
//!
//! Device information words: RBIL INT 21/AX=4400, tables 01421 and 01423.

use super::files::FileKind;
use super::{Call, DosError};
use crate::host::Host;
use crate::session::Session;

const DEVICE: u16 = 0x80;
const RAW: u16 = 0x20;
const NOT_WRITTEN: u16 = 0x40;

impl<H: Host> Session<H> {
    pub(super) fn device_control(&mut self) -> Call {
        match self.al() {
            0x00 => self.device_information(),
            0x01 => self.set_device_information(),
            0x06 => self.handle_input_status(),
            0x07 => self.handle_output_status(),
            0x08 => self.drive_is_fixed(),
            0x09 => self.drive_is_remote(),
            0x0a => self.handle_is_remote(),
            // Retry counts: nothing is retried.
            0x0b => Ok(()),
            0x0e | 0x0f => self.logical_drive(),
            _ => Err(DosError::InvalidFunction.into()),
        }
    }

    fn device_information(&mut self) -> Call {
        let entry = self.entry(self.bx())?;
        let file = self.dos.files.get(entry)?;
        let raw = if file.raw { RAW } else { 0 };
        let written = if file.written { 0 } else { NOT_WRITTEN };
        let information = match file.kind {
            FileKind::Console => 0x8053 | DEVICE | raw,
            FileKind::Null => 0x8004 | DEVICE,
            FileKind::Auxiliary => 0x8000 | DEVICE | NOT_WRITTEN,
            FileKind::Printer => 0xa000 | DEVICE | NOT_WRITTEN,
            FileKind::Clock => 0x8008 | DEVICE,
            FileKind::Stream(_) => 2 | written,
            FileKind::File(_) => file.drive as u16 | written,
        };
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
            return Ok(());
        }
        Err(DosError::InvalidFunction.into())
    }

    fn handle_input_status(&mut self) -> Call {
        let entry = self.entry(self.bx())?;
        let file = self.dos.files.get(entry)?.clone();
        let ready = match file.kind {
            FileKind::Console => self.key_is_ready()?,
            FileKind::File(node) => (file.position as u64) < self.host.attributes(node)?.size,
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

    fn drive_is_remote(&mut self) -> Call {
        self.drive_argument(self.bl())?;
        self.set_dx(0);
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

    /// AH=0E.
    pub(super) fn select_drive(&mut self) -> Call {
        let drive = self.dl();
        if self.dos.drives.iter().any(|state| state.number == drive) {
            self.dos.drive = drive;
        }
        self.set_al(super::layout::LAST_DRIVE);
        Ok(())
    }

    /// AH=36: sectors of 512 bytes in clusters of up to 64, as large as the numbers get.
    pub(super) fn disk_space(&mut self) -> Call {
        if self.drive_argument(self.dl()).is_err() {
            self.set_ax(0xffff);
            return Ok(());
        }
        let space = self.host.space();
        let (sectors, bytes) = cluster_of(space.total);
        self.set_ax(sectors);
        self.set_bx((space.free / bytes).min(0xffff) as u16);
        self.set_cx(512);
        self.set_dx((space.total / bytes).min(0xffff) as u16);
        Ok(())
    }

    /// AH=1B, 1C: sectors, clusters, and DS:BX at a media byte.
    pub(super) fn allocation_information(&mut self) -> Call {
        let (sectors, bytes) = cluster_of(self.host.space().total);
        let clusters = (self.host.space().total / bytes).min(0xffff) as u16;
        let media = super::layout::DRIVE_PARAMETERS.add(0x17);
        self.set_al(sectors as u8);
        self.set_cx(512);
        self.set_dx(clusters);
        self.set_ds(media.segment);
        self.set_bx(media.offset);
        Ok(())
    }

    /// INT 25h, 26h: there are no sectors under the file tree.
    pub(super) fn refuse_absolute_disk(&mut self) -> Call {
        // Drive not ready, as the BIOS and as DOS number it.
        self.set_ax(0x8002);
        let flags = self.cpu.flags().word() | crate::cpu::bit::CARRY;
        self.cpu.set_flags(flags);
        Ok(())
    }
}

/// Returns sectors and bytes of a cluster, so that a disk of that size has at most 65,535.
fn cluster_of(total: u64) -> (u16, u64) {
    let mut sectors = 8;
    while sectors < 64 && total / (sectors * 512) > 0xffff {
        sectors *= 2;
    }
    (sectors as u16, sectors * 512)
}
