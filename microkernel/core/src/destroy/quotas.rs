//! Destroying quotas with everything that is charged to them, other quotas included.
//!
//! These go leaves first: user space decides how deep they nest, and the kernel's stack is small.
//! The quota at the top remembers at which one below it the work is. On the way down each
//! quota becomes a dying one, so that nothing is added below it any more, and the work ends.

use kamen_abi::Error;

use crate::arena::Id;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::quota::{self, Quota};
use crate::steps;

impl<M: Machine> Kernel<M> {
    pub(super) fn destroy_quota(&mut self, top: Id<Quota>) -> Result<(), Error> {
        while let Some(begun) = self.vm.quotas.find(top).map(|quota| quota.destroying) {
            // Where another operation destroyed the one below, it is looked for from the top.
            let quotas = &mut self.vm.quotas;
            let at = begun.filter(|at| quotas.find(*at).is_some()).unwrap_or(top);
            quotas.doom(at);
            let child = quotas.find(at).and_then(|quota| quotas.id_at(quota.first_child()));
            let next = match child {
                Some(child) => Some(child),
                None => self.destroy_leaf_quota(at)?,
            };
            if let Some(top) = self.vm.quotas.find_mut(top) {
                top.destroying = next;
                self.vm.steps.spend(steps::PAGE)?;
            }
        }
        Ok(())
    }

    /// Destroys a quota that has no children, with everything that is charged to it; returns its
    /// parent.
    fn destroy_leaf_quota(&mut self, id: Id<Quota>) -> Result<Option<Id<Quota>>, Error> {
        macro_rules! destroy_all {
            ($($arena:ident).+: $kind:ty, $($destroy:ident).+) => {
                while let Some(quota) = self.vm.quotas.find(id)
                    && let Some(found) = self.$($arena).+.id_at(quota.first::<$kind>())
                {
                    self.$($destroy).+(found)?;
                }
            };
        }
        destroy_all!(threads: crate::thread::Thread, destroy_thread);
        destroy_all!(vm.spaces: crate::space::Space, destroy_space);
        destroy_all!(endpoints: crate::endpoint::Endpoint, destroy_endpoint);
        destroy_all!(timers: crate::deadline::Timer, destroy_timer);
        destroy_all!(notifications: crate::notification::Notification, destroy_notification);
        destroy_all!(vm.memories: crate::memory::Memory, vm.destroy_memory);
        destroy_all!(tables: crate::table::Table, destroy_table);
        let quotas = &mut self.vm.quotas;
        let Some(quota) = quota::remove_child(quotas, id) else { return Ok(None) };
        debug_assert_eq!((quota.pages_used, quota.objects_used), (0, 0));
        let objects = quota.objects_limit + Quota::COST;
        quota::refund(quotas, quota.parent, quota.pages_limit, objects);
        Ok(quota.parent)
    }
}
