//! The heap: memory behind the program that grows and shrinks at its end (brk).

use alloc::rc::Rc;

use crate::Errno;
use crate::machine::{Access, Machine};
use crate::memory::{Backing, Counted, Mm, PAGE, Region, Sharing, pages};

/// By how many pages the heap's memory object grows.
const HEAP_STEP: u64 = 64;
/// Most pages of one heap (1 GiB).
const HEAP_MAX: u64 = 1 << 18;

impl Mm {
    /// Says where the heap begins.
    pub fn start_heap(&mut self, at: u64) {
        self.brk = at..at;
    }

    /// Returns the heap's first byte and its end.
    pub fn heap(&self) -> core::ops::Range<u64> {
        self.brk.clone()
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
        self.check_growth(more, Counted::AsData)?;
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

    /// Lengthens the heap's last region in place, where its memory object allows.
    fn extend_last(
        &mut self,
        machine: &mut dyn Machine,
        end: u64,
        more: u64,
    ) -> Result<bool, Errno> {
        let heap = self.brk.start.next_multiple_of(PAGE);
        let space = self.space();
        let Some((_, region)) = self.regions.range_mut(heap..end).next_back() else {
            return Ok(false);
        };
        let alone = Rc::strong_count(&region.backing) == 1;
        let writable = region.access == Access::Write && region.mapped == Access::Write;
        if region.end() != end || !region.is_anonymous() || !writable || !alone {
            return Ok(false);
        }
        let wanted = region.first_page + region.pages + more;
        if wanted > region.backing.pages() {
            let grown = wanted.next_multiple_of(HEAP_STEP);
            machine.resize_memory(region.backing.memory(), grown)?;
            region.backing.set_pages(grown);
        }
        region.pages += more;
        let shown = super::mm::show(machine, space, region);
        if shown.is_err() {
            region.pages -= more;
        }
        shown.map(|()| true)
    }

    fn insert_heap(
        &mut self,
        machine: &mut dyn Machine,
        address: u64,
        count: u64,
    ) -> Result<(), Errno> {
        let capacity = count.next_multiple_of(HEAP_STEP);
        let backing = Backing::new(machine.create_memory(capacity)?, capacity, self.trash());
        let region = Region::new(address, count, Access::Write, Sharing::Private, backing);
        self.insert(machine, region)
    }
}
