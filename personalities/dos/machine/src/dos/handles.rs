//! Functions on handles: open, create, close, read, write, seek, duplicate.

use alloc::vec;
use alloc::vec::Vec;

use super::files::{self, FileKind, OpenFile};
use super::paths::{DeviceName, Place, Target};
use super::{Call, DosError, Refusal};
use crate::FarPointer;
use crate::host::{Host, HostError, NodeKind, OpenMode, Stream, Wait};
use crate::session::Session;

/// Attribute bit: read-only.
const READ_ONLY: u16 = 1;
/// Bits of the open mode (RBIL INT 21/AH=3D, table 01402).
const ACCESS: u8 = 7;
const PRIVATE: u8 = 0x80;

/// What creating does with a file that exists.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Existing {
    Truncate,
    Refuse,
}

impl<H: Host> Session<H> {
    /// AH=3C.
    pub(super) fn create_file(&mut self) -> Call {
        let target = self.target_at_ds_dx()?;
        let handle = self.create(target, Existing::Truncate, self.cx())?;
        self.set_ax(handle);
        Ok(())
    }

    /// AH=5B.
    pub(super) fn create_new(&mut self) -> Call {
        let target = self.target_at_ds_dx()?;
        let handle = self.create(target, Existing::Refuse, self.cx())?;
        self.set_ax(handle);
        Ok(())
    }

    /// AH=5A: a name of its own in the directory at DS:DX, appended there.
    pub(super) fn create_temporary(&mut self) -> Call {
        let at = self.ds_dx();
        let mut path = self.read_string(at, super::paths::PATH_MAX);
        if path.last().is_some_and(|byte| !matches!(byte, b'\\' | b'/' | b':')) {
            path.push(b'\\');
        }
        let seed = self.host.monotonic() as u32;
        for attempt in 0..100 {
            let name = alloc::format!("{:08X}", seed.wrapping_add(attempt));
            let full = [path.as_slice(), name.as_bytes()].concat();
            let target = self.target(&full)?;
            match self.create(target, Existing::Refuse, self.cx()) {
                Err(Refusal::Error(DosError::FileExists)) => {}
                created => {
                    self.set_ax(created?);
                    self.bus.write(at, &full);
                    self.bus.write8(at.add(full.len() as u16), 0);
                    return Ok(());
                }
            }
        }
        Err(DosError::FileExists.into())
    }

    /// AH=3D.
    pub(super) fn open_file(&mut self) -> Call {
        let target = self.target_at_ds_dx()?;
        let handle = self.open(target, self.al())?;
        self.set_ax(handle);
        Ok(())
    }

    /// AH=6C: opens, creates or replaces, as DX says; CX tells which.
    pub(super) fn extended_open(&mut self) -> Call {
        let path = self.read_string(self.ds_si(), super::paths::PATH_MAX);
        let (mode, action) = (self.bx() as u8, self.dx());
        let target = self.target(&path)?;
        let exists = !matches!(&target, Target::Place(place) if place.found.is_none());
        let (handle, taken) = match (exists, action & 0x0f, action >> 4 & 0x0f) {
            (true, 1, _) => (self.open(target, mode)?, 1),
            (true, 2, _) => (self.create(target, Existing::Truncate, self.cx())?, 3),
            (true, ..) => return Err(DosError::FileExists.into()),
            (false, _, 1) => (self.create(target, Existing::Refuse, self.cx())?, 2),
            (false, ..) => return Err(DosError::FileNotFound.into()),
        };
        self.set_ax(handle);
        self.set_cx(taken);
        Ok(())
    }

    /// AH=3E.
    pub(super) fn close_file(&mut self) -> Call {
        self.close(self.bx())
    }

    /// AH=3F.
    pub(super) fn read_file(&mut self) -> Call {
        let entry = self.entry(self.bx())?;
        let read = self.read_entry(entry, self.ds_dx(), self.cx())?;
        self.set_ax(read);
        Ok(())
    }

