//! Facts about operations that are done in steps: each entry does little, and none is lost.

use kamen_abi::{Error, FOREVER, NOW, ObjectKind, Operation, Place, Rights, Tag, boot};
use proptest::prelude::*;

use super::dice::cases;
use crate::fake::{DATA, Rig};
use crate::machine::{Access, FaultAccess};
use crate::steps;

#[test]
fn a_long_copy_comes_back_early_and_goes_on() {
    const PAGES: u64 = 8;
    let mut rig = Rig::new();
    let memory = rig.create(ObjectKind::Memory, &[PAGES]);
    for page in 0..PAGES {
        rig.poke(page * 4096 + 8, page + 1);
    }
    rig.kernel.vm.steps.limit(2 * steps::FRAME);
    let places = Place::Own as u64 | (Place::Memory as u64) << 8;
    let (mut done, mut entries) = (0, 0);
    while done < PAGES * 4096 {
        let words = [places, 0, DATA + done, memory, done, PAGES * 4096 - done];
        rig.ok(Operation::Copy, 0, &words);
        let copied = rig.registers().rdi;
        assert!(copied > 0 && copied <= 2 * 4096, "{copied}");
        done += copied;
        entries += 1;
    }
    assert!(entries >= PAGES / 2);
    let back = Place::Memory as u64 | (Place::Own as u64) << 8;
    rig.kernel.vm.steps.limit(u32::MAX);
    rig.ok(Operation::Copy, 0, &[back, memory, 7 * 4096, 0, DATA, 4096]);
    assert_eq!(rig.peek(8), 8);
}

#[test]
fn timers_that_pass_together_expire_over_several_interrupts() {
    let mut rig = Rig::new();
    let event = rig.create(ObjectKind::Notification, &[]);
    for bit in 0..40 {
        let timer = rig.create(ObjectKind::Timer, &[event, 1 << bit]);
        rig.ok(Operation::SetTimer, timer, &[100]);
    }
    rig.kernel.vm.steps.limit(3 * steps::THREAD);
    rig.kernel.vm.machine.now = 100;
    let mut interrupts = 0;
    while rig.kernel.vm.machine.timer.take() == Some(100) {
        rig.kernel.timer();
        interrupts += 1;
    }
    assert!(interrupts >= 40 / 4, "{interrupts}");
    assert_eq!(rig.send(Operation::Wait, event, Tag::short(0), NOW), 0);
    assert_eq!(rig.registers().rdi, (1 << 40) - 1);
}

#[test]
fn senders_whose_messages_cannot_be_delivered_are_refused_in_steps() {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let senders: std::vec::Vec<_> =
        (0..20).map(|_| rig.process(8, &[(endpoint, Rights::ALL, 0)])).collect();
    for sender in &senders {
        rig.ok(Operation::Start, sender.thread, &[]);
    }
    let receiver = rig.run();
    // The receiver has no table to take a capability into.
    let table = rig.kernel.threads[receiver].table;
    for sender in &senders {
        let slot = sender.slot;
        rig.kernel.cpu.ready.remove(&mut rig.kernel.threads.slots(), slot);
        rig.kernel.cpu.ready.push(&mut rig.kernel.threads.slots(), receiver);
        rig.kernel.cpu.current = slot;
        rig.poke(15 * 4096, 8);
        rig.send(Operation::Send, 8, Tag::long(0, 0, 1, 0), FOREVER);
        rig.run();
    }
    let page = rig.kernel.threads[receiver].message_page.take();
    rig.kernel.vm.steps.limit(3 * steps::THREAD);
    let rip = rig.registers().rip;
    let mut entries = 0;
    loop {
        let status = rig.send(Operation::Receive, endpoint, Tag::short(0), NOW);
        entries += 1;
        if rig.registers().rip == rip {
            assert_eq!(status, Error::WouldBlock as u64);
            break;
        }
        assert_eq!(status, Operation::Receive as u64, "rax is the operation again");
        rig.registers().rip = rip;
    }
    assert!(entries >= 20 / 4, "{entries}");
    for sender in &senders {
        assert_eq!(rig.kernel.threads[sender.slot].registers.rax, Error::BadAddress as u64);
    }
    rig.kernel.threads[receiver].message_page = page;
    rig.kernel.threads[receiver].table = table;
}

