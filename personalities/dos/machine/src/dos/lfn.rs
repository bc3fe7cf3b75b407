//! AH=71: long names.
//!
//! Most functions are those without 71, which then read longer paths and do not cut what they make
//! to 8.3 ([`Spelling::Long`]). Searches have handles of their own here.
//!
//! ```text
//!   search result (RBIL INT 21/AX=714E, table 01774): 00 attributes u32   04 made, 0c read,
//!   14 changed: u64 each   1c size, high u32   20 low u32   2c long name, 260   130 short name, 14
//! ```

use alloc::vec::Vec;

use super::country::upper_case;
use super::files::FileKind;
use super::find::{Found, attribute, dos_attributes};
use super::names::ShortName;
use super::paths::{LONG_PATH_MAX, Place, Spelling, Target};
use super::time::DateTime;
use super::{Call, DosError, Refusal};
use crate::FarPointer;
use crate::cpu::register::{DI, SI};
use crate::host::{FileTree, Host};
use crate::session::Session;

/// Most searches at once.
pub const SEARCHES_MAX: usize = 32;
/// 100 ns from 1601 to 1970.
const TO_1970: u64 = 116_444_736_000_000_000;
/// Names keep their case and may be long (RBIL INT 21/AX=71A0, table 01783).
const SYSTEM_FLAGS: u16 = 0x4002;
const NAME_MAX: u16 = 255;

/// A search that a program can go on with.
pub(super) struct Search {
    /// The program's PSP.
    program: u16,
    found: Vec<Found>,
    next: usize,
}

impl<H: Host> Session<H> {
    /// AH=71.
    pub(super) fn long_names(&mut self) -> Call {
        self.dos.spelling = Spelling::Long;
        let called = self.long_name_function(self.al());
        self.dos.spelling = Spelling::Short;
        if called.is_ok() {
            self.set_carry(false);
        }
        called
    }

    #[rustfmt::skip]
    fn long_name_function(&mut self, function: u8) -> Call {
        match function {
            0x0d => Ok(()),
            0x39 => self.make_directory(),
            0x3a => self.remove_directory(),
            0x3b => self.change_directory(),
            0x41 => self.delete_long(),
            0x43 => self.long_attributes(),
            0x47 => self.long_directory(),
            0x4e => self.find_first_long(),
            0x4f => self.find_next_long(),
            0x56 => self.rename_file(),
            0x60 => self.long_path(),
            0x6c => self.extended_open(),
            0xa0 => self.volume_information(),
            0xa1 => self.end_search(),
            0xa6 => self.information_of_handle(),
            0xa7 => self.convert_time(),
            0xa8 => self.make_short_name(),
            0xaa => self.substitute_drive(),
            _ => self.no_such_long_function(),
        }
    }

    /// AX=7100 tells programs to use the function without 71.
    fn no_such_long_function(&mut self) -> Call {
        self.set_ax(0x7100);
        self.set_carry(true);
        Err(Refusal::Switched)
    }

    /// AX=7141: SI=1 lets the last component have wildcards.
    fn delete_long(&mut self) -> Call {
        if self.cpu.register(SI) != 1 {
            return self.delete_file();
        }
        let Target::Place(place) = self.target_at_ds_dx()? else {
            return Err(DosError::AccessDenied.into());
        };
        let found = self.matching_long(&place, self.cl())?;
        let files = found.iter().filter(|file| file.attributes & attribute::DIRECTORY == 0);
        let mut none = true;
        for file in files {
            self.tree().unlink(place.directory, &file.host_name)?;
            none = false;
        }
        if none { Err(DosError::FileNotFound.into()) } else { Ok(()) }
    }

    /// AX=7143: BL=0, 1 attributes; 2 size on disk; 3, 4 time of the last change.
    fn long_attributes(&mut self) -> Call {
        let action = self.bl();
        match action {
            0 | 1 => {
                self.set_al(action);
                self.file_attributes()
            }
            2 => {
                let path = self.path_at(self.ds_dx())?;
                let (_, found) = self.existing(&path)?;
                let size = found.size.min(u32::MAX as u64) as u32;
                self.set_ax(size as u16);
                self.set_dx((size >> 16) as u16);
                Ok(())
            }
            3 | 4 => self.long_time(action),
            _ => Err(DosError::InvalidFunction.into()),
        }
    }

    fn long_time(&mut self, action: u8) -> Call {
        let path = self.path_at(self.ds_dx())?;
        let (_, found) = self.existing(&path)?;
        if action == 3 {
            let time = DateTime::from_packed(self.cpu.register(DI), self.cx());
            return Ok(self.host.files().set_modified(found.node, time.to_ns())?);
        }
        let time = DateTime::from_ns(found.modified);
        self.set_cx(time.packed_time());
        self.cpu.set_register(DI, time.packed_date());
        Ok(())
    }

