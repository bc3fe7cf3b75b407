//! Tables over frames: slots, leaves, what they cost, and that destroying them gives it back.

use kamen_abi::{Error, Handle, MAX_SLOTS, ObjectKind, Operation, Rights, boot};

use super::{Capability, LEAF_SLOTS, Object, Table};
use crate::fake::Rig;
use crate::steps;
use crate::tests::random::{check_frames, check_quotas};

const CAPABILITY: Capability =
    Capability { object: Object::Ports(0, 7), rights: Rights::READ, badge: 0 };
const SELF: u64 = boot::TABLE.0 as u64;
const QUOTA: u64 = boot::QUOTA.0 as u64;

/// A table, and the kernel whose frames it is kept in.
struct World {
    rig: Rig,
    table: Table,
}

impl World {
    fn new(slots: usize) -> Self {
        let mut rig = Rig::new();
        let table = Table::new(&mut rig.kernel.vm.supply().0, None, slots).unwrap();
        World { rig, table }
    }

    fn insert(&mut self) -> Result<Handle, Error> {
        self.table.insert(&mut self.rig.kernel.vm.supply().0, CAPABILITY)
    }

    fn insert_at(&mut self, slot: u16) -> Result<Handle, Error> {
        self.table.insert_at(&mut self.rig.kernel.vm.supply().0, Handle(slot), CAPABILITY)
    }

    fn reserve(&mut self, count: usize) -> Result<(), Error> {
        self.table.reserve(&mut self.rig.kernel.vm.supply().0, count)
    }

    fn remove(&mut self, slot: u16) -> Result<Capability, Error> {
        self.table.remove(self.rig.kernel.machine(), Handle(slot))
    }

    fn get(&mut self, slot: u16) -> Result<Capability, Error> {
        self.table.get(self.rig.kernel.machine(), Handle(slot))
    }

    fn free(&self) -> usize {
        self.rig.kernel.vm.frames.free()
    }
}

#[test]
fn slots_are_reused_lowest_first_and_slot_0_never() {
    let mut world = World::new(200);
    for slot in 1..200 {
        assert_eq!(world.insert(), Ok(Handle(slot)));
    }
    assert_eq!(world.insert(), Err(Error::TableFull));
    assert_eq!(world.reserve(1), Err(Error::TableFull));
    world.remove(166).unwrap();
    world.remove(3).unwrap();
    assert_eq!((world.reserve(2), world.reserve(3)), (Ok(()), Err(Error::TableFull)));
    assert_eq!(world.insert(), Ok(Handle(3)));
    assert_eq!(world.insert(), Ok(Handle(166)));
}

#[test]
fn a_slot_in_use_is_not_overwritten() {
    let mut world = World::new(8);
    assert_eq!(world.insert_at(5), Ok(Handle(5)));
    assert_eq!(world.insert_at(5), Err(Error::Busy));
    assert_eq!(world.insert_at(8), Err(Error::InvalidArgument));
    assert_eq!(world.remove(6), Err(Error::InvalidHandle));
    assert_eq!(world.remove(5), Ok(CAPABILITY));
    assert_eq!(world.get(5), Err(Error::InvalidHandle));
}

#[test]
fn handles_past_the_end_name_nothing() {
    let mut world = World::new(MAX_SLOTS);
    let last = MAX_SLOTS as u16 - 1;
    world.insert_at(last).unwrap();
    world.insert_at(5).unwrap();
    assert_eq!(world.get(last), Ok(CAPABILITY));
    for slot in [last + 1, last + 6, u16::MAX, 6, 6000] {
        assert_eq!(world.get(slot), Err(Error::InvalidHandle));
    }
}

#[test]
fn what_a_frame_held_before_is_no_capability() {
    let mut rig = Rig::new();
    let words = Capability { object: Object::Trace, rights: Rights::ALL, badge: 1 }.words();
    let old: std::vec::Vec<_> = (0..512).map(|word| words[word % 4 % words.len()]).collect();
    for frame in &mut rig.kernel.machine().frames {
        if frame.iter().all(|word| *word == 0) {
            frame.copy_from_slice(&old);
        }
    }
    let mut table = Table::new(&mut rig.kernel.vm.supply().0, None, MAX_SLOTS).unwrap();
    table.insert_at(&mut rig.kernel.vm.supply().0, Handle(8000), CAPABILITY).unwrap();
    assert_eq!(table.used(rig.kernel.machine()), 1);
    for slot in (0..MAX_SLOTS as u16).filter(|slot| *slot != 8000) {
        assert_eq!(table.get(rig.kernel.machine(), Handle(slot)), Err(Error::InvalidHandle));
    }
}

