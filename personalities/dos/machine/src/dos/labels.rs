//! Volume labels: one for each drive, that programs read, give and take away.
//!
//! A label is an entry of the root directory with the attribute 08. Extended FCBs with that attribute
//! find (AH=11), create (16), rename (17) and delete (13) it from any directory, as RBIL says there;
//! functions on handles find (4E) and create it (3C, 5B). It lasts as long as the session: what is
//! under a drive, a directory of the host, has none.

use super::files::{FileKind, OpenFile};
use super::find::{Found, attribute};
use super::names::ShortName;
use super::paths::{DriveState, Place};
use super::time::DateTime;
use super::{DosError, Refusal};
use crate::host::Host;
use crate::session::Session;

impl<H: Host> Session<H> {
    /// Returns a drive's label.
    pub(super) fn label_of(&self, drive: u8) -> Option<ShortName> {
        self.dos.drives.iter().find(|state| state.number == drive)?.label
    }

    /// Returns a drive's label as a search finds it, where attributes and pattern ask for it.
    pub(super) fn found_label(&self, place: &Place, wanted: u8) -> Option<Found> {
        let name = self.matching_label(place, wanted)?;
        Some(Found {
            name,
            attributes: attribute::LABEL | attribute::ARCHIVE,
            modified: DateTime::from_packed(0x0021, 0),
            size: 0,
            host_name: alloc::vec::Vec::new(),
        })
    }

    fn matching_label(&self, place: &Place, wanted: u8) -> Option<ShortName> {
        let label = self.label_of(place.drive).filter(|label| place.short.matches(label));
        label.filter(|_| wanted & attribute::LABEL != 0)
    }

    fn label_state(&mut self, drive: u8) -> Option<&mut DriveState> {
        self.dos.drives.iter_mut().find(|state| state.number == drive)
    }

    /// Gives a drive a label, and returns an entry for what then is open: nothing can be read from
    /// or written to it.
    pub(super) fn create_label(&mut self, place: &Place) -> Result<u8, Refusal> {
        if place.short.is_pattern() {
            return Err(DosError::AccessDenied.into());
        }
        let state = self.label_state(place.drive).ok_or(DosError::InvalidDrive)?;
        if state.label.is_some() {
            // There is one label at most.
            return Err(DosError::CannotMake.into());
        }
        let mut file = OpenFile::new(FileKind::Null, 2);
        (file.name, file.drive, file.owner) = (place.short, place.drive, self.dos.psp.0);
        let entry = self.dos.files.add(file)?;
        self.show_file(entry);
        if let Some(state) = self.label_state(place.drive) {
            state.label = Some(place.short);
        }
        Ok(entry)
    }

    /// Takes a label away; returns whether it was there and meant.
    pub(super) fn delete_label(&mut self, place: &Place, wanted: u8) -> bool {
        self.change_label(place, wanted, |_| None)
    }

    /// Changes a label; the pattern's `?` keep characters. Returns whether it was there and meant.
    pub(super) fn rename_label(&mut self, place: &Place, wanted: u8, pattern: ShortName) -> bool {
        self.change_label(place, wanted, |old| Some(ShortName::substitute(&pattern, &old)))
    }

    fn change_label(
        &mut self,
        place: &Place,
        wanted: u8,
        change: impl FnOnce(ShortName) -> Option<ShortName>,
    ) -> bool {
        let Some(old) = self.matching_label(place, wanted) else { return false };
        if let Some(state) = self.label_state(place.drive) {
            state.label = change(old);
        }
        true
    }
}
