//! Copy-on-write clones, made in steps.
//!
//! A clone under way is a dying object in its arena: no capability finds it but that of the
//! Clone operation that goes on with it, and Destroy. Its handle is in word 5 meanwhile, and is
//! the result in the end.
//!
//! ```text
//!   w5: no clone ──> check, charge, make an empty clone ──> w5 = its handle
//!   w5: a clone  ──> share page after page ──> all shared: revive, r12 = w5
//!                      │ error
//!                      └──> release what was shared, empty the slot, return the error
//! ```
//!
//! What the clone shows of a page is what the page held at a moment between the operation's
//! beginning and its end; pages that nobody writes meanwhile are all of one moment. So it was with
//! whoever copied page by page, and a source that nobody writes is cloned exactly.

use kamen_abi::{Error, Handle, ObjectKind, Rights};

use crate::arena::Id;
use crate::backing::Backing;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::memory::{Memory, Place, Work};
use crate::quota;
use crate::space::Vm;
use crate::steps;
use crate::sweep::Change;
use crate::table::Object;

impl<M: Machine> Kernel<M> {
    /// Operation Clone.
    pub(crate) fn clone_operation(&mut self, target: u64, words: [u64; 6]) -> Result<(), Error> {
        let [quota, pager, _, _, _, progress] = words;
        let source = self.memory(target, Rights::READ.union(Rights::GRANT));
        let (handle, clone) = match self.clone_under_way(progress) {
            Some(found) => found,
            None => self.begin_clone(source?, quota, pager)?,
        };
        let result = source.and_then(|source| self.vm.share_pages(source, clone));
        let result = match result {
            Ok(()) => {
                self.vm.memories.revive(clone);
                self.give_handle(handle);
                return Ok(());
            }
            Err(error) if self.vm.steps.are_refused() => Err(error),
            Err(error) => self.discard_clone(clone, handle).and(Err(error)),
        };
        let registers = &mut self.threads[self.cpu.current].registers;
        registers.r12 = target;
        if self.vm.steps.are_refused() {
            registers.r9 = u64::from(handle.0);
        }
        result
    }

    fn discard_clone(&mut self, clone: Id<Memory>, handle: Handle) -> Result<(), Error> {
        self.vm.destroy_memory(clone)?;
        let table = self.own_table()?;
        self.delete_slot(table, handle)
    }

    /// Makes an empty clone.
    fn begin_clone(
        &mut self,
        source: Id<Memory>,
        quota: u64,
        pager: u64,
    ) -> Result<(Handle, Id<Memory>), Error> {
        let quota = self.quota(quota, Rights::CONTROL)?;
        let original = self.vm.memories.get(source).ok_or(Error::InvalidHandle)?;
        let backing = match original.backing {
            Backing::Pager(_) => self.pager(pager)?,
            Backing::Anonymous => Backing::Anonymous,
            Backing::Contiguous(_) | Backing::Device(_) | Backing::Archive(_) => {
                return Err(Error::InvalidArgument);
            }
        };
        let mut clone = Memory::backed(backing, original.pages, Some(quota));
        clone.match_depth(original);
        clone.work = Work::Cloning(source, 0);
        self.install(quota, ObjectKind::Memory, 0, |kernel| {
            let vm = &mut kernel.vm;
            let id = quota::insert(&mut vm.quotas, &mut vm.memories, clone);
            id.map(Object::Memory).ok_or(Error::OutOfMemory)
        })?;
        let handle = Handle(self.threads[self.cpu.current].registers.r12 as u16);
        let Object::Memory(id) = self.capability(handle, Rights::ALL)?.object else {
            return Err(Error::WrongKind);
        };
        self.vm.memories.doom(id);
        Ok((handle, id))
    }

    /// Finds the clone that the operation has begun before.
    fn clone_under_way(&self, progress: u64) -> Option<(Handle, Id<Memory>)> {
        let handle = Handle(u16::try_from(progress).ok().filter(|handle| *handle != 0)?);
        let Object::Memory(id) = self.capability(handle, Rights::ALL).ok()?.object else {
            return None;
        };
        let is_dying = !self.vm.memories.contains(id) && self.vm.memories.find(id).is_some();
        is_dying.then_some((handle, id))
    }
}

impl<M: Machine> Vm<M> {
    /// Gives a clone shares of the source's pages, from where it came to on.
    fn share_pages(&mut self, source: Id<Memory>, clone: Id<Memory>) -> Result<(), Error> {
        self.settle(source)?;
        loop {
            let target = self.memories.find(clone).ok_or(Error::InvalidHandle)?;
            let at = match target.work {
                Work::Cloning(of, at) if of == source => at,
                // It failed before and is on its way out.
                Work::Cloning(..) | Work::Releasing(..) | Work::Done => {
                    return Err(Error::QuotaExhausted);
                }
            };
            let original = self.memories.get(source).ok_or(Error::InvalidHandle)?;
            if at >= original.pages.min(target.pages) {
                return Ok(());
            }
            self.steps.spend(4 * steps::PAGE)?;
            let place = original.look(&self.machine, at);
            self.steps.note(place.cost());
            let (next, shared) = match place {
                Place::Page(page, frame) => (page + 1, Some((page, frame))),
                Place::Nothing(next) => (next, None),
            };
            let (mut supply, memories) = self.supply();
            let target = memories.find_mut(clone).ok_or(Error::InvalidHandle)?;
            if let Some((page, frame)) = shared.filter(|(page, _)| *page < target.pages) {
                target.adopt(&mut supply, page, frame)?;
            }
            target.work = Work::Cloning(source, next);
            if let Some((page, _)) = shared {
                self.sweep(source, page, Change::Shared)?;
            }
        }
    }
}
