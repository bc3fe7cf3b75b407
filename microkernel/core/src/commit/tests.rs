//! Facts about commit and decommit, contiguous and device memory.

use kamen_abi::{Error, MemoryKind, ObjectKind, Operation, PAGES_MAX, Place, Rights, boot};
use std::vec::Vec;

use crate::FaultAccess::{Execute, Read, Write};
use crate::fake::{DATA, FRAMES, Rig};
use crate::machine::Machine;
use crate::steps;

const QUOTA: u64 = boot::QUOTA.0 as u64;
const SPACE: u64 = boot::SPACE.0 as u64;
const PHYSICAL: u64 = boot::PHYSICAL.0 as u64;
const ACCESS: u64 = (Rights::READ.0 | Rights::WRITE.0) as u64;
/// Where the tests map their objects, and the offset from [`DATA`].
const AT: u64 = DATA + OFFSET;
const OFFSET: u64 = 0x10_0000;
const PAGE: u64 = 4096;

fn word(rig: &mut Rig, index: usize) -> u64 {
    rig.registers().words()[index]
}

fn pages_used(rig: &mut Rig, quota: u64) -> u64 {
    rig.ok(Operation::Inspect, quota, &[]);
    word(rig, 3)
}

/// Performs an operation on a range of pages until all are done, as libipc does.
fn all(rig: &mut Rig, operation: Operation, memory: u64, first: u64, pages: u64) {
    let mut done = 0;
    while done < pages {
        rig.ok(operation, memory, &[first + done, pages - done]);
        assert!(word(rig, 0) > 0, "it goes on");
        done += word(rig, 0);
    }
    assert_eq!(done, pages);
}

#[test]
fn committed_pages_are_charged_once_and_need_no_frame_later() {
    let mut rig = Rig::new();
    let quota = rig.create(ObjectKind::Quota, &[100, 10]);
    let memory = rig.ok(Operation::Create, quota, &[ObjectKind::Memory as u64, 40]);
    all(&mut rig, Operation::Commit, memory, 3, 20);
    assert_eq!(pages_used(&mut rig, quota), 20 + 1, "and the tree's node");
    all(&mut rig, Operation::Commit, memory, 0, 40);
    assert_eq!(pages_used(&mut rig, quota), 40 + 1);
    rig.ok(Operation::Map, SPACE, &[memory, 0, AT, 40, ACCESS]);
    let free = rig.kernel.vm.frames.free();
    (0..40).for_each(|page| {
        assert_eq!(rig.peek(OFFSET + page * PAGE + 8), 0);
        rig.poke(OFFSET + page * PAGE, page);
    });
    assert_eq!(rig.kernel.vm.frames.free(), free);
}

#[test]
fn one_operation_deals_with_a_bounded_number_of_pages() {
    let mut rig = Rig::new();
    let memory = rig.create(ObjectKind::Memory, &[200]);
    rig.ok(Operation::Decommit, memory, &[100, 100]);
    assert_eq!(word(&mut rig, 0), PAGES_MAX as u64, "nothing was there");
    rig.ok(Operation::Commit, memory, &[7, 0]);
    assert_eq!(word(&mut rig, 0), 0);
    rig.kernel.vm.steps.limit(4 * steps::FRAME);
    rig.ok(Operation::Commit, memory, &[0, 200]);
    assert!((1..=4).contains(&word(&mut rig, 0)));
    for limit in [1, 2 * steps::FRAME] {
        rig.kernel.vm.steps.limit(limit);
        all(&mut rig, Operation::Commit, memory, 0, 20);
        all(&mut rig, Operation::Decommit, memory, 0, 20);
    }
}

#[test]
fn a_commit_that_exhausts_the_quota_says_how_far_it_came() {
    let mut rig = Rig::new();
    let quota = rig.create(ObjectKind::Quota, &[4, 10]);
    let memory = rig.ok(Operation::Create, quota, &[ObjectKind::Memory as u64, 40]);
    let exhausted = Error::QuotaExhausted as u64;
    assert_eq!(rig.invoke(Operation::Commit, memory, &[5, 6]), exhausted);
    assert_eq!(word(&mut rig, 0), 3, "the fourth page went into the node");
}

