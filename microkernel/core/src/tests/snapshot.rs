//! Facts about snapshots: each thread is told of as it is, and nothing else is told.

use kamen_abi::snapshot::{Activity, NO_PROCESSOR, NOTHING, SLOTS_MAX, Snapshot};
use kamen_abi::{Error, FOREVER, Kind, ObjectKind, Operation, Rights, Tag, boot};
use std::vec::Vec;

use super::CALL;
use crate::fake::{Process, Rig};

const TRACE: u64 = boot::TRACE.0 as u64;

fn ask(rig: &mut Rig, trace: u64, from: u64) -> Snapshot {
    rig.ok(Operation::InspectThread, trace, &[from]);
    Snapshot::from_words(rig.registers().words()).unwrap()
}

/// Returns what the running thread, which has the trace, is told of all threads.
fn all(rig: &mut Rig, trace: u64) -> Vec<Snapshot> {
    let (mut found, mut from) = (Vec::new(), 0);
    loop {
        let snapshot = ask(rig, trace, from);
        if snapshot == Snapshot::END {
            return found;
        }
        from = u64::from(snapshot.slot) + 1;
        if snapshot.activity != Activity::None {
            found.push(snapshot);
        }
    }
}

/// A server that receives, a client whose call it has, another whose call waits, one that was
/// never started, and a foreign thread; the first task sees them.
struct Scene {
    rig: Rig,
    server: Process,
    client: Process,
    second: Process,
    idle: Process,
    foreign: Process,
}

fn scene() -> Scene {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let server = rig.process(12, &[(endpoint, Rights::ALL, 0)]);
    let client = rig.process(8, &[(endpoint, CALL, 5)]);
    let second = rig.process(8, &[(endpoint, CALL, 6)]);
    let idle = rig.process(3, &[]);
    let foreign = rig.process(8, &[]);
    rig.ok(Operation::SetHandler, foreign.thread, &[endpoint, 0x77, 1]);
    rig.ok(Operation::SetHandler, client.thread, &[endpoint, 0x78, 0]);
    for process in [server, client, second, foreign] {
        rig.ok(Operation::Start, process.thread, &[]);
    }
    let event = rig.create(ObjectKind::Notification, &[]);
    let soon = rig.kernel.vm.machine.now + 1000;
    rig.send(Operation::Wait, event, Tag::short(0), soon);
    assert_eq!(rig.run(), server.slot);
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), client.slot);
    rig.send(Operation::Call, 8, Tag::short(0x3_0001), FOREVER);
    assert_eq!(rig.run(), server.slot, "it has a call and does not answer");
    rig.send(Operation::Wait, 8, Tag::short(0), FOREVER);
    Scene { rig, server, client, second, idle, foreign }
}

#[test]
fn each_thread_is_told_of_as_it_is() {
    let Scene { mut rig, server, client, second, idle, foreign } = scene();
    // The server runs on with the call open; it waits for nothing, and others get no turn.
    rig.kernel.vm.machine.now += 2000;
    rig.kernel.timer();
    let found = all(&mut rig, TRACE);
    let slots: Vec<u16> = found.iter().map(|snapshot| snapshot.slot).collect();
    assert_eq!(slots, [0, server.slot, client.slot, second.slot, idle.slot, foreign.slot]);
    let [first, server, client, second, idle, foreign] = found[..] else { panic!("{found:?}") };
    assert_eq!((first.activity, first.processor), (Activity::Running, 0));
    assert_eq!((server.activity, server.priority, server.calls), (Activity::Ready, 12, 0));
    assert_eq!((client.activity, client.calls, client.badge), (Activity::Open, 1, 0x78));
    assert_eq!(client.answerer, server.space);
    assert_eq!((client.tag, client.waits_for), (Tag::short(0x3_0001), client.handler));
    assert_eq!((client.is_foreign, client.processor), (false, NO_PROCESSOR));
    assert_eq!((second.activity, second.waits_for, second.tag), (Activity::Ready, NOTHING, Tag(0)));
    assert_eq!((idle.activity, idle.priority, idle.handler), (Activity::Stopped, 3, NOTHING));
    assert_eq!((foreign.is_foreign, foreign.badge, foreign.calls), (true, 0x77, 0));
    let spaces: std::collections::BTreeSet<u32> = found.iter().map(|it| it.space).collect();
    assert_eq!(spaces.len(), 6, "each is a process of its own");
}

