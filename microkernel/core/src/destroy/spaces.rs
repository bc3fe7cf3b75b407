//! Destroying address spaces: their threads, the calls that those had received, their mappings,
//! their page tables.

use kamen_abi::{Error, Kind, USER_END};

use crate::arena::Id;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::quota::{self, Charged};
use crate::space::{End, Space, Vm};
use crate::steps;
use crate::thread::{State, Thread};

/// Threads that are looked at in one go, and the estimated instructions of it.
const LOOKS: u16 = 32;
const LOOK: u32 = 16 * LOOKS as u32;
/// Estimated instructions of looking for a page table, and of freeing it.
const TABLE: u32 = 500;

/// What is found of a thread that is looked for.
enum Look {
    /// It, and its slot.
    Found(u16, Id<Thread>),
    /// Not in the slots before this one.
    NotBefore(u16),
    /// There is none.
    None,
}

impl<M: Machine> Kernel<M> {
    /// Destroys a space with the threads in it; calls that its threads had received end.
    pub(super) fn destroy_space(&mut self, id: Id<Space>) -> Result<(), Error> {
        self.vm.spaces.doom(id);
        while let Some(space) = self.vm.spaces.find(id) {
            let next = match space.end {
                End::Threads(from) => {
                    match self.look_for(from, |thread| thread.space == Some(id))? {
                        Look::Found(slot, thread) => {
                            self.destroy_thread(thread)?;
                            End::Threads(slot)
                        }
                        Look::NotBefore(slot) => End::Threads(slot),
                        Look::None => End::Calls(0),
                    }
                }
                End::Calls(from) => {
                    let is_open = |thread: &Thread| {
                        thread.answerer == Some(id) && matches!(thread.state, State::Open(_))
                    };
                    match self.look_for(from, is_open)? {
                        Look::Found(slot, _) => {
                            self.abandon_call(slot)?;
                            End::Calls(slot)
                        }
                        Look::NotBefore(slot) => End::Calls(slot),
                        Look::None => End::Mappings,
                    }
                }
                End::Mappings => {
                    while let Some((slot, _)) = self.vm.first_from(id, 0) {
                        self.vm.unmap_mapping(slot)?;
                    }
                    End::Tables(0)
                }
                End::Tables(from) if from < USER_END => self.vm.take_table(id, from)?,
                End::Tables(_) => return self.vm.remove_space(id),
            };
            if let Some(space) = self.vm.spaces.find_mut(id) {
                space.end = next;
            }
        }
        Ok(())
    }

    /// Looks for a thread from a slot on.
    fn look_for(&mut self, from: u16, wanted: impl Fn(&Thread) -> bool) -> Result<Look, Error> {
        self.vm.steps.spend(LOOK)?;
        let high_water = self.threads.high_water() as u16;
        let end = high_water.min(from.saturating_add(LOOKS));
        let found = (from..end).find(|slot| self.threads.at(*slot).is_some_and(&wanted));
        Ok(match found.and_then(|slot| Some((slot, self.threads.id_at(slot.into())?))) {
            Some((slot, id)) => Look::Found(slot, id),
            None if end < high_water => Look::NotBefore(end),
            None => Look::None,
        })
    }

    /// Ends a thread's open call, whose server is gone: a native caller gets Restarted; a foreign
    /// one goes back to its endpoint's queue, marked as replayed.
    fn abandon_call(&mut self, slot: u16) -> Result<(), Error> {
        self.vm.steps.spend(steps::THREAD)?;
        let tag = self.threads[slot].tag;
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
    /// Looks from an address on for a page table of a space that maps nothing any more, and frees
    /// it; returns how far that came.
    fn take_table(&mut self, id: Id<Space>, from: usize) -> Result<End, Error> {
        self.steps.spend(TABLE)?;
        let root = self.root(Some(id))?;
        let (table, next) = self.machine.take_table(root, from);
        if let Some(table) = table {
            let quota = self.spaces.find(id).and_then(|space| space.quota);
            let (mut supply, _) = self.supply();
            supply.release(table, quota);
        }
        Ok(End::Tables(next))
    }

    /// Removes a space of which only the root is left.
    fn remove_space(&mut self, id: Id<Space>) -> Result<(), Error> {
        let root = self.root(Some(id))?;
        let quota = self.spaces.find(id).and_then(|space| space.quota);
        let (mut supply, _) = self.supply();
        supply.release(root, quota);
        quota::remove(&mut self.quotas, &mut self.spaces, id);
        quota::refund(&mut self.quotas, quota, 0, Space::COST);
        Ok(())
    }
}
