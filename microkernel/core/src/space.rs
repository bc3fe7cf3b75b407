//! Address spaces: which pages of which memory objects appear where.
//!
//! Mapping touches no page: page-table entries are made when a fault or a copy needs them, and
//! removed when what they show changes.

use kamen_abi::{Error, PAGE_SIZE, Rights, USER_END};

use crate::arena::{Arena, Id};
use crate::backing::Backing;
use crate::frames::Frames;
use crate::machine::{Access, FaultAccess, Frame, Machine};
use crate::mapping::Mapping;
use crate::memory::{Memory, NO_MAPPING, Supply};
use crate::quota::{self, Quota};
use crate::steps::Steps;
use crate::sweep::Change;

/// Whether the processor may cache a page's contents: not a device's registers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caching {
    On,
    Off,
}

/// How far the destruction of a space came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// Threads in it are destroyed; the slot to look at next.
    Threads(u16),
    /// Calls that its threads received are ended; the slot to look at next.
    Calls(u16),
    /// What it maps goes.
    Mappings,
    /// Its page tables go; the address to look from next.
    Tables(usize),
}

/// An address space.
pub struct Space {
    /// The root page table; nothing only in a free slot.
    pub root: Option<Frame>,
    /// The top of the tree of its mappings; [`NO_MAPPING`]: there are none.
    pub(crate) mappings: u32,
    /// What it is charged to.
    pub quota: Option<Id<Quota>>,
    /// Its page tables below the root: they stay until it is destroyed.
    pub tables: u32,
    /// While it is being destroyed: how far that came.
    pub(crate) end: End,
}

impl Default for Space {
    fn default() -> Self {
        Space { root: None, mappings: NO_MAPPING, quota: None, tables: 0, end: End::Threads(0) }
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
    /// What the entry under way may still do.
    pub steps: Steps,
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
            steps: &mut self.steps,
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
        quota::insert(&mut self.quotas, &mut self.spaces, space).ok_or_else(|| {
            let (mut supply, _) = self.supply();
            supply.release(root, Some(quota));
            Error::OutOfMemory
        })
    }

    /// Makes a mapping; one that continues its neighbour is merged with it.
    ///
    /// # Errors
    /// InvalidArgument for the range, BadRange where something is mapped there, QuotaExhausted,
    /// OutOfMemory.
    pub fn map(&mut self, space: Id<Space>, new: NewMapping) -> Result<(), Error> {
        let end = checked_end(new.address, new.pages)?;
        let memory = self.memories.get(new.memory).ok_or(Error::InvalidHandle)?;
        let fits = new.first_page.checked_add(new.pages).is_some_and(|last| last <= memory.pages);
        if !fits {
            return Err(Error::InvalidArgument);
        }
        let before = self.last_to(space, end - 1);
        if before.is_some_and(|(_, before)| before.end() > new.address) {
            return Err(Error::BadRange);
        }
        if let Some((slot, prev)) = before
            && prev.end() == new.address
            && prev.memory == Some(new.memory)
            && prev.first_page + prev.pages == new.first_page
            && (prev.rights, prev.most) == (new.rights, new.most)
        {
            self.mappings.in_slot_mut(slot).pages += new.pages;
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
            ..Mapping::default()
        };
        self.insert_mapping(mapping, None)
    }

    /// Makes the page at an address accessible, after a fault or before a copy; returns its frame.
    /// A page table that shows it as the access needs it is right, and found sooner.
    ///
    /// # Errors
    /// BadAddress where no mapping allows the access, QuotaExhausted, OutOfMemory.
    #[inline(always)]
    pub fn resolve(
        &mut self,
        space: Id<Space>,
        address: usize,
        access: FaultAccess,
    ) -> Result<Frame, Error> {
        match self.mapped(space, address, access) {
            Some(frame) => Ok(frame),
            None => self.provide(space, address, access),
        }
    }

    /// Returns the frame of a page of memory, if the space's page tables allow the access.
    #[inline(always)]
    pub fn mapped(&self, space: Id<Space>, address: usize, access: FaultAccess) -> Option<Frame> {
        let root = self.spaces.get(space)?.root?;
        let page = address & !(PAGE_SIZE - 1);
        (address < USER_END).then(|| self.machine.mapped_memory(root, page, access)).flatten()
    }

