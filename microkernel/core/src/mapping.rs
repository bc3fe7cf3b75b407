//! Mappings: which are in a space, which show a memory object, and their page-table entries.
//!
//! Each mapping is in two places: its space's list, sorted by address, and a list through all
//! mappings of its memory object.

use kamen_abi::{Error, PAGE_SIZE, Rights};

use crate::arena::Id;
use crate::machine::{Access, Machine};
use crate::memory::{Memory, NO_MAPPING};
use crate::space::{MAX_MAPPINGS, Space, Vm};
use crate::steps;

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
}

impl Mapping {
    pub(crate) fn end(&self) -> usize {
        self.address + self.pages * PAGE_SIZE
    }

    pub(crate) fn page(&self, address: usize) -> usize {
        self.first_page + (address - self.address) / PAGE_SIZE
    }

    /// Returns where it shows those of the object's pages from `first` to `end` that it shows: the
    /// second address is not above the first where it shows none.
    pub(crate) fn addresses(&self, first: usize, end: usize) -> (usize, usize) {
        let from = first.max(self.first_page);
        let to = end.min(self.first_page + self.pages).max(self.first_page);
        let at = |page| self.address + (page - self.first_page) * PAGE_SIZE;
        if from < to { (at(from), at(to)) } else { (self.address, self.address) }
    }
}

impl<M: Machine> Vm<M> {
    /// Removes page-table entries of part of a mapping.
    pub(crate) fn forget_pages(&mut self, mapping: &Mapping, from: usize, to: usize) {
        let root = mapping.space.and_then(|space| self.spaces.get(space)).and_then(|s| s.root);
        let Some(root) = root else { return };
        let mut address = self.machine.next_mapped(root, from, to);
        while address < to {
            self.machine.unmap(root, address);
            self.steps.note(steps::PAGE);
            address = self.machine.next_mapped(root, address + PAGE_SIZE, to);
        }
    }

    /// Removes page-table entries of a memory object's pages, in all its mappings.
    pub(crate) fn forget_mapped(&mut self, memory: Id<Memory>, first: usize, end: usize) {
        self.for_each_mapping(memory, |vm, mapping| {
            let (from, to) = mapping.addresses(first, end);
            if from < to {
                vm.forget_pages(mapping, from, to);
            }
        });
    }

    /// Takes the right to write out of the page-table entries of a memory object's pages, wherever
    /// they are.
    pub(crate) fn forget_writable(&mut self, memory: Id<Memory>, first: usize, end: usize) {
        self.for_each_mapping(memory, |vm, mapping| {
            let (from, to) = mapping.addresses(first, end);
            if from < to && mapping.rights.contains(Rights::WRITE) {
                vm.write_protect(mapping, from, to);
            }
        });
    }

    fn write_protect(&mut self, mapping: &Mapping, from: usize, end: usize) {
        let root = mapping.space.and_then(|space| self.spaces.get(space)).and_then(|s| s.root);
        let Some(root) = root else { return };
        let mut address = self.machine.next_mapped(root, from, end);
        while address < end {
            if let Some((frame, Access::Write)) = self.machine.lookup(root, address) {
                // The entry exists, so that no table is allocated and nothing can fail.
                let _ = self.machine.map(root, address, frame, Access::Read, &mut || None);
            }
            address = self.machine.next_mapped(root, address + PAGE_SIZE, end);
        }
    }

    pub(crate) fn for_each_mapping(
        &mut self,
        memory: Id<Memory>,
        act: impl Fn(&mut Self, &Mapping),
    ) {
        let mut slot = self.memories.get(memory).map_or(NO_MAPPING, |memory| memory.mappings);
        while let Some(id) = self.mappings.id_at(slot)
            && let Some(mapping) = self.mappings.get(id).copied()
        {
            act(self, &mapping);
            slot = mapping.next;
        }
    }

    /// Returns the place in the space's list of the first mapping at or after an address.
    pub(crate) fn first_after(&self, space: Id<Space>, address: usize) -> Result<usize, Error> {
        let space = self.spaces.get(space).ok_or(Error::InvalidHandle)?;
        Ok(space.mappings.partition_point(|slot| self.mapping(*slot).address < address))
    }

    pub(crate) fn at(&self, space: Id<Space>, place: usize) -> Option<(u32, Mapping)> {
        let slot = *self.spaces.get(space)?.mappings.get(place)?;
        Some((slot, *self.mapping(slot)))
    }

    /// Returns the mapping that covers an address.
    pub(crate) fn covering(&self, space: Id<Space>, address: usize) -> Option<(u32, Mapping)> {
        let place = self.first_after(space, address.checked_add(1)?).ok()?.checked_sub(1)?;
        self.at(space, place).filter(|(_, mapping)| address < mapping.end())
    }

    pub(crate) fn mapping(&self, slot: u32) -> &Mapping {
        &self.mappings[slot as u16]
    }

    pub(crate) fn mapping_mut(&mut self, slot: u32) -> &mut Mapping {
        &mut self.mappings[slot as u16]
    }

    /// Adds a mapping to its space's list, at a place, and to its memory object's.
    pub(crate) fn insert_mapping(
        &mut self,
        place: usize,
        mut mapping: Mapping,
    ) -> Result<(), Error> {
        let space = mapping.space.and_then(|id| self.spaces.get_mut(id));
        let space = space.ok_or(Error::InvalidHandle)?;
        if space.mappings.len() == MAX_MAPPINGS {
            return Err(Error::QuotaExhausted);
        }
        space.mappings.try_reserve(1).map_err(|_| Error::OutOfMemory)?;
        let memory = mapping.memory.and_then(|id| self.memories.get_mut(id));
        let memory = memory.ok_or(Error::InvalidHandle)?;
        mapping.next = memory.mappings;
        mapping.prev = NO_MAPPING;
        let slot = self.mappings.insert(mapping).ok_or(Error::OutOfMemory)?.index();
        memory.mappings = slot;
        space.mappings.insert(place, slot);
        if mapping.next != NO_MAPPING {
            self.mapping_mut(mapping.next).prev = slot;
        }
        Ok(())
    }

    pub(crate) fn remove_mapping(&mut self, space: Id<Space>, place: usize, slot: u32) {
        let mapping = *self.mapping(slot);
        self.forget_pages(&mapping, mapping.address, mapping.end());
        if let Some(space) = self.spaces.get_mut(space) {
            space.mappings.remove(place);
        }
        if mapping.next != NO_MAPPING {
            self.mapping_mut(mapping.next).prev = mapping.prev;
        }
        if mapping.prev != NO_MAPPING {
            self.mapping_mut(mapping.prev).next = mapping.next;
        } else if let Some(memory) = mapping.memory.and_then(|id| self.memories.get_mut(id)) {
            memory.mappings = mapping.next;
        }
        if let Some(id) = self.mappings.id_at(slot) {
            self.mappings.remove(id);
        }
    }

    /// Splits the mapping that an address lies inside of, so that one begins there.
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
            ..mapping
        };
        let place = self.first_after(space, address)?;
        self.insert_mapping(place, upper)?;
        self.mapping_mut(slot).pages = kept;
        Ok(())
    }
}
