//! Destroying address spaces: their threads, the calls that those had received, their mappings,
//! their page tables.

use kamen_abi::{Error, Kind};

use crate::arena::Id;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::quota::{self, Charged};
use crate::space::{End, Space, Vm};
use crate::steps;
use crate::thread::State;

/// Estimated instructions of looking at a thread.
const LOOK: u32 = 12;
/// Estimated instructions of taking a page table: two tables are searched for it.
const TABLE: u32 = 1000;

impl<M: Machine> Kernel<M> {
    /// Destroys a space with the threads in it; calls that its threads had received end.
    pub(super) fn destroy_space(&mut self, id: Id<Space>) -> Result<(), Error> {
        self.vm.spaces.doom(id);
        while let Some(space) = self.vm.spaces.find(id) {
            let next = match space.end {
                End::Threads(slot) if (slot as u32) < self.threads.high_water() => {
                    self.destroy_thread_of(id, slot)?;
                    End::Threads(slot + 1)
                }
                End::Threads(_) => End::Calls(0),
                End::Calls(slot) if (slot as u32) < self.threads.high_water() => {
                    self.abandon_call_to(id, slot)?;
                    End::Calls(slot + 1)
                }
                End::Calls(_) => End::Mappings,
                End::Mappings => return self.vm.destroy_space(id),
            };
            if let Some(space) = self.vm.spaces.find_mut(id) {
                space.end = next;
            }
        }
        Ok(())
    }

    fn destroy_thread_of(&mut self, space: Id<Space>, slot: u16) -> Result<(), Error> {
        self.vm.steps.spend(LOOK)?;
        match self.threads.id_at(slot as u32) {
            Some(id) if self.threads[slot].space == Some(space) => self.destroy_thread(id),
            _ => Ok(()),
        }
    }

    /// Ends a thread's open call, if its server is gone: a native caller gets Restarted; a foreign
    /// one goes back to its endpoint's queue, marked as replayed.
    fn abandon_call_to(&mut self, server: Id<Space>, slot: u16) -> Result<(), Error> {
        self.vm.steps.spend(LOOK)?;
        let thread = &self.threads[slot];
        if self.threads.id_at(slot as u32).is_none()
            || !matches!(thread.state, State::Open(_))
            || thread.answerer != Some(server)
        {
            return Ok(());
        }
        let tag = thread.tag;
        self.vm.steps.spend(steps::THREAD)?;
        // Nobody is left to be told.
        self.threads[slot].answerer = None;
        if tag.kind() == Kind::Message {
            self.interrupt_wait(slot, Error::Restarted);
            return Ok(());
        }
        let tag = tag.with_replayed();
        match self.threads[slot].state {
            State::Open(endpoint) if tag.kind() == Kind::Page => {
                self.ask_again(slot, endpoint, tag);
            }
            _ => self.call_handler(slot, tag),
        }
        Ok(())
    }
}

impl<M: Machine> Vm<M> {
    /// Destroys a space; no thread runs in it any more.
    fn destroy_space(&mut self, id: Id<Space>) -> Result<(), Error> {
        while let Some((slot, _)) = self.first_from(id, 0) {
            self.unmap_mapping(slot)?;
        }
        let root = self.root(Some(id))?;
        let quota = self.spaces.find(id).and_then(|space| space.quota);
        loop {
            self.steps.spend(TABLE)?;
            let Some(table) = self.machine.take_table(root) else { break };
            let (mut supply, _) = self.supply();
            supply.release(table, quota);
        }
        let (mut supply, _) = self.supply();
        supply.release(root, quota);
        quota::remove(&mut self.quotas, &mut self.spaces, id);
        quota::refund(&mut self.quotas, quota, 0, Space::COST);
        Ok(())
    }
}