const WRITE: u64 = Rights::READ.0 as u64 | Rights::WRITE.0 as u64;
const QUOTA: u64 = boot::QUOTA.0 as u64;
const SPACE: u64 = boot::SPACE.0 as u64;
/// Where tests map what they make, as an offset from DATA.
const AT: u64 = 0x10_0000;
/// So little that each entry makes one step or two.
const FEW: u32 = 100;

/// Maps an object at AT and touches its pages.
fn mapped(rig: &mut Rig, pages: u64) -> u64 {
    let memory = rig.create(ObjectKind::Memory, &[pages]);
    rig.ok(Operation::Map, SPACE, &[memory, 0, DATA + AT, pages, WRITE]);
    for page in 0..pages {
        rig.poke(AT + page * 4096, page);
        let space = rig.kernel.threads[0].space.unwrap();
        let address = (DATA + AT + page * 4096) as usize;
        rig.kernel.vm.fault(space, address, FaultAccess::Write).unwrap();
    }
    memory
}

fn is_mapped(rig: &mut Rig, offset: u64, access: FaultAccess) -> bool {
    let space = rig.kernel.threads[0].space.unwrap();
    rig.kernel.vm.resolve(space, (DATA + offset) as usize, access).is_ok()
}

#[test]
fn unmapping_goes_on_where_it_was_and_spares_what_came_later() {
    let mut rig = Rig::new();
    let memory = mapped(&mut rig, 64);
    rig.kernel.vm.steps.limit(FEW);
    let rip = rig.registers().rip;
    rig.invoke(Operation::Unmap, SPACE, &[DATA + AT + 4096, 62]);
    assert!(rig.go_on(rip) && rig.go_on(rip));
    assert!(!is_mapped(&mut rig, AT + 4096, FaultAccess::Read));
    assert!(is_mapped(&mut rig, AT + 62 * 4096, FaultAccess::Read));
    // Somebody else maps behind it meanwhile.
    let words = (rig.registers().words(), rig.registers().rip, rig.registers().rax);
    rig.registers().rip = rip;
    rig.kernel.vm.steps.limit(u32::MAX);
    rig.ok(Operation::Map, SPACE, &[memory, 0, DATA + AT + 4096, 1, WRITE]);
    rig.kernel.vm.steps.limit(FEW);
    rig.registers().set_words(words.0);
    (rig.registers().rip, rig.registers().rax, rig.registers().r12) = (words.1, words.2, SPACE);
    while rig.go_on(rip) {}
    assert_eq!(rig.registers().rax, 0);
    for (page, expected) in [(0, true), (1, true), (2, false), (62, false), (63, true)] {
        assert_eq!(is_mapped(&mut rig, AT + page * 4096, FaultAccess::Read), expected, "{page}");
    }
}

#[test]
fn protection_changes_in_steps_and_splits_only_once() {
    let mut rig = Rig::new();
    mapped(&mut rig, 64);
    let before = rig.kernel.vm.mappings.used();
    rig.kernel.vm.steps.limit(FEW);
    let words = [DATA + AT + 4096, 62, Rights::READ.0 as u64];
    let (status, entries) = rig.in_steps(Operation::Protect, SPACE, &words);
    assert!(status == 0 && entries > 30, "{entries}");
    assert_eq!(rig.kernel.vm.mappings.used(), before + 2);
    rig.kernel.vm.steps.limit(u32::MAX);
    for (page, expected) in [(0, true), (1, false), (62, false), (63, true)] {
        assert_eq!(is_mapped(&mut rig, AT + page * 4096, FaultAccess::Write), expected, "{page}");
    }
}

