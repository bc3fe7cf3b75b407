//! Loading programs: .COM and .EXE images into memory, with their PSP and environment.
//!
//! Nothing is left allocated when loading fails. Registers at the entry are those that COMMAND.COM
//! leaves (seen in traces; AX tells whether the FCBs' drives exist).

use alloc::vec;
use alloc::vec::Vec;

use super::mz::{self, Mz};
use super::psp::{self, Psp};
use super::{DosError, Refusal, Strategy};
use crate::FarPointer;
use crate::host::{Attributes, FileTree, Host, NodeKind};
use crate::session::Session;

/// Offset at which a .COM program begins.
const COM_ENTRY: u16 = 0x100;
/// Largest .COM file: a segment without PSP and a word of stack.
const COM_MAX: u64 = 0x10000 - 0x100 - 2;
/// Largest environment (MS-DOS Programmer's Reference).
pub const ENVIRONMENT_MAX: usize = 32 * 1024;

/// Why a program was not loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LoadError {
    /// For the program that asked.
    Refused(Refusal),
    /// The file is malformed; the text says how.
    Format(&'static str),
    /// Its segment has no room for a .COM program.
    TooLarge,
}

impl From<Refusal> for LoadError {
    fn from(refusal: Refusal) -> Self {
        LoadError::Refused(refusal)
    }
}

impl From<DosError> for LoadError {
    fn from(error: DosError) -> Self {
        LoadError::Refused(error.into())
    }
}

impl From<crate::host::HostError> for LoadError {
    fn from(error: crate::host::HostError) -> Self {
        LoadError::Refused(error.into())
    }
}

impl From<mz::MzError> for LoadError {
    fn from(error: mz::MzError) -> Self {
        LoadError::Format(error.text())
    }
}

/// Where a loaded program starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) psp: Psp,
    pub(super) code: FarPointer,
    pub(super) stack: FarPointer,
}

impl<H: Host> Session<H> {
    /// Loads a program's image and makes its PSP and environment block.
    pub(super) fn load_program(
        &mut self,
        file: Attributes,
        path: &[u8],
        environment: &[u8],
        parent: Psp,
    ) -> Result<Entry, LoadError> {
        if file.kind != NodeKind::File {
            return Err(DosError::AccessDenied.into());
        }
        let full_path = self.true_name(path)?;
        let environment = self.make_environment(environment, &full_path)?;
        let loaded = self.load_image(file, parent);
        let segment = environment;
        match loaded {
            Ok(entry) => {
                let arena = self.dos.arena;
                let name = block_name(&full_path);
                arena.set_owner(&mut self.bus, segment, entry.psp.0, &[0; 8])?;
                arena.set_owner(&mut self.bus, entry.psp.0, entry.psp.0, &name)?;
                entry.psp.set_environment(&mut self.bus, segment);
                let version = self.version_for(&full_path);
                entry.psp.set_version(&mut self.bus, version);
                Ok(entry)
            }
            Err(error) => {
                // Fails only where programs destroyed the chain; the first error tells more.
                let _ = self.dos.arena.free(&mut self.bus, segment);
                Err(error)
            }
        }
    }

    /// Returns the version that a program is told, by its name: SETVER's table, or the system's.
    fn version_for(&self, path: &[u8]) -> (u8, u8) {
        let file = path.rsplit(|byte| *byte == b'\\').next().unwrap_or_default();
        let known = self.dos.versions.iter().find(|(name, _)| name.eq_ignore_ascii_case(file));
        known.map_or(self.dos.version, |(_, version)| *version)
    }

    /// Loads an image at a segment, relocated by another: AX=4B03.
    pub(super) fn load_overlay(
        &mut self,
        file: Attributes,
        segment: u16,
        factor: u16,
    ) -> Result<(), LoadError> {
        match self.exe_header(file)? {
            Some(mz) => self.read_exe(file, &mz, segment, factor),
            None => self.read_image(file, 0, segment, file.size.min(0xa0000) as u32),
        }
    }

    fn load_image(&mut self, file: Attributes, parent: Psp) -> Result<Entry, LoadError> {
        match self.exe_header(file)? {
            Some(mz) => self.load_exe(file, &mz, parent),
            None => self.load_com(file, parent),
        }
    }

    fn exe_header(&mut self, file: Attributes) -> Result<Option<Mz>, LoadError> {
        let mut head = [0; mz::HEADER_BYTES];
        let len = self.host.files().read(file.node, 0, &mut head)?;
        let head = &head[..len.min(mz::HEADER_BYTES)];
        if head.starts_with(b"\x7fELF") {
            return Err(LoadError::Format("it is an ELF program, not one for DOS"));
        }
        if !mz::is_mz(head) {
            return Ok(None);
        }
        Ok(Some(Mz::parse(head, file.size)?))
    }

    fn load_com(&mut self, file: Attributes, parent: Psp) -> Result<Entry, LoadError> {
        if file.size > COM_MAX {
            return Err(LoadError::TooLarge);
        }
        if file.size == 0 {
            return Err(LoadError::Format("the file is empty"));
        }
        let needed = psp::PARAGRAPHS + (file.size as u16).div_ceil(16) + 1;
        let (psp, paragraphs) = self.allocate_program(needed, u16::MAX, parent)?;
        let loaded = self.read_image(file, 0, psp.0 + psp::PARAGRAPHS, file.size as u32);
        self.free_unless(loaded, psp)?;
        let top = if paragraphs >= 0x1000 { 0xfffe } else { paragraphs * 16 - 2 };
        let stack = FarPointer::new(psp.0, top);
        self.bus.write16(stack, 0);
        Ok(Entry { psp, code: FarPointer::new(psp.0, COM_ENTRY), stack })
    }

