//! FCBs: which of them have an entry in the table of open files.
//!
//! Programs open FCBs and never close them: version 1 of DOS kept nothing of an FCB outside of it. As
//! in MS-DOS 3 and later, those opened longest ago lose their entry, and get another one when they are
//! used (MS-DOS 4.0's FCBIO.ASM, LRUFCB and FCBRegen). An open has a number, which the FCB keeps, so
//! that a copy of a closed one is not taken for another file that has its entry now.

use alloc::collections::VecDeque;

use super::MARK;
use crate::FarPointer;
use crate::dos::files::{FileKind, OpenFile};
use crate::dos::{Call, DosError, Refusal};
use crate::host::{FileTree, Host};
use crate::session::Session;

/// Most FCBs that have an entry.
const OPEN_MAX: usize = 64;
/// Most that have lost theirs and are remembered.
const EVICTED_MAX: usize = 1024;

/// Where an FCB holds its entry, the mark of one that is open, and the open's number.
const ENTRY: u16 = 0x18;
const NUMBER: u16 = 0x1a;

/// The FCBs that are open.
#[derive(Default)]
pub(in crate::dos) struct Cache {
    last: u32,
    evicted: VecDeque<(u32, OpenFile)>,
}

impl<H: Host> Session<H> {
    /// Opens by `open` what an FCB stands for, and notes it there.
    pub(super) fn fcb_attach(
        &mut self,
        fcb: FarPointer,
        open: impl FnOnce(&mut Self) -> Result<u8, Refusal>,
    ) -> Result<u8, Refusal> {
        self.make_room();
        let entry = open(self)?;
        self.dos.fcbs.last = self.dos.fcbs.last.wrapping_add(1);
        let number = self.dos.fcbs.last;
        self.dos.files.get(entry)?.fcb = Some(number);
        self.bus.write(fcb.add(ENTRY), &[entry, MARK]);
        self.bus.write32(fcb.add(NUMBER), number);
        Ok(entry)
    }

    /// Returns the entry of an open FCB; one that has lost it gets another one.
    pub(in crate::dos) fn fcb_entry(&mut self, fcb: FarPointer) -> Result<(u8, FileKind), Refusal> {
        let [entry, mark] = self.bus.read16(fcb.add(ENTRY)).to_le_bytes();
        let number = self.bus.read32(fcb.add(NUMBER));
        if mark != MARK {
            return Err(DosError::InvalidHandle.into());
        }
        if let Ok(file) = self.dos.files.get(entry)
            && file.fcb == Some(number)
        {
            return Ok((entry, file.kind));
        }
        let file = self.take_evicted(number).ok_or(DosError::InvalidHandle)?;
        let (entry, kind) = (self.fcb_open_again(file.clone()), file.kind);
        match entry {
            Ok(entry) => self.bus.write8(fcb.add(ENTRY), entry),
            Err(_) => self.dos.fcbs.evicted.push_back((number, file)),
        }
        Ok((entry?, kind))
    }

    fn fcb_open_again(&mut self, file: OpenFile) -> Result<u8, Refusal> {
        self.make_room();
        let (kind, mode) = (file.kind, file.mode);
        if let FileKind::File(node) = kind {
            self.host.files().opened(node, mode)?;
        }
        Ok(self.add_file(file)?)
    }

    /// Closes an FCB; one that is not open may be closed again, as programs do.
    pub(super) fn fcb_detach(&mut self, fcb: FarPointer) -> Call {
        let [entry, mark] = self.bus.read16(fcb.add(ENTRY)).to_le_bytes();
        let number = self.bus.read32(fcb.add(NUMBER));
        self.bus.write8(fcb.add(ENTRY + 1), 0);
        let is_open = self.dos.files.get(entry).is_ok_and(|file| file.fcb == Some(number));
        if mark != MARK || !is_open {
            self.take_evicted(number);
            return Ok(());
        }
        self.release(entry)
    }

    /// Closes the FCBs that a program has left open at its end.
    pub(in crate::dos) fn close_fcbs_of(&mut self, program: u16) {
        self.dos.fcbs.evicted.retain(|(_, file)| file.owner != program);
        for (entry, _) in self.dos.files.fcbs_of(Some(program)) {
            // Nothing else is left of it.
            let _ = self.release(entry);
        }
    }

    fn take_evicted(&mut self, number: u32) -> Option<OpenFile> {
        let evicted = &mut self.dos.fcbs.evicted;
        let place = evicted.iter().rposition(|(known, _)| *known == number)?;
        evicted.remove(place).map(|(_, file)| file)
    }

    /// Takes the entry of the FCB opened longest ago, where there are too many.
    fn make_room(&mut self) {
        let open = self.dos.files.fcbs_of(None);
        if open.len() < OPEN_MAX {
            return;
        }
        let oldest = open.into_iter().min_by_key(|(_, number)| *number);
        if let Some((entry, number)) = oldest
            && let Ok(file) = self.dos.files.get(entry)
        {
            let file = file.clone();
            let evicted = &mut self.dos.fcbs.evicted;
            if evicted.len() >= EVICTED_MAX {
                evicted.pop_front();
            }
            evicted.push_back((number, file));
            // It was open.
            let _ = self.release(entry);
        }
    }
}
