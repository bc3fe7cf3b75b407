//! Address spaces: which pages of which memory objects appear where.
//!
//! Mapping touches no page: page-table entries are made when a fault or a copy needs them, and
//! removed when what they show changes. Each mapping is in two places: its space's list, sorted by
//! address, and a list through all mappings of its memory object.

use alloc::vec::Vec;
use kamen_abi::{Error, PAGE_SIZE, Rights, USER_END};

use crate::arena::{Arena, Id};
use crate::frames::Frames;
use crate::machine::{Access, FaultAccess, Frame, Machine};
use crate::memory::{MAX_PAGES, Memory, NO_MAPPING, Supply};
use crate::quota::{self, Quota};

/// Mappings that one address space can have.
pub const MAX_MAPPINGS: usize = 4096;

/// An address space.
#[derive(Default)]
pub struct Space {
    /// The root page table; nothing only in a free slot.
    pub root: Option<Frame>,
    /// Mappings by slot, sorted by address.
    mappings: Vec<u32>,
    /// Page tables below the root, as charged.
    tables: usize,
    /// What it is charged to.
    pub quota: Option<Id<Quota>>,
}

/// A range of an address space that shows a range of a memory object.
#[derive(Clone, Copy, Default)]
pub struct Mapping {
    space: Option<Id<Space>>,
    memory: Option<Id<Memory>>,
    address: usize,
    pages: usize,
    first_page: usize,
    /// What it allows now.
    rights: Rights,
    /// What Protect may give.
    most: Rights,
    prev: u32,
    next: u32,
}

impl Mapping {
    fn end(&self) -> usize {
        self.address + self.pages * PAGE_SIZE
    }

    fn page(&self, address: usize) -> usize {
        self.first_page + (address - self.address) / PAGE_SIZE
    }
}

/// A mapping to be made.
#[derive(Clone, Copy)]
pub struct NewMapping {
    /// The memory object.
    pub memory: Id<Memory>,
    /// Its first page shown.
    pub first_page: usize,
    /// Where, page aligned.
    pub address: usize,
    /// How many pages.
    pub pages: usize,
    /// What is allowed now.
    pub rights: Rights,
    /// What the capability allows, and so Protect may give later.
    pub most: Rights,
}

/// Memory of the machine and what user space sees of it.
pub struct Vm<M> {
    /// The machine.
    pub machine: M,
    /// Free frames.
    pub frames: Frames,
    /// Who pays.
    pub quotas: Arena<Quota>,
    /// Address spaces.
    pub spaces: Arena<Space>,
    /// Memory objects.
    pub memories: Arena<Memory>,
    /// Mappings of all spaces.
    pub mappings: Arena<Mapping>,
}

/// Checks an address range of user space and returns its end.
///
/// # Errors
/// InvalidArgument where it is misaligned, empty, or not in the user half.
pub fn checked_end(address: usize, pages: usize) -> Result<usize, Error> {
    let end = pages.checked_mul(PAGE_SIZE).and_then(|len| address.checked_add(len));
    match end {
        Some(end) if pages > 0 && address.is_multiple_of(PAGE_SIZE) && end <= USER_END => Ok(end),
        _ => Err(Error::InvalidArgument),
    }
}

impl<M: Machine> Vm<M> {
    /// Splits off what memory objects draw on.
    pub fn supply(&mut self) -> (Supply<'_, M>, &mut Arena<Memory>) {
        let supply = Supply {
            machine: &mut self.machine,
            frames: &mut self.frames,
            quotas: &mut self.quotas,
        };
        (supply, &mut self.memories)
    }

    /// Creates an empty space.
    ///
    /// # Errors
    /// QuotaExhausted or OutOfMemory.
    pub fn create_space(&mut self, quota: Id<Quota>) -> Result<Id<Space>, Error> {
        let (mut supply, _) = self.supply();
        let root = supply.zeroed(Some(quota))?;
        self.machine.init_root(root);
        let space = Space { root: Some(root), quota: Some(quota), ..Space::default() };
        self.spaces.insert(space).ok_or_else(|| {
            let (mut supply, _) = self.supply();
            supply.release(root, Some(quota));
            Error::OutOfMemory
        })
    }

