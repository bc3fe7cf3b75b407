//! Functions on names: directories, delete, rename, attributes, full paths.

use alloc::vec::Vec;

use super::find::{attribute, dos_attributes};
use super::names::ShortName;
use super::paths::{DIRECTORY_MAX, PATH_MAX, Spelling, Target, path_text};
use super::{Call, DosError};
use crate::host::{FileTree, Host, HostError, NodeKind, flag};
use crate::session::Session;

impl<H: Host> Session<H> {
    /// AH=39.
    pub(super) fn make_directory(&mut self) -> Call {
        let path = self.path_at(self.ds_dx())?;
        match self.target(&path)? {
            Target::Place(place) if place.found.is_none() && !place.short.is_pattern() => {
                if self.dos.spelling == Spelling::Short
                    && self.true_name(&path)?.len() > DIRECTORY_MAX
                {
                    return Err(DosError::AccessDenied.into());
                }
                self.tree().create(place.directory, &place.name, NodeKind::Directory)?;
                Ok(())
            }
            _ => Err(DosError::AccessDenied.into()),
        }
    }

    /// AH=3A.
    pub(super) fn remove_directory(&mut self) -> Call {
        let path = self.path_at(self.ds_dx())?;
        let (place, found) = match self.existing(&path) {
            Err(super::Refusal::Error(DosError::FileNotFound)) => {
                return Err(DosError::PathNotFound.into());
            }
            existing => existing?,
        };
        if found.kind != NodeKind::Directory {
            return Err(DosError::PathNotFound.into());
        }
        let is_current = |component: &super::paths::Component| component.node == found.node;
        if self.dos.drives.iter().any(|drive| drive.directory.iter().any(is_current)) {
            return Err(DosError::CurrentDirectory.into());
        }
        self.tree().remove_directory(place.directory, &place.name)?;
        Ok(())
    }

    /// AH=3B.
    pub(super) fn change_directory(&mut self) -> Call {
        let path = self.path_at(self.ds_dx())?;
        if path.is_empty() {
            return Err(DosError::PathNotFound.into());
        }
        let (drive, directory) = self.directory(&path)?;
        let names: Vec<ShortName> = directory.iter().map(|part| part.name).collect();
        if self.dos.spelling == Spelling::Short && path_text(drive, &names).len() > DIRECTORY_MAX {
            return Err(DosError::PathNotFound.into());
        }
        self.set_directory(drive, directory);
        Ok(())
    }

    /// AH=41.
    pub(super) fn delete_file(&mut self) -> Call {
        let path = self.path_at(self.ds_dx())?;
        let (place, found) = self.existing(&path)?;
        if found.kind != NodeKind::File || found.is_read_only() {
            return Err(DosError::AccessDenied.into());
        }
        self.tree().unlink(place.directory, &place.name)?;
        Ok(())
    }

    /// AH=43.
    pub(super) fn file_attributes(&mut self) -> Call {
        let path = self.path_at(self.ds_dx())?;
        let (name, found) = match self.target(&path)? {
            Target::Device(_) => return Err(DosError::FileNotFound.into()),
            Target::Root(root) => (Vec::new(), self.host.files().attributes(root)?),
            Target::Place(place) => (place.name, place.found.ok_or(DosError::FileNotFound)?),
        };
        match self.al() {
            0 => {
                let bits = dos_attributes(&name, &found) as u16;
                self.set_cx(bits);
                self.set_ax(bits);
            }
            1 => {
                let bits = self.cx() as u8;
                let is_directory = found.kind == NodeKind::Directory;
                if bits & attribute::LABEL != 0 || bits & attribute::DIRECTORY != 0 && !is_directory
                {
                    return Err(DosError::AccessDenied.into());
                }
                if !is_directory && bits & flag::ALL != found.flags {
                    self.host.files().set_flags(found.node, bits & flag::ALL)?;
                }
            }
            _ => return Err(DosError::InvalidFunction.into()),
        }
        Ok(())
    }

    /// AH=47.
    pub(super) fn working_directory(&mut self) -> Call {
        let drive = self.drive_argument(self.dl())?;
        let text = self.current_directory(drive)?;
        // Where a session began, or AX=713B went, may be deeper than the caller has room for.
        if b"C:\\".len() + text.len() > DIRECTORY_MAX {
            return Err(DosError::PathNotFound.into());
        }
        let at = self.ds_si();
        self.bus.write(at, &text);
        self.bus.write8(at.add(text.len() as u16), 0);
        self.set_ax(0x0100);
        Ok(())
    }

    /// AH=56.
    pub(super) fn rename_file(&mut self) -> Call {
        let old = self.path_at(self.ds_dx())?;
        let new = self.path_at(self.es_di())?;
        let (from, _) = self.existing(&old)?;
        let Target::Place(to) = self.target(&new)? else {
            return Err(DosError::AccessDenied.into());
        };
        if to.drive != from.drive {
            return Err(DosError::NotSameDevice.into());
        }
        // A name may change its case only; otherwise what exists stays.
        let is_same = to.found.map(|found| found.node) == from.found.map(|found| found.node);
        if to.found.is_some() && !is_same || to.short.is_pattern() {
            return Err(DosError::AccessDenied.into());
        }
        match self.tree().rename(from.directory, &from.name, to.directory, &to.name) {
            Err(HostError::Exists) => Err(DosError::AccessDenied.into()),
            renamed => Ok(renamed?),
        }
    }

    /// AH=60.
    pub(super) fn canonical_path(&mut self) -> Call {
        let path = self.path_at(self.ds_si())?;
        if path.is_empty() {
            return Err(DosError::FileNotFound.into());
        }
        let text = self.true_name(&path)?;
        if text.len() >= PATH_MAX {
            return Err(DosError::PathNotFound.into());
        }
        let at = self.es_di();
        self.bus.write(at, &text);
        self.bus.write8(at.add(text.len() as u16), 0);
        Ok(())
    }

    /// Returns the drive that a number means: 0 the current one, 1 A.
    pub(super) fn drive_argument(&self, number: u8) -> Result<u8, DosError> {
        let drive = number.checked_sub(1).unwrap_or(self.dos.drive);
        let known = self.dos.drives.iter().any(|state| state.number == drive);
        if known { Ok(drive) } else { Err(DosError::InvalidDrive) }
    }
}
