//! Mappings: which are in a space, which show a memory object, and their page-table entries.
//!
//! Each mapping is in two places: its space's tree, sorted by address ([`tree`](crate::tree)), and a
//! list through all mappings of its memory object.

use kamen_abi::{Error, MAPPING_COST, PAGE_SIZE, Rights};

use crate::arena::Id;
use crate::machine::{Frame, Machine};
use crate::memory::{Memory, NO_MAPPING};
use crate::quota;
use crate::space::{Space, Vm};
use crate::steps;
use crate::tree::{self, Node};

/// A range of an address space that shows a range of a memory object.
#[derive(Clone, Copy, Default)]
pub struct Mapping {
    pub(crate) space: Option<Id<Space>>,
    pub(crate) memory: Option<Id<Memory>>,
    pub(crate) address: usize,
    pub(crate) pages: usize,
    pub(crate) first_page: usize,
    /// What it allows now.
    pub(crate) rights: Rights,
    /// What Protect may give.
    pub(crate) most: Rights,
    pub(crate) prev: u32,
    pub(crate) next: u32,
    /// Its place in the space's tree.
    pub(crate) node: Node,
}

impl Mapping {
    /// What a mapping costs its space's quota, in units of objects.
    pub const COST: usize = MAPPING_COST as usize;

    pub(crate) fn end(&self) -> usize {
        self.address + self.pages * PAGE_SIZE
    }

    pub(crate) fn page(&self, address: usize) -> usize {
        self.first_page + (address - self.address) / PAGE_SIZE
    }

    /// Returns where it shows a page of the object, if it does.
    pub(crate) fn address_of(&self, page: usize) -> Option<usize> {
        let offset = page.checked_sub(self.first_page).filter(|offset| *offset < self.pages)?;
        Some(self.address + offset * PAGE_SIZE)
    }
}

impl<M: Machine> Vm<M> {
    /// Returns the root page table of a space.
    pub(crate) fn root(&self, space: Option<Id<Space>>) -> Result<Frame, Error> {
        let space = space.and_then(|id| self.spaces.find(id));
        space.and_then(|space| space.root).ok_or(Error::InvalidHandle)
    }

    /// Removes page-table entries from `at`, which tells how far it came, to `end`.
    ///
    /// # Errors
    /// Where it ran out of steps.
    pub(crate) fn forget_pages(
        &mut self,
        root: Frame,
        at: &mut usize,
        end: usize,
    ) -> Result<(), Error> {
        while *at < end {
            self.steps.spend(steps::PAGE)?;
            let (next, _) = self.machine.unmap_next(root, *at, end);
            self.steps.note(steps::passed((next - *at) / PAGE_SIZE));
            *at = next;
        }
        Ok(())
    }

    /// Returns the first mapping at or after an address.
    pub(crate) fn first_from(&self, space: Id<Space>, address: usize) -> Option<(u32, &Mapping)> {
        let slot = tree::ceiling(&self.mappings, self.spaces.find(space)?.mappings, address)?;
        Some((slot, self.mappings.in_slot(slot)))
    }

    /// Returns the last mapping at or before an address.
    #[inline]
    pub(crate) fn last_to(&self, space: Id<Space>, address: usize) -> Option<(u32, &Mapping)> {
        let slot = tree::floor(&self.mappings, self.spaces.find(space)?.mappings, address)?;
        Some((slot, self.mappings.in_slot(slot)))
    }

    /// Returns the mapping that covers an address.
    #[inline]
    pub(crate) fn covering(&self, space: Id<Space>, address: usize) -> Option<(u32, &Mapping)> {
        self.last_to(space, address).filter(|(_, mapping)| address < mapping.end())
    }