    /// Makes a mapping; one that continues its neighbour is merged with it.
    ///
    /// # Errors
    /// InvalidArgument for the range, BadRange where something is mapped there,
    /// QuotaExhausted past [`MAX_MAPPINGS`], OutOfMemory.
    pub fn map(&mut self, space: Id<Space>, new: NewMapping) -> Result<(), Error> {
        let end = checked_end(new.address, new.pages)?;
        let memory = self.memories.get(new.memory).ok_or(Error::InvalidHandle)?;
        let fits = new.first_page.checked_add(new.pages).is_some_and(|last| last <= memory.pages);
        if !fits {
            return Err(Error::InvalidArgument);
        }
        let place = self.first_after(space, new.address)?;
        let next = self.at(space, place);
        let prev = place.checked_sub(1).and_then(|place| self.at(space, place));
        let overlaps = next.is_some_and(|(_, next)| next.address < end)
            || prev.is_some_and(|(_, prev)| prev.end() > new.address);
        if overlaps {
            return Err(Error::BadRange);
        }
        if let Some((slot, prev)) = prev
            && prev.end() == new.address
            && prev.memory == Some(new.memory)
            && prev.first_page + prev.pages == new.first_page
            && (prev.rights, prev.most) == (new.rights, new.most)
        {
            self.mapping_mut(slot).pages += new.pages;
            return Ok(());
        }
        let mapping = Mapping {
            space: Some(space),
            memory: Some(new.memory),
            address: new.address,
            pages: new.pages,
            first_page: new.first_page,
            rights: new.rights,
            most: new.most,
            prev: NO_MAPPING,
            next: NO_MAPPING,
        };
        self.insert_mapping(place, mapping)
    }

    /// Unmaps whatever lies in a range.
    ///
    /// # Errors
    /// InvalidArgument for the range, OutOfMemory where a mapping had to be split.
    pub fn unmap(&mut self, space: Id<Space>, address: usize, pages: usize) -> Result<(), Error> {
        let end = checked_end(address, pages)?;
        self.split_at(space, address)?;
        self.split_at(space, end)?;
        let place = self.first_after(space, address)?;
        while let Some((slot, mapping)) = self.at(space, place)
            && mapping.address < end
        {
            self.remove_mapping(space, place, slot);
        }
        Ok(())
    }

    /// Changes the rights of a range that is wholly mapped.
    ///
    /// # Errors
    /// InvalidArgument for the range, BadRange where part of it is not mapped, NoRights where a
    /// mapping's capability does not allow it, OutOfMemory where a mapping had to be split.
    pub fn protect(
        &mut self,
        space: Id<Space>,
        address: usize,
        pages: usize,
        rights: Rights,
    ) -> Result<(), Error> {
        let end = checked_end(address, pages)?;
        let mut covered = address;
        while covered < end {
            let (_, mapping) = self.covering(space, covered).ok_or(Error::BadRange)?;
            if !mapping.most.contains(rights) {
                return Err(Error::NoRights);
            }
            covered = mapping.end();
        }
        self.split_at(space, address)?;
        self.split_at(space, end)?;
        let mut place = self.first_after(space, address)?;
        while let Some((slot, mapping)) = self.at(space, place)
            && mapping.address < end
        {
            self.mapping_mut(slot).rights = rights;
            self.forget_pages(&mapping, mapping.address, mapping.end());
            place += 1;
        }
        Ok(())
    }

    /// Makes the page at an address accessible, after a fault or before a copy; returns its frame.
    ///
    /// # Errors
    /// BadAddress where no mapping allows the access, QuotaExhausted, OutOfMemory.
    pub fn resolve(
        &mut self,
        space: Id<Space>,
        address: usize,
        access: FaultAccess,
    ) -> Result<Frame, Error> {
        let (_, mapping) = self.covering(space, address).ok_or(Error::BadAddress)?;
        let needed = match access {
            FaultAccess::Read => Rights::READ,
            FaultAccess::Write => Rights::WRITE,
            FaultAccess::Execute => Rights::EXECUTE,
        };
        if !mapping.rights.contains(needed) {
            return Err(Error::BadAddress);
        }
        let memory = mapping.memory.ok_or(Error::BadAddress)?;
        self.frame(memory, mapping.page(address), access == FaultAccess::Write)
    }

    /// Resolves a page fault: afterwards the instruction can go on.
    ///
    /// # Errors
    /// As for [`Vm::resolve`].
    pub fn fault(
        &mut self,
        space: Id<Space>,
        address: usize,
        access: FaultAccess,
    ) -> Result<(), Error> {
        let address = address / PAGE_SIZE * PAGE_SIZE;
        let frame = self.resolve(space, address, access)?;
        let (_, mapping) = self.covering(space, address).ok_or(Error::BadAddress)?;
        let writable = mapping.rights.contains(Rights::WRITE)
            && (access == FaultAccess::Write || self.frames.shares(frame) == 1)
            && !self.is_fixed(&mapping);
        let access = if mapping.rights.contains(Rights::EXECUTE) {
            Access::Execute
        } else if writable {
            Access::Write
        } else {
            Access::Read
        };
        self.install(space, address, frame, access)
    }

