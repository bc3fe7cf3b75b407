//! The first task's executable: which pages go where.

use core::ops::Range;

use elf::ElfBytes;
use elf::abi::{EM_X86_64, ET_EXEC, PF_W, PF_X, PT_LOAD};
use elf::endian::LittleEndian;
use elf::segment::ProgramHeader;
use kamen_core::{Access, Segment};

use crate::BootError;
use crate::memory_map::{PAGE, frames};

/// Segments that the first task may have.
pub const MAX_SEGMENTS: usize = 8;

/// The first task, as it is to be loaded.
pub struct FirstTask {
    /// Where it begins to run.
    pub entry: usize,
    segments: [Segment; MAX_SEGMENTS],
    count: usize,
}

impl FirstTask {
    /// Reads an executable that begins at a page of physical memory.
    ///
    /// # Errors
    /// [`BootError::BadFirstTask`] where it is not a static x86-64 executable, or a segment is
    /// outside of user space, writable and executable, or not congruent to the file.
    pub fn parse(image: &[u8], physical: u64) -> Result<Self, BootError> {
        Self::read(image, physical).ok_or(BootError::BadFirstTask)
    }

    /// Returns the segments to load.
    pub fn segments(&self) -> &[Segment] {
        &self.segments[..self.count]
    }

    fn read(image: &[u8], physical: u64) -> Option<Self> {
        let elf = ElfBytes::<LittleEndian>::minimal_parse(image).ok()?;
        if elf.ehdr.e_type != ET_EXEC || elf.ehdr.e_machine != EM_X86_64 {
            return None;
        }
        let segments = [const { EMPTY }; MAX_SEGMENTS];
        let mut task = FirstTask { entry: elf.ehdr.e_entry as usize, segments, count: 0 };
        for header in elf.segments()?.iter() {
            if header.p_type == PT_LOAD && header.p_memsz != 0 {
                *task.segments.get_mut(task.count)? = segment(&header, image, physical)?;
                task.count += 1;
            }
        }
        Some(task)
    }
}

const EMPTY: Segment =
    Segment { address: 0, pages: 0, access: Access::Read, image: 0..0, image_len: 0 };

/// Returns a segment with whole pages. The image begins with what precedes the segment in its
/// first page of the file, as the file's pages are the memory's.
fn segment(header: &ProgramHeader, image: &[u8], physical: u64) -> Option<Segment> {
    let lead = header.p_vaddr % PAGE;
    let end = header.p_vaddr.checked_add(header.p_memsz)?;
    let file = header.p_offset..header.p_offset.checked_add(header.p_filesz)?;
    if header.p_offset % PAGE != lead
        || header.p_filesz > header.p_memsz
        || file.end > image.len() as u64
        || end > kamen_abi::USER_END as u64
    {
        return None;
    }
    let pages: Range<u64> = header.p_vaddr / PAGE..end.div_ceil(PAGE);
    let image_len = if header.p_filesz == 0 { 0 } else { lead + header.p_filesz };
    let first = physical + file.start - lead;
    Some(Segment {
        address: (pages.start * PAGE) as usize,
        pages: (pages.end - pages.start) as usize,
        access: access(header.p_flags)?,
        image: frames(&(first..first + image_len)),
        image_len: image_len as usize,
    })
}

fn access(flags: u32) -> Option<Access> {
    match (flags & PF_W != 0, flags & PF_X != 0) {
        (false, false) => Some(Access::Read),
        (true, false) => Some(Access::Write),
        (false, true) => Some(Access::Execute),
        (true, true) => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    /// An executable with one segment: flags, offset, address, file bytes, memory bytes.
    pub(crate) fn executable(flags: u32, words: [u64; 4]) -> Vec<u8> {
        let mut bytes = std::vec![0; 0x3000];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, b"\x7fELF\x02\x01\x01");
        put(16, &[2, 0, 62, 0, 1]);
        put(24, &0x20_1234u64.to_le_bytes());
        put(32, &64u64.to_le_bytes());
        put(52, &[64, 0, 56, 0, 1, 0, 64]);
        put(64, &[1]);
        put(68, &flags.to_le_bytes());
        for (at, word) in [72, 80, 96, 104].into_iter().zip(words) {
            put(at, &word.to_le_bytes());
        }
        bytes
    }

    fn parse(flags: u32, words: [u64; 4]) -> Option<FirstTask> {
        FirstTask::parse(&executable(flags, words), 0x50_0000).ok()
    }

    #[test]
    fn a_segment_becomes_whole_pages() {
        let task = parse(5, [0x1234, 0x20_1234, 0x1000, 0x3000]).unwrap();
        let [segment] = task.segments() else { panic!("one segment") };
        assert_eq!(task.entry, 0x20_1234);
        assert_eq!((segment.address, segment.pages), (0x20_1000, 4));
        assert_eq!(segment.access, Access::Execute);
        assert_eq!((segment.image.clone(), segment.image_len), (0x501..0x503, 0x1234));
    }

    #[test]
    fn a_segment_without_file_bytes_is_all_zero() {
        let task = parse(6, [0x800, 0x20_0800, 0, 0x1000]).unwrap();
        let [segment] = task.segments() else { panic!("one segment") };
        assert_eq!((segment.pages, segment.image_len, segment.access), (2, 0, Access::Write));
        assert!(segment.image.is_empty());
    }

    #[test]
    fn refuses_what_it_cannot_load() {
        for (flags, words) in [
            (7, [0x1000, 0x20_0000, 0x1000, 0x1000]),
            (5, [0x1800, 0x20_0000, 0x1000, 0x1000]),
            (5, [0x1000, 0x20_0000, 0x2001, 0x3000]),
            (5, [0x1000, 0x20_0000, 0x1000, 0x800]),
            (5, [0x1000, 0x7fff_ffff_f000, 0x1000, 0x1000]),
            (5, [0x1000, !0xfff, 0x1000, 0x2000]),
        ] {
            assert!(parse(flags, words).is_none(), "{flags} {words:x?}");
        }
        assert!(FirstTask::parse(b"\x7fELF", 0).is_err());
    }
}
