//! Boot information of a PVH loader (Xen, `arch-x86/hvm/start_info.h`).
//!
//! ```text
//!   hvm_start_info                 module                   memory map entry
//!    0 u32 magic 336ec578           0 u64 address            0 u64 address
//!    4 u32 version                  8 u64 bytes              8 u64 bytes
//!    8 u32 flags                   16 u64 command line      16 u32 type
//!   12 u32 modules                 24 u64 reserved          20 u32 reserved
//!   16 u64 module list
//!   24 u64 command line
//!   32 u64 ACPI root pointer
//!   40 u64 memory map               (version 1 and later)
//!   48 u32 entries
//! ```

use kamen_machine::Physical;

use crate::{BootData, BootError};

const MAGIC: u32 = 0x336e_c578;
const ENTRY_BYTES: u64 = 24;
/// Entries of a memory map that are read.
const MAX_ENTRIES: u64 = 128;

/// Reads the boot information at a physical address.
pub(crate) fn read(memory: &impl Physical, info: u64) -> Result<BootData, BootError> {
    parse(memory, info).ok_or(BootError::BadBootInformation)
}

fn parse(memory: &impl Physical, info: u64) -> Option<BootData> {
    if memory.word(info)? != MAGIC || memory.word(info + 4)? < 1 {
        return None;
    }
    let mut data = BootData::default();
    let map = memory.long(info + 40)?;
    for index in 0..u64::from(memory.word(info + 48)?).min(MAX_ENTRIES) {
        let entry = map.checked_add(index * ENTRY_BYTES)?;
        let kind = memory.word(entry.checked_add(16)?)?;
        data.memory.add(memory.long(entry)?, memory.long(entry + 8)?, kind);
    }
    if memory.word(info + 12)? != 0 {
        let module = memory.long(info + 16)?;
        let address = memory.long(module)?;
        let bytes = memory.long(module.checked_add(8)?)?;
        data.package = Some(address..address.checked_add(bytes)?);
    }
    data.acpi = Some(memory.long(info + 32)?).filter(|&address| address != 0);
    Some(data)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::plan::tests::Memory;

    fn machine() -> Memory {
        let mut memory = Memory::new(0x1000, 0x1000);
        memory.put(0x1000, &[MAGIC, 1, 0, 1, 0x1100, 0, 0, 0, 0xf59e0, 0, 0x1200, 0, 2]);
        memory.put(0x1100, &[0x50_0000, 0, 0x3000, 0]);
        memory.put(0x1200, &[0x10_0000, 0, 0x70_0000, 0, 1, 0]);
        memory.put(0x1218, &[0, 0, 0, 0, 0, 0]);
        memory
    }

    #[test]
    fn finds_memory_package_and_acpi() {
        let data = read(&machine(), 0x1000).unwrap();
        assert_eq!(data.memory.ram().as_slice().first(), Some(&(0x100..0x800)));
        assert_eq!(data.package, Some(0x50_0000..0x50_3000));
        assert_eq!(data.acpi, Some(0xf59e0));
    }

    #[test]
    fn refuses_what_is_damaged_or_out_of_reach() {
        let mut memory = machine();
        assert!(read(&memory, 0x1004).is_err());
        assert!(read(&memory, 0x9000).is_err());
        memory.put(0x1030, &[100]);
        memory.put(0x1028, &[0xffff_fff0, 0xffff_ffff]);
        assert!(read(&memory, 0x1000).is_err());
    }
}
