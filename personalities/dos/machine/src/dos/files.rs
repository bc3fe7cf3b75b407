//! The table of open files, to which the bytes of job file tables point.
//!
//! Entries are counted: a handle that is duplicated or inherited points at the same entry and
//! shares its position. Entries 0 to 2 are AUX, CON and PRN, as COMMAND.COM finds them
//! (01 01 01 00 02); 3 to 5 are the standard streams where they are not the terminal.

use alloc::vec::Vec;

use super::DosError;
use super::names::ShortName;
use crate::host::{Node, OpenMode, Stream};

/// Most open files (FILES= of CONFIG.SYS cannot say more).
pub const FILES_MAX: usize = 255;
/// Entry of AUX.
pub const AUXILIARY: u8 = 0;
/// Entry of CON.
pub const CONSOLE: u8 = 1;
/// Entry of PRN.
pub const PRINTER: u8 = 2;

/// What an open file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// The terminal, or whatever stands for it.
    Console,
    /// NUL.
    Null,
    /// AUX: a file of the host, or nothing.
    Auxiliary,
    /// PRN: a file of the host.
    Printer,
    /// CLOCK$.
    Clock,
    /// A standard stream that is no terminal.
    Stream(Stream),
    /// A file.
    File(Node),
}

impl FileKind {
    /// Returns whether the file is a character device.
    pub fn is_device(self) -> bool {
        !matches!(self, FileKind::Stream(_) | FileKind::File(_))
    }
}

/// An open file.
#[derive(Clone, Debug)]
pub struct OpenFile {
    /// What it is.
    pub kind: FileKind,
    /// How it was opened.
    pub mode: OpenMode,
    /// Whether children do not inherit it (bit 7 of the open mode).
    pub private: bool,
    /// The next byte to read or write.
    pub position: u32,
    /// The drive it is on.
    pub drive: u8,
    /// Whether it was written.
    pub written: bool,
    /// Console only: keys are given as they are.
    pub raw: bool,
    /// Its name, as programs see it.
    pub name: ShortName,
    /// The program that opened it.
    pub owner: u16,
    /// Its length as this session knows it.
    pub size: u32,
    /// The number of the open, where that was by an FCB.
    pub fcb: Option<u32>,
    references: u16,
}

impl OpenFile {
    /// Returns an open file with one reference.
    pub fn new(kind: FileKind, access: u8) -> OpenFile {
        OpenFile {
            kind,
            mode: OpenMode { access, sharing: 0 },
            private: false,
            position: 0,
            drive: 2,
            written: false,
            raw: false,
            name: ShortName([b' '; 11]),
            owner: 0,
            size: 0,
            fcb: None,
            references: 1,
        }
    }

    /// Returns how many handles point at it.
    pub fn references(&self) -> u16 {
        self.references
    }

    /// Returns whether it may be read.
    pub fn is_readable(&self) -> bool {
        self.mode.access != 1
    }

    /// Returns whether it may be written.
    pub fn is_writable(&self) -> bool {
        self.mode.access != 0
    }
}

/// The table.
pub struct Files {
    entries: Vec<Option<OpenFile>>,
}

impl Default for Files {
    fn default() -> Self {
        let device = |kind| Some(OpenFile::new(kind, 2));
        Files {
            entries: alloc::vec![
                device(FileKind::Auxiliary),
                device(FileKind::Console),
                device(FileKind::Printer),
            ],
        }
    }
}

impl Files {
    /// Adds an open file and returns its entry.
    ///
    /// # Errors
    /// `TooManyOpenFiles`.
    pub fn add(&mut self, file: OpenFile) -> Result<u8, DosError> {
        let free = self.entries.iter().position(Option::is_none);
        let entry = free.unwrap_or(self.entries.len());
        if entry >= FILES_MAX {
            return Err(DosError::TooManyOpenFiles);
        }
        if entry == self.entries.len() {
            self.entries.push(Some(file));
        } else {
            self.entries[entry] = Some(file);
        }
        Ok(entry as u8)
    }

    /// Returns an entry.
    ///
    /// # Errors
    /// `InvalidHandle` where nothing is open.
    pub fn get(&mut self, entry: u8) -> Result<&mut OpenFile, DosError> {
        let file = self.entries.get_mut(entry as usize).and_then(Option::as_mut);
        file.ok_or(DosError::InvalidHandle)
    }

    /// Returns entry and number of what is open by FCBs, of a program or of all.
    pub fn fcbs_of(&self, program: Option<u16>) -> Vec<(u8, u32)> {
        let open =
            (0..).zip(&self.entries).filter_map(|(entry, file)| Some((entry, file.as_ref()?)));
        let meant = open.filter(|(_, file)| program.is_none_or(|program| file.owner == program));
        meant.filter_map(|(entry, file)| Some((entry, file.fcb?))).collect()
    }

    /// Counts one more reference.
    ///
    /// # Errors
    /// `InvalidHandle`.
    pub fn share(&mut self, entry: u8) -> Result<(), DosError> {
        let file = self.get(entry)?;
        file.references = file.references.saturating_add(1);
        Ok(())
    }

    /// Drops one reference; returns the file when it was the last one. The three devices stay.
    ///
    /// # Errors
    /// `InvalidHandle`.
    pub fn release(&mut self, entry: u8) -> Result<Option<OpenFile>, DosError> {
        let file = self.get(entry)?;
        file.references = file.references.saturating_sub(1);
        if file.references > 0 || entry <= PRINTER {
            return Ok(None);
        }
        Ok(self.entries[entry as usize].take())
    }

    /// Returns all that is open, with the entries, which are free then; the three devices stay.
    pub fn take_all(&mut self) -> Vec<(u8, OpenFile)> {
        let others = self.entries.split_off(usize::from(PRINTER) + 1);
        let numbered = (PRINTER + 1..=u8::MAX).zip(others);
        numbered.filter_map(|(entry, file)| Some((entry, file?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{FILES_MAX, FileKind, Files, OpenFile, PRINTER};

    #[test]
    fn a_full_table_is_taken_whole_but_for_the_devices() {
        let mut files = Files::default();
        while files.add(OpenFile::new(FileKind::Null, 0)).is_ok() {}
        let taken = files.take_all();
        assert_eq!(taken.len(), FILES_MAX - usize::from(PRINTER) - 1);
        assert_eq!(taken.last().map(|(entry, _)| usize::from(*entry)), Some(FILES_MAX - 1));
        assert!(files.get(PRINTER).is_ok() && files.take_all().is_empty());
    }
}
