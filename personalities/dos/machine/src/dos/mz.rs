//! The header of an EXE file: what to load where, or why not.
//!
//! Layout (RBIL INT 21/AH=4B, table 01594):
//!
//! ```text
//!   00 'MZ' or 'ZM'   02 bytes in the last page (ignored)   04 pages of 512 bytes   06 relocations
//!   08 header paragraphs   0a minimum, 0c maximum extra paragraphs   0e SS   10 SP
//!   12 checksum (ignored)  14 IP   16 CS   18 offset of the relocations   1a overlay (ignored)
//! ```
//!
//! As MS-DOS loads it (4.0, EXEC.ASM `exec_save_start`, `exec_big_read`, `exec_reloc_one`): the image
//! is whole pages, in memory and as far as the file has them, of which the last may be cut off;
//! minimum and maximum count from there. Relocations are not checked, and their segments wrap.

/// Bytes of the header that are read.
pub const HEADER_BYTES: usize = 0x1c;

/// Why an EXE file is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MzError {
    /// The file is shorter than its header.
    TruncatedHeader,
    /// The file is shorter than the header says.
    TruncatedImage,
    /// The header is longer than the image.
    HeaderTooLong,
    /// The relocations lie outside the file.
    RelocationsOutside,
    /// The image is larger than memory.
    TooLarge,
}

impl MzError {
    /// Returns the reason as a text for a person.
    pub fn text(self) -> &'static str {
        match self {
            MzError::TruncatedHeader => "its EXE header is cut off",
            MzError::TruncatedImage => "the file is shorter than its EXE header says",
            MzError::HeaderTooLong => "its EXE header is longer than the program",
            MzError::RelocationsOutside => "its relocation table lies outside the file",
            MzError::TooLarge => "the program is larger than 640 KiB",
        }
    }
}

/// A checked header. Segments are relative to the beginning of the image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mz {
    /// File offset of the image.
    pub image_at: u32,
    /// Bytes of the image that the file has.
    pub image_bytes: u32,
    /// Paragraphs of the image, to the end of its last page.
    pub paragraphs: u16,
    /// Paragraphs needed beyond the image.
    pub minimum: u16,
    /// Paragraphs wanted beyond the image.
    pub maximum: u16,
    /// Initial SS.
    pub ss: u16,
    /// Initial SP.
    pub sp: u16,
    /// Initial CS.
    pub cs: u16,
    /// Initial IP.
    pub ip: u16,
    /// Number of relocations.
    pub relocations: u16,
    /// File offset of the relocations, offset and segment of a word each.
    pub relocations_at: u16,
}

/// Returns whether a file begins as an EXE file does.
pub fn is_mz(head: &[u8]) -> bool {
    head.starts_with(b"MZ") || head.starts_with(b"ZM")
}

impl Mz {
    /// Returns the checked header of a file of `file_bytes`.
    ///
    /// # Errors
    /// Each [`MzError`].
    pub fn parse(head: &[u8], file_bytes: u64) -> Result<Mz, MzError> {
        if head.len() < HEADER_BYTES {
            return Err(MzError::TruncatedHeader);
        }
        let word = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
        let end = word(4) as u32 * 512;
        let image_at = word(8) as u32 * 16;
        if image_at > end {
            return Err(MzError::HeaderTooLong);
        }
        if end as u64 > file_bytes + 511 || image_at as u64 > file_bytes {
            return Err(MzError::TruncatedImage);
        }
        if end - image_at > 0xa0000 {
            return Err(MzError::TooLarge);
        }
        let (relocations, relocations_at) = (word(6), word(0x18));
        if relocations_at as u64 + relocations as u64 * 4 > file_bytes && relocations > 0 {
            return Err(MzError::RelocationsOutside);
        }
        Ok(Mz {
            image_at,
            image_bytes: u64::from(end).min(file_bytes) as u32 - image_at,
            paragraphs: ((end - image_at) / 16) as u16,
            minimum: word(0x0a),
            maximum: word(0x0c),
            ss: word(0x0e),
            sp: word(0x10),
            ip: word(0x14),
            cs: word(0x16),
            relocations,
            relocations_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Mz, MzError};

    fn header(words: [u16; 14]) -> [u8; 28] {
        let mut bytes = [0; 28];
        for (place, word) in bytes.chunks_exact_mut(2).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    const GOOD: [u16; 14] = [0x5a4d, 100, 2, 1, 2, 0, 0xffff, 3, 0x100, 0, 5, 1, 0x1c, 0];

    #[test]
    fn sizes_and_entry_are_read() {
        let mz = Mz::parse(&header(GOOD), 612).unwrap();
        assert_eq!((mz.image_at, mz.image_bytes, mz.paragraphs), (32, 580, 62));
        assert_eq!((mz.cs, mz.ip, mz.ss, mz.sp), (1, 5, 3, 0x100));
        let longer = Mz::parse(&header(GOOD), 5000).unwrap();
        assert_eq!((longer.image_bytes, longer.paragraphs), (992, 62));
    }

    #[test]
    fn malformed_headers_are_refused() {
        let changed = |at: usize, word: u16| {
            let mut words = GOOD;
            words[at] = word;
            Mz::parse(&header(words), 612)
        };
        assert_eq!(Mz::parse(b"MZ", 2), Err(MzError::TruncatedHeader));
        assert_eq!(changed(2, 9), Err(MzError::TruncatedImage));
        assert_eq!(changed(2, 0), Err(MzError::HeaderTooLong));
        assert_eq!(changed(4, 0x1000), Err(MzError::HeaderTooLong));
        assert_eq!(changed(3, 400), Err(MzError::RelocationsOutside));
        let mut words = GOOD;
        words[2] = 0xffff;
        assert_eq!(Mz::parse(&header(words), 1 << 25), Err(MzError::TooLarge));
    }
}
