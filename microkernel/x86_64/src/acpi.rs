//! The ACPI table that names the interrupt controllers (ACPI 6.5, 5.2.5 to 5.2.12: MADT).
//!
//! A reader for the four structures the kernel needs. Where the firmware has no table, the
//! addresses of every PC are assumed.

use kamen_core::MAX_PROCESSORS;

use crate::devices::io_apic::Signal;
use crate::devices::lines::MAX_CONTROLLERS;
use crate::physical::Physical;

/// ISA interrupts that the firmware may route specially.
const ISA_LINES: u32 = 16;
/// Tables that the root table may list.
const MAX_TABLES: u64 = 256;
/// Where a BIOS keeps the root pointer (ACPI 6.5, 5.2.5.1).
const BIOS_AREA: core::ops::Range<u64> = 0xe0000..0x100000;

/// How interrupts are routed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Routing {
    /// Physical address of the local APICs.
    pub(crate) local_apic: u64,
    /// Physical address and first line of each I/O APIC.
    pub(crate) controllers: [Option<(u64, u32)>; MAX_CONTROLLERS],
    overrides: [Option<Signal>; ISA_LINES as usize],
    /// APIC numbers of the processors that can be used, as far as there is room.
    pub(crate) processors: [Option<u8>; MAX_PROCESSORS as usize],
}

impl Routing {
    /// What a PC without tables has.
    const STANDARD: Routing = Routing {
        local_apic: 0xfee0_0000,
        controllers: [Some((0xfec0_0000, 0)), None, None, None],
        overrides: [None; ISA_LINES as usize],
        processors: [None; MAX_PROCESSORS as usize],
    };

    /// Reads the routing from the firmware's tables; `root_pointer` is where the loader says
    /// that they begin.
    pub(crate) fn read(memory: &impl Physical, root_pointer: Option<u64>) -> Self {
        root_pointer
            .or_else(|| find_root_pointer(memory))
            .and_then(|root| find_madt(memory, root))
            .and_then(|madt| parse_madt(memory, madt))
            .unwrap_or(Self::STANDARD)
    }

    /// Returns how a line signals: ISA lines by edges, others (PCI) by level.
    pub(crate) fn signal(&self, line: u32) -> Signal {
        if line >= ISA_LINES {
            return Signal { level: true, low: true };
        }
        self.overrides[line as usize].unwrap_or(Signal { level: false, low: false })
    }
}

fn find_root_pointer(memory: &impl Physical) -> Option<u64> {
    BIOS_AREA.step_by(16).find(|&address| {
        memory.bytes(address, 20).is_some_and(|bytes| {
            bytes.starts_with(b"RSD PTR ")
                && bytes.iter().fold(0u8, |sum, &byte| sum.wrapping_add(byte)) == 0
        })
    })
}

fn find_madt(memory: &impl Physical, root_pointer: u64) -> Option<u64> {
    let has_long_table = memory.bytes(root_pointer + 15, 1)?[0] >= 2;
    let long_table = if has_long_table { memory.long(root_pointer + 24)? } else { 0 };
    let (table, entry) = match long_table {
        0 => (u64::from(memory.word(root_pointer + 16)?), 4),
        address => (address, 8),
    };
    let length = u64::from(memory.word(table + 4)?);
    let count = length.saturating_sub(36) / entry;
    (0..count.min(MAX_TABLES)).find_map(|index| {
        let at = table + 36 + index * entry;
        let address = if entry == 8 { memory.long(at)? } else { u64::from(memory.word(at)?) };
        (memory.bytes(address, 4)? == b"APIC").then_some(address)
    })
}

fn parse_madt(memory: &impl Physical, table: u64) -> Option<Routing> {
    let length = memory.word(table + 4)? as usize;
    let bytes = memory.bytes(table, length)?;
    let mut routing = Routing {
        local_apic: u64::from(word(bytes, 36)?),
        controllers: [None; MAX_CONTROLLERS],
        overrides: [None; ISA_LINES as usize],
        processors: [None; MAX_PROCESSORS as usize],
    };
    let mut rest = bytes.get(44..)?;
    while let [kind, length, ..] = *rest {
        let length = usize::from(length);
        let (Some(entry), true) = (rest.get(..length), length >= 2) else { break };
        rest = &rest[length..];
        add(&mut routing, kind, entry);
    }
    routing.controllers[0].is_some().then_some(routing)
}

