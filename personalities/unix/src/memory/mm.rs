//! The regions of one address space: placing, splitting, growing, forking.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::ops::Range;

use libipc::{Memory, Space};

use crate::Errno;
use crate::machine::{Access, Machine};
use crate::memory::{Backing, PAGE, Region, Sharing, Trash, pages};

/// The end of the stack; its first page is left free.
pub const STACK_TOP: u64 = 0x7fff_ffff_e000;
/// Most bytes of the stack (`RLIMIT_STACK`).
pub const STACK_LIMIT: u64 = 8 << 20;
/// Mappings whose address the program leaves open end below this one.
pub const MAP_TOP: u64 = STACK_TOP - STACK_LIMIT - (1 << 20);
/// The lowest address that can be mapped (`vm.mmap_min_addr`).
const MAP_BOTTOM: u64 = 0x1_0000;
/// By how many pages the heap's memory object grows.
const HEAP_STEP: u64 = 64;
/// By how many pages a stack grows that runs out.
const STACK_STEP: u64 = 64;
/// Most regions of a process (Linux `vm.max_map_count` is 65,530).
pub const MAX_REGIONS: usize = 4096;
/// Most pages of one heap (1 GiB).
const HEAP_MAX: u64 = 1 << 18;

/// The memory of a process.
#[derive(Debug)]
pub struct Mm {
    space: Space,
    regions: BTreeMap<u64, Region>,
    /// First byte of the heap, and its end as the program set it.
    brk: Range<u64>,
    trash: Trash,
}