#[test]
fn a_leaf_is_taken_when_its_first_slot_is_used_or_reserved() {
    let mut world = World::new(3 * LEAF_SLOTS);
    let free = world.free();
    (1..LEAF_SLOTS as u16 - 1).for_each(|slot| assert_eq!(world.insert(), Ok(Handle(slot))));
    assert_eq!(free - world.free(), 0, "the first is there");
    world.reserve(2).unwrap();
    assert_eq!(free - world.free(), 1, "one more in the first leaf, the other in the second");
    world.insert().unwrap();
    world.insert().unwrap();
    assert_eq!(free - world.free(), 1);
    world.insert_at(2 * LEAF_SLOTS as u16).unwrap();
    assert_eq!(free - world.free(), 2);
}

#[test]
fn without_a_frame_for_a_leaf_nothing_changes() {
    let mut world = World::new(2 * LEAF_SLOTS);
    let frames = &mut world.rig.kernel.vm.frames;
    let taken: std::vec::Vec<_> = core::iter::from_fn(|| frames.allocate()).collect();
    (1..LEAF_SLOTS as u16).for_each(|slot| assert_eq!(world.insert(), Ok(Handle(slot))));
    assert_eq!(world.reserve(1), Err(Error::OutOfMemory));
    assert_eq!(world.insert(), Err(Error::OutOfMemory));
    world.rig.kernel.vm.frames.release(taken[0]);
    assert_eq!(world.reserve(1), Ok(()));
    assert_eq!(world.insert(), Ok(Handle(LEAF_SLOTS as u16)));
}

#[test]
fn what_is_no_number_of_slots_is_refused() {
    let mut rig = Rig::new();
    for slots in [0, 1, MAX_SLOTS as u64 + 1, u64::MAX] {
        let words = [ObjectKind::Table as u64, slots];
        let status = rig.invoke(Operation::Create, QUOTA, &words);
        assert_eq!(status, Error::InvalidArgument as u64, "{slots}");
    }
}

#[test]
fn destroying_a_large_table_takes_steps_and_gives_all_back() {
    let mut rig = Rig::new();
    let free = rig.kernel.vm.frames.free();
    let paid = |rig: &Rig| {
        let quotas = &rig.kernel.vm.quotas;
        quotas.find(quotas.id_at(0).unwrap()).unwrap().pages_used
    };
    let before = paid(&rig);
    let table = rig.create(ObjectKind::Table, &[MAX_SLOTS as u64]);
    assert_eq!(paid(&rig) - before, 1 + MAX_SLOTS / 128);
    for leaf in 0..100 {
        rig.ok(Operation::Mint, QUOTA, &[table, 255, 0, leaf * 128 + 1]);
    }
    assert_eq!(free - rig.kernel.vm.frames.free(), 101);
    check_frames(&rig.kernel);
    rig.kernel.vm.steps.limit(10 * steps::PAGE);
    let (status, entries) = rig.in_steps(Operation::Destroy, table, &[]);
    assert_eq!(status, 0);
    assert!(entries > 5, "{entries}");
    rig.kernel.vm.steps.limit(u32::MAX);
    assert_eq!((paid(&rig), rig.kernel.vm.frames.free()), (before, free));
    let status = rig.invoke(Operation::Mint, QUOTA, &[table, 255, 0, 0]);
    assert_eq!(status, Error::InvalidHandle as u64);
    check_quotas(&rig.kernel, 0);
}

#[test]
fn a_thread_whose_table_is_being_destroyed_has_no_capabilities() {
    let mut rig = Rig::new();
    let free = rig.kernel.vm.frames.free();
    for slot in 10..30 {
        rig.ok(Operation::Mint, QUOTA, &[SELF, 255, 0, slot * 128]);
    }
    rig.kernel.vm.steps.limit(2 * steps::PAGE);
    rig.enter(Operation::Destroy, SELF, [0; 6]);
    assert!(rig.kernel.vm.steps.are_refused());
    assert_eq!(rig.kernel.own_table().map(|id| rig.kernel.tables.contains(id)), Ok(false));
    while rig.kernel.vm.steps.are_refused() {
        rig.enter(Operation::Destroy, SELF, [0; 6]);
    }
    assert_eq!(rig.registers().rax, 0);
    assert_eq!(rig.kernel.vm.frames.free() - free, 2, "root and the leaf of boot");
    check_frames(&rig.kernel);
}