#[test]
fn a_dying_quota_is_found_by_destroy_alone_and_gives_everything_back() {
    let mut rig = Rig::new();
    // A second leaf of the table, which keeps it.
    rig.ok(Operation::Mint, QUOTA, &[0, 255, 0, 128]);
    let before = usage(&rig);
    let quota = rig.create(ObjectKind::Quota, &[300, 1200]);
    let mut at = quota;
    for depth in (0..60).rev() {
        let kind = ObjectKind::Quota as u64;
        at = rig.ok(Operation::Create, at, &[kind, 2 + depth, 16 * depth + 8]);
        rig.ok(Operation::Create, at, &[ObjectKind::Endpoint as u64]);
    }
    let space = rig.ok(Operation::Create, quota, &[ObjectKind::Space as u64]);
    let memory = rig.ok(Operation::Create, quota, &[ObjectKind::Memory as u64, 64]);
    rig.ok(Operation::Map, space, &[memory, 0, DATA, 64, WRITE]);
    rig.ok(Operation::Map, SPACE, &[memory, 0, DATA + AT, 64, WRITE]);
    (0..64).for_each(|page| rig.poke(AT + page * 4096, page));
    rig.kernel.vm.steps.limit(FEW);
    let rip = rig.registers().rip;
    rig.invoke(Operation::Destroy, quota, &[]);
    assert!(rig.go_on(rip), "there is more to do");
    rig.registers().rip = rip;
    let gone = Error::InvalidHandle as u64;
    assert_eq!(rig.invoke(Operation::Create, quota, &[ObjectKind::Endpoint as u64]), gone);
    assert_eq!(rig.invoke(Operation::Inspect, quota, &[]), gone);
    let (status, entries) = rig.in_steps(Operation::Destroy, quota, &[]);
    assert!(status == 0 && entries > 100, "{entries}");
    assert_eq!(usage(&rig), before);
    assert_eq!(rig.in_steps(Operation::Destroy, quota, &[]), (0, 1), "as any that is gone");
}

#[test]
fn what_a_destroyed_thread_was_destroying_another_finishes() {
    let mut rig = Rig::new();
    let before = usage(&rig);
    let quota = rig.create(ObjectKind::Quota, &[300, 300]);
    let memory = rig.ok(Operation::Create, quota, &[ObjectKind::Memory as u64, 64]);
    rig.ok(Operation::Map, SPACE, &[memory, 0, DATA + AT, 64, WRITE]);
    (0..64).for_each(|page| rig.poke(AT + page * 4096, page));
    let helper = rig.process(31, &[(quota, Rights::ALL, 0)]);
    rig.ok(Operation::Start, helper.thread, &[]);
    rig.ok(Operation::Yield, 0, &[]);
    assert_eq!(rig.run(), helper.slot);
    rig.kernel.vm.steps.limit(FEW);
    rig.invoke(Operation::Destroy, 8, &[]);
    rig.registers().rip = 0;
    rig.kernel.system_call();
    rig.registers().rip = 0;
    rig.kernel.rotate();
    assert_ne!(rig.run(), helper.slot);
    for handle in [helper.thread, helper.space] {
        assert_eq!(rig.in_steps(Operation::Destroy, handle, &[]).0, 0);
    }
    assert_eq!(rig.in_steps(Operation::Destroy, quota, &[]).0, 0);
    // The helper's table and memory are left.
    rig.kernel.vm.steps.limit(u32::MAX);
    let (pages, objects, _) = usage(&rig);
    assert!(pages < before.0 + 25 && objects < before.1 + 12, "{pages} {objects}");
}

#[test]
fn an_endpoint_with_many_waiters_goes_in_steps() {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let waiters: std::vec::Vec<_> =
        (0..30).map(|_| rig.process(31, &[(endpoint, Rights::ALL, 0)])).collect();
    for waiter in &waiters {
        rig.ok(Operation::Start, waiter.thread, &[]);
    }
    rig.ok(Operation::Yield, 0, &[]);
    for waiter in &waiters {
        assert_eq!(rig.run(), waiter.slot);
        rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    }
    rig.kernel.vm.steps.limit(4 * steps::THREAD);
    let (status, entries) = rig.in_steps(Operation::Destroy, endpoint, &[]);
    assert!(status == 0 && entries >= 30 / 5, "{entries}");
    let gone = Error::InvalidHandle as u64;
    assert!(waiters.iter().all(|waiter| rig.kernel.threads[waiter.slot].registers.rax == gone));
}