    /// AX=7147.
    fn long_directory(&mut self) -> Call {
        let drive = self.drive_argument(self.dl())?;
        let state = self.dos.drives.iter().find(|state| state.number == drive);
        let parts = state.map_or(&[][..], |state| &state.directory).iter();
        let mut text = parts.map(|part| part.host_name.clone()).collect::<Vec<_>>().join(&b'\\');
        text.push(0);
        self.bus.write(self.ds_si(), &text);
        Ok(())
    }

    /// AX=714E.
    fn find_first_long(&mut self) -> Call {
        let Target::Place(place) = self.target_at_ds_dx()? else {
            return Err(DosError::NoMoreFiles.into());
        };
        let found = self.matching_long(&place, self.cl())?;
        if found.is_empty() {
            return Err(DosError::FileNotFound.into());
        }
        let program = self.dos.psp.0;
        let searches = &mut self.dos.long_searches;
        let free = searches.iter().position(Option::is_none).unwrap_or(searches.len());
        if free >= SEARCHES_MAX {
            return Err(DosError::TooManyOpenFiles.into());
        }
        if free == searches.len() {
            searches.push(None);
        }
        searches[free] = Some(Search { program, found, next: 0 });
        self.set_bx(free as u16 + 1);
        let bx = self.bx();
        self.find_next_long()?;
        self.set_ax(bx);
        Ok(())
    }

    /// AX=714F.
    fn find_next_long(&mut self) -> Call {
        let search = self.search(self.bx())?;
        let found = search.found.get(search.next).cloned().ok_or(DosError::NoMoreFiles)?;
        search.next += 1;
        self.write_long(self.es_di(), &found);
        self.set_cx(0);
        Ok(())
    }

    /// AX=71A1.
    fn end_search(&mut self) -> Call {
        let handle = self.bx();
        self.search(handle)?;
        self.dos.long_searches[handle as usize - 1] = None;
        Ok(())
    }

    /// Ends the searches that a program has left at its end.
    pub(super) fn end_searches_of(&mut self, program: u16) {
        for search in &mut self.dos.long_searches {
            search.take_if(|search| search.program == program);
        }
    }

    fn search(&mut self, handle: u16) -> Result<&mut Search, DosError> {
        let index = (handle as usize).checked_sub(1).ok_or(DosError::InvalidHandle)?;
        let search = self.dos.long_searches.get_mut(index).and_then(Option::as_mut);
        search.ok_or(DosError::InvalidHandle)
    }

    /// Returns a directory's entries whose long or short name matches.
    fn matching_long(&mut self, place: &Place, wanted: u8) -> Result<Vec<Found>, Refusal> {
        let everything = Place { short: ShortName([b'?'; 11]), ..place.clone() };
        let all = self.matching(&everything, b"", wanted)?;
        let is_meant = |found: &Found| {
            is_like(&place.name, &found.host_name) || is_like(&place.name, &found.name.text())
        };
        Ok(all.into_iter().filter(is_meant).collect())
    }

    fn write_long(&mut self, at: FarPointer, found: &Found) {
        self.bus.write(at, &[0; 0x13e]);
        self.bus.write32(at, found.attributes as u32);
        let time = self.long_time_of(found.modified);
        for offset in [4, 0x0c, 0x14] {
            self.bus.write32(at.add(offset), time as u32);
            self.bus.write32(at.add(offset + 4), (time >> 32) as u32);
        }
        self.bus.write32(at.add(0x20), found.size);
        let name = &found.host_name[..found.host_name.len().min(NAME_MAX as usize)];
        self.bus.write(at.add(0x2c), name);
        let short = found.name.text();
        if short != name {
            self.bus.write(at.add(0x130), &short);
        }
    }

    /// Returns a time as SI asks for it: 1 packed, otherwise 100 ns since 1601.
    fn long_time_of(&self, time: DateTime) -> u64 {
        match self.cpu.register(SI) {
            1 => (time.packed_date() as u64) << 16 | time.packed_time() as u64,
            _ => time.to_ns() / 100 + TO_1970,
        }
    }

    /// AX=7160: CL=0 as AH=60, 1 with short names, 2 with long ones.
    fn long_path(&mut self) -> Call {
        let path = self.path_at(self.ds_si())?;
        let mut text = match self.cl() {
            0 | 1 => self.true_name(&path)?,
            2 => self.long_true_name(&path)?,
            _ => return Err(DosError::InvalidFunction.into()),
        };
        text.push(0);
        self.bus.write(self.es_di(), &text);
        Ok(())
    }

    /// Returns a full path with the names as the host has them.
    fn long_true_name(&mut self, path: &[u8]) -> Result<Vec<u8>, Refusal> {
        let cut = path.iter().rposition(|byte| matches!(byte, b'\\' | b'/' | b':'));
        let (directory, last) = path.split_at(cut.map_or(0, |cut| cut + 1));
        let last = if matches!(last, b"." | b"..") { &[][..] } else { last };
        let directory = if last.is_empty() { path } else { directory };
        let (drive, walked) = self.directory(directory)?;
        let mut names: Vec<Vec<u8>> = walked.into_iter().map(|part| part.host_name).collect();
        if !last.is_empty() {
            let found = match self.target(path)? {
                Target::Place(place) => place.name,
                Target::Device(_) | Target::Root(_) => last.to_vec(),
            };
            names.push(found);
        }
        let mut text = alloc::vec![b'A' + drive, b':', b'\\'];
        text.extend(names.join(&b'\\'));
        Ok(text)
    }

