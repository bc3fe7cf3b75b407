//! File control blocks: parsing names, and the file functions of DOS 1.
//!
//! An open FCB holds the entry of the table of open files in its reserved part; the size and
//! position of records are the program's. FCBs name files of the current directory only.
//!
//! ```text
//!   FCB (RBIL INT 21/AH=0F, table 01345)      extended: FF, 5 bytes, attributes before it
//!   00 drive  01 name  0c block u16  0e record size u16  10 file size u32  14 date  16 time
//!   18 entry  19 mark  20 record in block  21 random record u32
//! ```
//!
//! With records of 64 bytes or more a random record's number has three bytes: the fourth would lie
//! behind the FCB, for that at PSP:5C in the command tail's length.

use alloc::vec::Vec;

use super::country::upper_case;
use super::find::Found;
use super::names::ShortName;
use super::paths::{Place, Target};
use super::{Call, DosError, Refusal};
use crate::FarPointer;
use crate::host::{FileTree, Host, Node};
use crate::session::Session;

/// Records in a block.
const BLOCK: u32 = 128;
/// Record size that an open FCB gets.
const RECORD: u16 = 128;
/// Record size from which a random record's number has three bytes.
const LARGE_RECORD: u16 = 64;
/// In an FCB whose entry is valid.
const MARK: u8 = 0xa5;
const EXTENDED: u8 = 0xff;
/// Separators that end a name (RBIL INT 21/AH=29).
const SEPARATORS: &[u8] = b".:;,=+ \t/\"[]<>|\r\n";

/// Results of reading and writing (RBIL INT 21/AH=14).
const DONE: u8 = 0;
const END: u8 = 1;
const WRAPPED: u8 = 2;
const PARTLY: u8 = 3;

/// Parses a file name as AH=29 does with its control byte 1; returns the FCB's first 16 bytes and
/// how many characters were used.
pub(super) fn parse_name(text: &[u8]) -> ([u8; 16], usize) {
    let skipped = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let mut rest = &text[skipped..];
    let mut fcb = [0; 16];
    fcb[1..12].fill(b' ');
    if let [letter, b':', after @ ..] = rest {
        fcb[0] = letter.to_ascii_uppercase().wrapping_sub(b'A').wrapping_add(1);
        rest = after;
    }
    rest = parse_part(rest, &mut fcb[1..9]);
    if let [b'.', after @ ..] = rest {
        rest = parse_part(after, &mut fcb[9..12]);
    }
    (fcb, text.len() - rest.len())
}

fn parse_part<'a>(text: &'a [u8], field: &mut [u8]) -> &'a [u8] {
    let is_name = |byte: &u8| !SEPARATORS.contains(byte) && *byte > b' ';
    let len = text.iter().take_while(|byte| is_name(byte)).count();
    let (part, rest) = text.split_at(len);
    for (place, byte) in part.iter().enumerate().take(field.len()) {
        if *byte == b'*' {
            field[place..].fill(b'?');
            break;
        }
        field[place] = upper_case(*byte);
    }
    rest
}

/// Which record a function is about, and whether it moves on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Sequential,
    Random,
}

impl<H: Host> Session<H> {
    /// AH=29.
    pub(super) fn fcb_parse(&mut self) -> Call {
        let control = self.al();
        let from = self.ds_si();
        let mut text = Vec::new();
        while text.len() < 128 {
            match self.bus.read8(from.add(text.len() as u16)) {
                0 | b'\r' => break,
                byte => text.push(byte),
            }
        }
        let skip = text.first().is_some_and(|byte| control & 1 != 0 && b":;,=+.".contains(byte));
        let (parsed, used) = parse_name(&text[skip as usize..]);
        let to = self.es_di();
        if control & 2 == 0 || parsed[0] != 0 {
            self.bus.write8(to, parsed[0]);
        }
        for (bit, part) in [(4, 1..9u16), (8, 9..12)] {
            let blank = parsed[part.start as usize] == b' ';
            if control & bit == 0 || !blank {
                let bytes = &parsed[part.start as usize..part.end as usize];
                self.bus.write(to.add(part.start), bytes);
            }
        }
        self.bus.write(to.add(12), &[0; 4]);
        let drive_known = self.drive_argument(parsed[0]).is_ok();
        let wild = parsed[1..12].contains(&b'?');
        self.set_al(if !drive_known { 0xff } else { wild as u8 });
        self.set_si(from.offset.wrapping_add(used as u16 + skip as u16));
        Ok(())
    }

