//! Processes that take all they can get: what a quota promises stays to be had.
//!
//! Greedy quotas are dealt out all that there is, but for the budget of a careful one. They spend
//! it on one kind of thing, then on all others, until each is refused. Then the careful one gets
//! exactly what its budget buys, of each kind; and when the greedy ones are gone, all is as before.

use kamen_abi::{Error, FOREVER, Kind, MAX_SLOTS, MemoryKind, ObjectKind, Operation, Tag, boot};
use std::vec::Vec;

use super::random::{check_frames, check_quotas, check_threads};
use crate::fake::{FRAMES, Rig};

const QUOTA: u64 = boot::QUOTA.0 as u64;
const REFUSED: u64 = Error::QuotaExhausted as u64;
/// What the careful quota has: pages, units of objects.
const CAREFUL: [u64; 2] = [400, 600];
const GREEDY: u64 = 3;
/// Pages of a memory object that is committed, and of one that is cloned.
const PAGES: u64 = 8;
const CLONED: u64 = 3;
const READ: u64 = kamen_abi::Rights::READ.0 as u64;

/// What a process can have of the kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Thing {
    Thread,
    /// A thread whose call its server does not answer.
    OpenCall,
    /// A thread that alone keeps the frame of its message page.
    Pin,
    Space,
    Table,
    LargestTable,
    Endpoint,
    Notification,
    Timer,
    Quota,
    Memory(MemoryKind),
    /// A memory object whose pages are all there.
    Pages,
    Clone,
    Mapping,
}

const ALL: [Thing; 17] = [
    Thing::Thread,
    Thing::OpenCall,
    Thing::Pin,
    Thing::Space,
    Thing::Table,
    Thing::LargestTable,
    Thing::Endpoint,
    Thing::Notification,
    Thing::Timer,
    Thing::Quota,
    Thing::Memory(MemoryKind::Anonymous),
    Thing::Memory(MemoryKind::Contiguous),
    Thing::Memory(MemoryKind::Pager),
    Thing::Memory(MemoryKind::Device),
    Thing::Pages,
    Thing::Clone,
    Thing::Mapping,
];

impl Thing {
    /// Returns what one costs: pages, units.
    fn price(self) -> [u64; 2] {
        let table = |leaves: u64| [leaves + u64::from(leaves > 1), ObjectKind::Table.cost()];
        match self {
            Thing::Thread | Thing::OpenCall => [0, ObjectKind::Thread.cost()],
            Thing::Pin => [1, ObjectKind::Thread.cost()],
            Thing::Space => [1, ObjectKind::Space.cost()],
            Thing::Table => table(1),
            Thing::LargestTable => table(MAX_SLOTS as u64 / 128),
            Thing::Endpoint => [0, ObjectKind::Endpoint.cost()],
            Thing::Notification => [0, ObjectKind::Notification.cost()],
            Thing::Timer => [0, ObjectKind::Timer.cost()],
            Thing::Quota => [0, ObjectKind::Quota.cost()],
            Thing::Memory(MemoryKind::Contiguous) => [1, ObjectKind::Memory.cost()],
            Thing::Memory(_) => [0, ObjectKind::Memory.cost()],
            // The object's tree has a node.
            Thing::Pages => [PAGES + 1, ObjectKind::Memory.cost()],
            Thing::Clone => [CLONED + 1, ObjectKind::Memory.cost()],
            Thing::Mapping => [0, kamen_abi::MAPPING_COST],
        }
    }

    /// Returns what has to be there for the first one.
    fn setup(self) -> [u64; 2] {
        match self {
            // A page that is committed before it is only pinned.
            Thing::Pin => [1, ObjectKind::Memory.cost()],
            Thing::Clone => [CLONED + 1, ObjectKind::Memory.cost()],
            Thing::Mapping => [1, ObjectKind::Space.cost() + ObjectKind::Memory.cost()],
            _ => [0, 0],
        }
    }

    /// Returns how many a budget buys.
    fn promised(self, budget: [u64; 2]) -> u64 {
        let (price, setup) = (self.price(), self.setup());
        let bought = (0..2).filter(|place| price[*place] > 0);
        bought.map(|place| (budget[place] - setup[place]) / price[place]).min().unwrap()
    }
}

/// A budget that is being spent, and what the next things of some kinds are made of.
#[derive(Clone, Copy)]
struct Purse {
    quota: u64,
    memory: u64,
    space: u64,
    mapped: u64,
}

struct World {
    rig: Rig,
    endpoint: u64,
    notification: u64,
}

