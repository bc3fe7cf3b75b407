//! Changing what is mapped, in steps: Unmap and Protect.
//!
//! Both work from the low end of the range on and leave in the argument registers what remains of
//! it, so that an operation that is repeated goes on where it was, whatever other threads map
//! behind it.

use kamen_abi::{Error, PAGE_SIZE, Rights};

use crate::arena::Id;
use crate::invoke::mapping_rights;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::space::{Space, Vm, checked_end};
use crate::steps;

/// Mappings that Protect checks before it changes the first of them.
const CHECKED_AT_ONCE: usize = 16;

impl<M: Machine> Kernel<M> {
    /// Operation Unmap.
    pub(crate) fn unmap(&mut self, target: u64, address: u64, pages: u64) -> Result<(), Error> {
        let space = self.space(target, Rights::CONTROL)?;
        let end = checked_end(address as usize, pages as usize)?;
        let mut at = address as usize;
        let result = self.vm.unmap(space, &mut at, end);
        self.leave_range(at, end);
        result
    }

    /// Operation Protect.
    pub(crate) fn protect(
        &mut self,
        target: u64,
        address: u64,
        pages: u64,
        rights: u64,
    ) -> Result<(), Error> {
        let space = self.space(target, Rights::CONTROL)?;
        let rights = mapping_rights(rights)?;
        let end = checked_end(address as usize, pages as usize)?;
        let mut at = address as usize;
        let result = self.vm.protect(space, &mut at, end, rights);
        self.leave_range(at, end);
        result
    }

    /// Makes the rest of a range the arguments of an operation that is to be repeated.
    fn leave_range(&mut self, at: usize, end: usize) {
        if self.vm.steps.are_refused() {
            let registers = &mut self.threads[self.cpu.current].registers;
            registers.rdi = at as u64;
            registers.rsi = ((end - at) / PAGE_SIZE) as u64;
        }
    }
}

impl<M: Machine> Vm<M> {
    /// Unmaps whatever lies from `at`, which tells how far it came, to `end`.
    ///
    /// # Errors
    /// QuotaExhausted or OutOfMemory where a mapping had to be split; nothing was unmapped then.
    /// Where it ran out of steps.
    pub fn unmap(&mut self, space: Id<Space>, at: &mut usize, end: usize) -> Result<(), Error> {
        if let Some((slot, whole)) = self.covering(space, *at)
            && (whole.address, whole.end()) == (*at, end)
        {
            // As usual: one mapping, which needs no split.
            return self.unmap_one(slot, at);
        }
        self.split_at(space, *at)?;
        self.split_at(space, end)?;
        while let Some((slot, mapping)) = self.first_from(space, *at)
            && mapping.address < end
        {
            self.unmap_one(slot, at)?;
        }
        Ok(())
    }

    /// Unmaps a mapping; `at` tells how far that came.
    fn unmap_one(&mut self, slot: u32, at: &mut usize) -> Result<(), Error> {
        *at = self.mappings.in_slot(slot).end();
        let result = self.unmap_mapping(slot);
        if result.is_err() {
            *at = self.mappings.in_slot(slot).address;
        }
        result
    }

    /// Changes the rights of what is mapped from `at`, which tells how far it came, to `end`.
    ///
    /// # Errors
    /// BadRange where part of it is not mapped, NoRights where a mapping's capability does not
    /// allow it, QuotaExhausted or OutOfMemory where a mapping had to be split. Where it ran out
    /// of steps.
    pub fn protect(
        &mut self,
        space: Id<Space>,
        at: &mut usize,
        end: usize,
        rights: Rights,
    ) -> Result<(), Error> {
        self.check_protect(space, *at, end, rights)?;
        self.split_ends(space, *at, end, rights)?;
        while *at < end {
            let checked = self.check_protect(space, *at, end, rights)?;
            while *at < checked {
                self.protect_mapping(space, at, checked, rights)?;
            }
        }
        Ok(())
    }

    /// Splits the mappings at both ends of a range that are to change, before anything does: what
    /// lies between needs no split, so that nothing is refused midway for want of quota.
    fn split_ends(
        &mut self,
        space: Id<Space>,
        at: usize,
        end: usize,
        rights: Rights,
    ) -> Result<(), Error> {
        for (inside, boundary) in [(at, at), (end - PAGE_SIZE, end)] {
            let mapping = self.covering(space, inside);
            if mapping.is_some_and(|(_, mapping)| mapping.rights != rights) {
                self.split_at(space, boundary)?;
            }
        }
        Ok(())
    }

    /// Checks the first mappings of a range; returns where what was checked ends.
    fn check_protect(
        &self,
        space: Id<Space>,
        at: usize,
        end: usize,
        rights: Rights,
    ) -> Result<usize, Error> {
        let mut covered = at;
        for _ in 0..CHECKED_AT_ONCE {
            if covered >= end {
                break;
            }
            let (_, mapping) = self.covering(space, covered).ok_or(Error::BadRange)?;
            if !mapping.most.contains(rights) {
                return Err(Error::NoRights);
            }
            covered = mapping.end();
        }
        Ok(covered.min(end))
    }

    /// Changes the mapping at `at`, as far as `end`, and removes its page-table entries. A mapping
    /// that has the rights already needs no split: it may be one whose entries ran out of steps.
    fn protect_mapping(
        &mut self,
        space: Id<Space>,
        at: &mut usize,
        end: usize,
        rights: Rights,
    ) -> Result<(), Error> {
        let (_, mapping) = self.covering(space, *at).ok_or(Error::BadRange)?;
        let end = end.min(mapping.end());
        if mapping.rights != rights {
            self.split_at(space, *at)?;
            self.split_at(space, end)?;
            let (slot, _) = self.covering(space, *at).ok_or(Error::BadRange)?;
            self.mappings.in_slot_mut(slot).rights = rights;
        }
        let root = self.root(Some(space))?;
        self.forget_pages(root, at, end)?;
        self.steps.note(steps::MAPPING);
        Ok(())
    }
}
