//! The regions of one address space: placing, splitting, growing, forking.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::ops::Range;

use libipc::{Memory, Space};

use crate::Errno;
use crate::machine::{Access, Machine, Mapping};
use crate::memory::fault::GUARD_PAGES;
use crate::memory::{AtFork, Backing, Bounds, PAGE, Purpose, Region, Sharing, Trash};

/// The end of the stack; its first page is left free.
pub const STACK_TOP: u64 = 0x7fff_ffff_e000;
/// Most bytes of the stack, unless another limit is set (`RLIMIT_STACK`).
pub const STACK_LIMIT: u64 = 8 << 20;
/// Most bytes that there is room for, whatever the limit is (`MIN_GAP` of Linux, arch/x86/mm/mmap.c).
const STACK_ROOM: u64 = 128 << 20;
/// Mappings whose address the program leaves open end below this one.
pub const MAP_TOP: u64 = STACK_TOP - STACK_ROOM - (1 << 20);
/// The lowest address that can be mapped (`vm.mmap_min_addr`).
const MAP_BOTTOM: u64 = 0x1_0000;
/// Most regions of a process (Linux `vm.max_map_count` is 65,530).
pub const MAX_REGIONS: usize = 4096;
/// Most pages that are given back one by one when a part of a mapping goes (2 MiB): longer parts
/// are reservations that were never touched, as a rule, and would take long to look through.
const DISCARDED_PAGES: u64 = 512;

