//! Find first and next: a snapshot of a directory's matching entries.
//!
//! The transfer area's reserved part names the snapshot, so that programs may copy the area and
//! search in several directories at once. Nobody says that a search is over: those that have told all
//! they found are forgotten first, and those that began after one that a program went on with, as it
//! does when it has been through the tree below; then those that were not gone on with for longest.
//!
//! ```text
//!   transfer area (RBIL INT 21/AH=4E, table 01626)
//!   00 drive  01 pattern, 11 bytes  0c attributes wanted  0d snapshot's number u32  11 next u16
//!   15 attributes   16 time   18 date   1a size u32   1e name, zero-terminated
//! ```

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;

use super::names::{ShortName, assign};
use super::paths::{DeviceName, Place, Target};
use super::time::DateTime;
use super::{Call, DosError, Refusal};
use crate::FarPointer;
use crate::host::{Attributes, FileTree, Host, NodeKind, flag};
use crate::session::Session;

/// Most searches that are remembered at once.
pub const SEARCHES_MAX: usize = 1024;
/// Most entries of all of them together, but for the last one's: what one number in an area counts.
pub const FOUND_MAX: usize = 1 << 16;

/// Attribute bits (RBIL table 01420).
pub mod attribute {
    pub use crate::host::flag::{ARCHIVE, HIDDEN, READ_ONLY, SYSTEM};
    /// Volume label.
    pub const LABEL: u8 = 0x08;
    /// Directory.
    pub const DIRECTORY: u8 = 0x10;
    /// A device, found by its name.
    pub const DEVICE: u8 = 0x40;
}

/// An entry of a snapshot.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its short name.
    pub name: ShortName,
    /// Its DOS attributes.
    pub attributes: u8,
    /// When it was changed.
    pub modified: DateTime,
    /// Its length in bytes.
    pub size: u32,
    /// Its name on the host.
    pub host_name: Vec<u8>,
}

struct Snapshot {
    number: u32,
    found: Vec<Found>,
    /// Whether nobody is likely to go on with it.
    is_over: bool,
}

/// The snapshots, those first that were not gone on with for longest.
#[derive(Default)]
pub struct Searches {
    next: u32,
    snapshots: VecDeque<Snapshot>,
    /// Entries of all snapshots.
    entries: usize,
}

impl Searches {
    /// Remembers a snapshot and returns its number.
    pub fn add(&mut self, mut found: Vec<Found>) -> u32 {
        // An area's number counts no more.
        found.truncate(u16::MAX.into());
        while self.snapshots.len() >= SEARCHES_MAX || self.entries + found.len() > FOUND_MAX {
            let over = self.snapshots.iter().position(|snapshot| snapshot.is_over);
            let Some(forgotten) = self.snapshots.remove(over.unwrap_or(0)) else { break };
            self.entries -= forgotten.found.len();
        }
        self.next = self.next.wrapping_add(1);
        self.entries += found.len();
        self.snapshots.push_back(Snapshot { number: self.next, found, is_over: false });
        self.next
    }

    /// Returns an entry of a snapshot.
    pub fn entry(&mut self, number: u32, index: u16) -> Option<Found> {
        let place = self.snapshots.iter().rposition(|snapshot| snapshot.number == number)?;
        let mut snapshot = self.snapshots.remove(place)?;
        if index > 0 {
            let later = self.snapshots.iter_mut().filter(|other| other.number > number);
            later.for_each(|other| other.is_over = true);
        }
        snapshot.is_over = index as usize + 1 >= snapshot.found.len();
        let found = snapshot.found.get(index as usize).cloned();
        self.snapshots.push_back(snapshot);
        found
    }
}

/// Returns the DOS attributes of a node by its host name.
pub fn dos_attributes(name: &[u8], attributes: &Attributes) -> u8 {
    let mut bits = attributes.flags & flag::ALL;
    if attributes.kind == NodeKind::Directory {
        // What a directory has of them, it has by permissions of another meaning; programs that walk
        // trees look for exactly this.
        bits = attribute::DIRECTORY;
    }
    if name.starts_with(b".") {
        bits |= attribute::HIDDEN;
    }
    bits
}

impl<H: Host> Session<H> {
    /// AH=4E.
    pub(super) fn find_first(&mut self) -> Call {
        let wanted = self.cx() as u8;
        let (drive, pattern, found) = match self.target_at_ds_dx()? {
            Target::Root(..) => return Err(DosError::NoMoreFiles.into()),
            Target::Device(device) => {
                (self.dos.drive, device.name(), vec![self.found_device(device)])
            }
            Target::Place(place) => {
                let mut found = self.matching(&place, &place.name, wanted)?;
                if self.is_root(&place) {
                    found.splice(0..0, self.found_label(&place, wanted));
                }
                (place.drive, place.short, found)
            }
        };
        if found.is_empty() {
            return Err(DosError::NoMoreFiles.into());
        }
        let number = self.dos.searches.add(found);
        let at = self.dos.transfer;
        self.bus.write8(at, drive + 1);
        self.bus.write(at.add(1), &pattern.0);
        self.bus.write8(at.add(0x0c), wanted);
        self.bus.write32(at.add(0x0d), number);
        self.bus.write16(at.add(0x11), 0);
        self.next_found()
    }

    /// AH=4F.
    pub(super) fn find_next(&mut self) -> Call {
        self.next_found()
    }