    /// AH=0F.
    pub(super) fn fcb_open(&mut self) -> Call {
        self.fcb_status(|dos, fcb| {
            let place = dos.fcb_place(fcb)?;
            let found = place.found.ok_or(DosError::FileNotFound)?;
            let mode = if found.is_read_only() { 0 } else { 2 };
            let entry = dos.open_entry(Target::Place(place), mode)?;
            dos.fcb_opened(fcb, entry, found.node)
        })
    }

    /// AH=16.
    pub(super) fn fcb_create(&mut self) -> Call {
        self.fcb_status(|dos, fcb| {
            let place = dos.fcb_place(fcb)?;
            let (directory, name) = (place.directory, place.name.clone());
            let entry = dos.create_entry(Target::Place(place), 0)?;
            let node = dos.host.files().lookup(directory, &name)?.node;
            dos.fcb_opened(fcb, entry, node)
        })
    }

    /// AH=10.
    pub(super) fn fcb_close(&mut self) -> Call {
        self.fcb_status(|dos, fcb| {
            let (entry, _) = dos.fcb_entry(fcb)?;
            dos.bus.write8(fcb.add(0x19), 0);
            dos.release(entry)
        })
    }

    /// AH=13: all files that match.
    pub(super) fn fcb_delete(&mut self) -> Call {
        self.fcb_status(|dos, fcb| {
            let place = dos.fcb_place(fcb)?;
            let found = dos.matching(place.directory, &place.short, b"", 0)?;
            for file in &found {
                dos.host.files().unlink(place.directory, &file.host_name)?;
            }
            if found.is_empty() { Err(DosError::FileNotFound.into()) } else { Ok(()) }
        })
    }

    /// AH=17: the new name lies at offset 11h; its `?` keep the old characters.
    pub(super) fn fcb_rename(&mut self) -> Call {
        self.fcb_status(|dos, fcb| {
            let place = dos.fcb_place(fcb)?;
            let mut pattern = [0; 11];
            dos.bus.read(fcb.add(0x11), &mut pattern);
            let found = dos.matching(place.directory, &place.short, b"", 0)?;
            for file in &found {
                let new = ShortName::substitute(&ShortName(pattern), &file.name).text();
                if dos.find_entry(place.directory, &new).is_ok() {
                    return Err(DosError::FileExists.into());
                }
                dos.host.files().rename(place.directory, &file.host_name, place.directory, &new)?;
            }
            if found.is_empty() { Err(DosError::FileNotFound.into()) } else { Ok(()) }
        })
    }

    /// AH=11: what is found is written to the transfer area as an FCB and a directory entry.
    pub(super) fn fcb_find_first(&mut self) -> Call {
        self.fcb_status(|dos, fcb| {
            let place = dos.fcb_place(fcb)?;
            let given = dos.ds_dx();
            let extended = dos.bus.read8(given) == EXTENDED;
            let wanted = if extended { dos.bus.read8(given.add(6)) } else { 0 };
            let mut found = dos.matching(place.directory, &place.short, b"", wanted)?;
            if wanted & super::find::attribute::LABEL != 0 && dos.is_root(place.directory) {
                found.splice(0..0, dos.found_label(place.drive, &place.short));
            }
            let number = dos.dos.searches.add(found);
            dos.bus.write32(fcb.add(0x18), number);
            dos.bus.write16(fcb.add(0x1c), 0);
            dos.fcb_found(fcb)
        })
    }

    /// AH=12.
    pub(super) fn fcb_find_next(&mut self) -> Call {
        self.fcb_status(|dos, fcb| dos.fcb_found(fcb))
    }

    /// AH=14.
    pub(super) fn fcb_read_sequential(&mut self) -> Call {
        self.fcb_read(Access::Sequential)
    }

    /// AH=15.
    pub(super) fn fcb_write_sequential(&mut self) -> Call {
        self.fcb_write(Access::Sequential)
    }

    /// AH=21.
    pub(super) fn fcb_read_random(&mut self) -> Call {
        self.fcb_read(Access::Random)
    }

    /// AH=22.
    pub(super) fn fcb_write_random(&mut self) -> Call {
        self.fcb_write(Access::Random)
    }

    /// AH=23: size in records.
    pub(super) fn fcb_file_size(&mut self) -> Call {
        self.fcb_status(|dos, fcb| {
            let found = dos.fcb_place(fcb)?.found.ok_or(DosError::FileNotFound)?;
            let size = dos.fcb_record_size(fcb) as u64;
            dos.fcb_set_random_record(fcb, found.size.div_ceil(size) as u32);
            Ok(())
        })
    }

    /// AH=24: random record from block and record.
    pub(super) fn fcb_set_random(&mut self) -> Call {
        let fcb = self.fcb();
        let record = self.fcb_sequential(fcb);
        self.fcb_set_random_record(fcb, record);
        Ok(())
    }