#[test]
fn ranges_beyond_the_end_and_missing_rights_are_refused() {
    let mut rig = Rig::new();
    let memory = rig.create(ObjectKind::Memory, &[4]);
    let bad = Error::BadRange as u64;
    for operation in [Operation::Commit, Operation::Decommit] {
        for range in [[0, 5], [4, 1], [5, 0], [u64::MAX, 1], [1, u64::MAX], [1 << 63, 1 << 63]] {
            assert_eq!(rig.invoke(operation, memory, &range), bad, "{operation:?} {range:?}");
        }
    }
    let poor = rig.ok(Operation::Mint, memory, &[0, Rights::READ.0 as u64]);
    let denied = Error::NoRights as u64;
    assert_eq!(rig.invoke(Operation::Commit, poor, &[0, 1]), denied);
    assert_eq!(rig.invoke(Operation::Decommit, poor, &[0, 1]), denied);
    let archive = boot::ARCHIVE.0 as u64;
    assert_eq!(rig.invoke(Operation::Commit, archive, &[0, 1]), denied);
}

#[test]
fn decommitted_pages_are_zero_again_wherever_they_were_mapped() {
    let mut rig = Rig::new();
    let quota = rig.create(ObjectKind::Quota, &[20, 10]);
    let memory = rig.ok(Operation::Create, quota, &[ObjectKind::Memory as u64, 4]);
    rig.ok(Operation::Map, SPACE, &[memory, 0, AT, 4, ACCESS]);
    let space = rig.kernel.threads[0].space.unwrap();
    let root = rig.kernel.threads[0].root.unwrap();
    let other = rig.process(8, &[]);
    rig.ok(Operation::Map, other.space, &[memory, 1, AT, 2, ACCESS]);
    let other_space = rig.kernel.threads[other.slot].space.unwrap();
    let other_root = rig.kernel.threads[other.slot].root.unwrap();
    for page in 0..4 {
        rig.poke(OFFSET + page * PAGE, 7);
        rig.kernel.vm.fault(space, (AT + page * PAGE) as usize, Write).unwrap();
    }
    rig.kernel.vm.fault(other_space, AT as usize, Write).unwrap();
    assert_eq!(pages_used(&mut rig, quota), 5);

    all(&mut rig, Operation::Decommit, memory, 1, 2);
    assert_eq!(pages_used(&mut rig, quota), 3);
    let mapped = |rig: &Rig, root, page: u64| {
        rig.kernel.vm.machine.lookup(root, (AT + page * PAGE) as usize).is_some()
    };
    let own: Vec<bool> = (0..4).map(|page| mapped(&rig, root, page)).collect();
    assert_eq!(own, [true, false, false, true]);
    assert!(!mapped(&rig, other_root, 0));
    let contents: Vec<u64> = (0..4).map(|page| rig.peek(OFFSET + page * PAGE)).collect();
    assert_eq!(contents, [7, 0, 0, 7]);
    all(&mut rig, Operation::Decommit, memory, 0, 4);
    rig.ok(Operation::Destroy, quota, &[]);
}

#[test]
fn a_decommit_leaves_clones_their_share() {
    let mut rig = Rig::new();
    let memory = rig.create(ObjectKind::Memory, &[2]);
    rig.ok(Operation::Map, SPACE, &[memory, 0, AT, 2, ACCESS]);
    rig.poke(OFFSET, 1);
    let child = rig.ok(Operation::Clone, memory, &[QUOTA]);
    let grandchild = rig.ok(Operation::Clone, child, &[QUOTA]);
    rig.ok(Operation::Map, SPACE, &[child, 0, AT + 2 * PAGE, 2, ACCESS]);
    rig.ok(Operation::Map, SPACE, &[grandchild, 0, AT + 4 * PAGE, 2, ACCESS]);
    all(&mut rig, Operation::Decommit, memory, 0, 2);
    assert_eq!(rig.peek(OFFSET), 0);
    assert_eq!(rig.peek(OFFSET + 2 * PAGE), 1);
    rig.poke(OFFSET + 2 * PAGE, 2);
    assert_eq!(rig.peek(OFFSET + 4 * PAGE), 1);
    let free = rig.kernel.vm.frames.free();
    rig.poke(OFFSET + 4 * PAGE, 3);
    assert_eq!(rig.kernel.vm.frames.free(), free, "the last sharer writes in place");
    let seen = [0, 2, 4].map(|page| rig.peek(OFFSET + page * PAGE));
    assert_eq!(seen, [0, 2, 3]);
}

