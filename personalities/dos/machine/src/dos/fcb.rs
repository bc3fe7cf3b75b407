//! File control blocks: open, create, close, and the blocks themselves.
//!
//! An open FCB holds the entry of the table of open files in its reserved part (`cache`); the size and
//! position of records are the program's. FCBs name files of the current directory only. Names are
//! parsed in `parse`, directories searched and changed in `search`, records moved in `records`.
//!
//! ```text
//!   FCB (RBIL INT 21/AH=0F, table 01345)      extended: FF, 5 bytes, attributes before it
//!   00 drive  01 name  0c block u16  0e record size u16  10 file size u32  14 date  16 time
//!   18 entry  19 mark  1a number  20 record in block  21 random record u32
//! ```
//!
//! With records of 64 bytes or more a random record's number has three bytes: the fourth would lie
//! behind the FCB, for that at PSP:5C in the command tail's length.

mod cache;
mod parse;
mod records;
mod search;

pub(super) use cache::Cache;
pub(super) use parse::parse_name;

use alloc::vec::Vec;

use super::country::upper_case;
use super::files::FileKind;
use super::names::ShortName;
use super::paths::{Place, Target};
use super::time::DateTime;
use super::{Call, DosError, Refusal};
use crate::FarPointer;
use crate::host::{FileTree, Host};
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
/// What functions answer in AL that succeed.
const DONE: u8 = 0;
/// And those that fail, but for those on records.
const FAILED: u8 = 0xff;

/// Returns what a function on FCBs answers in AL where INT 24h's handler lets it fail.
pub(super) fn failure_of(function: u8) -> Option<u8> {
    match function {
        0x0f..=0x13 | 0x16 | 0x17 | 0x23 => Some(FAILED),
        0x14 | 0x15 | 0x21 | 0x22 | 0x27 | 0x28 => Some(records::END),
        _ => None,
    }
}

impl<H: Host> Session<H> {
    /// AH=0F.
    pub(super) fn fcb_open(&mut self) -> Call {
        self.fcb_status(|dos, fcb| {
            let target = dos.fcb_target(fcb)?;
            let found = match &target {
                Target::Place(place) => Some(place.found.ok_or(DosError::FileNotFound)?),
                Target::Device(_) | Target::Root(..) => None,
            };
            let mode = if found.is_some_and(|found| found.is_read_only()) { 0 } else { 2 };
            let entry = dos.fcb_attach(fcb, |dos| dos.open_entry(target, mode))?;
            dos.fcb_opened(fcb, entry)
        })
    }

    /// AH=16: an extended FCB has the attributes, that of a label among them.
    pub(super) fn fcb_create(&mut self) -> Call {
        self.fcb_status(|dos, fcb| {
            let target = dos.fcb_target(fcb)?;
            let attributes = dos.fcb_attributes();
            let entry = dos.fcb_attach(fcb, |dos| dos.create_entry(target, attributes.into()))?;
            dos.fcb_opened(fcb, entry)
        })
    }

    /// AH=10; one that is closed may be closed again, as programs do. A file that was written gets the
    /// time in its FCB, which programs that copy set.
    pub(super) fn fcb_close(&mut self) -> Call {
        self.fcb_status(|dos, fcb| {
            if let Ok((entry, FileKind::File(node))) = dos.fcb_entry(fcb)
                && dos.dos.files.get(entry)?.written
            {
                let (date, time) = (dos.bus.read16(fcb.add(0x14)), dos.bus.read16(fcb.add(0x16)));
                let time = DateTime::from_packed(date, time);
                // A file that keeps its time is closed all the same.
                let _ = dos.host.files().set_modified(node, time.to_ns());
            }
            dos.fcb_detach(fcb)
        })
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

    /// Returns the FCB at DS:DX, behind the prefix of an extended one.
    pub(super) fn fcb(&self) -> FarPointer {
        let at = self.ds_dx();
        if self.bus.read8(at) == EXTENDED { at.add(7) } else { at }
    }

    /// Runs a function whose errors are FF in AL.
    fn fcb_status(&mut self, function: impl FnOnce(&mut Self, FarPointer) -> Call) -> Call {
        let fcb = self.fcb();
        match function(self, fcb) {
            Ok(()) => self.set_al(DONE),
            Err(Refusal::Error(error)) if !self.is_critical(error) => {
                self.note_error(error);
                self.set_al(FAILED);
            }
            other => return other,
        }
        Ok(())
    }

    fn fcb_target(&mut self, fcb: FarPointer) -> Result<Target, Refusal> {
        let mut name = [0; 11];
        self.bus.read(fcb.add(1), &mut name);
        let short = ShortName(name.map(upper_case));
        let mut path = Vec::new();
        if let Some(drive @ 1..) = Some(self.bus.read8(fcb)) {
            path.extend([b'@' + drive.min(26), b':']);
        }
        path.extend(short.text());
        match self.target(&path)? {
            Target::Place(place) => Ok(Target::Place(Place { short, ..place })),
            target => Ok(target),
        }
    }

    fn fcb_place(&mut self, fcb: FarPointer) -> Result<Place, Refusal> {
        match self.fcb_target(fcb)? {
            Target::Place(place) => Ok(place),
            Target::Device(_) | Target::Root(..) => Err(DosError::FileNotFound.into()),
        }
    }

    fn fcb_opened(&mut self, fcb: FarPointer, entry: u8) -> Call {
        let kind = self.dos.files.get(entry)?.kind;
        if self.bus.read8(fcb) == 0 && !kind.is_device() {
            self.bus.write8(fcb, self.dos.drive + 1);
        }
        self.bus.write16(fcb.add(0x0c), 0);
        self.bus.write16(fcb.add(0x0e), RECORD);
        let time = match kind {
            FileKind::File(node) => DateTime::from_ns(self.host.files().attributes(node)?.modified),
            _ => self.now(),
        };
        self.fcb_set_time(fcb, time);
        self.fcb_update_size(fcb, kind)
    }

    fn fcb_set_time(&mut self, fcb: FarPointer, time: DateTime) {
        self.bus.write16(fcb.add(0x14), time.packed_date());
        self.bus.write16(fcb.add(0x16), time.packed_time());
    }

    fn fcb_update_size(&mut self, fcb: FarPointer, kind: FileKind) -> Call {
        let size = match kind {
            FileKind::File(node) => {
                self.host.files().attributes(node)?.size.min(u32::MAX.into()) as u32
            }
            _ => 0,
        };
        self.bus.write32(fcb.add(0x10), size);
        Ok(())
    }

    /// Returns the size of records; 0 becomes the usual one (MS-DOS 4.0, FCBIO2.ASM `GetRecSize`).
    fn fcb_record_size(&mut self, fcb: FarPointer) -> u16 {
        let size = self.bus.read16(fcb.add(0x0e));
        if size == 0 {
            self.bus.write16(fcb.add(0x0e), RECORD);
            return RECORD;
        }
        size
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
}