    /// AH=27: CX records from the random record on.
    pub(super) fn fcb_read_block(&mut self) -> Call {
        self.fcb_block(Session::fcb_read_at)
    }

    /// AH=28: without records, the file is cut there.
    pub(super) fn fcb_write_block(&mut self) -> Call {
        if self.cx() > 0 {
            return self.fcb_block(Session::fcb_write_at);
        }
        self.fcb_status(|dos, fcb| {
            let (_, node) = dos.fcb_entry(fcb)?;
            let size = dos.fcb_random_record(fcb) as u64 * dos.fcb_record_size(fcb) as u64;
            if size > u32::MAX as u64 {
                return Err(DosError::DiskFull.into());
            }
            dos.host.files().resize(node, size)?;
            dos.fcb_update_size(fcb, node)
        })
    }

    /// Returns the FCB at DS:DX, behind the prefix of an extended one.
    fn fcb(&self) -> FarPointer {
        let at = self.ds_dx();
        if self.bus.read8(at) == EXTENDED { at.add(7) } else { at }
    }

    /// Runs a function whose errors are FF in AL.
    fn fcb_status(&mut self, function: impl FnOnce(&mut Self, FarPointer) -> Call) -> Call {
        let fcb = self.fcb();
        match function(self, fcb) {
            Ok(()) => self.set_al(DONE),
            Err(Refusal::Error(error)) => {
                self.note_error(error);
                self.set_al(0xff);
            }
            other => return other,
        }
        Ok(())
    }

    fn fcb_place(&mut self, fcb: FarPointer) -> Result<Place, Refusal> {
        let mut name = [0; 11];
        self.bus.read(fcb.add(1), &mut name);
        let short = ShortName(name.map(upper_case));
        let mut path = Vec::new();
        if let Some(drive @ 1..) = Some(self.bus.read8(fcb)) {
            path.extend([b'@' + drive.min(26), b':']);
        }
        path.extend(short.text());
        match self.target(&path)? {
            Target::Place(place) => Ok(Place { short, ..place }),
            Target::Device(_) | Target::Root(..) => Err(DosError::FileNotFound.into()),
        }
    }

    fn fcb_opened(&mut self, fcb: FarPointer, entry: u8, node: Node) -> Call {
        let drive = self.bus.read8(fcb);
        if drive == 0 {
            self.bus.write8(fcb, self.dos.drive + 1);
        }
        self.bus.write16(fcb.add(0x0c), 0);
        self.bus.write16(fcb.add(0x0e), RECORD);
        let time = super::time::DateTime::from_ns(self.host.files().attributes(node)?.modified);
        self.bus.write16(fcb.add(0x14), time.packed_date());
        self.bus.write16(fcb.add(0x16), time.packed_time());
        self.bus.write(fcb.add(0x18), &[entry, MARK]);
        self.fcb_update_size(fcb, node)
    }

    fn fcb_update_size(&mut self, fcb: FarPointer, node: Node) -> Call {
        let size = self.host.files().attributes(node)?.size as u32;
        self.bus.write32(fcb.add(0x10), size);
        Ok(())
    }

    fn fcb_entry(&mut self, fcb: FarPointer) -> Result<(u8, Node), Refusal> {
        let entry = self.bus.read8(fcb.add(0x18));
        if self.bus.read8(fcb.add(0x19)) != MARK {
            return Err(DosError::InvalidHandle.into());
        }
        match self.dos.files.get(entry)?.kind {
            super::files::FileKind::File(node) => Ok((entry, node)),
            _ => Err(DosError::InvalidHandle.into()),
        }
    }