#[test]
fn contiguous_memory_is_adjacent_and_zero_and_tells_where_it_is() {
    let mut rig = Rig::new();
    let quota = rig.create(ObjectKind::Quota, &[100, 10]);
    let free = rig.kernel.vm.frames.free();
    let kind = MemoryKind::Contiguous as u64;
    let memory = rig.ok(Operation::Create, quota, &[ObjectKind::Memory as u64, 20, kind]);
    assert_eq!(pages_used(&mut rig, quota), 20 + 1, "set aside at once");
    rig.ok(Operation::Inspect, memory, &[]);
    assert_eq!((word(&mut rig, 4), word(&mut rig, 5)), (0, kind), "not zeroed yet");
    rig.ok(Operation::Map, SPACE, &[memory, 0, AT, 20, ACCESS]);
    assert_eq!(rig.peek(OFFSET + 5 * PAGE), 0);
    rig.poke(OFFSET + 5 * PAGE, 5);
    all(&mut rig, Operation::Commit, memory, 0, 20);
    rig.ok(Operation::Inspect, memory, &[]);
    let physical = word(&mut rig, 4);
    assert_eq!(physical % PAGE, 0);
    for page in 0..20 {
        let frame = &rig.kernel.vm.machine.frames[(physical / PAGE + page) as usize];
        assert_eq!(frame[0], if page == 5 { 5 } else { 0 });
        assert_eq!(frame[1..], [0; 511]);
    }
    let reader = rig.ok(Operation::Mint, memory, &[0, ACCESS]);
    rig.ok(Operation::Inspect, reader, &[]);
    assert_eq!(word(&mut rig, 4), 0, "only to who has CONTROL");
    let bad = Error::InvalidArgument as u64;
    assert_eq!(rig.invoke(Operation::Clone, memory, &[QUOTA]), bad);
    assert_eq!(rig.invoke(Operation::Resize, memory, &[1]), bad);
    assert_eq!(rig.invoke(Operation::Decommit, memory, &[0, 1]), bad);
    rig.ok(Operation::Destroy, memory, &[]);
    assert_eq!(pages_used(&mut rig, quota), 0);
    assert_eq!(rig.kernel.vm.frames.free(), free);
}

#[test]
fn contiguous_memory_that_is_not_to_be_had_costs_nothing() {
    let mut rig = Rig::new();
    let kind = MemoryKind::Contiguous as u64;
    let create = |rig: &mut Rig, quota, pages| {
        let words = [ObjectKind::Memory as u64, pages, kind, 0, 0, 0];
        rig.invoke(Operation::Create, quota, &words)
    };
    let quota = rig.create(ObjectKind::Quota, &[20, 10]);
    let free = rig.kernel.vm.frames.free();
    assert_eq!(create(&mut rig, QUOTA, 513), Error::InvalidArgument as u64);
    assert_eq!(create(&mut rig, QUOTA, 0), Error::InvalidArgument as u64);
    assert_eq!(create(&mut rig, quota, 20), Error::QuotaExhausted as u64, "no room for a node");
    assert_eq!(create(&mut rig, quota, 21), Error::QuotaExhausted as u64);
    assert_eq!(rig.kernel.vm.frames.free(), free);
    assert_eq!(pages_used(&mut rig, quota), 0);
    for _ in 0..4 {
        assert_eq!(create(&mut rig, QUOTA, 392), 0);
    }
    assert_eq!(create(&mut rig, QUOTA, 392), Error::OutOfMemory as u64, "the quota has 393");
    rig.create(ObjectKind::Quota, &[393, 1]);
}

