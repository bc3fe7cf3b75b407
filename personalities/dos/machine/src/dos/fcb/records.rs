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

/// Which record a function is about, and whether it moves on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Sequential,
    Random,
}

impl<H: Host> Session<H> {
    /// AH=14.
    pub(in crate::dos) fn fcb_read_sequential(&mut self) -> Call {
        self.fcb_read(Access::Sequential)
    }

    /// AH=15.
    pub(in crate::dos) fn fcb_write_sequential(&mut self) -> Call {
        self.fcb_write(Access::Sequential)
    }

    /// AH=21.
    pub(in crate::dos) fn fcb_read_random(&mut self) -> Call {
        self.fcb_read(Access::Random)
    }

    /// AH=22.
    pub(in crate::dos) fn fcb_write_random(&mut self) -> Call {
        self.fcb_write(Access::Random)
    }

    /// AH=27: CX records from the random record on.
    pub(in crate::dos) fn fcb_read_block(&mut self) -> Call {
        self.fcb_block(Session::fcb_read_at)
    }

    /// AH=28: without records, the file is cut there.
    pub(in crate::dos) fn fcb_write_block(&mut self) -> Call {
        if self.cx() > 0 {
            return self.fcb_block(Session::fcb_write_at);
        }
        self.fcb_status(|dos, fcb| {
            let (_, kind) = dos.fcb_entry(fcb)?;
            let FileKind::File(node) = kind else { return Ok(()) };
            let size = dos.fcb_random_record(fcb) as u64 * dos.fcb_record_size(fcb) as u64;
            if size > u32::MAX as u64 {
                return Err(DosError::DiskFull.into());
            }
            dos.host.files().resize(node, size)?;
            dos.fcb_update_size(fcb, kind)
        })
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
            Err(Refusal::Error(error)) if !self.is_critical(error) => END,
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
                Err(Refusal::Error(error)) if !self.is_critical(error) => END,
                // What was typed so far is not typed again.
                Err(Refusal::Waiting) if done > 0 => END,
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
        let (entry, kind) = self.fcb_entry(fcb)?;
        let size = self.fcb_record_size(fcb);
        if to.offset as u32 + size as u32 > 0x10000 {
            return Ok(WRAPPED);
        }
        let mut bytes = alloc::vec![0; size as usize];
        let read = match kind {
            FileKind::File(node) => {
                self.host.files().read(node, record as u64 * size as u64, &mut bytes)?
            }
            _ => {
                let count = self.read_entry(entry, to, size)?.into();
                self.bus.read(to, &mut bytes[..count]);
                count
            }
        };
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
        let (entry, kind) = self.fcb_entry(fcb)?;
        let size = self.fcb_record_size(fcb);
        if from.offset as u32 + size as u32 > 0x10000 {
            return Ok(WRAPPED);
        }
        let FileKind::File(node) = kind else {
            self.write_entry(entry, from, size)?;
            return Ok(DONE);
        };
        let file = self.dos.files.get(entry)?;
        if !file.is_writable() {
            return Err(DosError::AccessDenied.into());
        }
        file.written = true;
        let mut bytes = alloc::vec![0; size as usize];
        self.bus.read(from, &mut bytes);
        let written = self.host.files().write(node, record as u64 * size as u64, &bytes)?;
        self.fcb_update_size(fcb, kind)?;
        Ok(if written < size as usize { END } else { DONE })
    }
}