    /// Returns the frame of a memory object's page, ready to be read or written.
    ///
    /// # Errors
    /// BadRange past the end, NoRights for writing fixed memory, QuotaExhausted, OutOfMemory.
    pub fn frame(&mut self, id: Id<Memory>, page: usize, write: bool) -> Result<Frame, Error> {
        let (mut supply, memories) = self.supply();
        let memory = memories.get_mut(id).ok_or(Error::InvalidHandle)?;
        if !write {
            return memory.frame_for_read(&mut supply, page);
        }
        if memory.is_fixed() {
            return Err(Error::NoRights);
        }
        let (frame, copied) = memory.frame_for_write(&mut supply, page)?;
        if copied {
            self.forget_mapped(id, page, page + 1);
        }
        Ok(frame)
    }

    /// Creates a copy-on-write clone, charged to a quota.
    ///
    /// # Errors
    /// QuotaExhausted or OutOfMemory; nothing is left behind then.
    pub fn clone_memory(
        &mut self,
        source: Id<Memory>,
        quota: Id<Quota>,
    ) -> Result<Id<Memory>, Error> {
        let (mut supply, memories) = self.supply();
        let original = memories.get(source).ok_or(Error::InvalidHandle)?;
        if original.is_fixed() {
            return Err(Error::InvalidArgument);
        }
        let mut clone = Memory::new(original.pages, Some(quota));
        clone.match_depth(original);
        if let Err(error) = original.share_with(&mut clone, &mut supply) {
            clone.truncate(&mut supply, 0);
            return Err(error);
        }
        self.forget_writable(source);
        match self.memories.insert(clone) {
            Some(id) => Ok(id),
            None => Err(Error::OutOfMemory),
        }
    }

    /// Resizes a memory object; pages that go are unmapped and freed.
    ///
    /// # Errors
    /// InvalidHandle, InvalidArgument, QuotaExhausted, OutOfMemory.
    pub fn resize_memory(&mut self, id: Id<Memory>, pages: usize) -> Result<(), Error> {
        let old = self.memories.get(id).ok_or(Error::InvalidHandle)?;
        if pages > MAX_PAGES || old.is_fixed() {
            return Err(Error::InvalidArgument);
        }
        let old = old.pages;
        if pages < old {
            self.forget_mapped(id, pages, old);
        }
        let (mut supply, memories) = self.supply();
        let memory = memories.get_mut(id).ok_or(Error::InvalidHandle)?;
        if pages < old {
            memory.truncate(&mut supply, pages);
        }
        memory.resize(&mut supply, pages)
    }

    /// Destroys a memory object and all its mappings.
    pub fn destroy_memory(&mut self, id: Id<Memory>) {
        while let Some(memory) = self.memories.get(id)
            && let Some(mapping) = self.mappings.id_at(memory.mappings)
            && let Some(mapping) = self.mappings.get(mapping).copied()
            && let Some(space) = mapping.space
            && let Ok(place) = self.first_after(space, mapping.address)
            && let Some((slot, _)) = self.at(space, place)
        {
            self.remove_mapping(space, place, slot);
        }
        if let Some(mut memory) = self.memories.remove(id) {
            let (mut supply, _) = self.supply();
            memory.truncate(&mut supply, 0);
        }
    }

    /// Destroys a space; no thread runs in it any more.
    pub fn destroy_space(&mut self, id: Id<Space>) {
        while let Some((slot, _)) = self.at(id, 0) {
            self.remove_mapping(id, 0, slot);
        }
        let Some(Space { root: Some(root), quota, .. }) = self.spaces.remove(id) else { return };
        while let Some(table) = self.machine.take_table(root) {
            let (mut supply, _) = self.supply();
            supply.release(table, quota);
        }
        let (mut supply, _) = self.supply();
        supply.release(root, quota);
    }

    /// Writes a page-table entry; new page tables are charged to the space's quota.
    fn install(
        &mut self,
        space: Id<Space>,
        address: usize,
        frame: Frame,
        access: Access,
    ) -> Result<(), Error> {
        let space = self.spaces.get_mut(space).ok_or(Error::InvalidHandle)?;
        let root = space.root.ok_or(Error::InvalidHandle)?;
        let (frames, quotas, quota) = (&mut self.frames, &mut self.quotas, space.quota);
        let mut tables = 0;
        let mut allocate = || {
            quota::charge(quotas, quota, 1, 0).ok()?;
            let table = frames.allocate();
            match table {
                Some(_) => tables += 1,
                None => quota::refund(quotas, quota, 1, 0),
            }
            table
        };
        let result = self.machine.map(root, address, frame, access, &mut allocate);
        space.tables += tables;
        result.map_err(|_| Error::QuotaExhausted)
    }