    /// AX=71A0.
    fn volume_information(&mut self) -> Call {
        let path = self.path_at(self.ds_dx())?;
        self.directory(&path)?;
        let name = &b"KAMEN\0"[..(self.cx() as usize).min(6)];
        self.bus.write(self.es_di(), name);
        self.set_bx(SYSTEM_FLAGS);
        self.set_cx(NAME_MAX);
        self.set_dx(LONG_PATH_MAX as u16);
        Ok(())
    }

    /// AX=71A6: what is known of the file of handle BX, to DS:DX (RBIL INT 21/AX=71A6).
    ///
    /// ```text
    ///   00 attributes u32   04 made, 0c read: 0, nobody knows   14 changed: u64 each
    ///   1c serial number of the drive   20 size: high u32, low u32   28 links u32   2c node: high, low
    /// ```
    fn information_of_handle(&mut self) -> Call {
        let entry = self.entry(self.bx())?;
        let file = self.dos.files.get(entry)?.clone();
        let FileKind::File(node) = file.kind else { return Err(DosError::InvalidHandle.into()) };
        let found = self.host.files().attributes(node)?;
        // Names that begin with a dot are hidden, and an open file's short name has none.
        let attributes = dos_attributes(&file.name.text(), &found);
        let changed = DateTime::from_ns(found.modified).to_ns() / 100 + TO_1970;
        let halves = |value: u64| [(value >> 32) as u32, value as u32];
        let [changed_high, changed_low] = halves(changed);
        let [size_high, size_low] = halves(found.size);
        let [node_high, node_low] = halves(node.0);
        let serial = self.serial_of(file.drive);
        #[rustfmt::skip]
        let words = [
            attributes.into(), 0, 0, 0, 0, changed_low, changed_high,
            serial, size_high, size_low, 1, node_high, node_low,
        ];
        let at = self.ds_dx();
        for (place, word) in (0..).step_by(4).zip(words) {
            self.bus.write32(at.add(place), word);
        }
        Ok(())
    }

    /// AX=71A7: BL=0 from 100 ns at DS:SI to DX, CX; 1 back, to ES:DI.
    fn convert_time(&mut self) -> Call {
        match self.bl() {
            0 => {
                let at = self.ds_si();
                let count = self.bus.read32(at) as u64 | (self.bus.read32(at.add(4)) as u64) << 32;
                let ns = count.saturating_sub(TO_1970).saturating_mul(100);
                let time = DateTime::from_ns(ns);
                self.set_dx(time.packed_date());
                self.set_cx(time.packed_time());
            }
            1 => {
                let time = DateTime::from_packed(self.dx(), self.cx());
                let count = time.to_ns() / 100 + TO_1970;
                let at = self.es_di();
                self.bus.write32(at, count as u32);
                self.bus.write32(at.add(4), (count >> 32) as u32);
            }
            _ => return Err(DosError::InvalidFunction.into()),
        }
        Ok(())
    }

    /// AX=71A8: the short name of a long one; DH=0 as directories hold it, 1 with a dot.
    fn make_short_name(&mut self) -> Call {
        let long = self.path_at(self.ds_si())?;
        let entry = crate::host::Entry { name: long, node: crate::host::Node(0) };
        let short = super::names::assign(alloc::vec![entry]);
        let Some((short, _)) = short.first() else { return Ok(()) };
        let at = self.es_di();
        if self.dh() == 0 {
            self.bus.write(at, &short.0);
        } else {
            let mut text = short.text();
            text.push(0);
            self.bus.write(at, &text);
        }
        Ok(())
    }
}

/// Returns whether a name is like a pattern with `*` and `?`, whatever the case; "*.*" is all.
fn is_like(pattern: &[u8], name: &[u8]) -> bool {
    if pattern == b"*.*" {
        return true;
    }
    let (mut at, mut place) = (0, 0);
    // The last `*`, and how much of the name it covers: more, where what follows does not match.
    let mut star: Option<(usize, usize)> = None;
    while place < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, place));
                at += 1;
                continue;
            }
            Some(byte) if *byte == b'?' || upper_case(*byte) == upper_case(name[place]) => {
                (at, place) = (at + 1, place + 1);
                continue;
            }
            _ => {}
        }
        let Some((before, covered)) = star else { return false };
        star = Some((before, covered + 1));
        (at, place) = (before + 1, covered + 1);
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn long_patterns_match_anywhere_in_a_name() {
        assert!(is_like(b"*name*.t?xt", b"A long name.text"));
        assert!(is_like(b"*.*", b"noextension"));
        assert!(!is_like(b"*.c", b"main.cpp"));
    }
}
