//! Functions on handles: open, create, close, read, write, seek, duplicate.

use alloc::vec;
use alloc::vec::Vec;

use super::files::{FileKind, OpenFile};
use super::psp::{FREE, TABLE_LEN};
use super::{Call, DosError, Refusal};
use crate::FarPointer;
use crate::host::{FileTree, Host, HostError, Node, Wait, flag};
use crate::session::Session;

impl<H: Host> Session<H> {
    /// AH=3E.
    pub(super) fn close_file(&mut self) -> Call {
        self.close(self.bx())
    }

    /// AH=3F.
    pub(super) fn read_file(&mut self) -> Call {
        let entry = self.entry(self.bx())?;
        let (at, len) = self.buffer();
        let read = self.read_entry(entry, at, len)?;
        self.set_ax(read);
        Ok(())
    }

    /// Returns where the bytes of a handle lie, and how many: up to the end of the segment that
    /// begins within 16 bytes before the first one (MS-DOS 4.0, HANDLE.ASM `Align_Buffer` and
    /// DISK2.ASM `SETUP`), so that nothing wraps.
    fn buffer(&self) -> (FarPointer, u16) {
        let FarPointer { segment, offset } = self.ds_dx();
        let at = match segment.checked_add(offset / 16) {
            Some(segment) => FarPointer::new(segment, offset % 16),
            // The HMA has no such segment.
            None => FarPointer::new(segment, offset),
        };
        let room = 0x10000 - at.offset as u32;
        (at, room.min(self.cx() as u32) as u16)
    }

    /// AH=40; no bytes at all cut or grow the file to its position.
    pub(super) fn write_file(&mut self) -> Call {
        let entry = self.entry(self.bx())?;
        let (at, len) = self.buffer();
        let written = self.write_entry(entry, at, len)?;
        self.set_ax(written);
        Ok(())
    }

    /// AH=42.
    pub(super) fn seek_file(&mut self) -> Call {
        let entry = self.entry(self.bx())?;
        let distance = self.cx_dx();
        let origin = self.al();
        let file = self.dos.files.get(entry)?;
        let base = match (origin, file.kind) {
            (0, _) => 0,
            (1, _) => file.position,
            (2, FileKind::File(node)) => {
                self.host.files().attributes(node)?.size.min(u32::MAX.into()) as u32
            }
            (2, _) => file.position,
            _ => return Err(DosError::InvalidFunction.into()),
        };
        let file = self.dos.files.get(entry)?;
        if !file.kind.is_device() {
            file.position = base.wrapping_add(distance);
        }
        let position = file.position;
        self.show_file(entry);
        self.set_ax(position as u16);
        self.set_dx((position >> 16) as u16);
        Ok(())
    }

    /// AH=45.
    pub(super) fn duplicate(&mut self) -> Call {
        let entry = self.entry(self.bx())?;
        let handle = self.dos.psp.free_handle(&self.bus)?;
        self.dos.files.share(entry)?;
        self.show_file(entry);
        self.set_handle(handle, entry)?;
        self.set_ax(handle);
        Ok(())
    }

    /// AH=46.
    pub(super) fn duplicate_to(&mut self) -> Call {
        let entry = self.entry(self.bx())?;
        let to = self.cx();
        let at = self.dos.psp.handle_at(&self.bus, to)?;
        if to == self.bx() {
            return Ok(());
        }
        self.dos.files.share(entry)?;
        if self.bus.read8(at) != FREE {
            // What a program has written there may name nothing that is open.
            let _ = self.close(to);
        }
        self.show_file(entry);
        self.set_handle(to, entry)
    }

    /// AH=57: time of the last change; extended attributes (2 to 4), for programs of DOS 4.
    pub(super) fn file_time(&mut self) -> Call {
        let entry = self.entry(self.bx())?;
        let kind = self.dos.files.get(entry)?.kind;
        match (self.al(), kind) {
            (0, FileKind::File(node)) => {
                let modified = self.host.files().attributes(node)?.modified;
                let time = super::time::DateTime::from_ns(modified);
                self.set_cx(time.packed_time());
                self.set_dx(time.packed_date());
            }
            (0, _) => {
                let time = self.now();
                self.set_cx(time.packed_time());
                self.set_dx(time.packed_date());
            }
            (1, FileKind::File(node)) => {
                let time = super::time::DateTime::from_packed(self.dx(), self.cx());
                self.host.files().set_modified(node, time.to_ns())?;
            }
            (1, _) => {}
            (2 | 3, _) if self.told_version().0 == 4 => return self.extended_attributes(),
            // None is in the list that a program can have, so none is set.
            (4, _) if self.told_version().0 == 4 => {}
            _ => return Err(DosError::InvalidFunction.into()),
        }
        Ok(())
    }

