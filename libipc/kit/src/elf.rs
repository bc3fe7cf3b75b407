//! Checked view of ELF64 x86-64 executables: what to load where, or why not.
//!
//! [`Executable::parse`] needs the head of a file only, so that a loader can copy the segments'
//! bytes straight from the file to memory objects. It accepts static executables (`ET_EXEC`) and
//! static-PIE ones (`ET_DYN` without interpreter) and turns every other header into an error.
//! Users: [`crate::process`] for native programs, the UNIX personality for Linux'.
//!
//! Layouts: System V gABI 4.1 chapters 4 and 5, x86-64 psABI 1.0 chapter 4.

use ::elf::{abi, endian::LittleEndian, file, segment::ProgramHeader, segment::SegmentTable};
use alloc::vec::Vec;

use crate::image::NATIVE_OSABI;

/// Bytes from the beginning of a file that hold all that [`Executable::parse`] reads in any
/// program that a linker made: ELF header, program headers, the interpreter's name.
pub const HEAD: usize = 4096;
/// Most program headers.
pub const MAX_HEADERS: usize = 64;
/// Bytes of one program header (gABI `Elf64_Phdr`).
pub const HEADER_BYTES: u64 = 56;

const PAGE: u64 = 4096;
/// The end of user space (kamen-abi's `USER_END`).
const END: u64 = 0x0000_7fff_ffff_f000;
/// Bytes of the ELF header (gABI `Elf64_Ehdr`).
const FILE_HEADER: usize = 64;

/// Why a file cannot be executed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ElfError {
    /// The file is no ELF file.
    NotElf,
    /// The program is for another machine, or a 32-bit one.
    WrongMachine,
    /// The file is no program but an object file or core dump.
    WrongType,
    /// The program is dynamically linked and needs this interpreter.
    Dynamic(Vec<u8>),
    /// The file ends before what its headers name.
    Truncated,
    /// There are no loadable segments, or more headers than [`MAX_HEADERS`].
    SegmentCount,
    /// A segment lies outside user space, or its sizes contradict each other.
    BadSegment,
    /// Two segments share a page.
    Overlap,
    /// The entry point is in no executable segment.
    BadEntry,
}

/// Whose system calls a program makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Abi {
    /// Linux'.
    Linux,
    /// This system's own.
    Native,
}

/// Whether a program chooses its addresses itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Placement {
    /// Addresses are final.
    Fixed,
    /// Addresses are relative to a page-aligned base that the loader chooses.
    Relocatable,
}

/// What a program may do with a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access {
    /// It may read.
    pub read: bool,
    /// It may write.
    pub write: bool,
    /// It may execute.
    pub execute: bool,
}

/// A loadable segment. `file_len <= memory_len`, and address and file offset are congruent modulo
/// the page size where there are bytes in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Address of the first byte.
    pub address: u64,
    /// Bytes in memory; those after the file's are zero.
    pub memory_len: u64,
    /// Offset of the first byte in the file.
    pub file_offset: u64,
    /// Bytes in the file.
    pub file_len: u64,
    /// What the program may do with it.
    pub access: Access,
}

impl Segment {
    /// Returns the address of the first page.
    pub const fn first_page(&self) -> u64 {
        self.address & !(PAGE - 1)
    }

    /// Returns the number of pages.
    pub const fn pages(&self) -> u64 {
        (self.end().next_multiple_of(PAGE) - self.first_page()) / PAGE
    }

    /// Returns the address after the last byte.
    pub const fn end(&self) -> u64 {
        self.address + self.memory_len
    }
}

/// A program that can be loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Executable {
    /// Whose system calls it makes.
    pub abi: Abi,
    /// Whether its addresses are final.
    pub placement: Placement,
    /// Address of the first instruction.
    pub entry: u64,
    /// Segments in ascending order of address, no page in two of them.
    pub segments: Vec<Segment>,
    /// Address of the program headers, where a segment holds them (auxiliary vector `AT_PHDR`).
    pub headers_at: Option<u64>,
    /// Number of program headers (`AT_PHNUM`), each of [`HEADER_BYTES`] (`AT_PHENT`).
    pub headers: u64,
}

impl Executable {
    /// Returns the program whose file begins with `head` ([`HEAD`] bytes, or all of it) and is
    /// `file_len` bytes long.
    ///
    /// # Errors
    /// Whatever is wrong with the headers first.
    pub fn parse(head: &[u8], file_len: u64) -> Result<Self, ElfError> {
        let header = file_header(head)?;
        let placement = match header.e_type {
            abi::ET_EXEC => Placement::Fixed,
            abi::ET_DYN => Placement::Relocatable,
            _ => return Err(ElfError::WrongType),
        };
        let table = program_headers(head, &header)?;
        if let Some(interpreter) = table.iter().find(|header| header.p_type == abi::PT_INTERP) {
            return Err(ElfError::Dynamic(interpreter_name(head, &interpreter)));
        }
        let segments = loadable(&table, file_len)?;
        let entered = |segment: &Segment| {
            segment.access.execute && (segment.address..segment.end()).contains(&header.e_entry)
        };
        if !segments.iter().any(entered) {
            return Err(ElfError::BadEntry);
        }
        Ok(Executable {
            abi: if header.osabi == NATIVE_OSABI { Abi::Native } else { Abi::Linux },
            placement,
            entry: header.e_entry,
            headers_at: headers_at(&segments, header.e_phoff, header.e_phnum),
            headers: u64::from(header.e_phnum),
            segments,
        })
    }

