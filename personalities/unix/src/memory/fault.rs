//! What a page fault means, and stacks that grow by it.

use crate::machine::{Access, Machine};
use crate::memory::mm::show;
use crate::memory::{Counted, Mm, PAGE, Purpose, Sharing, pages};

/// By how many pages a stack grows that runs out.
const STACK_STEP: u64 = 64;
/// Pages between a stack that grows and what lies below it (`stack_guard_gap`, linux/mm).
pub(super) const GUARD_PAGES: u64 = 256;

/// What a fault at an address means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The page is there now.
    Resolved,
    /// The page may be had: the kernel finds it, unless there is no memory for it.
    Allowed,
    /// Nothing is mapped there (`SEGV_MAPERR`).
    NotMapped,
    /// What is mapped there does not allow the access (`SEGV_ACCERR`).
    NoAccess,
    /// The file that is mapped there has ended before (`BUS_ADRERR`).
    BeyondEnd,
}

impl Mm {
    /// Does what can be done about a fault, and returns what it means.
    pub fn fault(&mut self, machine: &mut dyn Machine, address: u64, wanted: Access) -> Fault {
        let space = self.space();
        let Some(region) = self.region_at_mut(address) else {
            let grown = self.grow_stack(machine, address);
            return if grown { Fault::Resolved } else { Fault::NotMapped };
        };
        if !region.access.covers(wanted) {
            return Fault::NoAccess;
        }
        if region.page_at(address) >= region.backing.pages() {
            return Fault::BeyondEnd;
        }
        if (address - region.start) / PAGE < region.shown {
            return Fault::Allowed;
        }
        // The file has grown since it was mapped.
        match show(machine, space, region) {
            Ok(()) => Fault::Resolved,
            Err(_) => Fault::Allowed,
        }
    }

    /// Adds pages below a stack where a fault at `address` says that it ran out; returns whether
    /// it did.
    pub fn grow_stack(&mut self, machine: &mut dyn Machine, address: u64) -> bool {
        let Some(bounds) = self.growth(address) else { return false };
        let count = pages(bounds.end - bounds.start);
        if self.check_growth(count, Counted::Otherwise).is_err() {
            return false;
        }
        let (access, sharing) = (Access::Write, Sharing::Private);
        let Ok(backing) = self.zeros(machine, count) else { return false };
        let region = super::Region {
            purpose: Purpose::Stack,
            ..super::Region::new(bounds.start, count, access, sharing, backing)
        };
        self.insert(machine, region).is_ok()
    }

    /// Returns what has to be added to the stack above an address for it to reach it.
    fn growth(&self, address: u64) -> Option<core::ops::Range<u64>> {
        if self.region_at(address).is_some() {
            return None;
        }
        let mut above = self.regions.range(address..).map(|(_, region)| region);
        let stack = above.next().filter(|region| region.purpose == Purpose::Stack)?;
        let mut top = stack.end();
        while let Some(next) = above.next()
            && next.start == top
            && next.purpose == Purpose::Stack
        {
            top = next.end();
        }
        let below = self.regions.range(..address).next_back().map_or(0, |(_, below)| {
            let gap = if below.access == Access::None { 0 } else { GUARD_PAGES * PAGE };
            below.end() + gap
        });
        let floor = top.saturating_sub(self.bounds.stack).max(below);
        if address < floor {
            return None;
        }
        let step = stack.start.saturating_sub(STACK_STEP * PAGE);
        let start = (address & !(PAGE - 1)).min(step).max(floor.next_multiple_of(PAGE));
        Some(start..stack.start)
    }
}