    /// Removes page-table entries of part of a mapping.
    fn forget_pages(&mut self, mapping: &Mapping, from: usize, to: usize) {
        let root = mapping.space.and_then(|space| self.spaces.get(space)).and_then(|s| s.root);
        let Some(root) = root else { return };
        let mut address = self.machine.next_mapped(root, from, to);
        while address < to {
            self.machine.unmap(root, address);
            address = self.machine.next_mapped(root, address + PAGE_SIZE, to);
        }
    }

    /// Removes page-table entries of a memory object's pages, in all its mappings.
    fn forget_mapped(&mut self, memory: Id<Memory>, first: usize, end: usize) {
        self.for_each_mapping(memory, |vm, mapping| {
            let from = first.max(mapping.first_page);
            let to = end.min(mapping.first_page + mapping.pages);
            if from < to {
                let at = |page| mapping.address + (page - mapping.first_page) * PAGE_SIZE;
                vm.forget_pages(mapping, at(from), at(to));
            }
        });
    }

    /// Takes the right to write out of a memory object's page-table entries, wherever they are.
    fn forget_writable(&mut self, memory: Id<Memory>) {
        self.for_each_mapping(memory, |vm, mapping| {
            if mapping.rights.contains(Rights::WRITE) {
                vm.write_protect(mapping);
            }
        });
    }

    fn write_protect(&mut self, mapping: &Mapping) {
        let root = mapping.space.and_then(|space| self.spaces.get(space)).and_then(|s| s.root);
        let Some(root) = root else { return };
        let end = mapping.end();
        let mut address = self.machine.next_mapped(root, mapping.address, end);
        while address < end {
            if let Some((frame, Access::Write)) = self.machine.lookup(root, address) {
                // The entry exists, so that no table is allocated and nothing can fail.
                let _ = self.machine.map(root, address, frame, Access::Read, &mut || None);
            }
            address = self.machine.next_mapped(root, address + PAGE_SIZE, end);
        }
    }

    fn for_each_mapping(&mut self, memory: Id<Memory>, act: impl Fn(&mut Self, &Mapping)) {
        let mut slot = self.memories.get(memory).map_or(NO_MAPPING, |memory| memory.mappings);
        while let Some(id) = self.mappings.id_at(slot)
            && let Some(mapping) = self.mappings.get(id).copied()
        {
            act(self, &mapping);
            slot = mapping.next;
        }
    }

    fn is_fixed(&self, mapping: &Mapping) -> bool {
        mapping.memory.and_then(|id| self.memories.get(id)).is_some_and(Memory::is_fixed)
    }

    /// Returns the place in the space's list of the first mapping at or after an address.
    fn first_after(&self, space: Id<Space>, address: usize) -> Result<usize, Error> {
        let space = self.spaces.get(space).ok_or(Error::InvalidHandle)?;
        Ok(space.mappings.partition_point(|slot| self.mapping(*slot).address < address))
    }

    fn at(&self, space: Id<Space>, place: usize) -> Option<(u32, Mapping)> {
        let slot = *self.spaces.get(space)?.mappings.get(place)?;
        Some((slot, *self.mapping(slot)))
    }

    /// Returns the mapping that covers an address.
    fn covering(&self, space: Id<Space>, address: usize) -> Option<(u32, Mapping)> {
        let place = self.first_after(space, address.checked_add(1)?).ok()?.checked_sub(1)?;
        self.at(space, place).filter(|(_, mapping)| address < mapping.end())
    }

    fn mapping(&self, slot: u32) -> &Mapping {
        &self.mappings[slot as u16]
    }

    fn mapping_mut(&mut self, slot: u32) -> &mut Mapping {
        &mut self.mappings[slot as u16]
    }

    /// Adds a mapping to its space's list, at a place, and to its memory object's.
    fn insert_mapping(&mut self, place: usize, mut mapping: Mapping) -> Result<(), Error> {
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

    fn remove_mapping(&mut self, space: Id<Space>, place: usize, slot: u32) {
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
    fn split_at(&mut self, space: Id<Space>, address: usize) -> Result<(), Error> {
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
