//! FCBs: records read and written in sequence, at random, several at once.

use super::DONE;
use crate::FarPointer;
use crate::dos::files::FileKind;
use crate::dos::{Call, DosError, Refusal};
use crate::host::{FileTree, Host};
use crate::session::Session;

/// Results of reading and writing beside success (RBIL INT 21/AH=14).
pub(super) const END: u8 = 1;
const WRAPPED: u8 = 2;
const PARTLY: u8 = 3;

/// Which way records go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Reading,
    Writing,
}

/// Which record a function is about, and whether it moves on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Sequential,
    Random,
}

impl<H: Host> Session<H> {
    /// AH=14.
    pub(in crate::dos) fn fcb_read_sequential(&mut self) -> Call {
        self.fcb_one(Way::Reading, Access::Sequential)
    }

    /// AH=15.
    pub(in crate::dos) fn fcb_write_sequential(&mut self) -> Call {
        self.fcb_one(Way::Writing, Access::Sequential)
    }

    /// AH=21.
    pub(in crate::dos) fn fcb_read_random(&mut self) -> Call {
        self.fcb_one(Way::Reading, Access::Random)
    }

    /// AH=22.
    pub(in crate::dos) fn fcb_write_random(&mut self) -> Call {
        self.fcb_one(Way::Writing, Access::Random)
    }

    /// AH=27: CX records from the random record on.
    pub(in crate::dos) fn fcb_read_block(&mut self) -> Call {
        self.fcb_block(Way::Reading)
    }

    /// AH=28: without records, the file is cut there.
    pub(in crate::dos) fn fcb_write_block(&mut self) -> Call {
        self.fcb_block(Way::Writing)
    }

    fn fcb_one(&mut self, way: Way, access: Access) -> Call {
        let fcb = self.fcb();
        let record = match access {
            Access::Sequential => self.fcb_sequential(fcb),
            Access::Random => self.fcb_random_record(fcb),
        };
        let (result, done) = self.fcb_move(way, fcb, record, 1)?;
        let moves = if access == Access::Sequential { done } else { 0 };
        self.fcb_set_sequential(fcb, record.wrapping_add(moves.into()));
        self.set_al(result);
        Ok(())
    }

    fn fcb_block(&mut self, way: Way) -> Call {
        let fcb = self.fcb();
        let first = self.fcb_random_record(fcb);
        let (result, done) = self.fcb_move(way, fcb, first, self.cx())?;
        let next = first.wrapping_add(done.into());
        self.fcb_set_random_record(fcb, next);
        self.fcb_set_sequential(fcb, next);
        self.set_cx(done);
        self.set_al(result);
        Ok(())
    }

    /// Moves as many records as the transfer area's segment has room for, at once; returns what AL
    /// tells, and how many they were.
    fn fcb_move(
        &mut self,
        way: Way,
        fcb: FarPointer,
        record: u32,
        wanted: u16,
    ) -> Result<(u8, u16), Refusal> {
        let at = self.dos.transfer;
        let size = u32::from(self.fcb_record_size(fcb));
        // What would end at the segment's very end does not fit (MS-DOS 4.0's FCBIO2.ASM, FCBIO).
        let room = 0x10000 - u32::from(at.offset);
        let fits = u32::from(wanted) * size < room;
        let count = if fits { wanted.into() } else { room.min(0xffff) / size };
        let full = if fits { DONE } else { WRAPPED };
        if count == 0 && wanted > 0 {
            return Ok((full, 0));
        }
        let from = u64::from(record) * u64::from(size);
        let moved = match way {
            Way::Reading => self.fcb_read(fcb, from, at, count * size),
            Way::Writing => self.fcb_write(fcb, from, at, count * size),
        };
        let moved = match moved {
            Err(Refusal::Error(error)) if !self.is_critical(error) => {
                self.note_error(error);
                return Ok((END, 0));
            }
            moved => moved?,
        };
        let (whole, part) = (moved / size, moved % size);
        if way == Way::Writing || part == 0 {
            return Ok((if whole < count { END } else { full }, whole as u16));
        }
        // The rest of a last record that is read in part becomes zeros.
        let rest = alloc::vec![0; (size - part) as usize];
        self.bus.write(at.add(moved as u16), &rest);
        Ok((PARTLY, whole as u16 + 1))
    }

    fn fcb_read(
        &mut self,
        fcb: FarPointer,
        from: u64,
        to: FarPointer,
        len: u32,
    ) -> Result<u32, Refusal> {
        let (entry, kind) = self.fcb_entry(fcb)?;
        let FileKind::File(node) = kind else {
            return Ok(self.read_entry(entry, to, len.min(0xffff) as u16)?.into());
        };
        let mut bytes = alloc::vec![0; len as usize];
        let read = self.host.files().read(node, from, &mut bytes)?.min(bytes.len());
        self.bus.write(to, &bytes[..read]);
        Ok(read as u32)
    }

    fn fcb_write(
        &mut self,
        fcb: FarPointer,
        to: u64,
        from: FarPointer,
        len: u32,
    ) -> Result<u32, Refusal> {
        let (entry, kind) = self.fcb_entry(fcb)?;
        let FileKind::File(node) = kind else {
            self.write_entry(entry, from, len.min(0xffff) as u16)?;
            // What a device does not take is not missed (MS-DOS 4.0's source, FCBIO2.ASM, FCBIO).
            return Ok(len);
        };
        if !self.dos.files.get(entry)?.is_writable() {
            return Err(DosError::AccessDenied.into());
        }
        if to + u64::from(len) > u32::MAX.into() {
            return Err(DosError::DiskFull.into());
        }
        let mut bytes = alloc::vec![0; len as usize];
        self.bus.read(from, &mut bytes);
        let written = match len {
            0 => self.host.files().resize(node, to).map(|()| 0)?,
            _ => self.host.files().write(node, to, &bytes)?,
        };
        self.fcb_written(fcb)?;
        Ok(written as u32)
    }

    /// Notes in the FCB what writing changed: length and time.
    fn fcb_written(&mut self, fcb: FarPointer) -> Call {
        let (entry, kind) = self.fcb_entry(fcb)?;
        self.dos.files.get(entry)?.written = true;
        self.show_file(entry);
        let now = self.now();
        self.fcb_set_time(fcb, now);
        self.fcb_update_size(fcb, kind)
    }
}
