//! Giving back the pages of memory objects, in steps: Resize and Destroy.
//!
//! An object remembers from which page on it is being released ([`Work::Releasing`]); everything
//! before that is gone already, the tree's nodes included that held nothing else. Its size is
//! smaller from the first step on, so that nobody finds the pages that are still to go.

use kamen_abi::Error;

use crate::arena::Id;
use crate::machine::Machine;
use crate::memory::{MAX_PAGES, Memory, NO_MAPPING, Place, Supply, Work, span};
use crate::quota::{self, Charged};
use crate::space::Vm;
use crate::steps;
use crate::sweep::Change;

impl<M: Machine> Vm<M> {
    /// Resizes a memory object; pages that go are unmapped and freed.
    ///
    /// # Errors
    /// InvalidHandle, InvalidArgument, QuotaExhausted, OutOfMemory. Where it ran out of steps.
    pub fn resize_memory(&mut self, id: Id<Memory>, pages: usize) -> Result<(), Error> {
        let memory = self.memories.get(id).ok_or(Error::InvalidHandle)?;
        if pages > MAX_PAGES || !memory.backing.is_paged() {
            return Err(Error::InvalidArgument);
        }
        self.release_pages(id)?;
        let (mut supply, memories) = self.supply();
        let memory = memories.get_mut(id).ok_or(Error::InvalidHandle)?;
        if pages < memory.pages {
            memory.cut(pages);
            return self.release_pages(id);
        }
        memory.resize(&mut supply, pages)
    }

    /// Destroys a memory object and all its mappings.
    ///
    /// # Errors
    /// Where it ran out of steps.
    pub fn destroy_memory(&mut self, id: Id<Memory>) -> Result<(), Error> {
        if self.memories.contains(id) {
            self.memories.doom(id);
        }
        let Some(memory) = self.memories.find_mut(id) else { return Ok(()) };
        if memory.pages != 0 {
            memory.cut(0);
        }
        while let Some(slot) = self.memories.find(id).map(|memory| memory.mappings)
            && slot != NO_MAPPING
        {
            self.unmap_mapping(slot)?;
        }
        self.release_pages(id)?;
        if let Some(memory) = quota::remove(&mut self.quotas, &mut self.memories, id) {
            quota::refund(&mut self.quotas, memory.quota, 0, Memory::COST);
        }
        Ok(())
    }

    /// Releases the pages of an object that are past its end.
    fn release_pages(&mut self, id: Id<Memory>) -> Result<(), Error> {
        self.settle(id)?;
        while let Some(memory) = self.memories.find(id)
            && let Work::Releasing(at, end) = memory.work
        {
            self.steps.spend(2 * steps::PAGE)?;
            let place = match at < end {
                true => memory.look(&self.machine, at),
                false => Place::Nothing(memory.capacity()),
            };
            self.steps.note(place.cost());
            let (mut supply, memories) = self.supply();
            let memory = memories.find_mut(id).ok_or(Error::InvalidHandle)?;
            let next = match place {
                Place::Page(page, frame) => {
                    memory.clear(&mut supply, page);
                    memory.pass(&mut supply, at, page + 1);
                    memory.work = memory.releasing(page + 1, end);
                    self.sweep(id, page, Change::Removed(frame))?;
                    continue;
                }
                Place::Nothing(next) => next,
            };
            memory.pass(&mut supply, at, next);
            memory.work = memory.releasing(next, end);
        }
        Ok(())
    }
}

impl Memory {
    /// Makes the object smaller; the pages that are cut off are still to be released.
    fn cut(&mut self, pages: usize) {
        let end = match self.work {
            Work::Releasing(_, end) => end,
            Work::Cloning(..) | Work::Done => self.pages,
        };
        self.pages = pages;
        self.work = Work::Releasing(pages, end);
    }

    /// Returns what remains to be done when everything before a page is released.
    fn releasing(&self, at: usize, end: usize) -> Work {
        if at < self.capacity() { Work::Releasing(at, end) } else { Work::Done }
    }

    /// Releases the nodes that end between two pages and hold nothing that stays.
    fn pass<M: Machine>(&mut self, supply: &mut Supply<'_, M>, from: usize, to: usize) {
        for level in 1..=self.depth() {
            let span = span(level);
            let first = from & !(span - 1);
            if first == to & !(span - 1) {
                return;
            }
            if first >= self.pages {
                self.release_node(supply, first, level);
            }
        }
    }
}