    /// AH=40; no bytes at all cut or grow the file to its position.
    pub(super) fn write_file(&mut self) -> Call {
        let entry = self.entry(self.bx())?;
        let written = self.write_entry(entry, self.ds_dx(), self.cx())?;
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
            (2, FileKind::File(node)) => self.host.attributes(node)?.size as u32,
            (2, _) => file.position,
            _ => return Err(DosError::InvalidFunction.into()),
        };
        let file = self.dos.files.get(entry)?;
        if !file.kind.is_device() {
            file.position = base.wrapping_add(distance);
        }
        let position = file.position;
        self.set_ax(position as u16);
        self.set_dx((position >> 16) as u16);
        Ok(())
    }

    /// AH=45.
    pub(super) fn duplicate(&mut self) -> Call {
        let entry = self.entry(self.bx())?;
        let handle = self.dos.psp.free_handle(&self.bus)?;
        self.dos.files.share(entry)?;
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
        if self.bus.read8(at) != super::psp::FREE {
            self.close(to)?;
        }
        self.set_handle(to, entry)
    }

    /// AH=57: time of the last change.
    pub(super) fn file_time(&mut self) -> Call {
        let entry = self.entry(self.bx())?;
        let kind = self.dos.files.get(entry)?.kind;
        match (self.al(), kind) {
            (0, FileKind::File(node)) => {
                let modified = self.host.attributes(node)?.modified;
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
                self.host.set_modified(node, time.to_ns())?;
            }
            (1, _) => {}
            _ => return Err(DosError::InvalidFunction.into()),
        }
        Ok(())
    }

    /// AH=68.
    pub(super) fn commit_file(&mut self) -> Call {
        self.entry(self.bx())?;
        Ok(())
    }

    /// AH=67: more handles than the PSP has room for lie in a block of their own.
    pub(super) fn set_handle_count(&mut self) -> Call {
        let (psp, count) = (self.dos.psp, self.bx());
        if count <= psp.table_len(&self.bus) {
            return Ok(());
        }
        let paragraphs = count.div_ceil(16);
        let (arena, strategy) = (self.dos.arena, self.dos.strategy);
        let segment = arena
            .allocate(&mut self.bus, paragraphs, psp.0, strategy)
            .map_err(|(error, _)| error)?;
        psp.move_table(&mut self.bus, FarPointer::new(segment, 0), count);
        Ok(())
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
        self.set_handle(handle, super::psp::FREE)?;
        self.release(entry)
    }

    /// Drops one reference to an entry.
    pub(super) fn release(&mut self, entry: u8) -> Call {
        if let Some(file) = self.dos.files.release(entry)?
            && let FileKind::File(node) = file.kind
        {
            self.host.closed(node, file.mode);
        }
        Ok(())
    }

    /// Opens what exists, with the mode of AH=3D, as a new entry.
    pub(super) fn open_entry(&mut self, target: Target, mode: u8) -> Result<u8, Refusal> {
        let access = mode & ACCESS;
        if access > 2 {
            return Err(DosError::InvalidAccess.into());
        }
        let file = match target {
            Target::Device(device) => device_file(device),
            Target::Root(..) => return Err(DosError::AccessDenied.into()),
            Target::Place(place) => self.open_place(place, mode)?,
        };
        let (kind, mode) = (file.kind, file.mode);
        self.dos.files.add(file).map_err(|error| {
            if let FileKind::File(node) = kind {
                self.host.closed(node, mode);
            }
            error.into()
        })
    }

    /// Creates or truncates a file as a new entry, open for both.
    pub(super) fn create_entry(&mut self, target: Target, attributes: u16) -> Result<u8, Refusal> {
        self.create_entry_if(target, Existing::Truncate, attributes)
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
        let read = match file.kind {
            FileKind::Console => return self.read_console(file.raw, at, len),
            FileKind::Null | FileKind::Auxiliary | FileKind::Printer | FileKind::Clock => 0,
            FileKind::Stream(_) => {
                self.flush_output();
                self.transfer(at, len, |host, into| host.read_input(Wait::Forever, into))?
            }
            FileKind::File(node) => {
                let offset = file.position as u64;
                self.transfer(at, len, |host, into| host.read(node, offset, into))?
            }
        };
        let file = self.dos.files.get(entry)?;
        file.position = file.position.wrapping_add(read as u32);
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
        if !file.is_writable() {
            return Err(DosError::AccessDenied.into());
        }
        let mut bytes = vec![0; len as usize];
        self.bus.read(at, &mut bytes);
        let written = match file.kind {
            FileKind::Console => {
                self.print(&bytes)?;
                len
            }
            FileKind::Null | FileKind::Auxiliary | FileKind::Printer | FileKind::Clock => len,
            FileKind::Stream(stream) => {
                self.dos.output.print(&mut self.host, stream, &bytes)?;
                len
            }
            FileKind::File(node) if len == 0 => {
                self.host.resize(node, file.position as u64)?;
                0
            }
            FileKind::File(node) => match self.host.write(node, file.position as u64, &bytes) {
                // A full disk is told by the count, not by an error.
                Err(HostError::NoSpace) => 0,
                written => written? as u16,
            },
        };
        let file = self.dos.files.get(entry)?;
        file.position = file.position.wrapping_add(written as u32);
        file.written = true;
        Ok(written)
    }

    fn open(&mut self, target: Target, mode: u8) -> Result<u16, Refusal> {
        let handle = self.dos.psp.free_handle(&self.bus)?;
        let entry = self.open_entry(target, mode)?;
        self.set_handle(handle, entry)?;
        Ok(handle)
    }

    fn create(
        &mut self,
        target: Target,
        existing: Existing,
        attributes: u16,
    ) -> Result<u16, Refusal> {
        let handle = self.dos.psp.free_handle(&self.bus)?;
        let entry = self.create_entry_if(target, existing, attributes)?;
        self.set_handle(handle, entry)?;
        Ok(handle)
    }

    fn create_entry_if(
        &mut self,
        target: Target,
        existing: Existing,
        attributes: u16,
    ) -> Result<u8, Refusal> {
        let place = match target {
            Target::Place(place) => place,
            device => return self.open_entry(device, 2),
        };
        if place.short.is_pattern() || attributes & 0x18 != 0 {
            return Err(DosError::AccessDenied.into());
        }
        let created = match place.found {
            Some(_) if existing == Existing::Refuse => return Err(DosError::FileExists.into()),
            Some(found) if found.kind != NodeKind::File || found.read_only => {
                return Err(DosError::AccessDenied.into());
            }
            Some(found) => found,
            None => self.host.create(place.directory, &place.name, NodeKind::File)?,
        };
        let entry = self.open_entry(Target::Place(Place { found: Some(created), ..place }), 2)?;
        if existing == Existing::Truncate && created.size > 0 {
            self.host.resize(created.node, 0)?;
        }
        if attributes & READ_ONLY != 0 {
            self.host.set_read_only(created.node, true)?;
        }
        Ok(entry)
    }

    fn open_place(&mut self, place: Place, mode: u8) -> Result<OpenFile, Refusal> {
        let found = place.found.ok_or(DosError::FileNotFound)?;
        let access = mode & ACCESS;
        if found.kind != NodeKind::File || (found.read_only && access != 0) {
            return Err(DosError::AccessDenied.into());
        }
        let mode_bits = OpenMode { access, sharing: mode >> 4 & 7 };
        self.host.opened(found.node, mode_bits)?;
        let mut file = OpenFile::new(FileKind::File(found.node), access);
        file.mode = mode_bits;
        file.private = mode & PRIVATE != 0;
        file.drive = place.drive;
        Ok(file)
    }

    fn set_handle(&mut self, handle: u16, entry: u8) -> Call {
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

    /// Gives the first program its handles: 01 01 01 00 02, or the streams that are no terminal.
    pub(super) fn open_standard_handles(&mut self) -> Call {
        let streams = [Stream::Input, Stream::Output, Stream::Error];
        for (handle, stream) in streams.into_iter().enumerate() {
            let entry = if self.host.is_terminal(stream) {
                self.dos.files.share(files::CONSOLE)?;
                files::CONSOLE
            } else {
                let access = if stream == Stream::Input { 0 } else { 1 };
                self.dos.files.add(OpenFile::new(FileKind::Stream(stream), access))?
            };
            self.set_handle(handle as u16, entry)?;
        }
        self.set_handle(3, files::AUXILIARY)?;
        self.set_handle(4, files::PRINTER)
    }
}

fn device_file(device: DeviceName) -> OpenFile {
    let kind = match device {
        DeviceName::Console => FileKind::Console,
        DeviceName::Null => FileKind::Null,
        DeviceName::Auxiliary => FileKind::Auxiliary,
        DeviceName::Printer => FileKind::Printer,
        DeviceName::Clock => FileKind::Clock,
    };
    OpenFile::new(kind, 2)
}