    /// AX=5702, 5703: the list of a file's extended attributes, which has none but tells so: programs
    /// of DOS 4 that copy files give up where the functions are not there (MS-DOS 4.0's source,
    /// EXTATTR.ASM, GetSet_XA).
    fn extended_attributes(&mut self) -> Call {
        match self.cx() {
            0 => {}
            1 => return Err(DosError::InsufficientMemory.into()),
            _ => self.bus.write16(self.es_di(), 0),
        }
        self.set_cx(2);
        Ok(())
    }

    /// AH=68.
    pub(super) fn commit_file(&mut self) -> Call {
        self.entry(self.bx())?;
        Ok(())
    }

    /// AH=67: more handles than the PSP has room for lie in a block of their own, which is another
    /// one each time; handles that would be lost must be closed.
    pub(super) fn set_handle_count(&mut self) -> Call {
        let (psp, count) = (self.dos.psp, self.bx().max(TABLE_LEN));
        let old = psp.table_len(&self.bus);
        if count == u16::MAX {
            return Err(DosError::InvalidFunction.into());
        }
        if count == old {
            return Ok(());
        }
        for handle in count..old {
            if self.bus.read8(psp.handle_at(&self.bus, handle)?) != FREE {
                return Err(DosError::TooManyOpenFiles.into());
            }
        }
        let to = match count {
            TABLE_LEN => psp.own_table(),
            _ => self.handle_block(count)?,
        };
        let from = psp.table(&self.bus);
        psp.move_table(&mut self.bus, to, count);
        if from.offset == 0 {
            // A table at the beginning of a segment is a block; one that is none stays.
            let _ = self.dos.arena.free(&mut self.bus, from.segment);
        }
        Ok(())
    }

    /// Returns a new block for a table of handles.
    fn handle_block(&mut self, count: u16) -> Result<FarPointer, DosError> {
        let (arena, strategy) = (self.dos.arena, self.dos.strategy);
        let paragraphs = count.div_ceil(16);
        let block = arena.allocate(&mut self.bus, paragraphs, self.dos.psp.0, strategy);
        Ok(FarPointer::new(block.map_err(|(error, _)| error)?, 0))
    }

    /// Returns the entry of a handle of the current program.
    pub(super) fn entry(&mut self, handle: u16) -> Result<u8, DosError> {
        let at = self.dos.psp.handle_at(&self.bus, handle)?;
        let entry = self.bus.read8(at);
        self.dos.files.get(entry)?;
        Ok(entry)
    }

    /// Closes a handle of the current program.
    pub(super) fn close(&mut self, handle: u16) -> Call {
        let entry = self.entry(handle)?;
        self.set_handle(handle, FREE)?;
        self.release(entry)
    }

    /// Drops one reference to an entry.
    pub(super) fn release(&mut self, entry: u8) -> Call {
        let released = self.dos.files.release(entry)?;
        self.show_file(entry);
        if let Some(file) = released {
            self.forget_file(entry, &file);
        }
        Ok(())
    }

    /// Closes what is open when the session ends, by whatever: a program that is stopped closes nothing,
    /// and one that overwrote its handles cannot.
    pub(crate) fn close_everything(&mut self) {
        for (entry, file) in self.dos.files.take_all() {
            self.forget_file(entry, &file);
        }
    }

    /// Tells the host that an entry's file is closed.
    fn forget_file(&mut self, entry: u8, file: &OpenFile) {
        let FileKind::File(node) = file.kind else { return };
        if file.written {
            self.mark_changed(node);
        }
        self.forget_locks_of_entry(entry);
        self.host.files().closed(node, file.mode);
    }

    /// Sets the archive attribute of a file that was written.
    fn mark_changed(&mut self, node: Node) {
        // A file that is gone, or not to be marked, has been written nevertheless.
        let Ok(found) = self.host.files().attributes(node) else { return };
        if found.flags & flag::ARCHIVE == 0 {
            let _ = self.host.files().set_flags(node, found.flags | flag::ARCHIVE);
        }
    }