#[test]
fn a_device_is_mapped_but_neither_copied_nor_executed_nor_freed() {
    let mut rig = Rig::new();
    let kind = MemoryKind::Device as u64;
    let first = FRAMES as u64 + 100;
    let words = [ObjectKind::Memory as u64, 3, kind, PHYSICAL, first];
    rig.poke(0, 0);
    let free = rig.kernel.vm.frames.free();
    let memory = rig.ok(Operation::Create, QUOTA, &words);
    rig.ok(Operation::Map, SPACE, &[memory, 1, AT, 2, ACCESS]);
    let space = rig.kernel.threads[0].space.unwrap();
    let root = rig.kernel.threads[0].root.unwrap();
    rig.kernel.vm.fault(space, (AT + PAGE) as usize, Read).unwrap();
    let (frame, _) = rig.kernel.vm.machine.lookup(root, (AT + PAGE) as usize).unwrap();
    assert_eq!(u64::from(frame.0), first + 2);
    assert!(rig.kernel.vm.fault(space, AT as usize, Execute).is_err());
    let executable = (Rights::READ.0 | Rights::EXECUTE.0) as u64;
    let denied = Error::NoRights as u64;
    assert_eq!(rig.invoke(Operation::Map, SPACE, &[memory, 0, 1 << 30, 1, executable]), denied);
    assert_eq!(rig.invoke(Operation::Protect, SPACE, &[AT, 1, executable]), denied);
    let from = Place::Memory as u64 | (Place::Own as u64) << 8;
    let address = Error::BadAddress as u64;
    assert_eq!(rig.invoke(Operation::Copy, 0, &[from, memory, 0, 0, DATA, 8]), address);
    let own = Place::Own as u64 | (Place::Own as u64) << 8;
    // Whether page tables show the registers (the second page) or not.
    for at in [AT, AT + PAGE] {
        assert_eq!(rig.invoke(Operation::Copy, 0, &[own, 0, DATA, 0, at, 8]), address);
        assert_eq!(rig.invoke(Operation::Copy, 0, &[own, 0, at, 0, DATA, 8]), address);
    }
    let thread = boot::THREAD.0 as u64;
    assert_eq!(rig.invoke(Operation::SetMessagePage, thread, &[memory, 0]), address);
    let bad = Error::InvalidArgument as u64;
    assert_eq!(rig.invoke(Operation::Clone, memory, &[QUOTA]), bad);
    assert_eq!(rig.invoke(Operation::Resize, memory, &[1]), bad);
    assert_eq!(rig.invoke(Operation::Commit, memory, &[0, 1]), bad);
    assert_eq!(rig.invoke(Operation::Decommit, memory, &[0, 1]), bad);
    rig.ok(Operation::Destroy, memory, &[]);
    assert!(rig.kernel.vm.machine.lookup(root, (AT + PAGE) as usize).is_none());
    assert_eq!(rig.kernel.vm.frames.free(), free);
}

#[test]
fn a_device_is_where_the_capability_reaches_and_no_ram_is() {
    let mut rig = Rig::new();
    let (first, last) = (FRAMES as u64 + 4, FRAMES as u64 + 7);
    let narrow = rig.ok(Operation::Mint, PHYSICAL, &[0, u64::MAX, first, 0, last]);
    rig.ok(Operation::Inspect, narrow, &[]);
    assert_eq!((word(&mut rig, 3), word(&mut rig, 4)), (first, last));
    let kind = MemoryKind::Device as u64;
    let create = |rig: &mut Rig, physical, first, pages| {
        let words = [ObjectKind::Memory as u64, pages, kind, physical, first];
        rig.invoke(Operation::Create, QUOTA, &words)
    };
    assert_eq!(create(&mut rig, narrow, first, 4), 0);
    let bad = Error::InvalidArgument as u64;
    for (first, pages) in [(first, 5), (first - 1, 2), (last + 1, 1), (u64::MAX, 2), (1 << 32, 1)] {
        assert_eq!(create(&mut rig, narrow, first, pages), bad);
    }
    assert_eq!(create(&mut rig, PHYSICAL, FRAMES as u64 - 1, 2), bad, "RAM");
    assert_eq!(create(&mut rig, PHYSICAL, 1, 1), bad, "RAM");
    assert_eq!(create(&mut rig, boot::PORTS.0 as u64, first, 1), Error::WrongKind as u64);
    let wider = rig.invoke(Operation::Mint, narrow, &[0, u64::MAX, first - 1, 0, last]);
    assert_eq!(wider, bad);
    let poor = rig.ok(Operation::Mint, narrow, &[0, Rights::READ.0 as u64, 0, 0, kamen_abi::WHOLE]);
    assert_eq!(create(&mut rig, poor, first, 1), Error::NoRights as u64);
    assert_eq!(rig.invoke(Operation::Destroy, narrow, &[]), Error::WrongKind as u64);
}