/// The memory of a process.
#[derive(Debug)]
pub struct Mm {
    space: Space,
    pub(super) regions: BTreeMap<u64, Region>,
    /// First byte of the heap, and its end as the program set it.
    pub(super) brk: Range<u64>,
    pub(super) bounds: Bounds,
    /// How many more mappings than regions the kernel may have, as regions were joined.
    pub(super) joined: usize,
    /// Whether it is registered for barriers (membarrier(2)).
    pub(super) has_barriers: bool,
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
        let (regions, bounds) = (BTreeMap::new(), Bounds::default());
        let trash = trash.clone();
        Ok(Mm { space, regions, brk: 0..0, bounds, joined: 0, has_barriers: false, trash })
    }

    /// Returns the kernel's space.
    pub fn space(&self) -> Space {
        self.space
    }

    /// Returns where memory objects go that nobody uses.
    pub(super) fn trash(&self) -> &Trash {
        &self.trash
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

    /// Returns the region that an address lies in, to be changed.
    pub(super) fn region_at_mut(&mut self, address: u64) -> Option<&mut Region> {
        let (_, region) = self.regions.range_mut(..=address).next_back()?;
        (address < region.end()).then_some(region)
    }

    /// Returns whether a run of pages lies in user space above the lowest address.
    pub fn is_valid(address: u64, pages: u64) -> bool {
        let end = pages.checked_mul(PAGE).and_then(|len| address.checked_add(len));
        address >= MAP_BOTTOM && end.is_some_and(|end| end <= STACK_TOP)
    }

    /// Returns whether an address lies below the lowest that can be mapped.
    pub fn is_low(address: u64) -> bool {
        address < MAP_BOTTOM
    }

    /// Returns whether a run of pages lies in user space.
    pub fn is_within(address: u64, pages: u64) -> bool {
        let end = pages.checked_mul(PAGE).and_then(|len| address.checked_add(len));
        end.is_some_and(|end| end <= STACK_TOP)
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
        self.place(machine, region)
    }

    /// Adds a region where nothing lies.
    fn place(&mut self, machine: &mut dyn Machine, region: Region) -> Result<(), Errno> {
        let mut region = region;
        (region.shown, region.mapped, region.is_joined) = (0, region.access, false);
        show(machine, self.space, &mut region)?;
        self.regions.insert(region.start, region);
        Ok(())
    }

    /// Returns the backing of so many pages of zeros.
    pub(super) fn zeros(
        &self,
        machine: &mut dyn Machine,
        pages: u64,
    ) -> Result<Rc<Backing>, Errno> {
        Ok(Backing::new(machine.create_memory(pages)?, pages, &self.trash))
    }

    /// Adds zero-filled pages and returns their backing.
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
        let backing = self.zeros(machine, pages)?;
        self.insert(machine, Region::new(address, pages, access, sharing, backing.clone()))?;
        Ok(backing)
    }

    /// Removes whatever lies in a range.
    pub fn remove(&mut self, machine: &mut dyn Machine, address: u64, pages: u64) {
        let starts = self.isolate(address, pages);
        if starts.is_empty() {
            return;
        }
        machine.unmap(self.space, address, pages);
        for start in &starts {
            let Some(region) = self.regions.remove(start) else { continue };
            if Rc::strong_count(&region.backing) > 1 && region.is_anonymous() {
                give_pages_back(machine, &region);
            }
        }
    }

    /// Changes what may be done with a range, all of which must belong to regions.
    ///
    /// # Errors
    /// ENOMEM: not all of it does, or no memory; EACCES: a file that is not open for that.
    pub fn protect(
        &mut self,
        machine: &mut dyn Machine,
        address: u64,
        pages: u64,
        access: Access,
    ) -> Result<(), Errno> {
        if self.regions.len() + 2 > MAX_REGIONS || !self.covers(address, pages) {
            return Err(Errno::ENOMEM);
        }
        let may = |region: &Region| access != Access::Write || region.most == Access::Write;
        if !self.all_in(address, pages, may) {
            return Err(Errno::EACCES);
        }
        if access == Access::Write {
            self.check_writable(address, pages)?;
        }
        for start in self.isolate(address, pages) {
            let Some(region) = self.regions.get_mut(&start) else { continue };
            region.access = access;
            if region.sharing == Sharing::Image && access == Access::Write {
                let memory = machine.clone_memory(region.backing.memory())?;
                region.backing = Backing::new(memory, region.backing.pages(), &self.trash);
                region.sharing = Sharing::Private;
                region.mapped = Access::None;
            }
            if let (Sharing::Shared, Access::Write, Some(file)) =
                (region.sharing, access, &region.file)
            {
                file.set_written();
            }
            if region.mapped.covers(access) {
                if region.shown != 0 {
                    machine.protect(self.space, region.start, region.shown, access)?;
                }
                continue;
            }
            region.map_anew(machine, self.space)?;
        }
        self.join(machine, address, pages);
        Ok(())
    }

    /// Splits regions so that none crosses the borders of a range; returns the starts of those
    /// within.
    pub(super) fn isolate(&mut self, address: u64, pages: u64) -> Vec<u64> {
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
        self.find_gap_below(pages, MAP_TOP)
    }

    /// Returns the highest free address for a mapping of that many pages that ends at `top` at most.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn find_gap_below(&self, pages: u64, top: u64) -> Result<u64, Errno> {
        let len = pages.checked_mul(PAGE).ok_or(Errno::ENOMEM)?;
        let mut end = top;
        for region in self.regions.values().rev() {
            if region.end() <= end && end - region.end() >= len {
                return Ok(end - len);
            }
            let guard = if region.purpose == Purpose::Stack { GUARD_PAGES * PAGE } else { 0 };
            end = end.min(region.start.saturating_sub(guard));
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

    /// Returns a copy of everything private that shares everything else.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn fork(&self, machine: &mut dyn Machine) -> Result<Mm, Errno> {
        let mut child = Mm::new(machine, &self.trash)?;
        (child.brk, child.bounds) = (self.brk.clone(), self.bounds);
        child.has_barriers = self.has_barriers;
        let mut clones: Vec<(Memory, Rc<Backing>)> = Vec::new();
        for region in self.regions.values() {
            // Locks are the parent's (mlock(2)).
            let mut copy = Region { is_locked: false, ..region.clone() };
            match region.at_fork {
                AtFork::Absent => continue,
                AtFork::Wiped => {
                    (copy.backing, copy.first_page) = (self.zeros(machine, region.pages)?, 0);
                    child.insert(machine, copy)?;
                    continue;
                }
                AtFork::Kept => {}
            }
            if region.sharing == Sharing::Private {
                copy.backing = cloned(machine, &mut clones, &region.backing, &self.trash)?;
            }
            child.place(machine, copy)?;
        }
        Ok(child)
    }
}

/// Gives back the pages of a region that goes, whose object lives on for other regions. What cannot
/// be given back comes back with the object.
fn give_pages_back(machine: &mut dyn Machine, region: &Region) {
    let (backing, first, count) = (&region.backing, region.first_page, region.available());
    if first != 0 && first + count == backing.pages() {
        if machine.resize_memory(backing.memory(), first).is_ok() {
            backing.set_pages(first);
        }
    } else if count <= DISCARDED_PAGES {
        let _ = machine.decommit(backing.memory(), first, count);
    }
}

/// Maps the pages of a region that its object has and the kernel does not map yet.
pub(super) fn show(
    machine: &mut dyn Machine,
    space: Space,
    region: &mut Region,
) -> Result<(), Errno> {
    let available = region.available();
    if region.mapped == Access::None || available <= region.shown {
        return Ok(());
    }
    machine.map(space, &Mapping { access: region.mapped, ..region.mapping(region.shown) })?;
    let (address, added) = (region.start + region.shown * PAGE, available - region.shown);
    region.shown = available;
    if region.access != region.mapped {
        // mprotect came in between.
        machine.protect(space, address, added, region.access)?;
    }
    Ok(())
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