    /// Returns the frame of a page of a memory object that can be read without anything being made
    /// or settled first.
    #[inline]
    pub fn readable(&self, id: Id<Memory>, page: usize) -> Option<Frame> {
        let memory = self.memories.get(id)?;
        let is_device = matches!(memory.backing, Backing::Device(_));
        let is_plain = memory.sweep.is_none() && !is_device && page < memory.pages;
        is_plain.then(|| memory.frame(&self.machine, page)).flatten()
    }

    #[inline(never)]
    fn provide(
        &mut self,
        space: Id<Space>,
        address: usize,
        access: FaultAccess,
    ) -> Result<Frame, Error> {
        let (memory, page, _) = self.allowed(space, address, access)?;
        self.frame(memory, page, access == FaultAccess::Write)
    }

    /// Returns the page of a memory object at an address, if it may be accessed that way, and the
    /// rights of its mapping.
    fn allowed(
        &self,
        space: Id<Space>,
        address: usize,
        access: FaultAccess,
    ) -> Result<(Id<Memory>, usize, Rights), Error> {
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
        Ok((memory, mapping.page(address), mapping.rights))
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
        let (memory, page, rights) = self.allowed(space, address, access)?;
        let may_write = rights.contains(Rights::WRITE);
        if let Some(registers) = self.device_frame(memory, page) {
            let access = if may_write { Access::Write } else { Access::Read };
            return self.install(space, address, registers, access, Caching::Off);
        }
        let frame = self.frame(memory, page, access == FaultAccess::Write)?;
        let writable =
            may_write && (access == FaultAccess::Write || self.frames.shares(frame) == 1);
        let access = if rights.contains(Rights::EXECUTE) {
            Access::Execute
        } else if writable {
            Access::Write
        } else {
            Access::Read
        };
        self.install(space, address, frame, access, Caching::On)
    }

    fn device_frame(&self, memory: Id<Memory>, page: usize) -> Option<Frame> {
        let memory = self.memories.get(memory)?;
        match memory.backing {
            Backing::Device(_) => memory.frame(&self.machine, page),
            _ => None,
        }
    }

    /// Returns the frame of a memory object's page, ready to be read or written.
    ///
    /// # Errors
    /// BadRange past the end, NoRights for writing the boot archive, QuotaExhausted, OutOfMemory,
    /// PageMissing, BadAddress for a device.
    pub fn frame(&mut self, id: Id<Memory>, page: usize, write: bool) -> Result<Frame, Error> {
        self.settle(id)?;
        let (mut supply, memories) = self.supply();
        let memory = memories.get_mut(id).ok_or(Error::InvalidHandle)?;
        if !write {
            return memory.frame_for_read(&mut supply, page);
        }
        if let Backing::Archive(_) = memory.backing {
            return Err(Error::NoRights);
        }
        let (frame, old) = memory.frame_for_write(&mut supply, page)?;
        if let Some(old) = old {
            self.sweep(id, page, Change::Removed(old))?;
        }
        Ok(frame)
    }

    /// Writes a page-table entry; new page tables are charged to the space's quota.
    fn install(
        &mut self,
        space: Id<Space>,
        address: usize,
        frame: Frame,
        access: Access,
        caching: Caching,
    ) -> Result<(), Error> {
        let space = self.spaces.find_mut(space).ok_or(Error::InvalidHandle)?;
        let root = space.root.ok_or(Error::InvalidHandle)?;
        let (frames, quotas, quota) = (&mut self.frames, &mut self.quotas, space.quota);
        let mut allocate = || {
            quota::charge(quotas, quota, 1, 0).ok()?;
            let table = frames.allocate();
            if table.is_none() {
                quota::refund(quotas, quota, 1, 0);
            }
            space.tables += u32::from(table.is_some());
            table
        };
        let result = match caching {
            Caching::On => self.machine.map(root, address, frame, access, &mut allocate),
            Caching::Off => self.machine.map_device(root, address, frame, access, &mut allocate),
        };
        result.map_err(|_| Error::QuotaExhausted)
    }
}

#[cfg(test)]
mod tests;
