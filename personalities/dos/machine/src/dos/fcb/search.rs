//! FCBs: what matches a name in the current directory is found, deleted or renamed.

use alloc::vec::Vec;

use super::EXTENDED;
use crate::FarPointer;
use crate::dos::find::{Found, attribute};
use crate::dos::names::ShortName;
use crate::dos::{Call, DosError};
use crate::host::Host;
use crate::session::Session;

impl<H: Host> Session<H> {
    /// AH=13: all files that match, with an extended FCB also those of its attributes. Directories
    /// stay, whatever an extended FCB says: DOS would lose what is in them.
    pub(in crate::dos) fn fcb_delete(&mut self) -> Call {
        self.fcb_status(|dos, fcb| {
            let place = dos.fcb_place(fcb)?;
            let wanted = dos.fcb_attributes();
            let mut found = dos.matching(&place, b"", wanted)?;
            found.retain(|file| file.attributes & attribute::DIRECTORY == 0);
            let (kept, found): (Vec<_>, Vec<_>) = found
                .iter()
                .partition(|file| file.attributes & !wanted & attribute::READ_ONLY != 0);
            for file in &found {
                dos.tree().unlink(place.directory, &file.host_name)?;
            }
            let label = dos.delete_label(&place, wanted);
            match (found.is_empty() && !label, kept.is_empty()) {
                (false, _) => Ok(()),
                (true, false) => Err(DosError::AccessDenied.into()),
                (true, true) => Err(DosError::FileNotFound.into()),
            }
        })
    }

    /// AH=17: the new name lies at offset 11h; its `?` keep the old characters. An extended FCB
    /// renames what has its attributes, too, also directories.
    pub(in crate::dos) fn fcb_rename(&mut self) -> Call {
        self.fcb_status(|dos, fcb| {
            let place = dos.fcb_place(fcb)?;
            let mut pattern = [0; 11];
            dos.bus.read(fcb.add(0x11), &mut pattern);
            let wanted = dos.fcb_attributes();
            let mut found = dos.matching(&place, b"", wanted)?;
            found.retain(|file| !matches!(file.name, ShortName::SELF | ShortName::PARENT));
            for file in &found {
                let new = ShortName::substitute(&ShortName(pattern), &file.name).text();
                if dos.find_entry(place.directory, &new).is_ok() {
                    return Err(DosError::FileExists.into());
                }
                dos.tree().rename(place.directory, &file.host_name, place.directory, &new)?;
            }
            let label = dos.rename_label(&place, wanted, ShortName(pattern));
            if found.is_empty() && !label { Err(DosError::FileNotFound.into()) } else { Ok(()) }
        })
    }

    /// AH=11: what is found is written to the transfer area as an FCB and a directory entry.
    pub(in crate::dos) fn fcb_find_first(&mut self) -> Call {
        self.fcb_status(|dos, fcb| {
            let place = dos.fcb_place(fcb)?;
            let wanted = dos.fcb_attributes();
            let mut found = dos.matching(&place, b"", wanted)?;
            found.splice(0..0, dos.found_label(&place, wanted));
            let number = dos.dos.searches.add(found);
            dos.bus.write32(fcb.add(0x18), number);
            dos.bus.write16(fcb.add(0x1c), 0);
            dos.fcb_found(fcb)
        })
    }

    /// AH=12.
    pub(in crate::dos) fn fcb_find_next(&mut self) -> Call {
        self.fcb_status(|dos, fcb| dos.fcb_found(fcb))
    }

    /// Returns the attributes in the prefix of an extended FCB at DS:DX; a plain one has none.
    pub(super) fn fcb_attributes(&self) -> u8 {
        let at = self.ds_dx();
        if self.bus.read8(at) == EXTENDED { self.bus.read8(at.add(6)) } else { 0 }
    }

    fn fcb_found(&mut self, fcb: FarPointer) -> Call {
        let number = self.bus.read32(fcb.add(0x18));
        let index = self.bus.read16(fcb.add(0x1c));
        let found = self.dos.searches.entry(number, index).ok_or(DosError::NoMoreFiles)?;
        self.bus.write16(fcb.add(0x1c), index.saturating_add(1));
        let mut to = self.dos.transfer;
        if self.bus.read8(self.ds_dx()) == EXTENDED {
            let wanted = self.fcb_attributes();
            self.bus.write(to, &[EXTENDED, 0, 0, 0, 0, 0, wanted]);
            to = to.add(7);
        }
        let drive = match self.bus.read8(fcb) {
            0 => self.dos.drive + 1,
            drive => drive,
        };
        self.bus.write8(to, drive);
        self.write_directory_entry(to.add(1), &found);
        Ok(())
    }

    /// Writes a directory entry (RBIL table 01352): name, attributes, time, date, cluster, size.
    fn write_directory_entry(&mut self, at: FarPointer, found: &Found) {
        self.bus.write(at, &found.name.0);
        self.bus.write8(at.add(0x0b), found.attributes);
        self.bus.write(at.add(0x0c), &[0; 10]);
        self.bus.write16(at.add(0x16), found.modified.packed_time());
        self.bus.write16(at.add(0x18), found.modified.packed_date());
        self.bus.write16(at.add(0x1a), 0);
        self.bus.write32(at.add(0x1c), found.size);
    }
}
