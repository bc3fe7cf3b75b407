//! Sweeps: what changes in a memory object's page changes in all of its mappings, in steps.
//!
//! A page whose frame goes must not be mapped anywhere any more, a page that is shared now must
//! not be writable. As many mappings as there are may show it. So the object remembers the sweep
//! under way, and how far it came; whoever wants to use the object's pages finishes it first
//! ([`Vm::settle`]). Until then no page-table entry of the object is made, so that nothing
//! appears behind a sweep's back. A frame that the page had before stays until the end.
//!
//! ```text
//!   memory.mappings ──> A ──> B ──> C ──> D          a new mapping comes first: it has no entries
//!                       done  done  ^ sweep.next     a split one stays side by side
//! ```

use kamen_abi::Error;

use crate::arena::Id;
use crate::machine::{Access, Frame, Machine};
use crate::memory::{Memory, NO_MAPPING};
use crate::quota::Quota;
use crate::space::Vm;
use crate::steps;

/// What becomes of a page's entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// They are removed; the page has another frame, that of a copy, or none any more. Until they
    /// all are, the object has its share of the old one and pays for it.
    Removed(Frame),
    /// They do not allow writing any more.
    Shared,
}

/// A sweep that is under way.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    page: usize,
    change: Change,
    /// The mapping that comes next, by slot.
    next: u32,
}

impl Sweep {
    /// Returns the frame that it keeps until its end.
    #[cfg(test)]
    pub fn kept(&self) -> Option<Frame> {
        match self.change {
            Change::Removed(frame) => Some(frame),
            Change::Shared => None,
        }
    }

    /// Returns whether the object's quota still pays for that frame.
    #[cfg(test)]
    pub fn is_charged(&self) -> bool {
        matches!(self.change, Change::Removed(_))
    }
}

impl Memory {
    /// Takes note that a mapping goes, which is followed by `next` in the object's list.
    pub(crate) fn forget_mapping(&mut self, slot: u32, next: u32) {
        if self.mappings == slot {
            self.mappings = next;
        }
        if let Some(sweep) = &mut self.sweep
            && sweep.next == slot
        {
            sweep.next = next;
        }
    }
}

impl<M: Machine> Vm<M> {
    /// Begins a sweep of a page, where none is under way, and goes as far as the steps reach.
    ///
    /// # Errors
    /// Where it ran out of steps: [`Vm::settle`] goes on.
    pub(crate) fn sweep(
        &mut self,
        id: Id<Memory>,
        page: usize,
        change: Change,
    ) -> Result<(), Error> {
        let memory = self.memories.find_mut(id).ok_or(Error::InvalidHandle)?;
        debug_assert!(memory.sweep.is_none());
        if memory.mappings == NO_MAPPING {
            let quota = memory.quota;
            self.finish(change, quota);
            return Ok(());
        }
        memory.sweep = Some(Sweep { page, change, next: memory.mappings });
        self.go_on_sweeping(id)
    }

    /// Finishes the sweep that is under way in a memory object, if one is.
    ///
    /// # Errors
    /// Where it ran out of steps.
    #[inline]
    pub(crate) fn settle(&mut self, id: Id<Memory>) -> Result<(), Error> {
        match self.memories.find(id) {
            Some(Memory { sweep: Some(_), .. }) => self.go_on_sweeping(id),
            _ => Ok(()),
        }
    }

    fn go_on_sweeping(&mut self, id: Id<Memory>) -> Result<(), Error> {
        while let Some(sweep) = self.memories.find(id).and_then(|memory| memory.sweep)
            && sweep.next != NO_MAPPING
        {
            self.steps.spend(3 * steps::PAGE)?;
            self.sweep_mapping(sweep);
            let next = self.mappings.in_slot(sweep.next).next;
            if let Some(memory) = self.memories.find_mut(id) {
                memory.sweep = Some(Sweep { next, ..sweep });
            }
        }
        let memory = self.memories.find_mut(id).ok_or(Error::InvalidHandle)?;
        let (ended, quota) = (memory.sweep.take(), memory.quota);
        if let Some(Sweep { change, .. }) = ended {
            self.finish(change, quota);
        }
        Ok(())
    }

    /// Gives back the frame that a page had before its change.
    fn finish(&mut self, change: Change, quota: Option<Id<Quota>>) {
        // No processor writes by an old entry what others may be shown now.
        self.machine.shoot_down();
        let (mut supply, _) = self.supply();
        match change {
            Change::Removed(frame) => supply.release(frame, quota),
            Change::Shared => {}
        }
    }

    fn sweep_mapping(&mut self, sweep: Sweep) {
        let mapping = &self.mappings.in_slot(sweep.next);
        let Some(address) = mapping.address_of(sweep.page) else { return };
        let Ok(root) = self.root(mapping.space) else { return };
        match sweep.change {
            Change::Removed(_) => {
                self.machine.unmap(root, address);
            }
            Change::Shared => {
                if let Some((frame, Access::Write)) = self.machine.lookup(root, address) {
                    // The entry exists, so that no table is allocated and nothing can fail.
                    let _ = self.machine.map(root, address, frame, Access::Read, &mut || None);
                }
            }
        }
    }
}
