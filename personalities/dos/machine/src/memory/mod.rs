//! Memory beyond 640 KiB: XMS, EMS, upper memory, and their common pool.
//!
//! ```text
//!   C800-CFFF  free RAM          D000-DFFF  EMS page frame
//!   E000-EFFF  upper memory, from XMS          10000-10FFE  HMA, with A20 on
//!   pool of 4 MiB ─► XMS blocks, EMS pages: outside of the processor's memory
//! ```
//!
//! What is outside is copied in and out: an EMS page is in its frame only while it is mapped.

mod ems;
mod xms;

use alloc::vec::Vec;

use crate::Bus;
use ems::Ems;
use xms::Xms;

/// Bytes of a KiB.
const KIB: usize = 1024;
/// Memory that XMS and EMS have together.
pub(crate) const POOL_KIB: usize = 4096;

/// All memory beyond the processor's.
pub(crate) struct Extended {
    free_kib: usize,
    xms: Xms,
    ems: Ems,
}

impl Default for Extended {
    fn default() -> Self {
        Extended { free_kib: POOL_KIB, xms: Xms::default(), ems: Ems::default() }
    }
}

impl Extended {
    /// Returns the pool's size and what is free of it, KiB.
    pub(crate) fn kib(&self) -> (u32, u32) {
        (POOL_KIB as u32, self.free_kib as u32)
    }

    /// Returns cleared memory out of the pool; nothing where the pool or the system has no more.
    fn allocate(&mut self, kib: usize) -> Option<Vec<u8>> {
        let free_kib = self.free_kib.checked_sub(kib)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(kib * KIB).ok()?;
        bytes.resize(kib * KIB, 0);
        self.free_kib = free_kib;
        Some(bytes)
    }

    fn release(&mut self, bytes: Vec<u8>) {
        self.free_kib += bytes.len() / KIB;
    }
}

/// Writes the drivers' entries, which programs look for.
pub(crate) fn install(bus: &mut Bus) {
    xms::install(bus);
    ems::install(bus);
}
