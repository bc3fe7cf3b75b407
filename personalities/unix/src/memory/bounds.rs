//! How much memory a process may have: `RLIMIT_AS`, `DATA`, `STACK` and `MEMLOCK` (getrlimit(2)).
//!
//! As in Linux (`may_expand_vm`, mm/mmap.c), what counts as data is every private writable page that
//! is no stack. A locked page is one that was asked to stay in memory, where all pages stay here.

use crate::Errno;
use crate::machine::{Access, Machine};
use crate::memory::{Mm, PAGE, Purpose, Region, STACK_LIMIT, STACK_TOP, Sharing};
use crate::process::{Limits, Resource, UNLIMITED};

/// Bounds in bytes; [`UNLIMITED`] where there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// Of all mappings together.
    pub address_space: u64,
    /// Of private writable ones.
    pub data: u64,
    /// Of each stack that grows.
    pub stack: u64,
    /// Of what is locked, where the process has no right to lock more.
    pub locked: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        let (address_space, data, locked) = (UNLIMITED, UNLIMITED, UNLIMITED);
        Bounds { address_space, data, stack: STACK_LIMIT, locked }
    }
}

impl Bounds {
    /// Returns the bounds that limits set.
    pub fn of(limits: &Limits) -> Bounds {
        Bounds {
            address_space: limits.soft(Resource::AddressSpace),
            data: limits.soft(Resource::Data),
            stack: limits.soft(Resource::Stack),
            locked: limits.soft(Resource::Locked),
        }
    }
}

/// Whether pages count as data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counted {
    /// They are private and writable.
    AsData,
    /// They are something else.
    Otherwise,
}

impl Counted {
    /// Returns how pages count.
    pub fn new(access: Access, sharing: Sharing, purpose: Purpose) -> Counted {
        let is_data =
            access == Access::Write && sharing != Sharing::Shared && purpose != Purpose::Stack;
        if is_data { Counted::AsData } else { Counted::Otherwise }
    }

    /// Returns how those of a region do.
    pub fn of(region: &Region) -> Counted {
        Counted::new(region.access, region.sharing, region.purpose)
    }
}

impl Mm {
    /// Returns the bounds.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Sets the bounds; what exceeds them stays.
    pub fn set_bounds(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    /// Checks that a number of pages may be added.
    ///
    /// # Errors
    /// ENOMEM: a bound would be exceeded.
    pub fn check_growth(&self, more: u64, counted: Counted) -> Result<(), Errno> {
        let Bounds { address_space, data, .. } = self.bounds;
        let is_over = |bound: u64, pages: u64| bound != UNLIMITED && pages + more > bound / PAGE;
        if is_over(address_space, self.size_pages()) && address_space != UNLIMITED {
            return Err(Errno::ENOMEM);
        }
        let as_data = counted == Counted::AsData && data != UNLIMITED;
        if as_data && is_over(data, self.data_pages()) { Err(Errno::ENOMEM) } else { Ok(()) }
    }

    /// Checks that pages may be added at an address, in place of whatever lies there.
    ///
    /// # Errors
    /// ENOMEM: a bound would be exceeded.
    pub fn check_growth_at(&self, at: u64, pages: u64, counted: Counted) -> Result<(), Errno> {
        if (self.bounds.address_space, self.bounds.data) == (UNLIMITED, UNLIMITED) {
            return Ok(());
        }
        self.check_growth(pages - self.pages_in(at, pages, |_| true), counted)
    }

    /// Checks that pages may become writable.
    ///
    /// # Errors
    /// ENOMEM: they would be too many data.
    pub fn check_writable(&self, at: u64, pages: u64) -> Result<(), Errno> {
        let Bounds { data, .. } = self.bounds;
        let becomes = |region: &Region| {
            Counted::of(region) == Counted::Otherwise
                && Counted::new(Access::Write, region.sharing, region.purpose) == Counted::AsData
        };
        let is_over = || self.data_pages() + self.pages_in(at, pages, becomes) > data / PAGE;
        if data != UNLIMITED && is_over() { Err(Errno::ENOMEM) } else { Ok(()) }
    }

    /// Returns how many pages are private and writable.
    pub fn data_pages(&self) -> u64 {
        let data = self.regions().filter(|region| Counted::of(region) == Counted::AsData);
        data.map(|region| region.pages).sum()
    }

    /// Returns how many pages are locked.
    pub fn locked_pages(&self) -> u64 {
        self.regions().filter(|region| region.is_locked).map(|region| region.pages).sum()
    }

    /// Returns whether so many more pages may be locked.
    pub fn may_lock(&self, more: u64) -> bool {
        let bound = self.bounds.locked;
        bound == UNLIMITED || self.locked_pages().saturating_add(more) <= bound / PAGE
    }

    /// Returns how many pages of a range are mapped and not locked yet.
    pub fn lockable_in(&self, at: u64, pages: u64) -> u64 {
        self.pages_in(at, pages, |region| !region.is_locked)
    }

    /// Notes of a range whether it is locked.
    ///
    /// # Errors
    /// ENOMEM: too many regions.
    pub fn set_locked(
        &mut self,
        machine: &mut dyn Machine,
        at: u64,
        pages: u64,
        is_locked: Locked,
    ) -> Result<(), Errno> {
        let is_locked = is_locked == Locked::Yes;
        if pages == 0 || self.all_in(at, pages, |region| region.is_locked == is_locked) {
            return Ok(());
        }
        if self.is_full() {
            return Err(Errno::ENOMEM);
        }
        for start in self.isolate(at, pages) {
            if let Some(region) = self.regions.get_mut(&start) {
                region.is_locked = is_locked;
            }
        }
        self.join(machine, at, pages);
        Ok(())
    }

    /// Notes of everything whether it is locked.
    pub fn set_all_locked(&mut self, machine: &mut dyn Machine, is_locked: Locked) {
        for region in self.regions.values_mut() {
            region.is_locked = is_locked == Locked::Yes;
        }
        self.join(machine, 0, STACK_TOP / PAGE);
    }

    /// Returns how many pages of a range lie in regions that are `wanted`.
    fn pages_in(&self, at: u64, pages: u64, wanted: impl Fn(&Region) -> bool) -> u64 {
        let end = at + pages * PAGE;
        let regions = self.regions().filter(|region| region.start < end && region.end() > at);
        let within = |region: &Region| (region.end().min(end) - region.start.max(at)) / PAGE;
        regions.filter(|region| wanted(region)).map(within).sum()
    }
}

/// Whether pages are locked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Locked {
    /// They are.
    Yes,
    /// They are not.
    No,
}
