//! Destroying objects at any time, whoever waits on them, in steps.
//!
//! An object that takes more than one step is dying from the first of them on: capabilities do not
//! find it, except for Destroy, which goes on where it was. Where nobody repeats the operation,
//! as the thread that began it is gone, the object stays dying, charged to its quota, until
//! somebody destroys it or its quota.

use kamen_abi::{Error, Handle, Rights, Tag};

use crate::arena::Id;
use crate::deadline::{Timer, Waiter};
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::queue::NIL;
use crate::quota::{self, Charged};
use crate::steps;
use crate::table::{Object, Table};
use crate::thread::Thread;

mod quotas;
mod spaces;
mod waiters;

impl<M: Machine> Kernel<M> {
    /// Operation Destroy.
    pub(crate) fn destroy_operation(&mut self, target: u64) -> Result<(), Error> {
        let handle = Handle(u16::try_from(target).map_err(|_| Error::InvalidHandle)?);
        let current = self.threads.id_at(self.cpu.current as u32).ok_or(Error::InvalidHandle)?;
        let begun = self.threads.get(current).and_then(|thread| thread.destroying);
        let object = match (self.capability(handle, Rights::DESTROY), begun) {
            (Ok(capability), _) => capability.object,
            // The table went with what is being destroyed.
            (Err(_), Some((same, object))) if same == handle => object,
            (Err(error), _) => return Err(error),
        };
        let result = self.destroy(object);
        if let Some(thread) = self.threads.get_mut(current) {
            thread.destroying = self.vm.steps.are_refused().then_some((handle, object));
        }
        result
    }

    fn destroy(&mut self, object: Object) -> Result<(), Error> {
        match object {
            Object::Thread(id) => self.destroy_thread(id),
            Object::Space(id) => self.destroy_space(id),
            Object::Table(id) => self.destroy_table(id),
            Object::Endpoint(id) => self.destroy_endpoint(id),
            Object::Notification(id) => self.destroy_notification(id),
            Object::Memory(id) => self.vm.destroy_memory(id),
            Object::Timer(id) => self.destroy_timer(id),
            Object::Quota(id) => self.destroy_quota(id),
            Object::Ports(..) | Object::Interrupt(..) | Object::Physical(..) | Object::Trace => {
                Err(Error::WrongKind)
            }
        }
    }

    fn destroy_thread(&mut self, id: Id<Thread>) -> Result<(), Error> {
        if !self.threads.contains(id) {
            return Ok(());
        }
        self.vm.steps.spend(steps::THREAD)?;
        let slot = id.index() as u16;
        self.trace_broken(slot, Error::Cancelled);
        self.unqueue(slot);
        self.clear_deadline(slot);
        self.unload(slot);
        let bound = self.threads[slot].bound.and_then(|bound| self.notifications.find_mut(bound));
        if let Some(bound) = bound {
            bound.bound = NIL;
        }
        let thread = quota::remove(&mut self.vm.quotas, &mut self.threads, id);
        let thread = thread.ok_or(Error::InvalidHandle)?;
        self.first_sequence = self.first_sequence.max(thread.sequence);
        if let Some(page) = thread.message_page {
            self.vm.frames.unpin(page);
            quota::refund(&mut self.vm.quotas, thread.quota, 1, 0);
        }
        if let Some(state) = thread.extended {
            let (mut supply, _) = self.vm.supply();
            supply.release(state, thread.quota);
        }
        quota::refund(&mut self.vm.quotas, thread.quota, 0, Thread::COST);
        Ok(())
    }

    fn destroy_table(&mut self, id: Id<Table>) -> Result<(), Error> {
        self.tables.doom(id);
        let Some(table) = self.tables.find_mut(id) else { return Ok(()) };
        table.release(&mut self.vm.supply().0)?;
        let (payer, pages) = (table.quota, table.price());
        quota::remove(&mut self.vm.quotas, &mut self.tables, id);
        quota::refund(&mut self.vm.quotas, payer, pages, Table::COST);
        Ok(())
    }

    fn destroy_timer(&mut self, id: Id<Timer>) -> Result<(), Error> {
        self.vm.steps.spend(steps::THREAD)?;
        if let Some(timer) = quota::remove(&mut self.vm.quotas, &mut self.timers, id) {
            self.deadlines.remove(Waiter::Timer(id.index() as u16));
            quota::refund(&mut self.vm.quotas, timer.quota, 0, Timer::COST);
        }
        Ok(())
    }
}

const _: () = assert!(Tag::short(0).with_replayed().is_replayed());
