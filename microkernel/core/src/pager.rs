//! Pagers: a thread that touches a missing page calls the server that can supply it.
//!
//! ```text
//!   user access ──fault──> Vm: PageMissing ──> call of kind Page on the pager's endpoint
//!        ^                                          │ Supply, then reply
//!        └──────── the same instruction again <─────┘
//! ```
//!
//! The thread's registers are as at the access, so that it can be recalled, stopped and destroyed
//! at any time: it has asked, and will ask again if it has to.

use kamen_abi::{Kind, Tag};

use crate::arena::Id;
use crate::backing::{Backing, MissingPage};
use crate::endpoint::Endpoint;
use crate::kernel::Kernel;
use crate::machine::{FaultAccess, Machine};
use crate::memory::Memory;
use crate::space::{Space, Vm};
use crate::thread::State;

impl<M: Machine> Vm<M> {
    /// Returns what is to be asked for, where a page of a memory object misses.
    pub(crate) fn missing(&self, id: Id<Memory>, page: usize) -> Option<MissingPage> {
        let memory = self.memories.get(id)?;
        let Backing::Pager(pager) = memory.backing else { return None };
        let misses = page < memory.pages && memory.frame(&self.machine, page).is_none();
        misses.then_some(MissingPage { pager, page })
    }

    /// Returns what is to be asked for, where the page at an address misses.
    pub(crate) fn missing_at(&self, space: Id<Space>, address: usize) -> Option<MissingPage> {
        let (_, mapping) = self.covering(space, address)?;
        self.missing(mapping.memory?, mapping.page(address))
    }
}

impl<M: Machine> Kernel<M> {
    /// Has the current thread, which met a missing page, ask its pager. Returns whether there is
    /// one.
    pub(crate) fn ask_pager(&mut self, address: u64, access: FaultAccess) -> bool {
        let current = self.cpu.current;
        let space = self.threads[current].space;
        let missing = space.and_then(|space| self.vm.missing_at(space, address as usize));
        let Some(MissingPage { pager, page }) = missing else { return false };
        if !self.endpoints.contains(pager.endpoint) {
            return false;
        }
        let thread = &mut self.threads[current];
        thread.fault = [page as u64, access as u64];
        let tag = Tag::short(access as u32).with_kind(Kind::Page);
        self.request(current, pager.endpoint, pager.badge, tag);
        true
    }

    /// Queues the request of a thread whose pager died for the pager's next life; where the
    /// endpoint is gone, too, the thread tries again, and so finds out. It is in no queue.
    pub(crate) fn ask_again(&mut self, thread: u16, endpoint: Id<Endpoint>, tag: Tag) {
        if self.endpoints.contains(endpoint) {
            let badge = self.threads[thread].badge;
            self.request(thread, endpoint, badge, tag);
        } else {
            self.wake(thread);
        }
    }

    /// Returns whether a thread waits for a page, and for nothing else.
    pub(crate) fn awaits_page(&self, thread: u16) -> bool {
        let thread = &self.threads[thread];
        let waits = matches!(thread.state, State::Calling(_) | State::Open(_));
        waits && thread.tag.kind() == Kind::Page
    }

    /// Tells the current thread which page its operation met that misses.
    pub(crate) fn tell_missing(&mut self, missing: Option<MissingPage>) {
        let Some(MissingPage { pager, page }) = missing else { return };
        let registers = &mut self.threads[self.cpu.current].registers;
        registers.rsi = pager.badge;
        registers.rdx = page as u64;
    }
}

#[cfg(test)]
mod tests;