impl World {
    fn new() -> Self {
        let mut rig = Rig::new();
        let endpoint = rig.create(ObjectKind::Endpoint, &[]);
        let notification = rig.create(ObjectKind::Notification, &[]);
        World { rig, endpoint, notification }
    }

    /// Creates an object, to be forgotten: returns its handle or why it was refused.
    fn create(&mut self, quota: u64, kind: ObjectKind, words: &[u64]) -> Result<u64, u64> {
        let mut all = [0; 6];
        all[0] = kind as u64;
        all[1..=words.len()].copy_from_slice(words);
        match self.rig.invoke(Operation::Create, quota, &all) {
            0 => Ok(self.rig.registers().r12),
            refused => Err(refused),
        }
    }

    fn forget(&mut self, handle: u64) {
        self.rig.ok(Operation::Delete, 0, &[handle]);
    }

    fn purse(&mut self, from: u64, [pages, units]: [u64; 2]) -> Purse {
        let quota = self.create(from, ObjectKind::Quota, &[pages, units]).unwrap();
        Purse { quota, memory: 0, space: 0, mapped: 0 }
    }

    fn end(&mut self, purse: Purse) {
        for handle in [purse.quota, purse.memory, purse.space] {
            if handle != 0 {
                self.rig.in_steps(Operation::Destroy, handle, &[]);
                self.forget(handle);
            }
        }
    }

    /// Buys as many things as are to be had.
    fn spend(&mut self, purse: &mut Purse, thing: Thing) -> u64 {
        let mut bought = 0;
        loop {
            match self.buy(purse, thing) {
                Ok(()) => bought += 1,
                Err(REFUSED) => return bought,
                Err(other) => panic!("{thing:?} {bought} is refused with {other}"),
            }
        }
    }

    fn buy(&mut self, purse: &mut Purse, thing: Thing) -> Result<(), u64> {
        use ObjectKind as O;
        let own = boot::SPACE.0.into();
        let (quota, notification) = (purse.quota, self.notification);
        let made = match thing {
            Thing::Thread => self.create(quota, O::Thread, &[own, 0])?,
            Thing::OpenCall => self.call(quota)?,
            Thing::Pin => self.pin(purse)?,
            Thing::Space => self.create(quota, O::Space, &[])?,
            Thing::Table => self.create(quota, O::Table, &[8])?,
            Thing::LargestTable => self.create(quota, O::Table, &[MAX_SLOTS as u64])?,
            Thing::Endpoint => self.create(quota, O::Endpoint, &[])?,
            Thing::Notification => self.create(quota, O::Notification, &[])?,
            Thing::Timer => self.create(quota, O::Timer, &[notification, 1])?,
            Thing::Quota => self.create(quota, O::Quota, &[0, 0])?,
            Thing::Memory(kind) => {
                let by = match kind {
                    MemoryKind::Pager => self.endpoint,
                    _ => boot::PHYSICAL.0.into(),
                };
                self.create(quota, O::Memory, &[1, kind as u64, by, FRAMES as u64])?
            }
            Thing::Pages => self.pages(quota, PAGES)?,
            Thing::Clone => {
                if purse.memory == 0 {
                    purse.memory = self.pages(quota, CLONED)?;
                }
                match self.rig.in_steps(Operation::Clone, purse.memory, &[quota]) {
                    (0, _) => self.rig.registers().r12,
                    (refused, _) => return Err(refused),
                }
            }
            Thing::Mapping => return self.map(purse),
        };
        self.forget(made);
        Ok(())
    }

    fn done(&mut self, operation: Operation, target: u64, words: &[u64]) -> Result<(), u64> {
        match self.rig.invoke(operation, target, words) {
            0 => Ok(()),
            refused => Err(refused),
        }
    }

    /// Makes a memory object whose pages are there.
    fn pages(&mut self, quota: u64, pages: u64) -> Result<u64, u64> {
        let memory = self.create(quota, ObjectKind::Memory, &[pages])?;
        self.done(Operation::Commit, memory, &[0, pages]).inspect_err(|_| self.discard(memory))?;
        Ok(memory)
    }

    fn discard(&mut self, handle: u64) {
        self.rig.ok(Operation::Destroy, handle, &[]);
        self.forget(handle);
    }

