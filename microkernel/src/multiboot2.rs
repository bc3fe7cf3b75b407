//! Boot information of a Multiboot2 loader (Multiboot2 specification 3.6).
//!
//! ```text
//!   information           tag, 8-byte aligned
//!    0 u32 bytes           0 u32 type
//!    4 u32 reserved        4 u32 bytes
//!    8 tags                8 contents
//! ```

use kamen_machine::Physical;

use crate::{BootData, BootError};

/// Bytes of boot information that are read.
const MAX_BYTES: usize = 1 << 20;
/// Tags: Multiboot2 3.6.6, 3.6.8, 3.6.13, 3.6.14.
const END: u32 = 0;
const MODULE: u32 = 3;
const MEMORY_MAP: u32 = 6;
const ACPI_OLD: u32 = 14;
const ACPI_NEW: u32 = 15;

/// Reads the boot information at a physical address.
pub(crate) fn read(memory: &impl Physical, info: u64) -> Result<BootData, BootError> {
    parse(memory, info).ok_or(BootError::BadBootInformation)
}

fn parse(memory: &impl Physical, info: u64) -> Option<BootData> {
    let len = usize::try_from(memory.word(info)?).ok()?;
    let bytes = memory.bytes(info, len.min(MAX_BYTES))?;
    let mut data = BootData::default();
    let mut at = 8;
    loop {
        let (kind, size) = (word(bytes, at)?, word(bytes, at + 4)? as usize);
        if kind == END {
            return Some(data);
        }
        let tag = bytes.get(at..at.checked_add(size.max(8))?)?;
        match kind {
            MODULE if data.package.is_none() => {
                let (first, end) = (word(tag, 8)?, word(tag, 12)?);
                data.package = Some(u64::from(first)..u64::from(end));
            }
            MEMORY_MAP => add_memory(&mut data, tag)?,
            ACPI_NEW => data.acpi = Some(info + at as u64 + 8),
            ACPI_OLD => data.acpi = data.acpi.or(Some(info + at as u64 + 8)),
            _ => (),
        }
        at = (at + size.max(8)).next_multiple_of(8);
    }
}

fn add_memory(data: &mut BootData, tag: &[u8]) -> Option<()> {
    let entry_bytes = word(tag, 8)? as usize;
    for entry in tag.get(16..)?.chunks_exact(entry_bytes.max(24)) {
        data.memory.add(long(entry, 0)?, long(entry, 8)?, word(entry, 16)?);
    }
    Some(())
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::plan::tests::Memory;

    const INFO: [u32; 34] = [
        34 * 4,
        0, // information
        1,
        9,
        0x61,
        0, // command line "a", padded
        MODULE,
        17,
        0x50_0000,
        0x50_2800,
        0,
        0, // module, padded
        MEMORY_MAP,
        16 + 24,
        24,
        0,
        0x10_0000,
        0,
        0x70_0000,
        0,
        1,
        0, // one entry
        ACPI_OLD,
        28,
        0,
        0,
        0,
        0,
        0,
        0, // root pointer, padded
        99,
        8, // unknown
        END,
        8,
    ];

    #[test]
    fn finds_memory_package_and_acpi() {
        let mut memory = Memory::new(0x1000, 0x1000);
        memory.put(0x1000, &INFO);
        let data = read(&memory, 0x1000).unwrap();
        assert_eq!(data.memory.ram().as_slice().first(), Some(&(0x100..0x800)));
        assert_eq!(data.package, Some(0x50_0000..0x50_2800));
        assert_eq!(data.acpi, Some(0x1000 + 22 * 4 + 8));
    }

    #[test]
    fn refuses_every_truncation() {
        for len in 0..INFO.len() as u32 - 1 {
            let mut memory = Memory::new(0x1000, 0x1000);
            memory.put(0x1000, &INFO);
            memory.put(0x1000, &[len * 4]);
            assert!(read(&memory, 0x1000).is_err(), "{len} words");
        }
    }
}