    /// Adds a mapping to its space's tree and to its memory object's list: behind the mapping
    /// `after`, or first. It is charged to the space's quota.
    ///
    /// # Errors
    /// QuotaExhausted; OutOfMemory.
    pub(crate) fn insert_mapping(
        &mut self,
        mut mapping: Mapping,
        after: Option<u32>,
    ) -> Result<(), Error> {
        let space = mapping.space.and_then(|id| self.spaces.find(id));
        let quota = space.ok_or(Error::InvalidHandle)?.quota;
        let memory = mapping.memory.and_then(|id| self.memories.find_mut(id));
        let memory = memory.ok_or(Error::InvalidHandle)?;
        mapping.prev = after.unwrap_or(NO_MAPPING);
        mapping.next = after.map_or(memory.mappings, |after| self.mappings.in_slot(after).next);
        quota::charge(&mut self.quotas, quota, 0, Mapping::COST)?;
        let Some(id) = self.mappings.insert(mapping) else {
            quota::refund(&mut self.quotas, quota, 0, Mapping::COST);
            return Err(Error::OutOfMemory);
        };
        let slot = id.index();
        match after {
            Some(after) => self.mappings.in_slot_mut(after).next = slot,
            None => memory.mappings = slot,
        }
        if mapping.next != NO_MAPPING {
            self.mappings.in_slot_mut(mapping.next).prev = slot;
        }
        let space = mapping.space.and_then(|id| self.spaces.find_mut(id));
        let space = space.ok_or(Error::InvalidHandle)?;
        tree::insert(&mut self.mappings, &mut space.mappings, slot);
        Ok(())
    }

    /// Removes a mapping that has no page-table entries any more.
    fn remove_mapping(&mut self, slot: u32) {
        let mapping = *self.mappings.in_slot(slot);
        if let Some(space) = mapping.space.and_then(|id| self.spaces.find_mut(id)) {
            tree::remove(&mut self.mappings, &mut space.mappings, slot);
            quota::refund(&mut self.quotas, space.quota, 0, Mapping::COST);
        }
        if let Some(memory) = mapping.memory.and_then(|id| self.memories.find_mut(id)) {
            memory.forget_mapping(slot, mapping.next);
        }
        if mapping.next != NO_MAPPING {
            self.mappings.in_slot_mut(mapping.next).prev = mapping.prev;
        }
        if mapping.prev != NO_MAPPING {
            self.mappings.in_slot_mut(mapping.prev).next = mapping.next;
        }
        if let Some(id) = self.mappings.id_at(slot) {
            self.mappings.remove(id);
        }
    }

    /// Unmaps a mapping, from its beginning on: what is left of it begins where this came to.
    ///
    /// # Errors
    /// Where it ran out of steps.
    pub(crate) fn unmap_mapping(&mut self, slot: u32) -> Result<(), Error> {
        let mapping = *self.mappings.in_slot(slot);
        let (root, mut at) = (self.root(mapping.space)?, mapping.address);
        let result = self.forget_pages(root, &mut at, mapping.end());
        if result.is_ok() {
            self.steps.note(steps::MAPPING);
            self.remove_mapping(slot);
        } else if at > mapping.address {
            let gone = (at - mapping.address) / PAGE_SIZE;
            let rest = &mut self.mappings.in_slot_mut(slot);
            rest.address = at;
            rest.first_page += gone;
            rest.pages -= gone;
        }
        result
    }

    /// Splits the mapping that an address lies inside of, so that one begins there.
    ///
    /// # Errors
    /// As for [`Vm::insert_mapping`].
    pub(crate) fn split_at(&mut self, space: Id<Space>, address: usize) -> Result<(), Error> {
        let Some((slot, mapping)) = self.covering(space, address) else { return Ok(()) };
        if mapping.address == address {
            return Ok(());
        }
        let kept = (address - mapping.address) / PAGE_SIZE;
        let upper = Mapping {
            address,
            pages: mapping.pages - kept,
            first_page: mapping.first_page + kept,
            ..*mapping
        };
        // Behind the lower part in the object's list: a sweep that has still to come to this
        // mapping comes to both of its parts.
        self.insert_mapping(upper, Some(slot))?;
        self.mappings.in_slot_mut(slot).pages = kept;
        Ok(())
    }
}
