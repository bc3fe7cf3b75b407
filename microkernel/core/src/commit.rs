//! Pages of memory objects one by one: commit, decommit, supply.
//!
//! Each operation deals with as many pages as its steps allow and says how many; user space repeats
//! it.

use kamen_abi::{Error, PAGES_MAX, Rights};

use crate::arena::Id;
use crate::backing::Backing;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::memory::Memory;
use crate::space::Vm;
use crate::steps;
use crate::sweep::Change;

impl<M: Machine> Kernel<M> {
    /// Operation Commit.
    pub(crate) fn commit(&mut self, target: u64, first: u64, pages: u64) -> Result<(), Error> {
        let id = self.memory(target, Rights::WRITE)?;
        let memory = self.vm.memories.get(id).ok_or(Error::InvalidHandle)?;
        if memory.backing.fixed().is_some() {
            return Err(Error::InvalidArgument);
        }
        let first = memory.checked_range(first, pages)?;
        let result = self.for_pages(pages, |vm, offset| vm.commit_page(id, first + offset));
        if result == Err(Error::PageMissing) {
            let done = self.threads[self.cpu.current].registers.rdi as usize;
            self.tell_missing(self.vm.missing(id, first + done));
        }
        result
    }

    /// Operation Decommit.
    pub(crate) fn decommit(&mut self, target: u64, first: u64, pages: u64) -> Result<(), Error> {
        let id = self.memory(target, Rights::CONTROL)?;
        let memory = self.vm.memories.get(id).ok_or(Error::InvalidHandle)?;
        if !memory.backing.is_paged() {
            return Err(Error::InvalidArgument);
        }
        let first = memory.checked_range(first, pages)?;
        self.for_pages(pages, |vm, offset| vm.decommit_page(id, first + offset))
    }

    /// Operation Supply.
    pub(crate) fn supply(&mut self, target: u64, words: [u64; 4]) -> Result<(), Error> {
        let [first, pages, source, source_first] = words;
        let target = self.memory(target, Rights::CONTROL)?;
        let source = self.memory(source, Rights::READ.union(Rights::GRANT))?;
        let memories = &self.vm.memories;
        let from = memories.get(source).ok_or(Error::InvalidHandle)?;
        let to = memories.get(target).ok_or(Error::InvalidHandle)?;
        let is_paged = matches!(to.backing, Backing::Pager(_));
        if !is_paged || from.backing != Backing::Anonymous {
            return Err(Error::InvalidArgument);
        }
        let from = from.checked_range(source_first, pages)?;
        let to = to.checked_range(first, pages)?;
        self.for_pages(pages, |vm, offset| {
            vm.supply_page((target, to + offset), (source, from + offset))
        })
    }

    /// Deals with pages one after the other until enough was done; tells the current thread how
    /// many. Where not one was done for want of steps its arguments stay, to be found again.
    fn for_pages(
        &mut self,
        pages: u64,
        mut act: impl FnMut(&mut Vm<M>, usize) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let pages = pages.min(PAGES_MAX as u64) as usize;
        let mut done = 0;
        let mut result = Ok(());
        while done < pages && result.is_ok() {
            result = self.vm.steps.spend(steps::PAGE).and_then(|()| act(&mut self.vm, done));
            done += usize::from(result.is_ok());
        }
        if self.vm.steps.are_refused() {
            if done == 0 {
                return result;
            }
            result = Ok(());
        }
        let current = self.cpu.current;
        self.threads[current].registers.rdi = done as u64;
        result
    }
}

impl Memory {
    /// Returns the first page of a range within the object.
    fn checked_range(&self, first: u64, pages: u64) -> Result<usize, Error> {
        let end = first.checked_add(pages).ok_or(Error::BadRange)?;
        if end <= self.pages as u64 { Ok(first as usize) } else { Err(Error::BadRange) }
    }
}

impl<M: Machine> Vm<M> {
    fn commit_page(&mut self, id: Id<Memory>, page: usize) -> Result<(), Error> {
        if self.has_page(id, page) {
            return Ok(());
        }
        self.frame(id, page, false).map(|_| ())
    }

    fn decommit_page(&mut self, id: Id<Memory>, page: usize) -> Result<(), Error> {
        // The page may be gone already, but not from all mappings.
        self.settle(id)?;
        if !self.has_page(id, page) {
            return Ok(());
        }
        let (mut supply, memories) = self.supply();
        let memory = memories.get_mut(id).ok_or(Error::InvalidHandle)?;
        supply.steps.note(2 * steps::PAGE);
        if let Some(frame) = memory.take_page(&mut supply, page) {
            self.sweep(id, page, Change::Removed(frame))?;
        }
        Ok(())
    }

    /// The source page is committed if it was not; from then on whoever writes it copies it.
    fn supply_page(
        &mut self,
        (target, to): (Id<Memory>, usize),
        (source, from): (Id<Memory>, usize),
    ) -> Result<(), Error> {
        // What is shared already may still be writable somewhere.
        self.settle(source)?;
        if self.has_page(target, to) {
            return Ok(());
        }
        let frame = self.frame(source, from, false)?;
        let (mut supply, memories) = self.supply();
        let memory = memories.get_mut(target).ok_or(Error::InvalidHandle)?;
        supply.steps.note(3 * steps::PAGE);
        memory.adopt(&mut supply, to, frame)?;
        self.sweep(source, from, Change::Shared)
    }

    fn has_page(&self, id: Id<Memory>, page: usize) -> bool {
        let memory = self.memories.get(id);
        memory.is_some_and(|memory| memory.frame(&self.machine, page).is_some())
    }
}

#[cfg(test)]
mod tests;
