//! Opening: by name, with sharing modes, as new handles; the standard handles.

use super::files::{self, FileKind, OpenFile};
use super::find::attribute;
use super::paths::{DeviceName, Place, Target};
use super::{Call, DosError, Refusal};
use crate::host::{Attributes, FileTree, Host, HostError, NodeKind, OpenMode, Stream, flag};
use crate::session::Session;

/// Bits of the open mode (RBIL INT 21/AH=3D, table 01402).
const ACCESS: u8 = 7;
const PRIVATE: u8 = 0x80;
/// The mode in which a file is opened that is created.
const BOTH: u8 = 2;

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
        let handle = self.create(target, Existing::Truncate, self.cx(), BOTH)?;
        self.set_ax(handle);
        Ok(())
    }

    /// AH=5B.
    pub(super) fn create_new(&mut self) -> Call {
        let target = self.target_at_ds_dx()?;
        let handle = self.create(target, Existing::Refuse, self.cx(), BOTH)?;
        self.set_ax(handle);
        Ok(())
    }

    /// AH=5A: a name of its own in the directory at DS:DX, appended there.
    pub(super) fn create_temporary(&mut self) -> Call {
        let at = self.ds_dx();
        let mut path = self.path_at(at)?;
        if path.last().is_some_and(|byte| !matches!(byte, b'\\' | b'/' | b':')) {
            path.push(b'\\');
        }
        let seed = self.host.monotonic() as u32;
        for attempt in 0..100 {
            let name = alloc::format!("{:08X}", seed.wrapping_add(attempt));
            let full = [path.as_slice(), name.as_bytes()].concat();
            let target = self.target(&full)?;
            match self.create(target, Existing::Refuse, self.cx(), BOTH) {
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
        let path = self.path_at(self.ds_si())?;
        let (mode, action) = (self.bx() as u8, self.dx());
        let target = self.target(&path)?;
        let exists = !matches!(&target, Target::Place(place) if place.found.is_none());
        let (handle, taken) = match (exists, action & 0x0f, action >> 4 & 0x0f) {
            (true, 1, _) => (self.open(target, mode)?, 1),
            (true, 2, _) => (self.create(target, Existing::Truncate, self.cx(), mode)?, 3),
            (true, ..) => return Err(DosError::FileExists.into()),
            (false, _, 1) => (self.create(target, Existing::Refuse, self.cx(), mode)?, 2),
            (false, ..) => return Err(DosError::FileNotFound.into()),
        };
        self.set_ax(handle);
        self.set_cx(taken);
        Ok(())
    }

    /// Opens what exists, with the mode of AH=3D, as a new entry.
    pub(super) fn open_entry(&mut self, target: Target, mode: u8) -> Result<u8, Refusal> {
        let access = mode & ACCESS;
        if access > 2 {
            return Err(DosError::InvalidAccess.into());
        }
        let mut file = match target {
            Target::Device(device) => device_file(device),
            Target::Root(..) => return Err(DosError::AccessDenied.into()),
            Target::Place(place) => self.open_place(place, mode)?,
        };
        file.owner = self.dos.psp.0;
        Ok(self.add_file(file)?)
    }

    /// Adds what is open to the table; where there is no room, it is closed.
    pub(super) fn add_file(&mut self, file: OpenFile) -> Result<u8, DosError> {
        let (kind, mode) = (file.kind, file.mode);
        let added = self.dos.files.add(file);
        match (&added, kind) {
            (Ok(entry), _) => self.show_file(*entry),
            (Err(_), FileKind::File(node)) => self.host.files().closed(node, mode),
            (Err(_), _) => {}
        }
        added
    }

    /// Creates or truncates a file as a new entry, open for both.
    pub(super) fn create_entry(&mut self, target: Target, attributes: u16) -> Result<u8, Refusal> {
        self.create_entry_if(target, Existing::Truncate, attributes, BOTH)
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
        mode: u8,
    ) -> Result<u16, Refusal> {
        let handle = self.dos.psp.free_handle(&self.bus)?;
        let entry = self.create_entry_if(target, existing, attributes, mode)?;
        self.set_handle(handle, entry)?;
        Ok(handle)
    }

    fn create_entry_if(
        &mut self,
        target: Target,
        existing: Existing,
        attributes: u16,
        mode: u8,
    ) -> Result<u8, Refusal> {
        let place = match target {
            Target::Place(place) => place,
            device => return self.open_entry(device, mode),
        };
        if place.short.is_pattern() || attributes as u8 & attribute::DIRECTORY != 0 {
            return Err(DosError::AccessDenied.into());
        }
        if attributes as u8 & attribute::LABEL != 0 {
            return self.create_label(&place);
        }
        let created = match place.found {
            Some(_) if existing == Existing::Refuse => return Err(DosError::FileExists.into()),
            Some(found) if found.kind != NodeKind::File || found.is_read_only() => {
                return Err(DosError::AccessDenied.into());
            }
            Some(found) => found,
            None => match self.create_in(&place) {
                // A link to what is not there.
                Err(HostError::Exists) => return Err(DosError::AccessDenied.into()),
                created => created?,
            },
        };
        let entry =
            self.open_entry(Target::Place(Place { found: Some(created), ..place }), mode)?;
        let begun = self.begin_file(entry, &created, attributes as u8);
        if begun.is_err() {
            // The first error tells more.
            let _ = self.release(entry);
        }
        begun.map(|()| entry)
    }

    fn create_in(&mut self, place: &Place) -> Result<Attributes, HostError> {
        self.tree().create(place.directory, &place.name, NodeKind::File)
    }

    /// Empties a file that is created, and gives it its attributes.
    fn begin_file(&mut self, entry: u8, created: &Attributes, attributes: u8) -> Call {
        if created.size > 0 {
            self.host.files().resize(created.node, 0)?;
            self.dos.files.get(entry)?.size = 0;
            self.show_file(entry);
        }
        let flags = attributes & flag::ALL | flag::ARCHIVE;
        if flags != created.flags {
            self.host.files().set_flags(created.node, flags)?;
        }
        Ok(())
    }

    fn open_place(&mut self, place: Place, mode: u8) -> Result<OpenFile, Refusal> {
        let found = place.found.ok_or(DosError::FileNotFound)?;
        let access = mode & ACCESS;
        if found.kind != NodeKind::File || (found.is_read_only() && access != 0) {
            return Err(DosError::AccessDenied.into());
        }
        let mode_bits = OpenMode { access, sharing: mode >> 4 & 7 };
        self.host.files().opened(found.node, mode_bits)?;
        let mut file = OpenFile::new(FileKind::File(found.node), access);
        file.mode = mode_bits;
        file.private = mode & PRIVATE != 0;
        file.drive = place.drive;
        file.name = place.short;
        file.size = found.size.min(u32::MAX as u64) as u32;
        Ok(file)
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
            self.show_file(entry);
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
    let mut file = OpenFile::new(kind, 2);
    file.name = device.name();
    file
}