    /// Returns the entries of a place's directory that match its pattern, or are spelled so, and the
    /// attributes wanted.
    pub(super) fn matching(
        &mut self,
        place: &Place,
        spelled: &[u8],
        wanted: u8,
    ) -> Result<Vec<Found>, Refusal> {
        let (directory, pattern) = (place.directory, &place.short);
        let mut found = Vec::new();
        if wanted == attribute::LABEL {
            return Ok(found);
        }
        if !self.is_root(place) && wanted & attribute::DIRECTORY != 0 {
            for name in [ShortName::SELF, ShortName::PARENT] {
                if pattern.matches(&name) {
                    let attributes = self.host.files().attributes(directory)?;
                    found.push(entry(name, name.text(), &attributes));
                }
            }
        }
        for (short, name) in self.candidates(place)? {
            let is_meant = pattern.matches(&short) || name == spelled;
            if !is_meant {
                continue;
            }
            // What vanished or cannot be looked at is not there.
            let Ok(attributes) = self.tree().lookup(directory, &name) else {
                continue;
            };
            let candidate = entry(short, name, &attributes);
            let special = candidate.attributes
                & (attribute::HIDDEN | attribute::SYSTEM | attribute::DIRECTORY);
            if attributes.kind != NodeKind::Other && special & !wanted == 0 {
                found.push(candidate);
            }
        }
        Ok(found)
    }

    /// Returns the names of a place's directory, or of those the only one that can be meant: programs
    /// search for many a name to see whether it is there, and a directory may be long.
    fn candidates(&mut self, place: &Place) -> Result<Vec<(ShortName, Vec<u8>)>, Refusal> {
        if !place.short.is_pattern() {
            if place.found.is_none() {
                return Ok(Vec::new());
            }
            if ShortName::fitting(&place.name) == Some(place.short) {
                return Ok(vec![(place.short, place.name.clone())]);
            }
        }
        let all = assign(self.tree().list(place.directory)?);
        Ok(all.into_iter().map(|(short, entry)| (short, entry.name)).collect())
    }

    /// Returns what a search finds of a device.
    fn found_device(&mut self, device: DeviceName) -> Found {
        let name = device.name();
        Found {
            name,
            attributes: attribute::DEVICE,
            modified: self.now(),
            size: 0,
            host_name: name.text(),
        }
    }

    fn next_found(&mut self) -> Call {
        let at = self.dos.transfer;
        let number = self.bus.read32(at.add(0x0d));
        let index = self.bus.read16(at.add(0x11));
        let found = self.dos.searches.entry(number, index).ok_or(DosError::NoMoreFiles)?;
        self.bus.write16(at.add(0x11), index + 1);
        self.write_found(at, &found);
        // As MS-DOS 4.0 does (SEARCH.ASM).
        self.set_ax(0);
        Ok(())
    }

    fn write_found(&mut self, at: FarPointer, found: &Found) {
        self.bus.write8(at.add(0x15), found.attributes);
        self.bus.write16(at.add(0x16), found.modified.packed_time());
        self.bus.write16(at.add(0x18), found.modified.packed_date());
        self.bus.write32(at.add(0x1a), found.size);
        let mut name = match found.attributes & attribute::LABEL {
            0 => found.name.text(),
            _ => found.name.label_text(),
        };
        name.resize(13, 0);
        self.bus.write(at.add(0x1e), &name);
    }

    /// Returns whether a place is in the root of its drive: the same directory may be in another
    /// one's.
    pub(super) fn is_root(&self, place: &Place) -> bool {
        let drives = &self.dos.drives;
        drives.iter().any(|drive| (drive.number, drive.root) == (place.drive, place.directory))
    }
}

fn entry(name: ShortName, host_name: Vec<u8>, attributes: &Attributes) -> Found {
    let is_file = attributes.kind == NodeKind::File;
    let dots = matches!(name, ShortName::SELF | ShortName::PARENT);
    Found {
        name,
        attributes: dos_attributes(if dots { b"" } else { &host_name }, attributes),
        modified: DateTime::from_ns(attributes.modified),
        size: if is_file { attributes.size.min(u32::MAX as u64) as u32 } else { 0 },
        host_name,
    }
}

#[cfg(test)]
mod tests {
    use super::{FOUND_MAX, Found, SEARCHES_MAX, Searches, ShortName};
    use crate::dos::time::DateTime;
    use alloc::vec;

    fn found() -> Found {
        let (modified, host_name) = (DateTime::from_ns(0), vec![]);
        Found { name: ShortName::SELF, attributes: 0, modified, size: 0, host_name }
    }

    #[test]
    fn what_is_over_is_forgotten_before_what_goes_on() {
        let mut searches = Searches::default();
        let walk = searches.add(vec![found(), found()]);
        searches.entry(walk, 0).unwrap();
        for _ in 0..2 * SEARCHES_MAX {
            let other = searches.add(vec![found()]);
            searches.entry(other, 0).unwrap();
        }
        assert!(searches.entry(walk, 1).is_some());
        // And that one may be looked at again, as from an older copy of the area.
        assert!(searches.entry(walk, 1).is_some());
        assert!(searches.snapshots.len() <= SEARCHES_MAX);
    }

    #[test]
    fn a_tree_is_walked_however_much_is_below() {
        let mut searches = Searches::default();
        let root = searches.add(vec![found(); 2]);
        let branch = searches.add(vec![found(); 100]);
        for index in 1..100 {
            // 100 directories with more files than are remembered, left in the middle.
            let below = searches.add(vec![found(); FOUND_MAX / 20]);
            assert!(searches.entry(below, 0).is_some() && searches.entry(below, 1).is_some());
            assert!(searches.entry(branch, index).is_some());
        }
        assert!(searches.entry(root, 1).is_some());
    }

    #[test]
    fn a_large_directory_takes_the_place_of_others() {
        let mut searches = Searches::default();
        let first = searches.add(vec![found(); FOUND_MAX]);
        let second = searches.add(vec![found(); 2]);
        assert!(searches.entry(first, 0).is_none());
        assert!(searches.entry(second, 1).is_some());
        assert_eq!(searches.entries, 2);
    }
}