    /// Makes a thread whose foreign call is open.
    fn call(&mut self, quota: u64) -> Result<u64, u64> {
        let (endpoint, own) = (self.endpoint, boot::SPACE.0.into());
        let thread = self.create(quota, ObjectKind::Thread, &[own, 0])?;
        self.rig.ok(Operation::SetHandler, thread, &[endpoint, 1, 1]);
        self.rig.ok(Operation::Start, thread, &[]);
        let first = self.rig.run();
        loop {
            self.rig.send(Operation::Receive, endpoint, Tag::short(0), FOREVER);
            if self.rig.run() != first {
                self.rig.kernel.system_call();
            }
            // First come notices of calls whose callers are gone.
            if Tag(self.rig.registers().r13).kind() == Kind::SystemCall {
                return Ok(thread);
            }
        }
    }

    /// Makes a thread whose message page no memory object has any more.
    fn pin(&mut self, purse: &mut Purse) -> Result<u64, u64> {
        if purse.memory == 0 {
            purse.memory = self.create(purse.quota, ObjectKind::Memory, &[1])?;
        }
        let own = boot::SPACE.0.into();
        let thread = self.create(purse.quota, ObjectKind::Thread, &[own, 0])?;
        let pinned = self.done(Operation::SetMessagePage, thread, &[purse.memory, 0]);
        pinned.inspect_err(|_| self.discard(thread))?;
        self.rig.ok(Operation::Decommit, purse.memory, &[0, 1]);
        Ok(thread)
    }

    /// Maps a page far from all others.
    fn map(&mut self, purse: &mut Purse) -> Result<(), u64> {
        if purse.memory == 0 {
            purse.memory = self.create(purse.quota, ObjectKind::Memory, &[1])?;
        }
        if purse.space == 0 {
            purse.space = self.create(purse.quota, ObjectKind::Space, &[])?;
        }
        let at = purse.mapped << 21;
        self.done(Operation::Map, purse.space, &[purse.memory, 0, at, 1, READ])?;
        purse.mapped += 1;
        Ok(())
    }

    /// Returns what is in use: the first quota's pages and units, frames, objects.
    fn books(&self) -> Vec<usize> {
        let (kernel, vm) = (&self.rig.kernel, &self.rig.kernel.vm);
        let root = vm.quotas.find(vm.quotas.id_at(0).unwrap()).unwrap();
        std::vec![
            root.pages_used,
            root.objects_used,
            vm.frames.free(),
            vm.quotas.used(),
            vm.spaces.used(),
            vm.memories.used(),
            vm.mappings.used(),
            kernel.threads.used(),
            kernel.tables.used(),
            kernel.endpoints.used(),
            kernel.notifications.used(),
            kernel.timers.used(),
        ]
    }

    /// Returns an equal part of all that is left for each greedy quota.
    fn share(&self) -> [u64; 2] {
        let vm = &self.rig.kernel.vm;
        let root = vm.quotas.find(vm.quotas.id_at(0).unwrap()).unwrap();
        let pages = root.pages_limit - root.pages_used;
        let units = root.objects_limit - root.objects_used;
        [pages as u64 / GREEDY, units as u64 / GREEDY - ObjectKind::Quota.cost()]
    }

    /// The careful quota buys each kind of thing for all that it has.
    fn check_promise(&mut self, careful: u64, taken: Thing) {
        let budget = [CAREFUL[0], CAREFUL[1] - ObjectKind::Quota.cost()];
        for thing in ALL {
            let mut purse = self.purse(careful, budget);
            let bought = self.spend(&mut purse, thing);
            assert_eq!(bought, thing.promised(budget), "{thing:?} after {taken:?}");
            self.end(purse);
        }
    }
}

#[test]
fn whatever_others_take_a_quota_gets_what_it_was_promised() {
    let mut world = World::new();
    let careful = world.purse(QUOTA, CAREFUL).quota;
    let (before, share) = (world.books(), world.share());
    for thing in ALL {
        // Where pages are hoarded first, both pages and units are gone in the end.
        for hoards in [false, true] {
            let mut greedy: Vec<Purse> = (0..GREEDY).map(|_| world.purse(QUOTA, share)).collect();
            for purse in &mut greedy {
                if hoards {
                    world.spend(purse, Thing::Pages);
                }
                let bought = world.spend(purse, thing);
                assert!(hoards || bought == thing.promised(share), "{thing:?}: {bought}");
                for other in ALL {
                    world.spend(purse, other);
                }
            }
            world.check_promise(careful, thing);
            greedy.into_iter().for_each(|purse| world.end(purse));
            assert_eq!(world.books(), before, "{thing:?}");
        }
    }
    check_quotas(&world.rig.kernel, 0);
    check_frames(&world.rig.kernel);
    check_threads(&world.rig.kernel);
}
