//! Destroying objects at any time, whoever waits on them.

use kamen_abi::{Error, Handle, Kind, Rights, Tag};

use crate::arena::Id;
use crate::deadline::{Timer, Waiter};
use crate::endpoint::Endpoint;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::memory::Memory;
use crate::notification::Notification;
use crate::queue::NIL;
use crate::quota::{self, Quota};
use crate::space::Space;
use crate::table::{Object, Table};
use crate::thread::{State, Thread};

impl<M: Machine> Kernel<M> {
    /// Operation Destroy.
    pub(crate) fn destroy_operation(&mut self, target: u64) -> Result<(), Error> {
        let handle = Handle(u16::try_from(target).map_err(|_| Error::InvalidHandle)?);
        match self.capability(handle, Rights::DESTROY)?.object {
            Object::Thread(id) => self.destroy_thread(id),
            Object::Space(id) => self.destroy_space(id),
            Object::Table(id) => self.destroy_table(id),
            Object::Endpoint(id) => self.destroy_endpoint(id),
            Object::Notification(id) => self.destroy_notification(id),
            Object::Memory(id) => self.destroy_memory(id),
            Object::Timer(id) => self.destroy_timer(id),
            Object::Quota(id) => self.destroy_quota(id),
            Object::Ports(..) | Object::Interrupt(..) | Object::Physical(..) | Object::Trace => {
                return Err(Error::WrongKind);
            }
        }
        Ok(())
    }

    fn destroy_thread(&mut self, id: Id<Thread>) {
        if !self.threads.contains(id) {
            return;
        }
        let slot = id.index() as u16;
        self.unqueue(slot);
        self.clear_deadline(slot);
        self.unload(slot);
        let bound = self.threads[slot].bound.and_then(|bound| self.notifications.get_mut(bound));
        if let Some(bound) = bound {
            bound.bound = NIL;
        }
        let Some(thread) = self.threads.remove(id) else { return };
        self.first_sequence = self.first_sequence.max(thread.sequence);
        if let Some(page) = thread.message_page {
            self.vm.frames.unpin(page);
        }
        if let Some(state) = thread.extended {
            let (mut supply, _) = self.vm.supply();
            supply.release(state, thread.quota);
        }
        quota::refund(&mut self.vm.quotas, thread.quota, 0, 1);
    }

    /// Destroys a space with the threads in it; calls that its threads had received end.
    fn destroy_space(&mut self, id: Id<Space>) {
        let Some(space) = self.vm.spaces.get(id) else { return };
        let quota = space.quota;
        for slot in 0..self.threads.high_water() {
            let Some(thread) = self.threads.id_at(slot) else { continue };
            if self.threads[slot as u16].space == Some(id) {
                self.destroy_thread(thread);
            }
        }
        self.abandon_calls(|thread| thread.answerer == Some(id));
        self.vm.destroy_space(id);
        quota::refund(&mut self.vm.quotas, quota, 0, 1);
    }

    /// Ends open calls whose server is gone: a native caller gets Restarted; a foreign one goes
    /// back to its endpoint's queue, marked as replayed.
    fn abandon_calls(&mut self, gone: impl Fn(&Thread) -> bool) {
        for slot in 0..self.threads.high_water() {
            let slot = slot as u16;
            if self.threads.id_at(slot as u32).is_none()
                || !matches!(self.threads[slot].state, State::Open(_))
                || !gone(&self.threads[slot])
            {
                continue;
            }
            let tag = self.threads[slot].tag;
            // Nobody is left to be told.
            self.threads[slot].answerer = None;
            if tag.kind() == Kind::Message {
                self.interrupt_wait(slot, Error::Restarted);
            } else {
                let tag = tag.with_replayed();
                match self.threads[slot].state {
                    State::Open(endpoint) if tag.kind() == Kind::Page => {
                        self.ask_again(slot, endpoint, tag);
                    }
                    _ => self.call_handler(slot, tag),
                }
            }
        }
    }

    fn destroy_table(&mut self, id: Id<Table>) {
        if let Some(table) = self.tables.remove(id) {
            quota::refund(&mut self.vm.quotas, table.quota, table.pages, 1);
        }
    }

