//! Barriers in memory that all who run in a space pass (membarrier(2)).

use crate::Errno;
use crate::machine::{Access, Machine};
use crate::memory::{Mm, PAGE};

impl Mm {
    /// Notes that the program wants barriers among its threads.
    pub fn register_barriers(&mut self) {
        self.has_barriers = true;
    }

    /// Returns whether it does.
    pub fn has_registered_barriers(&self) -> bool {
        self.has_barriers
    }

    /// Has all who execute from a range of pages pass a barrier.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn barrier(
        &self,
        machine: &mut dyn Machine,
        address: u64,
        pages: u64,
    ) -> Result<(), Errno> {
        let end = address + pages * PAGE;
        let first = self.region_at(address).map_or(address, |region| region.start);
        for (_, region) in self.regions.range(first..end) {
            let (from, to) = (region.start, region.start + region.shown * PAGE);
            let (from, to) = (from.max(address), to.min(end));
            if region.access == Access::Execute && from < to {
                machine.barrier(self.space(), from, (to - from) / PAGE)?;
            }
        }
        Ok(())
    }
}