    fn fcb_found(&mut self, fcb: FarPointer) -> Call {
        let number = self.bus.read32(fcb.add(0x18));
        let index = self.bus.read16(fcb.add(0x1c));
        let found = self.dos.searches.entry(number, index).ok_or(DosError::NoMoreFiles)?;
        self.bus.write16(fcb.add(0x1c), index.saturating_add(1));
        let mut to = self.dos.transfer;
        if self.bus.read8(self.ds_dx()) == EXTENDED {
            self.bus.write(to, &[EXTENDED, 0, 0, 0, 0, 0, found.attributes]);
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

    fn fcb_record_size(&mut self, fcb: FarPointer) -> u16 {
        match self.bus.read16(fcb.add(0x0e)) {
            0 => RECORD,
            size => size,
        }
    }

    fn fcb_random_record(&mut self, fcb: FarPointer) -> u32 {
        let record = self.bus.read32(fcb.add(0x21));
        if self.fcb_record_size(fcb) < LARGE_RECORD { record } else { record & 0xff_ffff }
    }

    fn fcb_set_random_record(&mut self, fcb: FarPointer, record: u32) {
        let bytes = record.to_le_bytes();
        let len = if self.fcb_record_size(fcb) < LARGE_RECORD { 4 } else { 3 };
        self.bus.write(fcb.add(0x21), &bytes[..len]);
    }

    fn fcb_sequential(&self, fcb: FarPointer) -> u32 {
        self.bus.read16(fcb.add(0x0c)) as u32 * BLOCK + self.bus.read8(fcb.add(0x20)) as u32
    }

    fn fcb_set_sequential(&mut self, fcb: FarPointer, record: u32) {
        self.bus.write16(fcb.add(0x0c), (record / BLOCK) as u16);
        self.bus.write8(fcb.add(0x20), (record % BLOCK) as u8);
    }

    fn fcb_read(&mut self, access: Access) -> Call {
        self.fcb_one(access, Session::fcb_read_at)
    }

    fn fcb_write(&mut self, access: Access) -> Call {
        self.fcb_one(access, Session::fcb_write_at)
    }

    fn fcb_one(
        &mut self,
        access: Access,
        operation: fn(&mut Self, FarPointer, u32, FarPointer) -> Result<u8, Refusal>,
    ) -> Call {
        let fcb = self.fcb();
        let record = match access {
            Access::Sequential => self.fcb_sequential(fcb),
            Access::Random => self.fcb_random_record(fcb),
        };
        let result = match operation(self, fcb, record, self.dos.transfer) {
            Err(Refusal::Error(_)) => END,
            result => result?,
        };
        let done = matches!(result, DONE | PARTLY);
        let moves = done && access == Access::Sequential;
        self.fcb_set_sequential(fcb, record.wrapping_add(moves as u32));
        self.set_al(result);
        Ok(())
    }

    fn fcb_block(
        &mut self,
        operation: fn(&mut Self, FarPointer, u32, FarPointer) -> Result<u8, Refusal>,
    ) -> Call {
        let fcb = self.fcb();
        let size = self.fcb_record_size(fcb);
        let first = self.fcb_random_record(fcb);
        let (mut done, mut result) = (0, DONE);
        while done < self.cx() && result == DONE {
            let offset = self.dos.transfer.offset as u32 + done as u32 * size as u32;
            let Ok(offset) = u16::try_from(offset) else {
                result = WRAPPED;
                break;
            };
            let at = FarPointer::new(self.dos.transfer.segment, offset);
            result = match operation(self, fcb, first.wrapping_add(done as u32), at) {
                Err(Refusal::Error(_)) => END,
                result => result?,
            };
            done += matches!(result, DONE | PARTLY) as u16;
        }
        let next = first.wrapping_add(done as u32);
        self.fcb_set_random_record(fcb, next);
        self.fcb_set_sequential(fcb, next);
        self.set_cx(done);
        self.set_al(result);
        Ok(())
    }

    /// Reads a record; a partial one is filled with zeros.
    fn fcb_read_at(&mut self, fcb: FarPointer, record: u32, to: FarPointer) -> Result<u8, Refusal> {
        let (_, node) = self.fcb_entry(fcb)?;
        let size = self.fcb_record_size(fcb);
        if to.offset as u32 + size as u32 > 0x10000 {
            return Ok(WRAPPED);
        }
        let mut bytes = alloc::vec![0; size as usize];
        let read = self.host.files().read(node, record as u64 * size as u64, &mut bytes)?;
        if read > 0 {
            self.bus.write(to, &bytes);
        }
        Ok(match read {
            0 => END,
            read if read < size as usize => PARTLY,
            _ => DONE,
        })
    }

    fn fcb_write_at(
        &mut self,
        fcb: FarPointer,
        record: u32,
        from: FarPointer,
    ) -> Result<u8, Refusal> {
        let (_, node) = self.fcb_entry(fcb)?;
        let size = self.fcb_record_size(fcb);
        if from.offset as u32 + size as u32 > 0x10000 {
            return Ok(WRAPPED);
        }
        let mut bytes = alloc::vec![0; size as usize];
        self.bus.read(from, &mut bytes);
        let written = self.host.files().write(node, record as u64 * size as u64, &bytes)?;
        self.fcb_update_size(fcb, node)?;
        Ok(if written < size as usize { END } else { DONE })
    }
}

#[cfg(test)]
mod tests {
    use super::parse_name;

    #[test]
    fn names_are_parsed_as_command_com_does() {
        let (fcb, used) = parse_name(b" b:foo.c* rest");
        assert_eq!(&fcb[..12], b"\x02FOO     C??");
        assert_eq!(used, 9);
        let (fcb, used) = parse_name(b"");
        assert_eq!((&fcb[..12], used), (&b"\0           "[..], 0));
        assert_eq!(&parse_name(b"/switch").0[1..9], b"        ");
    }
}