/// Flag of a local APIC's structure: its processor can be used (ACPI 6.5, table 5.23).
const ENABLED: u32 = 1;

/// Adds what a structure of the table says (ACPI 6.5, 5.2.12.2, .3, .5, .8).
fn add(routing: &mut Routing, kind: u8, entry: &[u8]) -> Option<()> {
    match kind {
        0 if word(entry, 4)? & ENABLED != 0 => {
            let free = routing.processors.iter_mut().find(|slot| slot.is_none())?;
            *free = Some(*entry.get(3)?);
        }
        1 => {
            let free = routing.controllers.iter_mut().find(|slot| slot.is_none())?;
            *free = Some((u64::from(word(entry, 4)?), word(entry, 8)?));
        }
        2 => {
            let flags = *entry.get(8)?;
            let slot = routing.overrides.get_mut(word(entry, 4)? as usize)?;
            *slot = Some(Signal { low: flags & 3 == 3, level: flags >> 2 & 3 == 3 });
        }
        5 => routing.local_apic = u64::from_le_bytes(entry.get(4..12)?.try_into().ok()?),
        _ => (),
    }
    Some(())
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    struct Memory(Vec<u8>);

    impl Physical for Memory {
        fn bytes(&self, address: u64, len: usize) -> Option<&[u8]> {
            self.0.get(address as usize..address as usize + len)
        }
    }

    fn machine() -> Memory {
        let mut memory = std::vec![0; 0x100000];
        let mut put = |at: usize, bytes: &[u8]| memory[at..at + bytes.len()].copy_from_slice(bytes);
        put(0xf59e0, b"RSD PTR ");
        put(0xf59e0 + 16, &0x1000u32.to_le_bytes());
        put(0x1000, b"RSDT");
        put(0x1004, &44u32.to_le_bytes());
        put(0x1000 + 36, &0x2000u32.to_le_bytes());
        put(0x1000 + 40, &0x3000u32.to_le_bytes());
        put(0x2000, b"FACP");
        put(0x3000, b"APIC");
        put(0x3004, &(44 + 12 + 10 + 10 + 3 * 8u32).to_le_bytes());
        put(0x3000 + 36, &0xfee0_0000u32.to_le_bytes());
        put(0x3000 + 44, &[1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0]);
        put(0x3000 + 56, &[2, 10, 0, 0, 2, 0, 0, 0, 0, 0]);
        put(0x3000 + 66, &[2, 10, 0, 9, 9, 0, 0, 0, 0x0d, 0]);
        put(0x3000 + 76, &[0, 8, 0, 0, 1, 0, 0, 0]);
        put(0x3000 + 84, &[0, 8, 1, 5, 1, 0, 0, 0]);
        put(0x3000 + 92, &[0, 8, 2, 6, 2, 0, 0, 0]);
        let sum = memory[0xf59e0..0xf59e0 + 20].iter().fold(0u8, |sum, &b| sum.wrapping_add(b));
        memory[0xf59e0 + 8] = 0u8.wrapping_sub(sum);
        Memory(memory)
    }

    #[test]
    fn finds_controllers_and_overrides() {
        let routing = Routing::read(&machine(), None);
        assert_eq!(routing.controllers[0], Some((0xfec0_0000, 0)));
        assert_eq!(routing.signal(9), Signal { level: true, low: false });
        assert_eq!(routing.signal(4), Signal { level: false, low: false });
        assert_eq!(routing.signal(20), Signal { level: true, low: true });
        assert_eq!(routing.processors[..3], [Some(0), Some(5), None], "one is not enabled");
        assert_eq!(Routing::read(&machine(), Some(0xf59e0)), routing);
    }

    #[test]
    fn assumes_a_standard_machine_where_tables_are_broken() {
        let mut memory = machine();
        memory.0[0x3004] = 44 + 6;
        assert_eq!(Routing::read(&memory, None), Routing::STANDARD);
        assert_eq!(Routing::read(&memory, Some(0xffff_ffff)), Routing::STANDARD);
        assert_eq!(Routing::read(&Memory(Vec::new()), None), Routing::STANDARD);
    }
}