    fn destroy_endpoint(&mut self, id: Id<Endpoint>) {
        while let Some(waiting) = self
            .endpoints
            .get(id)
            .and_then(|endpoint| endpoint.senders.first().or(endpoint.receivers.first()))
        {
            if self.awaits_page(waiting) {
                self.unqueue(waiting);
                self.wake(waiting);
            } else if self.threads[waiting].tag.kind() != Kind::Message
                && matches!(self.threads[waiting].state, State::Calling(_))
            {
                self.unqueue(waiting);
                self.threads[waiting].state = State::Stopped;
            } else {
                self.interrupt_wait(waiting, Error::InvalidHandle);
            }
        }
        if let Some(endpoint) = self.endpoints.remove(id) {
            quota::refund(&mut self.vm.quotas, endpoint.quota, 0, 1);
        }
    }

    fn destroy_notification(&mut self, id: Id<Notification>) {
        while let Some(waiter) = self.notifications.get(id).and_then(|n| n.waiters.first()) {
            self.interrupt_wait(waiter, Error::InvalidHandle);
        }
        let Some(notification) = self.notifications.remove(id) else { return };
        if notification.bound != NIL {
            self.threads[notification.bound].bound = None;
        }
        for line in self.lines.iter_mut() {
            if line.is_some_and(|(to, _)| to == id) {
                *line = None;
            }
        }
        quota::refund(&mut self.vm.quotas, notification.quota, 0, 1);
    }

    fn destroy_memory(&mut self, id: Id<Memory>) {
        let Some(memory) = self.vm.memories.get(id) else { return };
        let quota = memory.quota;
        self.vm.destroy_memory(id);
        quota::refund(&mut self.vm.quotas, quota, 0, 1);
    }

    fn destroy_timer(&mut self, id: Id<Timer>) {
        if let Some(timer) = self.timers.remove(id) {
            self.deadlines.remove(Waiter::Timer(id.index() as u16));
            quota::refund(&mut self.vm.quotas, timer.quota, 0, 1);
        }
    }

    /// Destroys a quota with everything that is charged to it, other quotas included. These go
    /// leaves first: user space decides how deep they nest, and the kernel's stack is small.
    fn destroy_quota(&mut self, id: Id<Quota>) {
        let mut next = Some(id);
        while let Some(quota) = next.and_then(|id| self.vm.quotas.get(id).map(|quota| (id, quota)))
        {
            let (doomed, parent) = (quota.0, quota.1.parent);
            next = self.child_quota(doomed);
            if next.is_none() {
                self.destroy_leaf_quota(doomed);
                next = parent.filter(|_| doomed != id);
            }
        }
    }

    fn child_quota(&self, parent: Id<Quota>) -> Option<Id<Quota>> {
        let quotas = &self.vm.quotas;
        quotas.ids().find(|child| quotas.get(*child).is_some_and(|q| q.parent == Some(parent)))
    }

    /// Destroys a quota that has no children, with everything that is charged to it.
    fn destroy_leaf_quota(&mut self, id: Id<Quota>) {
        macro_rules! destroy_all {
            ($($arena:ident).+, $field:ident, $destroy:ident) => {
                for slot in 0..self.$($arena).+.high_water() {
                    let Some(found) = self.$($arena).+.id_at(slot) else { continue };
                    let charged = self.$($arena).+.get(found).and_then(|object| object.$field);
                    if charged == Some(id) {
                        self.$destroy(found);
                    }
                }
            };
        }
        destroy_all!(threads, quota, destroy_thread);
        destroy_all!(vm.spaces, quota, destroy_space);
        destroy_all!(tables, quota, destroy_table);
        destroy_all!(endpoints, quota, destroy_endpoint);
        destroy_all!(timers, quota, destroy_timer);
        destroy_all!(notifications, quota, destroy_notification);
        destroy_all!(vm.memories, quota, destroy_memory);
        if let Some(quota) = self.vm.quotas.remove(id) {
            debug_assert_eq!((quota.pages_used, quota.objects_used), (0, 0));
            let pages = quota.pages_limit;
            quota::refund(&mut self.vm.quotas, quota.parent, pages, quota.objects_limit + 1);
        }
    }
}

const _: () = assert!(Tag::short(0).with_replayed().is_replayed());