#[test]
fn a_clone_shows_each_page_as_it_was_during_the_operation() {
    let mut rig = Rig::new();
    let memory = mapped(&mut rig, 64);
    let before = usage(&rig);
    rig.kernel.vm.steps.limit(FEW);
    let rip = rig.registers().rip;
    rig.invoke(Operation::Clone, memory, &[QUOTA]);
    for _ in 0..40 {
        assert!(rig.go_on(rip));
    }
    let handle = rig.registers().r9;
    let registers = *rig.registers();
    rig.registers().rip = rip;
    assert_eq!(rig.invoke(Operation::Inspect, handle, &[]), Error::InvalidHandle as u64);
    // The source is written midway, in front of and behind where the clone is.
    rig.kernel.vm.steps.limit(u32::MAX);
    rig.poke(AT, 1000);
    rig.poke(AT + 63 * 4096, 1063);
    rig.kernel.vm.steps.limit(FEW);
    *rig.registers() = registers;
    while rig.go_on(rip) {}
    assert_eq!(rig.registers().rax, 0);
    let clone = rig.registers().r12;
    rig.kernel.vm.steps.limit(u32::MAX);
    rig.ok(Operation::Map, SPACE, &[clone, 0, DATA + 2 * AT, 64, WRITE]);
    assert_eq!(rig.peek(2 * AT), 0, "shared before it was written");
    assert_eq!(rig.peek(2 * AT + 63 * 4096), 1063, "shared after it was written");
    rig.poke(AT + 5 * 4096, 7);
    assert_eq!(rig.peek(2 * AT + 5 * 4096), 5);
    rig.ok(Operation::Destroy, clone, &[]);
    rig.ok(Operation::Delete, 0, &[clone]);
    assert_eq!(usage(&rig).0, before.0);
}

#[test]
fn a_clone_that_cannot_be_finished_leaves_nothing() {
    let mut rig = Rig::new();
    let memory = mapped(&mut rig, 64);
    let quota = rig.create(ObjectKind::Quota, &[20, 5]);
    let before = usage(&rig);
    rig.kernel.vm.steps.limit(FEW);
    let (status, entries) = rig.in_steps(Operation::Clone, memory, &[quota]);
    assert!(status == Error::QuotaExhausted as u64 && entries > 10, "{entries}");
    assert_eq!(usage(&rig), before);
    // The source goes in the middle.
    let rip = rig.registers().rip;
    rig.invoke(Operation::Clone, memory, &[QUOTA]);
    assert!(rig.go_on(rip));
    let registers = *rig.registers();
    rig.registers().rip = rip;
    rig.in_steps(Operation::Destroy, memory, &[]);
    *rig.registers() = registers;
    while rig.go_on(rip) {}
    assert_eq!(rig.registers().rax, Error::InvalidHandle as u64);
    assert!(usage(&rig).0 < before.0);
}

#[test]
fn a_page_with_many_mappings_is_copied_before_anybody_writes() {
    let mut rig = Rig::new();
    let memory = mapped(&mut rig, 1);
    let clone = rig.ok(Operation::Clone, memory, &[QUOTA]);
    for place in 1..40 {
        rig.ok(Operation::Map, SPACE, &[memory, 0, DATA + AT + place * 8192, 1, WRITE]);
        assert_eq!(rig.peek(AT + place * 8192), 0);
    }
    let space = rig.kernel.threads[0].space.unwrap();
    for place in 0..40 {
        let address = (DATA + AT + place * 8192) as usize;
        rig.kernel.vm.fault(space, address, FaultAccess::Read).unwrap();
    }
    rig.kernel.vm.steps.limit(10 * steps::PAGE);
    let mut faults = 0;
    loop {
        faults += 1;
        rig.kernel.exception(14, 2 | 4, DATA + AT);
        assert_eq!(rig.run(), 0, "a fault that is tried again is nobody's");
        let root = rig.kernel.threads[0].root.unwrap();
        let entries = &rig.kernel.vm.machine.tables[&root];
        if entries.get(&((DATA + AT) as usize)).is_some_and(|entry| entry.1 == Access::Write) {
            let others = entries.range((DATA + AT) as usize + 1..).count();
            assert_eq!(others, 0, "they would show the page before the copy");
            break;
        }
    }
    assert!(faults > 3, "{faults}");
    rig.kernel.vm.steps.limit(u32::MAX);
    rig.poke(AT, 3);
    assert_eq!(rig.peek(AT + 8192), 3);
    rig.ok(Operation::Map, SPACE, &[clone, 0, DATA + 2 * AT, 1, WRITE]);
    assert_eq!(rig.peek(2 * AT), 0);
}

/// Returns what the first quota has used, and the free frames.
fn usage(rig: &Rig) -> (usize, usize, usize) {
    let vm = &rig.kernel.vm;
    let root = vm.quotas.find(vm.quotas.id_at(0).unwrap()).unwrap();
    (root.pages_used, root.objects_used, vm.frames.free())
}