impl Mm {
    /// Returns an empty address space.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn new(machine: &mut dyn Machine, trash: &Trash) -> Result<Self, Errno> {
        let space = match trash.take_spare() {
            Some(space) => space,
            None => machine.create_space()?,
        };
        Ok(Mm { space, regions: BTreeMap::new(), brk: 0..0, trash: trash.clone() })
    }

    /// Returns the kernel's space.
    pub fn space(&self) -> Space {
        self.space
    }

    /// Returns the regions in order.
    pub fn regions(&self) -> impl Iterator<Item = &Region> {
        self.regions.values()
    }

    /// Returns the number of pages that could be touched.
    pub fn size_pages(&self) -> u64 {
        self.regions.values().map(|region| region.pages).sum()
    }

    /// Returns whether there are as many regions as there may be.
    pub fn is_full(&self) -> bool {
        self.regions.len() >= MAX_REGIONS
    }

    /// Returns the region that an address lies in.
    pub fn region_at(&self, address: u64) -> Option<&Region> {
        let (_, region) = self.regions.range(..=address).next_back()?;
        (address < region.end()).then_some(region)
    }

    /// Returns whether a run of pages lies in user space above the lowest address.
    pub fn is_valid(address: u64, pages: u64) -> bool {
        let end = pages.checked_mul(PAGE).and_then(|len| address.checked_add(len));
        address >= MAP_BOTTOM && end.is_some_and(|end| end <= STACK_TOP)
    }

    /// Adds a region, in place of whatever lies there.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn insert(&mut self, machine: &mut dyn Machine, region: Region) -> Result<(), Errno> {
        // One that is replaced in the middle becomes three.
        if self.regions.len() + 2 > MAX_REGIONS {
            return Err(Errno::ENOMEM);
        }
        self.remove(machine, region.start, region.pages);
        let mut region = region;
        region.mapped = region.access;
        if region.access != Access::None {
            machine.map(self.space, &region.mapping())?;
        }
        self.regions.insert(region.start, region);
        Ok(())
    }

    /// Adds zero-filled private pages and returns their backing.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn insert_zeros(
        &mut self,
        machine: &mut dyn Machine,
        address: u64,
        pages: u64,
        access: Access,
        sharing: Sharing,
    ) -> Result<Rc<Backing>, Errno> {
        let backing = Backing::new(machine.create_memory(pages)?, pages, &self.trash);
        let region = Region {
            start: address,
            pages,
            access,
            mapped: access,
            sharing,
            backing: backing.clone(),
            first_page: 0,
        };
        self.insert(machine, region)?;
        Ok(backing)
    }

    /// Removes whatever lies in a range.
    pub fn remove(&mut self, machine: &mut dyn Machine, address: u64, pages: u64) {
        let starts = self.isolate(address, pages);
        for start in &starts {
            self.regions.remove(start);
        }
        if !starts.is_empty() {
            machine.unmap(self.space, address, pages);
        }
    }

    /// Changes what may be done with a range, all of which must belong to regions.
    ///
    /// # Errors
    /// ENOMEM: not all of it does, or no memory.
    pub fn protect(
        &mut self,
        machine: &mut dyn Machine,
        address: u64,
        pages: u64,
        access: Access,
    ) -> Result<(), Errno> {
        if self.regions.len() + 2 > MAX_REGIONS {
            return Err(Errno::ENOMEM);
        }
        let starts = self.isolate(address, pages);
        let found: u64 = starts.iter().map(|start| self.regions[start].pages).sum();
        if found != pages {
            return Err(Errno::ENOMEM);
        }
        for start in starts {
            let Some(region) = self.regions.get_mut(&start) else { continue };
            region.access = access;
            if region.sharing == Sharing::Image && access == Access::Write {
                let memory = machine.clone_memory(region.backing.memory())?;
                region.backing = Backing::new(memory, region.backing.pages(), &self.trash);
                region.sharing = Sharing::Private;
            }
            if region.mapped.covers(access) {
                machine.protect(self.space, region.start, region.pages, access)?;
                continue;
            }
            machine.unmap(self.space, region.start, region.pages);
            region.mapped = access;
            if access != Access::None {
                machine.map(self.space, &region.mapping())?;
            }
        }
        Ok(())
    }

    /// Splits regions so that none crosses the borders of a range; returns the starts of those
    /// within.
    fn isolate(&mut self, address: u64, pages: u64) -> Vec<u64> {
        let end = address + pages * PAGE;
        for border in [address, end] {
            let before = self.regions.range_mut(..border).next_back();
            if let Some((_, region)) = before.filter(|(_, region)| region.end() > border) {
                let after = region.split(border);
                self.regions.insert(border, after);
            }
        }
        self.regions.range(address..end).map(|(start, _)| *start).collect()
    }

    /// Returns the highest free address for a mapping of that many pages.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn find_gap(&self, pages: u64) -> Result<u64, Errno> {
        let len = pages.checked_mul(PAGE).ok_or(Errno::ENOMEM)?;
        let mut end = MAP_TOP;
        for region in self.regions.values().rev() {
            if region.end() <= end && end - region.end() >= len {
                return Ok(end - len);
            }
            end = end.min(region.start);
        }
        match end.checked_sub(len) {
            Some(start) if start >= MAP_BOTTOM => Ok(start),
            _ => Err(Errno::ENOMEM),
        }
    }

    /// Returns whether a range overlaps a region.
    pub fn is_used(&self, address: u64, pages: u64) -> bool {
        let end = address + pages * PAGE;
        self.regions.range(..end).next_back().is_some_and(|(_, region)| region.end() > address)
    }

    /// Says where the heap begins.
    pub fn start_heap(&mut self, at: u64) {
        self.brk = at..at;
    }

    /// Sets the heap's end and returns it; what cannot be had leaves it as it was (as in Linux).
    pub fn set_brk(&mut self, machine: &mut dyn Machine, to: u64) -> u64 {
        let valid = to >= self.brk.start && pages(to - self.brk.start) <= HEAP_MAX;
        if valid && self.resize_heap(machine, to).is_ok() {
            self.brk.end = to;
        }
        self.brk.end
    }

    fn resize_heap(&mut self, machine: &mut dyn Machine, to: u64) -> Result<(), Errno> {
        let start = self.brk.start.next_multiple_of(PAGE);
        let mapped = self.brk.end.max(start).next_multiple_of(PAGE);
        let wanted = to.max(start).next_multiple_of(PAGE);
        if wanted < mapped {
            self.remove(machine, wanted, (mapped - wanted) / PAGE);
            return self.trim_last(machine, wanted);
        }
        let more = (wanted - mapped) / PAGE;
        if more == 0 {
            return Ok(());
        }
        if self.is_used(mapped, more) {
            return Err(Errno::ENOMEM);
        }
        match self.extend_last(machine, mapped, more)? {
            true => Ok(()),
            false => self.insert_heap(machine, mapped, more),
        }
    }

    /// Gives back the pages of a heap that shrank: a heap that grows again starts with zeros.
    fn trim_last(&mut self, machine: &mut dyn Machine, end: u64) -> Result<(), Errno> {
        let heap = self.brk.start.next_multiple_of(PAGE);
        let last = self.regions.range_mut(heap..end).next_back().map(|(_, region)| region);
        if let Some(region) = last.filter(|region| Rc::strong_count(&region.backing) == 1) {
            let kept = region.first_page + region.pages;
            machine.resize_memory(region.backing.memory(), kept)?;
            region.backing.set_pages(kept);
        }
        Ok(())
    }

    /// Lengthens the private region that ends at `end` in place, where its memory object allows.
    fn extend_last(
        &mut self,
        machine: &mut dyn Machine,
        end: u64,
        more: u64,
    ) -> Result<bool, Errno> {
        let heap = self.brk.start.next_multiple_of(PAGE);
        let Some((_, region)) = self.regions.range_mut(heap..end).next_back() else {
            return Ok(false);
        };
        let last_page = region.first_page + region.pages;
        let alone = Rc::strong_count(&region.backing) == 1;
        if region.end() != end || region.access != Access::Write || !alone {
            return Ok(false);
        }
        if last_page + more > region.backing.pages() {
            let grown = (last_page + more).next_multiple_of(HEAP_STEP);
            machine.resize_memory(region.backing.memory(), grown)?;
            region.backing.set_pages(grown);
        }
        let mut added = region.clone();
        (added.start, added.pages, added.first_page) = (end, more, last_page);
        machine.map(self.space, &added.mapping())?;
        region.pages += more;
        Ok(true)
    }

    fn insert_heap(
        &mut self,
        machine: &mut dyn Machine,
        address: u64,
        pages: u64,
    ) -> Result<(), Errno> {
        let capacity = pages.next_multiple_of(HEAP_STEP);
        let backing = Backing::new(machine.create_memory(capacity)?, capacity, &self.trash);
        let region = Region {
            start: address,
            pages,
            access: Access::Write,
            mapped: Access::Write,
            sharing: Sharing::Private,
            backing,
            first_page: 0,
        };
        self.insert(machine, region)
    }

    /// Adds pages below the stack where a fault at `address` says that it ran out; returns
    /// whether it did.
    pub fn grow_stack(&mut self, machine: &mut dyn Machine, address: u64) -> bool {
        let floor = STACK_TOP - STACK_LIMIT;
        if address < floor || address >= STACK_TOP || self.region_at(address).is_some() {
            return false;
        }
        let Some((&above, _)) = self.regions.range(address..).next() else { return false };
        let below = self.regions.range(..address).next_back().map_or(0, |(_, below)| below.end());
        let step = above.saturating_sub(STACK_STEP * PAGE);
        let start = (address & !(PAGE - 1)).min(step).max(floor).max(below);
        let count = (above - start) / PAGE;
        self.insert_zeros(machine, start, count, Access::Write, Sharing::Private).is_ok()
    }

    /// Returns a copy of everything private that shares everything else.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn fork(&self, machine: &mut dyn Machine) -> Result<Mm, Errno> {
        let mut child = Mm::new(machine, &self.trash)?;
        child.brk = self.brk.clone();
        let mut clones: Vec<(Memory, Rc<Backing>)> = Vec::new();
        for region in self.regions.values() {
            let mut copy = region.clone();
            if region.sharing == Sharing::Private {
                copy.backing = cloned(machine, &mut clones, &region.backing, &self.trash)?;
            }
            copy.mapped = copy.access;
            if copy.access != Access::None {
                machine.map(child.space, &copy.mapping())?;
            }
            child.regions.insert(copy.start, copy);
        }
        Ok(child)
    }
}

/// Returns the clone of a backing, made at its first region.
fn cloned(
    machine: &mut dyn Machine,
    clones: &mut Vec<(Memory, Rc<Backing>)>,
    backing: &Backing,
    trash: &Trash,
) -> Result<Rc<Backing>, Errno> {
    let made = clones.iter().find(|(memory, _)| *memory == backing.memory());
    if let Some((_, clone)) = made {
        return Ok(clone.clone());
    }
    let memory = machine.clone_memory(backing.memory())?;
    let clone = Backing::new(memory, backing.pages(), trash);
    clones.push((backing.memory(), clone.clone()));
    Ok(clone)
}

impl Drop for Mm {
    fn drop(&mut self) {
        self.trash.add_space(self.space);
    }
}
