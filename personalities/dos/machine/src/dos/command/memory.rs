//! What MEM tells: the chain of memory blocks, and what lies beyond it.

use dos_command::{Block, Memory};

use crate::FarPointer;
use crate::host::Host;
use crate::session::Session;

/// Kilobytes of conventional memory (RBIL MEM 0040h:0013h).
const CONVENTIONAL: FarPointer = FarPointer::new(0x40, 0x13);

impl<H: Host> Session<H> {
    /// Returns what memory there is, and who has it; a destroyed chain ends where it is.
    pub(super) fn memory_report(&mut self) -> Memory {
        let blocks = self.dos.arena.blocks(&mut self.bus).into_iter();
        let blocks = blocks.map(|(segment, paragraphs, owner)| {
            let name = self.read_string(FarPointer::new(segment - 1, 8), 8);
            Block { segment, paragraphs, owner, name }
        });
        let blocks = blocks.collect();
        let (extended_kib, xms_free_kib) = self.extended.kib();
        let conventional_kib = self.bus.read16(CONVENTIONAL).into();
        Memory { conventional_kib, extended_kib, xms_free_kib, blocks }
    }
}