    /// Returns the first and the end address of everything to load, in whole pages.
    pub fn extent(&self) -> core::ops::Range<u64> {
        let first = self.segments.first().map_or(0, Segment::first_page);
        let end = self.segments.last().map_or(0, |last| last.end().next_multiple_of(PAGE));
        first..end
    }
}

fn file_header(head: &[u8]) -> Result<file::FileHeader<LittleEndian>, ElfError> {
    if !head.starts_with(&abi::ELFMAGIC) {
        return Err(ElfError::NotElf);
    }
    let (ident, tail) = head
        .split_at_checked(abi::EI_NIDENT)
        .filter(|_| head.len() >= FILE_HEADER)
        .ok_or(ElfError::Truncated)?;
    // The crate would take 32-bit and big-endian files as well; they are another machine's.
    let ident = file::parse_ident::<LittleEndian>(ident).map_err(|_| ElfError::WrongMachine)?;
    if ident.1 != file::Class::ELF64 {
        return Err(ElfError::WrongMachine);
    }
    let header = file::FileHeader::parse_tail(ident, tail).map_err(|_| ElfError::Truncated)?;
    if header.e_machine != abi::EM_X86_64 {
        return Err(ElfError::WrongMachine);
    }
    Ok(header)
}

fn program_headers<'a>(
    head: &'a [u8],
    header: &file::FileHeader<LittleEndian>,
) -> Result<SegmentTable<'a, LittleEndian>, ElfError> {
    let count = usize::from(header.e_phnum);
    // gABI: PN_XNUM (65,535 and more headers) is far over the bound as well.
    if count == 0 || count > MAX_HEADERS || u64::from(header.e_phentsize) != HEADER_BYTES {
        return Err(ElfError::SegmentCount);
    }
    let first = usize::try_from(header.e_phoff).map_err(|_| ElfError::Truncated)?;
    let end = first.checked_add(count * HEADER_BYTES as usize).ok_or(ElfError::Truncated)?;
    let bytes = head.get(first..end).ok_or(ElfError::Truncated)?;
    Ok(SegmentTable::new(LittleEndian, file::Class::ELF64, bytes))
}

/// Returns the interpreter's path, empty where it lies outside of the head.
fn interpreter_name(head: &[u8], header: &ProgramHeader) -> Vec<u8> {
    let bytes = usize::try_from(header.p_offset).ok().and_then(|first| {
        let end = first.checked_add(usize::try_from(header.p_filesz).ok()?)?;
        head.get(first..end)
    });
    bytes.unwrap_or(&[]).split(|&byte| byte == 0).next().unwrap_or(&[]).to_vec()
}

fn loadable(
    table: &SegmentTable<'_, LittleEndian>,
    file_len: u64,
) -> Result<Vec<Segment>, ElfError> {
    let mut segments = Vec::new();
    for header in table.iter() {
        if header.p_type == abi::PT_LOAD && header.p_memsz > 0 {
            segments.push(segment(&header, file_len)?);
        }
    }
    if segments.is_empty() {
        return Err(ElfError::SegmentCount);
    }
    segments.sort_unstable_by_key(|segment| segment.address);
    let overlap = |pair: &[Segment]| pair[0].end().next_multiple_of(PAGE) > pair[1].first_page();
    if segments.windows(2).any(overlap) { Err(ElfError::Overlap) } else { Ok(segments) }
}

fn segment(header: &ProgramHeader, file_len: u64) -> Result<Segment, ElfError> {
    let ProgramHeader { p_vaddr, p_memsz, p_offset, p_filesz, p_flags, .. } = *header;
    let end = p_vaddr.checked_add(p_memsz).ok_or(ElfError::BadSegment)?;
    let congruent = p_filesz == 0 || p_vaddr % PAGE == p_offset % PAGE;
    if end > END || p_filesz > p_memsz || !congruent {
        return Err(ElfError::BadSegment);
    }
    if p_offset.checked_add(p_filesz).is_none_or(|end| end > file_len) {
        return Err(ElfError::Truncated);
    }
    Ok(Segment {
        address: p_vaddr,
        memory_len: p_memsz,
        file_offset: p_offset,
        file_len: p_filesz,
        access: Access {
            read: p_flags & abi::PF_R != 0,
            write: p_flags & abi::PF_W != 0,
            execute: p_flags & abi::PF_X != 0,
        },
    })
}

/// Returns where the program headers lie in memory: like Linux, by their offset in the file and
/// not by `PT_PHDR`, which static programs may lack.
fn headers_at(segments: &[Segment], offset: u64, count: u16) -> Option<u64> {
    let bytes = u64::from(count) * HEADER_BYTES;
    segments.iter().find_map(|segment| {
        let within = offset.checked_sub(segment.file_offset)?;
        let fits = within.checked_add(bytes)? <= segment.file_len;
        fits.then_some(segment.address + within)
    })
}

#[cfg(test)]
pub(crate) mod tests;
