//! Creating objects: charged first, installed in the caller's table last.

use kamen_abi::{Error, MAX_SLOTS, ObjectKind, Rights};

use crate::arena::Id;
use crate::deadline::Timer;
use crate::endpoint::Endpoint;
use crate::kernel::Kernel;
use crate::machine::Machine;
use crate::notification::Notification;
use crate::quota::{self, Quota};
use crate::table::{Capability, Object, Table};
use crate::thread::Thread;

mod memory;

impl<M: Machine> Kernel<M> {
    /// Operation Create.
    pub(crate) fn create(&mut self, target: u64, words: [u64; 6]) -> Result<(), Error> {
        let [kind, w1, w2, ..] = words;
        let quota = self.quota(target, Rights::CONTROL)?;
        match ObjectKind::from_number(kind).ok_or(Error::InvalidArgument)? {
            ObjectKind::Thread => self.create_thread(quota, w1, w2),
            ObjectKind::Space => self.install(quota, ObjectKind::Space, 0, |kernel| {
                kernel.vm.create_space(quota).map(Object::Space)
            }),
            ObjectKind::Table => self.create_table(quota, w1),
            ObjectKind::Endpoint => self.install(quota, ObjectKind::Endpoint, 0, |kernel| {
                let endpoint = Endpoint { quota: Some(quota), ..Endpoint::default() };
                let id = quota::insert(&mut kernel.vm.quotas, &mut kernel.endpoints, endpoint);
                id.map(Object::Endpoint).ok_or(Error::OutOfMemory)
            }),
            ObjectKind::Notification => {
                self.install(quota, ObjectKind::Notification, 0, |kernel| {
                    let new = Notification { quota: Some(quota), ..Notification::default() };
                    let id = quota::insert(&mut kernel.vm.quotas, &mut kernel.notifications, new);
                    id.map(Object::Notification).ok_or(Error::OutOfMemory)
                })
            }
            ObjectKind::Memory => self.create_memory(quota, words),
            ObjectKind::Timer => self.create_timer(quota, w1, w2),
            ObjectKind::Quota => self.create_quota(quota, w1, w2),
            ObjectKind::Interrupt
            | ObjectKind::Ports
            | ObjectKind::Physical
            | ObjectKind::Trace => Err(Error::InvalidArgument),
        }
    }

    /// Charges an object of a kind and `pages`, makes it, and gives the caller a capability to it.
    pub(crate) fn install(
        &mut self,
        quota: Id<Quota>,
        kind: ObjectKind,
        pages: usize,
        make: impl FnOnce(&mut Self) -> Result<Object, Error>,
    ) -> Result<(), Error> {
        let table = self.own_table()?;
        let own = self.tables.get_mut(table).ok_or(Error::InvalidHandle)?;
        own.reserve(&mut self.vm.supply().0, 1)?;
        let cost = kind.cost() as usize;
        quota::charge(&mut self.vm.quotas, Some(quota), pages, cost)?;
        let object = make(self).inspect_err(|_| {
            quota::refund(&mut self.vm.quotas, Some(quota), pages, cost);
        })?;
        let table = self.tables.get_mut(table).ok_or(Error::InvalidHandle)?;
        let capability = Capability { object, rights: Rights::ALL, badge: 0 };
        let handle = table.insert(&mut self.vm.supply().0, capability)?;
        self.give_handle(handle);
        Ok(())
    }

    fn create_thread(&mut self, quota: Id<Quota>, space: u64, table: u64) -> Result<(), Error> {
        let space = self.space(space, Rights::CONTROL)?;
        let table = if table == 0 { None } else { Some(self.table(table, Rights::CONTROL)?) };
        self.install(quota, ObjectKind::Thread, 0, |kernel| {
            let root = kernel.vm.spaces.get(space).and_then(|space| space.root);
            let (space, quota) = (Some(space), Some(quota));
            let (sequence, first_sequence) = (kernel.first_sequence, kernel.first_sequence);
            let thread =
                Thread { space, root, table, quota, sequence, first_sequence, ..Thread::default() };
            let id = quota::insert(&mut kernel.vm.quotas, &mut kernel.threads, thread);
            id.map(Object::Thread).ok_or(Error::OutOfMemory)
        })
    }

    fn create_table(&mut self, quota: Id<Quota>, slots: u64) -> Result<(), Error> {
        if !(2..=MAX_SLOTS as u64).contains(&slots) {
            return Err(Error::InvalidArgument);
        }
        let slots = slots as usize;
        self.install(quota, ObjectKind::Table, Table::price_of(slots), |kernel| {
            if kernel.tables.is_full() {
                return Err(Error::OutOfMemory);
            }
            let table = Table::new(&mut kernel.vm.supply().0, Some(quota), slots)?;
            let id = quota::insert(&mut kernel.vm.quotas, &mut kernel.tables, table);
            id.map(Object::Table).ok_or(Error::OutOfMemory)
        })
    }

    fn create_timer(&mut self, quota: Id<Quota>, to: u64, bits: u64) -> Result<(), Error> {
        let (notification, bits) = self.signalled(to, bits)?;
        let notification = Some(notification);
        self.install(quota, ObjectKind::Timer, 0, |kernel| {
            let timer = Timer { notification, bits, quota: Some(quota) };
            let id = quota::insert(&mut kernel.vm.quotas, &mut kernel.timers, timer);
            id.map(Object::Timer).ok_or(Error::OutOfMemory)
        })
    }

    /// The child's budget is charged to its parent as a whole.
    fn create_quota(&mut self, parent: Id<Quota>, pages: u64, objects: u64) -> Result<(), Error> {
        let pages = usize::try_from(pages).map_err(|_| Error::InvalidArgument)?;
        let objects = usize::try_from(objects).map_err(|_| Error::InvalidArgument)?;
        quota::charge(&mut self.vm.quotas, Some(parent), 0, objects)?;
        let created = self.install(parent, ObjectKind::Quota, pages, |kernel| {
            let quota = Quota {
                parent: Some(parent),
                pages_limit: pages,
                objects_limit: objects,
                ..Quota::default()
            };
            let id = quota::insert_child(&mut kernel.vm.quotas, quota);
            id.map(Object::Quota).ok_or(Error::OutOfMemory)
        });
        created.inspect_err(|_| quota::refund(&mut self.vm.quotas, Some(parent), 0, objects))
    }
}
