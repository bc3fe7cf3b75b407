//! What madvise(2), mlock(2) and `MAP_POPULATE` do with ranges.

use alloc::rc::Rc;
use alloc::vec::Vec;

use crate::Errno;
use crate::machine::Machine;
use crate::memory::{AtFork, Backing, MappedFile, Mm, PAGE, Region, Sharing};

/// Pages of a memory object: its backing, the first one, how many.
type Run = (Rc<Backing>, u64, u64);

impl Mm {
    /// Returns whether regions cover all of a range.
    pub fn covers(&self, address: u64, pages: u64) -> bool {
        let end = address + pages * PAGE;
        let mut at = address;
        while at < end {
            let Some(region) = self.region_at(at) else { return false };
            at = region.end();
        }
        true
    }

    /// Returns whether all of a range that is mapped is private and anonymous.
    pub fn is_anonymous(&self, address: u64, pages: u64) -> bool {
        self.all_in(address, pages, Region::is_anonymous)
    }

    /// Returns the parts of a range that lie in regions that are `wanted`.
    fn runs(&self, address: u64, pages: u64, wanted: impl Fn(&Region) -> bool) -> Vec<Run> {
        let end = address + pages * PAGE;
        let before = self.region_at(address).into_iter();
        let within = self.regions.range(address + 1..end.max(address + 1)).map(|(_, one)| one);
        let regions = before.chain(within).filter(|region| wanted(region));
        let run = |region: &Region| {
            let (from, to) = (region.start.max(address), region.end().min(end));
            let first = region.page_at(from);
            let last = (first + (to - from) / PAGE).min(region.backing.pages());
            (region.backing.clone(), first, last.saturating_sub(first))
        };
        regions.map(run).filter(|&(_, _, count)| count != 0).collect()
    }

    /// Returns whether all regions in a range are `wanted`.
    pub(super) fn all_in(&self, at: u64, pages: u64, wanted: impl Fn(&Region) -> bool) -> bool {
        let before = self.region_at(at).into_iter();
        let within = self.regions.range(at + 1..at + pages * PAGE).map(|(_, region)| region);
        before.chain(within).all(wanted)
    }

    /// Drops the contents of private pages: they are zeros, or the file's, from now on.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn discard(
        &mut self,
        machine: &mut dyn Machine,
        address: u64,
        pages: u64,
    ) -> Result<(), Errno> {
        for (backing, first, count) in self.runs(address, pages, Region::is_anonymous) {
            machine.decommit(backing.memory(), first, count)?;
        }
        let of_file = |region: &Region| region.sharing == Sharing::Private && region.file.is_some();
        if self.runs(address, pages, of_file).is_empty() {
            return Ok(());
        }
        for start in self.isolate(address, pages) {
            let Some(region) = self.regions.get(&start).filter(|one| of_file(one)).cloned() else {
                continue;
            };
            let Some(file) = &region.file else { continue };
            let memory = machine.clone_memory(file.backing.memory())?;
            let backing = Backing::new(memory, file.backing.pages(), self.trash());
            self.insert(machine, Region { backing, ..region })?;
        }
        self.join(machine, address, pages);
        Ok(())
    }

    /// Drops the contents of shared anonymous pages for all (`MADV_REMOVE`).
    ///
    /// # Errors
    /// EINVAL: the range has pages of other kinds.
    pub fn punch(
        &mut self,
        machine: &mut dyn Machine,
        address: u64,
        pages: u64,
    ) -> Result<(), Errno> {
        let shared = |region: &Region| region.sharing == Sharing::Shared && region.file.is_none();
        if !self.all_in(address, pages, shared) {
            return Err(Errno::EINVAL);
        }
        for (backing, first, count) in self.runs(address, pages, shared) {
            machine.decommit(backing.memory(), first, count)?;
        }
        Ok(())
    }

    /// Gives pages that were not touched yet their frames.
    ///
    /// # Errors
    /// ENOMEM: there is not enough memory.
    pub fn populate(
        &mut self,
        machine: &mut dyn Machine,
        address: u64,
        pages: u64,
    ) -> Result<(), Errno> {
        let touchable = |region: &Region| region.access != crate::machine::Access::None;
        for (backing, first, count) in self.runs(address, pages, touchable) {
            machine.commit(backing.memory(), first, count)?;
        }
        Ok(())
    }

    /// Says what a forked child is to have of a range.
    ///
    /// # Errors
    /// ENOMEM: too many regions; EINVAL: wiping of what is not private and anonymous.
    pub fn set_at_fork(
        &mut self,
        machine: &mut dyn Machine,
        address: u64,
        pages: u64,
        fork: AtFork,
    ) -> Result<(), Errno> {
        if self.is_full() {
            return Err(Errno::ENOMEM);
        }
        if fork == AtFork::Wiped && !self.all_in(address, pages, Region::is_anonymous) {
            return Err(Errno::EINVAL);
        }
        for start in self.isolate(address, pages) {
            if let Some(region) = self.regions.get_mut(&start) {
                region.at_fork = fork;
            }
        }
        self.join(machine, address, pages);
        Ok(())
    }

    /// Returns the files of shared mappings in a range, each with its first page and their number.
    pub fn shared_files(&self, address: u64, pages: u64) -> Vec<(Rc<MappedFile>, u64, u64)> {
        let mut files = Vec::new();
        let end = address + pages * PAGE;
        let before = self.region_at(address).into_iter();
        let within = self.regions.range(address + 1..end.max(address + 1)).map(|(_, one)| one);
        for region in before.chain(within).filter(|region| region.sharing == Sharing::Shared) {
            let Some(file) = &region.file else { continue };
            let (from, to) = (region.start.max(address), region.end().min(end));
            files.push((file.clone(), region.page_at(from), (to - from) / PAGE));
        }
        files
    }
}
