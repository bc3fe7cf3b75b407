//! Joining regions that are alike again, so that what cuts them by turns does not use them up.
//!
//! ```text
//!   regions:   | read          |     protect      | read | write | read |   protect    | read          |
//!   kernel's:  | mapping       |    ────────>     |      |       |      |   ──────>    |      |   |    |
//! ```
//!
//! The kernel's mappings stay cut; when they are many more than the regions, they are made anew.

use alloc::rc::Rc;

use libipc::Space;

use crate::Errno;
use crate::machine::Machine;
use crate::memory::mm::{MAX_REGIONS, show};
use crate::memory::{Mm, PAGE, Region};

/// Most mappings that the kernel may have beyond the regions.
const MAX_JOINED: usize = MAX_REGIONS / 4;

impl Mm {
    /// Returns about how many mappings the kernel has.
    pub fn mappings(&self) -> usize {
        self.regions.len() + self.joined
    }

    /// Joins the regions within a range and beside it that are alike (`vma_merge`, mm/mmap.c).
    pub(super) fn join(&mut self, machine: &mut dyn Machine, address: u64, pages: u64) {
        let end = address + pages * PAGE;
        let before = self.regions.range(..address).next_back();
        let mut at = before.map_or(address, |(&start, _)| start);
        while at < end
            && let Some((&next, _)) = self.regions.range(at + 1..=end).next()
        {
            if !self.join_two(at, next) {
                at = next;
            }
        }
        if self.joined > MAX_JOINED {
            self.map_joined_anew(machine);
        }
    }

    /// Joins two regions, if they are alike.
    fn join_two(&mut self, first: u64, second: u64) -> bool {
        let Some(next) = self.regions.get(&second).cloned() else { return false };
        let Some(region) = self.regions.get_mut(&first).filter(|one| one.is_cut_from(&next)) else {
            return false;
        };
        if region.mapped != next.mapped {
            // Both cover that.
            region.mapped = region.access;
        }
        if next.shown != 0 {
            region.is_joined = true;
            self.joined += 1;
        }
        region.pages += next.pages;
        region.shown += next.shown;
        self.regions.remove(&second);
        true
    }

    fn map_joined_anew(&mut self, machine: &mut dyn Machine) {
        let space = self.space();
        for region in self.regions.values_mut().filter(|region| region.is_joined) {
            // What cannot be mapped now is at its first fault.
            let _ = region.map_anew(machine, space);
        }
        self.joined = 0;
    }
}

impl Region {
    /// Has the kernel map the region by one mapping that allows what the program may do.
    pub(super) fn map_anew(
        &mut self,
        machine: &mut dyn Machine,
        space: Space,
    ) -> Result<(), Errno> {
        machine.unmap(space, self.start, self.pages);
        (self.shown, self.mapped, self.is_joined) = (0, self.access, false);
        show(machine, space, self)
    }

    /// Returns whether another one that lies behind it may as well be a part of it.
    fn is_cut_from(&self, next: &Region) -> bool {
        let same_kind =
            (self.at_fork, self.is_locked, self.most) == (next.at_fork, next.is_locked, next.most);
        let same_pages = Rc::ptr_eq(&self.backing, &next.backing)
            && self.first_page + self.pages == next.first_page;
        let is_shown = self.shown == self.pages || next.shown == 0;
        same_kind && same_pages && is_shown && self.continues_in(next)
    }
}
