//! Drives that stand for a directory of another one (AX=71AA): SUBST.
//!
//! They are the session's. Their names are resolved when they are made; what the directory is called
//! later does not matter.
//!
//! SUBST of MS-DOS calls no function for it: it writes path and flags into the drive's current
//! directory structure (MS-DOS 4.0, SUBST.C), which is therefore looked at before each call.

use alloc::vec::Vec;

use super::layout::LAST_DRIVE;
use super::names::ShortName;
use super::paths::DriveState;
use super::{Call, DosError, tables};
use crate::host::{Drive, FileTree, Host};
use crate::session::Session;

impl<H: Host> Session<H> {
    /// AX=71AA: BH=0 makes, 1 ends, 2 tells of the substitute drive BL (RBIL INT 21/AX=71AA).
    pub(super) fn substitute_drive(&mut self) -> Call {
        let number = self.bl().checked_sub(1).unwrap_or(self.dos.drive);
        match self.bh() {
            0 => self.make_substitute(number),
            1 => self.end_substitute(number),
            2 => {
                let path = self.substitute_of(number).ok_or(DosError::InvalidDrive)?;
                self.bus.write(self.ds_dx(), &[&path, &b"\0"[..]].concat());
                Ok(())
            }
            _ => Err(DosError::InvalidFunction.into()),
        }
    }

    /// Makes and ends the substitute drives that programs made and ended in the structures.
    pub(super) fn follow_structures(&mut self) {
        let substitutes = self.dos.drives.iter().filter(|state| state.substitute.is_some());
        let known = substitutes.fold(0, |all, state| all | 1 << state.number);
        let changed = tables::substituted(&self.bus) ^ known;
        for number in (0..LAST_DRIVE).filter(|number| changed & 1 << number != 0) {
            let changed = match known & 1 << number {
                0 => self.substitute(number, &tables::substitute_in_structure(&self.bus, number)),
                _ => self.end_substitute(number),
            };
            // What can't be done is undone where programs see it.
            if changed.is_err() {
                self.show_drives();
            }
        }
    }

    fn make_substitute(&mut self, number: u8) -> Call {
        let path = self.path_at(self.ds_dx())?;
        self.substitute(number, &path)
    }

    fn substitute(&mut self, number: u8, path: &[u8]) -> Call {
        let is_taken = self.dos.drives.iter().any(|state| state.number == number);
        if is_taken || number >= LAST_DRIVE {
            return Err(DosError::InvalidDrive.into());
        }
        let (drive, components) = self.directory(path)?;
        let state = self.dos.drives.iter().find(|state| state.number == drive);
        let state = state.ok_or(DosError::InvalidDrive)?;
        let names: Vec<ShortName> = components.iter().map(|part| part.name).collect();
        let mut host_path = state.host.path.clone();
        let (label, substitute) = (state.label, Some(state.true_path(&names)));
        let mut root = state.root;
        for part in &components {
            if !host_path.ends_with(b"/") {
                host_path.push(b'/');
            }
            host_path.extend(self.tree().host_name(root, &part.host_name));
            root = part.node;
        }
        let host = Drive { number, root, path: host_path };
        self.dos.drives.push(DriveState { label, substitute, ..DriveState::new(host) });
        self.dos.drives.sort_by_key(|state| state.number);
        self.show_drives();
        self.set_directory(number, Vec::new());
        Ok(())
    }

    fn end_substitute(&mut self, number: u8) -> Call {
        self.substitute_of(number).ok_or(DosError::InvalidDrive)?;
        if number == self.dos.drive {
            return Err(DosError::CurrentDirectory.into());
        }
        self.dos.drives.retain(|state| state.number != number);
        self.show_drives();
        Ok(())
    }

    /// Returns the path that a drive stands for.
    pub(super) fn substitute_of(&self, number: u8) -> Option<Vec<u8>> {
        self.dos.drives.iter().find(|state| state.number == number)?.substitute.clone()
    }

    fn show_drives(&mut self) {
        let space = self.host.files().space();
        tables::show_drives(&mut self.bus, &self.dos.drives, space);
    }
}
