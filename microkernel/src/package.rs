//! The boot package: what the loader passes beside the kernel.
//!
//! ```text
//!    0 "KAMENPKG"        16 u64 first task, offset    32 u64 archive, offset
//!    8 u64 version 1     24 u64 first task, bytes     40 u64 archive, bytes
//! ```
//! Little endian; offsets are multiples of the page size.

use core::ops::Range;

use crate::BootError;
use crate::memory_map::PAGE;

const MAGIC: &[u8; 8] = b"KAMENPKG";
const VERSION: u64 = 1;

/// Where the parts of a boot package lie in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Package {
    /// The first task's executable.
    pub first_task: Range<usize>,
    /// The boot archive.
    pub archive: Range<usize>,
}

impl Package {
    /// Reads the head of a boot package.
    ///
    /// # Errors
    /// [`BootError::BadPackage`] where it is not one of this version, or a part is not in it.
    pub fn parse(bytes: &[u8]) -> Result<Self, BootError> {
        let part = |at: usize| {
            let (offset, len) = (long(bytes, at)?, long(bytes, at + 8)?);
            let end = offset.checked_add(len)?;
            let range = usize::try_from(offset).ok()?..usize::try_from(end).ok()?;
            (offset.is_multiple_of(PAGE) && range.end <= bytes.len()).then_some(range)
        };
        if !bytes.starts_with(MAGIC) || long(bytes, 8) != Some(VERSION) {
            return Err(BootError::BadPackage);
        }
        match (part(16), part(32)) {
            (Some(first_task), Some(archive)) => Ok(Package { first_task, archive }),
            _ => Err(BootError::BadPackage),
        }
    }
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn package(words: [u64; 5]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        words.iter().for_each(|word| bytes.extend(word.to_le_bytes()));
        bytes.resize(0x3000, 0);
        bytes
    }

    #[test]
    fn finds_both_parts() {
        let package = Package::parse(&package([1, 0x1000, 10, 0x2000, 0x1000])).unwrap();
        assert_eq!(package, Package { first_task: 0x1000..0x100a, archive: 0x2000..0x3000 });
    }

    #[test]
    fn refuses_other_versions_and_parts_that_are_not_there() {
        for words in [
            [2, 0x1000, 10, 0x2000, 10],
            [1, 0x1001, 10, 0x2000, 10],
            [1, 0x1000, 10, 0x2000, 0x1001],
            [1, 0x1000, u64::MAX, 0x2000, 10],
            [1, 0x1000, 10, !0xfff, 0x1000],
        ] {
            assert_eq!(Package::parse(&package(words)), Err(BootError::BadPackage), "{words:x?}");
        }
        assert_eq!(Package::parse(b"KAMENPKG"), Err(BootError::BadPackage));
    }
}
