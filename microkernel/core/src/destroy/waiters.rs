//! Destroying what threads wait on: endpoints and notifications.

use kamen_abi::{Error, Kind};

use crate::arena::Id;
use crate::endpoint::Endpoint;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::notification::Notification;
use crate::queue::NIL;
use crate::quota::{self, Charged};
use crate::steps;
use crate::thread::State;

impl<M: Machine> Kernel<M> {
    pub(super) fn destroy_endpoint(&mut self, id: Id<Endpoint>) -> Result<(), Error> {
        self.endpoints.doom(id);
        while let Some(waiting) = self
            .endpoints
            .find(id)
            .and_then(|endpoint| endpoint.senders.first().or(endpoint.receivers.first()))
        {
            self.vm.steps.spend(steps::THREAD)?;
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
        self.vm.steps.spend(steps::PAGE)?;
        if let Some(endpoint) = quota::remove(&mut self.vm.quotas, &mut self.endpoints, id) {
            quota::refund(&mut self.vm.quotas, endpoint.quota, 0, Endpoint::COST);
        }
        Ok(())
    }

    pub(super) fn destroy_notification(&mut self, id: Id<Notification>) -> Result<(), Error> {
        self.notifications.doom(id);
        while let Some(waiter) = self.notifications.find(id).and_then(|n| n.waiters.first()) {
            self.vm.steps.spend(steps::THREAD)?;
            self.interrupt_wait(waiter, Error::InvalidHandle);
        }
        self.vm.steps.spend(steps::THREAD)?;
        let removed = quota::remove(&mut self.vm.quotas, &mut self.notifications, id);
        let Some(notification) = removed else { return Ok(()) };
        if notification.bound != NIL {
            self.threads[notification.bound].bound = None;
        }
        // As many as the machine has: not for user space to decide.
        for line in self.lines.iter_mut() {
            if line.is_some_and(|(to, _)| to == id) {
                *line = None;
            }
        }
        quota::refund(&mut self.vm.quotas, notification.quota, 0, Notification::COST);
        Ok(())
    }
}