/// An operation on the objects that a program made so far, chosen by two numbers.
fn random_call(objects: &[u64], dice: u64) -> (Operation, u64, [u64; 6]) {
    let n = |shift: u32, below: u64| (dice >> shift) % below;
    let object = objects[n(8, objects.len() as u64) as usize];
    let address = DATA + AT + n(24, 24) * 4096;
    let pages = 1 + n(32, 12);
    let rights = [1, WRITE, Rights::READ.0 as u64, 0][n(40, 4) as usize];
    match n(0, 12) {
        0 => (Operation::Create, QUOTA, [ObjectKind::Memory as u64, pages * 40, 0, 0, 0, 0]),
        1 => (Operation::Create, QUOTA, [ObjectKind::Quota as u64, 50, 20, 0, 0, 0]),
        2 => (Operation::Create, object, [ObjectKind::Memory as u64, pages, 0, 0, 0, 0]),
        3 => (Operation::Create, QUOTA, [ObjectKind::Space as u64, 0, 0, 0, 0, 0]),
        4..6 => (Operation::Map, SPACE, [object, n(16, 8), address, pages, WRITE, 0]),
        6 => (Operation::Map, object, [objects[0], n(16, 8), address, pages, WRITE, 0]),
        7 => (Operation::Unmap, SPACE, [address, pages, 0, 0, 0, 0]),
        8 => (Operation::Protect, SPACE, [address, pages, rights, 0, 0, 0]),
        9 => (Operation::Clone, object, [QUOTA, 0, 0, 0, 0, 0]),
        10 => (Operation::Resize, object, [n(16, 40), 0, 0, 0, 0, 0]),
        _ => (Operation::Destroy, object, [0; 6]),
    }
}

/// Runs the calls, each to its end, and returns all that can be seen afterwards.
fn outcome(calls: &[u64], steps: u32) -> impl PartialEq + core::fmt::Debug + use<> {
    let mut rig = Rig::new();
    let mut objects = std::vec![rig.create(ObjectKind::Memory, &[80])];
    let mut results = std::vec::Vec::new();
    for dice in calls {
        rig.kernel.vm.steps.limit(steps);
        let (operation, target, words) = random_call(&objects, *dice);
        let (status, _) = rig.in_steps(operation, target, &words);
        let makes = matches!(operation, Operation::Create | Operation::Clone);
        if status == 0 && makes {
            objects.push(rig.registers().r12);
        }
        results.push((operation, status, usage(&rig)));
        rig.kernel.vm.steps.limit(u32::MAX);
        let space = rig.kernel.threads[0].space.unwrap();
        let address = (DATA + AT + (dice >> 48) % 24 * 4096) as usize;
        if rig.kernel.vm.fault(space, address, FaultAccess::Write).is_ok() {
            rig.poke(address as u64 - DATA, *dice);
        }
    }
    let seen: std::vec::Vec<_> = (0..36)
        .map(|page| {
            let offset = AT + page * 4096;
            is_mapped(&mut rig, offset, FaultAccess::Read).then(|| rig.peek(offset))
        })
        .collect();
    (results, seen)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(100)))]
    #[test]
    fn in_steps_or_at_once_the_outcome_is_the_same(
        calls in prop::collection::vec(any::<u64>(), 1..60),
        // Enough for what comes before the first step that leaves something behind.
        steps in 100u32..2000
    ) {
        prop_assert_eq!(outcome(&calls, u32::MAX), outcome(&calls, steps));
    }
}

#[test]
fn a_copy_that_is_abandoned_midway_leaves_no_frame_that_nobody_pays_for() {
    let mut rig = Rig::new();
    let unpaid = |rig: &Rig| {
        let (pages, _, free) = usage(rig);
        (rig.kernel.vm.frames.total() - free) as isize - pages as isize
    };
    let before = unpaid(&rig);
    for place in 0..8_u64 {
        let memory = rig.create(ObjectKind::Memory, &[1]);
        rig.ok(Operation::Commit, memory, &[0, 1]);
        let clone = rig.ok(Operation::Clone, memory, &[QUOTA]);
        let at = DATA + AT + place * 64 * 8192;
        for copy in 0..40 {
            rig.ok(Operation::Map, SPACE, &[memory, 0, at + copy * 8192, 1, WRITE]);
        }
        rig.kernel.vm.steps.limit(10 * steps::PAGE);
        rig.kernel.exception(14, 2 | 4, at);
        // Whoever wrote is stopped and does not try again; the other share goes.
        rig.kernel.vm.steps.limit(u32::MAX);
        rig.ok(Operation::Destroy, clone, &[]);
    }
    assert_eq!(unpaid(&rig), before);
}