    fn load_exe(&mut self, file: Attributes, mz: &Mz, parent: Psp) -> Result<Entry, LoadError> {
        let image = mz.paragraphs + psp::PARAGRAPHS;
        let needed = image.checked_add(mz.minimum).ok_or(DosError::InsufficientMemory)?;
        // Neither minimum nor maximum means: all memory, the image at its end.
        let high = mz.maximum == 0 && mz.minimum == 0;
        let wanted = if high { u16::MAX } else { mz.maximum };
        let wanted = image.saturating_add(wanted).max(needed);
        let (psp, paragraphs) = self.allocate_program(needed, wanted, parent)?;
        let lowest = psp.0 + psp::PARAGRAPHS;
        let base = if high { psp.0 + paragraphs - mz.paragraphs } else { lowest };
        let loaded = self.read_exe(file, mz, base, base);
        self.free_unless(loaded, psp)?;
        Ok(Entry {
            psp,
            code: FarPointer::new(base.wrapping_add(mz.cs), mz.ip),
            stack: FarPointer::new(base.wrapping_add(mz.ss), mz.sp),
        })
    }

    fn free_unless(&mut self, loaded: Result<(), LoadError>, psp: Psp) -> Result<(), LoadError> {
        if loaded.is_err() {
            // Fails only where programs destroyed the chain; the first error tells more.
            let _ = self.dos.arena.free(&mut self.bus, psp.0);
        }
        loaded
    }

    /// Allocates a program's block, as large as wanted and possible, and makes its PSP.
    pub(super) fn allocate_program(
        &mut self,
        needed: u16,
        wanted: u16,
        parent: Psp,
    ) -> Result<(Psp, u16), LoadError> {
        let arena = self.dos.arena;
        let preference = self.preference();
        let largest = arena.largest_where(&mut self.bus, needed, preference)?;
        if largest < needed {
            return Err(DosError::InsufficientMemory.into());
        }
        let paragraphs = wanted.min(largest);
        let owner = super::layout::SYSTEM_OWNER;
        let segment = arena
            .allocate_where(&mut self.bus, paragraphs, owner, Strategy::First, preference)
            .map_err(|(error, _)| error)?;
        let psp = Psp(segment);
        psp.create(&mut self.bus, parent, segment + paragraphs);
        Ok((psp, paragraphs))
    }

    fn read_exe(
        &mut self,
        file: Attributes,
        mz: &Mz,
        base: u16,
        factor: u16,
    ) -> Result<(), LoadError> {
        self.read_image(file, mz.image_at, base, mz.image_bytes)?;
        let mut table = vec![0; mz.relocations as usize * 4];
        let len = self.host.files().read(file.node, mz.relocations_at as u64, &mut table)?;
        for relocation in table[..len.min(table.len())].chunks_exact(4) {
            let offset = u16::from_le_bytes([relocation[0], relocation[1]]);
            let segment = u16::from_le_bytes([relocation[2], relocation[3]]);
            let at = FarPointer::new(base.wrapping_add(segment), offset);
            let value = self.bus.read16(at);
            self.bus.write16(at, value.wrapping_add(factor));
        }
        Ok(())
    }

    fn read_image(
        &mut self,
        file: Attributes,
        from: u32,
        segment: u16,
        len: u32,
    ) -> Result<(), LoadError> {
        let mut done = 0;
        while done < len {
            let chunk = (len - done).min(0x8000);
            let at = FarPointer::new(segment.wrapping_add((done / 16) as u16), 0);
            let into =
                self.bus.slice_mut(at, chunk as usize).ok_or(DosError::InsufficientMemory)?;
            let read = self.host.files().read(file.node, from as u64 + done as u64, into)?;
            if read < chunk as usize {
                return Err(LoadError::Format("the file ends while it is read"));
            }
            done += chunk;
        }
        Ok(())
    }

    /// Makes an environment block: strings, an empty one, 0001, the program's path.
    pub(super) fn make_environment(
        &mut self,
        strings: &[u8],
        path: &[u8],
    ) -> Result<u16, LoadError> {
        let mut block: Vec<u8> = strings.to_vec();
        if block.is_empty() {
            block.push(0);
        }
        block.push(0);
        block.extend([1, 0]);
        block.extend(path);
        block.push(0);
        if block.len() > ENVIRONMENT_MAX {
            return Err(DosError::InvalidEnvironment.into());
        }
        let paragraphs = (block.len() as u16).div_ceil(16);
        let owner = super::layout::SYSTEM_OWNER;
        let segment = self
            .dos
            .arena
            .allocate(&mut self.bus, paragraphs, owner, Strategy::First)
            .map_err(|(error, _)| error)?;
        self.bus.write(FarPointer::new(segment, 0), &block);
        Ok(segment)
    }
}

/// Returns a program's name as its memory block carries it.
pub(super) fn block_name(path: &[u8]) -> [u8; 8] {
    let file = path.rsplit(|byte| *byte == b'\\').next().unwrap_or_default();
    let mut name = [0; 8];
    for (place, byte) in name.iter_mut().zip(file.iter().take_while(|byte| **byte != b'.')) {
        *place = *byte;
    }
    name
}
