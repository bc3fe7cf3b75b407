//! Resizing and moving mappings (mremap).

use alloc::rc::Rc;
use alloc::vec::Vec;

use crate::Errno;
use crate::machine::Machine;
use crate::memory::mm::show;
use crate::memory::{Backing, Counted, Mm, PAGE, Region, Sharing};

/// Where a mapping may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Destination {
    /// It stays where it is.
    InPlace,
    /// Anywhere, if it cannot stay.
    Anywhere,
    /// To an address, in place of what is there (`MREMAP_FIXED`).
    At(u64),
}

/// What is left where a mapping was moved from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Old {
    /// Nothing.
    Unmapped,
    /// Fresh pages (`MREMAP_DONTUNMAP`).
    Fresh,
}

/// What is asked of a mapping.
#[derive(Clone, Copy, Debug)]
pub struct Remap {
    /// Its address.
    pub address: u64,
    /// Its pages.
    pub pages: u64,
    /// How many it shall have, at least 1.
    pub wanted: u64,
    /// Where it may go.
    pub to: Destination,
    /// What is left of it.
    pub old: Old,
}

impl Mm {
    /// Resizes or moves a mapping and returns where it is.
    ///
    /// # Errors
    /// EFAULT: the range is not one mapping; ENOMEM; EINVAL: pages that cannot be left behind.
    pub fn remap(&mut self, machine: &mut dyn Machine, remap: Remap) -> Result<u64, Errno> {
        let Remap { address, pages, wanted, to, old } = remap;
        self.check_one(address, pages)?;
        // Two cuts, one more region behind the mapping, and one that is replaced in the middle.
        if self.regions.len() + 5 > super::MAX_REGIONS {
            return Err(Errno::ENOMEM);
        }
        if wanted > pages {
            let counted = self.region_at(address).map_or(Counted::Otherwise, Counted::of);
            self.check_growth(wanted - pages, counted)?;
        }
        let all_anonymous = self.all_in(address, pages, Region::is_anonymous);
        if old == Old::Fresh && !all_anonymous {
            return Err(Errno::EINVAL);
        }
        let moves = matches!(to, Destination::At(_)) || old == Old::Fresh;
        if !moves {
            if wanted < pages {
                self.remove(machine, address + wanted * PAGE, pages - wanted);
            }
            if wanted <= pages {
                return Ok(address);
            }
            if self.grows_in_place(address, pages, wanted) {
                self.extend(machine, address + pages * PAGE, wanted - pages)?;
                return Ok(address);
            }
        }
        let target = match to {
            Destination::InPlace => return Err(Errno::ENOMEM),
            Destination::Anywhere => self.find_gap(wanted)?,
            Destination::At(target) => target,
        };
        if wanted < pages {
            self.remove(machine, address + wanted * PAGE, pages - wanted);
        }
        self.move_to(machine, remap, target)
    }

    /// Checks that a range is one mapping to the program.
    fn check_one(&self, address: u64, pages: u64) -> Result<(), Errno> {
        let mut region = self.region_at(address).ok_or(Errno::EFAULT)?;
        while region.end() < address + pages * PAGE {
            let next = self.regions.get(&region.end()).ok_or(Errno::EFAULT)?;
            if !region.continues_in(next) {
                return Err(Errno::EFAULT);
            }
            region = next;
        }
        Ok(())
    }

    fn grows_in_place(&self, address: u64, pages: u64, wanted: u64) -> bool {
        let end = address + pages * PAGE;
        // What is behind belongs to the same region: only its end can grow.
        Mm::is_valid(address, wanted) && !self.is_used(end, wanted - pages)
    }

    fn move_to(
        &mut self,
        machine: &mut dyn Machine,
        remap: Remap,
        target: u64,
    ) -> Result<u64, Errno> {
        let Remap { address, pages, wanted, old, .. } = remap;
        let kept = pages.min(wanted);
        self.remove(machine, target, wanted);
        let starts = self.isolate(address, kept);
        let mut moved: Vec<Region> = Vec::new();
        for start in starts {
            moved.extend(self.regions.remove(&start));
        }
        machine.unmap(self.space(), address, kept);
        for region in &moved {
            let start = target + (region.start - address);
            self.insert(machine, Region { start, ..region.clone() })?;
        }
        if old == Old::Fresh {
            for region in moved {
                let backing = self.zeros(machine, region.pages)?;
                self.insert(machine, Region { backing, first_page: 0, ..region })?;
            }
        }
        if wanted > pages {
            self.extend(machine, target + pages * PAGE, wanted - pages)?;
        }
        Ok(target)
    }

    /// Maps the pages of a shared mapping at a second place (mremap(2), "old_size is zero").
    ///
    /// # Errors
    /// EFAULT: nothing is mapped; EINVAL: what is mapped is not shared; ENOMEM.
    pub fn duplicate(
        &mut self,
        machine: &mut dyn Machine,
        address: u64,
        wanted: u64,
        to: Destination,
    ) -> Result<u64, Errno> {
        let region = self.region_at(address).cloned().ok_or(Errno::EFAULT)?;
        if region.sharing != Sharing::Shared {
            return Err(Errno::EINVAL);
        }
        let start = match to {
            Destination::InPlace => return Err(Errno::ENOMEM),
            Destination::Anywhere => self.find_gap(wanted)?,
            Destination::At(start) => start,
        };
        let first_page = region.page_at(address);
        self.insert(machine, Region { start, pages: wanted, first_page, ..region })?;
        Ok(start)
    }

    /// Adds pages behind the region that ends at `end`, where nothing is.
    fn extend(&mut self, machine: &mut dyn Machine, end: u64, more: u64) -> Result<(), Errno> {
        let space = self.space();
        let last = self.regions.range_mut(..end).next_back().map(|(_, region)| region);
        let region = last.filter(|region| region.end() == end).ok_or(Errno::EFAULT)?;
        if region.is_anonymous() {
            let used = region.first_page + region.pages;
            let alone = Rc::strong_count(&region.backing) == 1;
            if !alone || used != region.backing.pages() {
                let added = Region { start: end, pages: more, first_page: 0, ..region.clone() };
                let backing = self.zeros(machine, more)?;
                return self.insert(machine, Region { backing, ..added });
            }
            machine.resize_memory(region.backing.memory(), used + more)?;
            region.backing.set_pages(used + more);
        } else if let (Sharing::Private, Some(file)) = (region.sharing, region.file.clone()) {
            let memory = machine.clone_memory(file.backing.memory())?;
            let first_page = region.first_page + region.pages;
            let added = Region { start: end, pages: more, first_page, ..region.clone() };
            let backing = Backing::new(memory, file.backing.pages(), self.trash());
            return self.insert(machine, Region { backing, ..added });
        }
        region.pages += more;
        show(machine, space, region)
    }
}
