//! Functions on drives: the current one, room, parameters, serial numbers.
//!
//! There are no sectors under the file tree: sizes are the file system's in clusters made up for
//! it, and absolute reads and writes are refused.

use super::layout::{DATA, LAST_DRIVE};
use super::names::ShortName;
use super::tables::drive_parameters;
use super::{Call, DosError};
use crate::FarPointer;
use crate::host::{FileTree, Host};
use crate::session::Session;

/// What a drive's file system calls itself (RBIL INT 21/AX=6900, table 01766).
const FILE_SYSTEM: &[u8; 8] = b"FAT16   ";
/// What the table has for a label where there is none.
const NO_LABEL: ShortName = ShortName(*b"NO NAME    ");

impl<H: Host> Session<H> {
    /// AH=0E.
    pub(super) fn select_drive(&mut self) -> Call {
        let drive = self.dl();
        if self.dos.drives.iter().any(|state| state.number == drive) {
            self.dos.drive = drive;
        }
        self.set_al(LAST_DRIVE);
        Ok(())
    }

    /// AH=36: sectors of 512 bytes in clusters of up to 64, as large as the numbers get.
    pub(super) fn disk_space(&mut self) -> Call {
        if self.drive_argument(self.dl()).is_err() {
            self.set_ax(0xffff);
            return Ok(());
        }
        let space = self.host.files().space();
        let (sectors, bytes) = cluster_of(space.total);
        self.set_ax(sectors);
        self.set_bx((space.free / bytes).min(0xffff) as u16);
        self.set_cx(512);
        self.set_dx((space.total / bytes).min(0xffff) as u16);
        Ok(())
    }

    /// AH=1B, 1C: sectors, clusters, and DS:BX at a media byte.
    pub(super) fn allocation_information(&mut self) -> Call {
        let number = if self.ah() == 0x1b { 0 } else { self.dl() };
        let Ok(drive) = self.drive_argument(number) else { return self.answer(0xff) };
        let (sectors, bytes) = cluster_of(self.host.files().space().total);
        let clusters = (self.host.files().space().total / bytes).min(0xffff) as u16;
        let media = drive_parameters(drive).add(0x17);
        self.set_al(sectors as u8);
        self.set_cx(512);
        self.set_dx(clusters);
        self.set_ds(media.segment);
        self.set_bx(media.offset);
        Ok(())
    }

    /// INT 25h, 26h: there are no sectors under the file tree. CF is set, and the caller's flags stay
    /// on the stack, as RBIL says of both.
    pub(super) fn refuse_absolute_disk(&mut self) -> Call {
        // Drive not ready, and nothing responds (RBIL INT 25, values of AL and AH).
        self.set_ax(0x8002);
        let flags = self.cpu.flags().word() | crate::cpu::bit::CARRY;
        self.cpu.set_flags(flags);
        Ok(())
    }

    /// AH=1F, 32: DS:BX at the parameter block of the current drive, or of DL.
    pub(super) fn drive_parameters(&mut self) -> Call {
        let number = if self.ah() == 0x1f { 0 } else { self.dl() };
        let Ok(drive) = self.drive_argument(number) else { return self.answer(0xff) };
        let block = drive_parameters(drive);
        self.set_ds(block.segment);
        self.set_bx(block.offset);
        self.answer(0)
    }

    /// AH=69, AX=440D with minor code 66 or 46: serial number, label and file system of a drive.
    pub(super) fn serial_number(&mut self) -> Call {
        match self.al() {
            0 => self.write_serial_number(self.ds_dx()),
            1 => self.drive_argument(self.bl()).map(drop).map_err(Into::into),
            _ => Err(DosError::InvalidFunction.into()),
        }
    }

    /// Writes a drive's serial number, label and file system.
    pub(super) fn write_serial_number(&mut self, at: FarPointer) -> Call {
        let drive = self.drive_argument(self.bl())?;
        let serial = self.serial_of(drive);
        self.bus.write16(at, 0);
        self.bus.write32(at.add(2), serial);
        let label = self.label_of(drive).unwrap_or(NO_LABEL);
        self.bus.write(at.add(6), &label.0);
        self.bus.write(at.add(17), FILE_SYSTEM);
        Ok(())
    }

    /// Returns a drive's serial number: the same for the same directory of the host.
    pub(super) fn serial_of(&self, drive: u8) -> u32 {
        let state = self.dos.drives.iter().find(|state| state.number == drive);
        let path = state.map_or(&b""[..], |state| &state.host.path);
        // FNV-1a.
        path.iter()
            .fold(0x811c_9dc5, |hash: u32, byte| (hash ^ *byte as u32).wrapping_mul(0x0100_0193))
    }

    /// AH=5F: without a network there are no redirections; drives can't be switched off.
    pub(super) fn redirection(&mut self) -> Call {
        match self.al() {
            // Index past the last one.
            0x02 => Err(DosError::NoMoreFiles.into()),
            0x07 | 0x08 => {
                self.drive_argument(self.dl().wrapping_add(1)).map(drop).map_err(Into::into)
            }
            _ => Err(DosError::InvalidFunction.into()),
        }
    }

    /// AX=5E00: no name is set; others need a network.
    pub(super) fn machine_name(&mut self) -> Call {
        if self.al() != 0 {
            return Err(DosError::InvalidFunction.into());
        }
        self.bus.write(self.ds_dx(), b"               \0");
        self.set_cx(0);
        Ok(())
    }

    /// AH=53: a parameter block at ES:BP from the BIOS parameter block at DS:SI (RBIL INT 21/AH=53).
    pub(super) fn make_parameters(&mut self) -> Call {
        let from = self.ds_si();
        let to = FarPointer::new(self.es(), self.cpu.register(crate::cpu::register::BP));
        let word = |session: &Self, offset| session.bus.read16(from.add(offset));
        let sector = word(self, 0);
        let cluster = self.bus.read8(from.add(2)).max(1);
        let (reserved, fats) = (word(self, 3), self.bus.read8(from.add(5)));
        let (roots, total, per_fat) = (word(self, 6), word(self, 8), word(self, 11));
        let first_root = reserved.wrapping_add(per_fat.wrapping_mul(fats as u16));
        let root_sectors = (roots as u32 * 32).div_ceil(sector.max(1) as u32) as u16;
        let data = first_root.wrapping_add(root_sectors);
        let clusters = total.wrapping_sub(data) / cluster as u16;
        self.bus.write16(to.add(2), sector);
        self.bus.write(to.add(4), &[cluster - 1, cluster.trailing_zeros() as u8]);
        self.bus.write16(to.add(6), reserved);
        self.bus.write8(to.add(8), fats);
        for (offset, value) in [
            (9, roots),
            (0x0b, data),
            (0x0d, clusters.wrapping_add(1)),
            (0x0f, per_fat),
            (0x11, first_root),
        ] {
            self.bus.write16(to.add(offset), value);
        }
        Ok(())
    }

    /// Returns the segment of DOS's tables, as AX=1203 of INT 2Fh gives it.
    pub(super) fn data_segment(&mut self) -> Call {
        self.set_ds(DATA);
        Ok(())
    }
}

/// Returns sectors and bytes of a cluster, so that a disk of that size has at most 65,535.
pub(super) fn cluster_of(total: u64) -> (u16, u64) {
    let mut sectors = 8;
    while sectors < 64 && total / (sectors * 512) > 0xffff {
        sectors *= 2;
    }
    (sectors as u16, sectors * 512)
}