#[test]
fn who_waits_is_told_with_what_it_waits_for() {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let event = rig.create(ObjectKind::Notification, &[]);
    let give = [(endpoint, Rights::ALL, 9), (event, Rights::ALL, 0), (TRACE, Rights::ALL, 0)];
    let [caller, sender, receiver, waiter, looker] =
        [10, 9, 8, 7, 6].map(|priority| rig.process(priority, &give));
    let other = rig.create(ObjectKind::Endpoint, &[]);
    let words = [receiver.table, u64::MAX, 0, 20, kamen_abi::WHOLE];
    rig.ok(Operation::Mint, other, &words);
    rig.ok(Operation::Bind, receiver.thread, &[event]);
    for process in [caller, sender, receiver, waiter, looker] {
        rig.ok(Operation::Start, process.thread, &[]);
    }
    let now = rig.kernel.vm.machine.now;
    rig.send(Operation::Receive, other, Tag::short(0), now + 1_000_000);
    rig.send(Operation::Call, 8, Tag::short(1), now + 5_000_000);
    rig.send(Operation::Send, 8, Tag::short(2), FOREVER);
    rig.send(Operation::Receive, 20, Tag::short(0), FOREVER);
    rig.send(Operation::Wait, 9, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), looker.slot);
    let found = all(&mut rig, 10);
    let told = |process: Process| *found.iter().find(|it| it.slot == process.slot).unwrap();
    assert_eq!(told(caller).activity, Activity::Calling);
    assert_eq!((told(caller).tag, told(caller).is_timed), (Tag::short(1), true));
    assert_eq!((told(caller).calls, told(caller).answerer), (0, NOTHING), "nobody has it yet");
    assert_eq!((told(sender).activity, told(sender).tag), (Activity::Sending, Tag::short(2)));
    assert_eq!(told(sender).waits_for, told(caller).waits_for);
    assert_eq!((told(receiver).activity, told(receiver).is_bound), (Activity::Receiving, true));
    assert_eq!((told(waiter).activity, told(waiter).is_timed), (Activity::Waiting, false));
    assert_eq!((found[0].activity, found[0].is_timed), (Activity::Receiving, true));
    assert_eq!(found[0].waits_for, told(receiver).waits_for);
    assert_ne!(told(receiver).waits_for, told(caller).waits_for);
    assert_eq!(told(looker).activity, Activity::Running);
}

#[test]
fn calls_are_counted_from_a_thread_s_own_beginning() {
    let mut rig = Rig::new();
    for calls in [3, 2] {
        // One each: at the first, a notice will wait that its open call is gone.
        let endpoint = rig.create(ObjectKind::Endpoint, &[]);
        let server = rig.process(12, &[(endpoint, Rights::ALL, 0)]);
        let foreign = rig.process(8, &[]);
        rig.ok(Operation::SetHandler, foreign.thread, &[endpoint, 7, 1]);
        rig.ok(Operation::Start, server.thread, &[]);
        rig.ok(Operation::Start, foreign.thread, &[]);
        let idle = rig.create(ObjectKind::Notification, &[]);
        let soon = rig.kernel.vm.machine.now + 1000;
        rig.send(Operation::Wait, idle, Tag::short(0), soon);
        let mut open = 0;
        for _ in 0..calls {
            assert_eq!(rig.run(), server.slot);
            rig.registers().r15 = 8;
            rig.send(Operation::ReplyReceive, open, Tag::short(0), FOREVER);
            assert_eq!(rig.run(), foreign.slot);
            rig.registers().rax = 39;
            rig.kernel.foreign_system_call();
            assert_eq!(rig.run(), server.slot);
            open = rig.registers().r12;
        }
        let told = rig.kernel.snapshot(foreign.slot).unwrap();
        assert_eq!((told.calls, told.activity, told.is_foreign), (calls, Activity::Open, true));
        assert_eq!((told.tag.kind(), told.tag.label()), (Kind::SystemCall, 39));
        rig.kernel.vm.machine.now += 2000;
        rig.kernel.timer();
        rig.ok(Operation::Destroy, foreign.thread, &[]);
        rig.ok(Operation::Destroy, server.thread, &[]);
        assert_eq!(rig.kernel.snapshot(foreign.slot), None);
    }
}

#[test]
fn a_walk_over_empty_slots_comes_to_its_end_in_bounded_parts() {
    let mut rig = Rig::new();
    let space = boot::SPACE.0 as u64;
    let many = 3 * u64::from(SLOTS_MAX);
    let threads: Vec<u64> =
        (0..many).map(|_| rig.create(ObjectKind::Thread, &[space, 0])).collect();
    let last = *threads.last().unwrap();
    threads.iter().filter(|thread| **thread != last).for_each(|thread| {
        rig.ok(Operation::Destroy, *thread, &[]);
        rig.ok(Operation::Delete, 0, &[*thread]);
    });
    assert_eq!(ask(&mut rig, TRACE, 1), Snapshot::vacant(SLOTS_MAX));
    let found = all(&mut rig, TRACE);
    assert_eq!(found.iter().map(|it| u64::from(it.slot)).collect::<Vec<_>>(), [0, many]);
    for beyond in [many + 1, 0xfffe, 0xffff, 0x1_0000, u64::MAX] {
        assert_eq!(ask(&mut rig, TRACE, beyond), Snapshot::END);
    }
}

#[test]
fn whoever_has_no_right_to_read_the_trace_sees_nothing() {
    let mut rig = Rig::new();
    rig.registers().set_words([0; 6]);
    let denied = Error::NoRights as u64;
    let control = rig.ok(Operation::Mint, TRACE, &[0, Rights::CONTROL.0.into()]);
    assert_eq!(rig.invoke(Operation::InspectThread, control, &[0]), denied);
    assert_eq!(rig.registers().words(), [0; 6]);
    let thread = boot::THREAD.0.into();
    let wrong = Error::WrongKind as u64;
    assert_eq!(rig.invoke(Operation::InspectThread, thread, &[0]), wrong);
    let none = Error::InvalidHandle as u64;
    for handle in [0, 4000, 0x1_0009, u64::MAX] {
        assert_eq!(rig.invoke(Operation::InspectThread, handle, &[0]), none, "{handle}");
    }
    let read = rig.ok(Operation::Mint, TRACE, &[0, Rights::READ.0.into()]);
    assert_eq!(ask(&mut rig, read, 0).activity, Activity::Running);
    assert_eq!(rig.invoke(Operation::Trace, read, &[2]), denied, "seeing is not controlling");
}