    /// Writes an entry to the system file table.
    pub(super) fn show_file(&mut self, entry: u8) {
        let file = self.dos.files.get(entry).ok();
        let shown = file.map(|file| (&*file, file.size));
        super::tables::write_file(&mut self.bus, entry, shown);
    }

    /// Reads from an open file to memory; the position moves on.
    pub(super) fn read_entry(
        &mut self,
        entry: u8,
        at: FarPointer,
        len: u16,
    ) -> Result<u16, Refusal> {
        let file = self.dos.files.get(entry)?.clone();
        if !file.is_readable() {
            return Err(DosError::AccessDenied.into());
        }
        self.check_locks(&file, len)?;
        let read = match file.kind {
            FileKind::Console => return self.read_console(file.raw, at, len),
            FileKind::Null | FileKind::Auxiliary | FileKind::Printer | FileKind::Clock => 0,
            FileKind::Stream(_) => {
                self.flush_output();
                self.transfer(at, len, |host, into| host.read_input(Wait::Forever, into))?
            }
            FileKind::File(node) => {
                let offset = file.position as u64;
                self.transfer(at, len, |host, into| host.files().read(node, offset, into))?
            }
        };
        let file = self.dos.files.get(entry)?;
        file.position = file.position.wrapping_add(read as u32);
        self.show_file(entry);
        Ok(read)
    }

    /// Writes memory to an open file; the position moves on.
    pub(super) fn write_entry(
        &mut self,
        entry: u8,
        at: FarPointer,
        len: u16,
    ) -> Result<u16, Refusal> {
        let file = self.dos.files.get(entry)?.clone();
        if let (FileKind::File(node), 0, true) = (file.kind, len, file.is_writable()) {
            self.check_locks(&file, len)?;
            self.host.files().resize(node, file.position as u64)?;
            self.note_written(entry, file.position)?;
            return Ok(0);
        }
        let mut bytes = vec![0; len as usize];
        self.bus.read(at, &mut bytes);
        self.write_bytes(entry, &bytes)
    }

    /// Writes bytes to an open file; the position moves on.
    pub(super) fn write_bytes(&mut self, entry: u8, bytes: &[u8]) -> Result<u16, Refusal> {
        let file = self.dos.files.get(entry)?.clone();
        if !file.is_writable() {
            return Err(DosError::AccessDenied.into());
        }
        self.check_locks(&file, bytes.len() as u16)?;
        match file.kind {
            FileKind::Console => self.print(bytes)?,
            FileKind::Printer => self.print_on_paper(bytes)?,
            FileKind::Auxiliary => self.send_to_auxiliary(bytes)?,
            FileKind::Stream(stream) => self.dos.output.print(&mut self.host, stream, bytes)?,
            FileKind::Null | FileKind::Clock | FileKind::File(_) => {}
        }
        let written = match file.kind {
            FileKind::File(node) => {
                match self.host.files().write(node, file.position as u64, bytes) {
                    // A full disk is told by the count, not by an error.
                    Err(HostError::NoSpace) => 0,
                    written => written? as u16,
                }
            }
            _ => bytes.len() as u16,
        };
        let file = self.dos.files.get(entry)?;
        file.position = file.position.wrapping_add(written as u32);
        let size = file.size.max(file.position);
        self.note_written(entry, size)?;
        Ok(written)
    }

    /// Notes that an open file was written and how long it is now.
    fn note_written(&mut self, entry: u8, size: u32) -> Result<(), DosError> {
        let file = self.dos.files.get(entry)?;
        file.size = size;
        file.written = true;
        self.show_file(entry);
        Ok(())
    }

    pub(super) fn set_handle(&mut self, handle: u16, entry: u8) -> Call {
        let at = self.dos.psp.handle_at(&self.bus, handle)?;
        self.bus.write8(at, entry);
        Ok(())
    }

    /// Lets the host write straight into guest memory where the range does not wrap.
    fn transfer(
        &mut self,
        at: FarPointer,
        len: u16,
        read: impl FnOnce(&mut H, &mut [u8]) -> Result<usize, HostError>,
    ) -> Result<u16, HostError> {
        if len == 0 {
            return Ok(0);
        }
        if let Some(into) = self.bus.slice_mut(at, len as usize) {
            return Ok(read(&mut self.host, into)?.min(len as usize) as u16);
        }
        let mut bytes: Vec<u8> = vec![0; len as usize];
        let count = read(&mut self.host, &mut bytes)?.min(len as usize);
        self.bus.write(at, &bytes[..count]);
        Ok(count as u16)
    }
}
