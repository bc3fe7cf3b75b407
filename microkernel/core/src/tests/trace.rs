//! Facts about the trace: what is recorded, in which order, and for whom.

use kamen_abi::trace::{CAPACITY, Event, EventKind, Header, NOBODY, TIMER, event_at};
use kamen_abi::{Error, FOREVER, Kind, ObjectKind, Operation, PAGE_SIZE, Place, Rights, Tag, boot};
use std::vec::Vec;

use super::{CALL, DATA};
use crate::Ways;
use crate::fake::Rig;
use crate::machine::Machine;

const TRACE: u64 = boot::TRACE.0 as u64;
const MEMORY: u64 = boot::TRACE_MEMORY.0 as u64;

/// Returns the ring's header and its events, oldest first.
fn ring(rig: &Rig) -> (Header, Vec<Event>) {
    let first = rig.kernel.trace.frames().start as usize;
    let frames = &rig.kernel.vm.machine.frames;
    let word = |at: usize| frames[first + at / PAGE_SIZE][at % PAGE_SIZE / 8];
    let header = Header::from_words(core::array::from_fn(|index| word(8 * index))).unwrap();
    let event = |number| {
        let at = event_at(number);
        Event::from_words(core::array::from_fn(|index| word(at + 8 * index))).unwrap()
    };
    (header, header.held().map(event).collect())
}

/// Returns the events of some kinds: kind, thread, detail, second value.
fn events(rig: &Rig, kinds: &[EventKind]) -> Vec<(EventKind, u16, u32, u64)> {
    let (_, events) = ring(rig);
    let chosen = events.into_iter().filter(|event| kinds.contains(&event.kind));
    chosen.map(|event| (event.kind, event.thread, event.detail, event.values[1])).collect()
}

#[test]
fn a_call_leaves_its_way_through_the_system() {
    use EventKind::{Entry, Message, Reply, Switch};
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let server = rig.process(12, &[(endpoint, Rights::ALL, 0)]);
    let client = rig.process(8, &[(endpoint, CALL, 5)]);
    rig.ok(Operation::Start, server.thread, &[]);
    rig.ok(Operation::Start, client.thread, &[]);
    rig.ok(Operation::Trace, TRACE, &[EventKind::EVERYTHING]);
    let idle = rig.create(ObjectKind::Notification, &[]);
    rig.send(Operation::Wait, idle, Tag::short(0), FOREVER);
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), client.slot);
    rig.send(Operation::Call, 8, Tag::short(42), FOREVER);
    let open = rig.registers().r12;
    rig.registers().r15 = 8;
    rig.send(Operation::ReplyReceive, open, Tag::short(7), FOREVER);
    assert_eq!(rig.run(), client.slot);

    let (s, c) = (server.slot, client.slot);
    let found = events(&rig, &[Switch, Message, Reply]);
    let expected = [
        (Switch, s, 0, 0),
        (Switch, c, u32::from(s), 0),
        (Message, c, u32::from(s), 42),
        (Switch, s, u32::from(c), 0),
        (Reply, s, u32::from(c), 7),
        (Switch, c, u32::from(s), 0),
    ];
    assert_eq!(found, expected);
    let operations: Vec<u32> = events(&rig, &[Entry]).iter().map(|event| event.2).collect();
    let expected = [
        Operation::Create,
        Operation::Wait,
        Operation::Receive,
        Operation::Call,
        Operation::ReplyReceive,
    ];
    assert_eq!(operations, expected.map(|operation| operation as u32));
    let (header, all) = ring(&rig);
    let named = |event: &&Event| matches!(event.kind, Message | Reply);
    assert!(all.iter().filter(named).all(|event| event.values[0] == open));
    assert!(all.is_sorted_by_key(|event| event.time));
    assert_eq!((header.processor, header.processors), (0, 1));
}

#[test]
fn faults_interrupts_and_idling_are_recorded() {
    use EventKind::{Fault, Interrupt, Message, Switch};
    let mut rig = Rig::new();
    let notification = rig.create(ObjectKind::Notification, &[]);
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    rig.ok(Operation::Bind, boot::THREAD.0 as u64, &[notification]);
    rig.ok(Operation::BindInterrupt, boot::INTERRUPTS.0 as u64, &[4, notification, 16]);
    rig.ok(Operation::Trace, TRACE, &[EventKind::EVERYTHING & !EventKind::Entry.set()]);
    rig.registers().rip = 0x1234;
    rig.kernel.exception(14, 4, DATA);
    rig.run();
    rig.send(Operation::Receive, endpoint, Tag::short(0), 1000);
    assert!(matches!(rig.kernel.next(), crate::Next::Idle));
    rig.kernel.timer();
    rig.kernel.interrupt(4);
    rig.run();
    let tag = Tag::short(0).with_kind(Kind::Notification).0;
    let expected = [
        (Fault, 0, 14, 0x1234),
        (Switch, NOBODY, 0, 0),
        (Interrupt, NOBODY, TIMER, 0),
        (Interrupt, NOBODY, 4, 0),
        (Message, NOBODY, 0, tag),
        (Switch, 0, 0xffff, 0),
    ];
    assert_eq!(events(&rig, &EventKind::ALL), expected);
}

#[test]
fn what_messages_carry_is_recorded_with_them() {
    use EventKind::{Message, Queued, Reply, Words};
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let client = rig.process(8, &[(endpoint, CALL, 5)]);
    rig.ok(Operation::Start, client.thread, &[]);
    rig.ok(Operation::Trace, TRACE, &[EventKind::EVERYTHING & !EventKind::Entry.set()]);
    let idle = rig.create(ObjectKind::Notification, &[]);
    let soon = rig.kernel.vm.machine.now + 1000;
    rig.send(Operation::Wait, idle, Tag::short(0), soon);
    assert_eq!(rig.run(), client.slot);
    let page = rig.kernel.threads[client.slot].message_page.unwrap();
    rig.kernel.vm.machine.store(page, 16, 0x1111);
    rig.kernel.vm.machine.store(page, 17, 0x2222); // of which one byte travels
    rig.registers().set_words([0, 0, 3, 4, 0, 6]);
    rig.send(Operation::Call, 8, Tag::long(42, 9, 0, 0), FOREVER);
    rig.kernel.vm.machine.now += 2000;
    rig.kernel.timer();
    rig.send(Operation::Receive, endpoint, Tag::short(0), FOREVER);
    let open = rig.registers().r12;
    rig.registers().set_words([7, 0, 0, 0, 0, 0]);
    rig.send(Operation::Reply, open, Tag::short(1), FOREVER);
    let (_, all) = ring(&rig);
    let chosen = all.iter().filter(|event| matches!(event.kind, Message | Queued | Reply | Words));
    let found: Vec<_> =
        chosen.map(|event| (event.kind, event.thread, event.detail, event.values)).collect();
    let (c, at) = (client.slot, rig.kernel.endpoints.ids().next().unwrap().index());
    let tag = Tag::long(42, 9, 0, 0).0;
    let expected = [
        (Queued, c, at, [0, tag]),
        (Message, c, 0, [open, tag]),
        (Words, c, 2, [3, 4]),
        (Words, c, 4, [0, 6]),
        (Words, c, 6, [0x1111, 0x22]),
        (Reply, 0, u32::from(c), [open, 1]),
        (Words, 0, 0, [7, 0]),
    ];
    assert_eq!(found, expected);
}

#[test]
fn calls_that_the_kernel_ends_are_recorded_with_its_error() {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let clients = [9, 8, 7].map(|priority| rig.process(priority, &[(endpoint, CALL, 5)]));
    clients.iter().for_each(|client| _ = rig.ok(Operation::Start, client.thread, &[]));
    rig.ok(Operation::Trace, TRACE, &[EventKind::Broken.set()]);
    let idle = rig.create(ObjectKind::Notification, &[]);
    let now = rig.kernel.vm.machine.now;
    rig.send(Operation::Wait, idle, Tag::short(0), now + 1000);
    for client in clients {
        assert_eq!(rig.run(), client.slot);
        rig.send(Operation::Call, 8, Tag::short(1), now + 5000);
    }
    rig.kernel.vm.machine.now = now + 2000;
    rig.kernel.timer();
    rig.send(Operation::Receive, endpoint, Tag::short(0), FOREVER);
    let first = rig.registers().r12;
    rig.send(Operation::Receive, endpoint, Tag::short(0), FOREVER);
    let second = rig.registers().r12;
    rig.ok(Operation::Stop, clients[0].thread, &[]);
    rig.ok(Operation::Destroy, clients[1].thread, &[]);
    rig.kernel.vm.machine.now = now + 6000;
    rig.kernel.timer();
    let (_, all) = ring(&rig);
    let found: Vec<_> =
        all.iter().map(|event| (event.thread, event.detail, event.values[0])).collect();
    let (cancelled, timed_out) = (Error::Cancelled as u32, Error::TimedOut as u32);
    let expected = [
        (clients[0].slot, cancelled, first),
        (clients[1].slot, cancelled, second),
        (clients[2].slot, timed_out, 0),
    ];
    assert_eq!(found, expected);
}

#[test]
fn only_what_was_asked_for_is_recorded() {
    let mut rig = Rig::new();
    rig.ok(Operation::Create, boot::QUOTA.0 as u64, &[ObjectKind::Endpoint as u64]);
    assert_eq!(ring(&rig).0.written, 0, "nothing yet");
    rig.ok(Operation::Trace, TRACE, &[EventKind::Fault.set()]);
    rig.invoke(Operation::Null, 0, &[]);
    rig.kernel.exception(14, 4, DATA);
    rig.ok(Operation::Trace, TRACE, &[0]);
    rig.kernel.exception(14, 4, DATA);
    assert_eq!(events(&rig, &EventKind::ALL).len(), 1);
    assert_eq!(ring(&rig).0.kinds, 0);
    let bad = Error::InvalidArgument as u64;
    for kinds in [1, 1 << 10, u64::MAX] {
        assert_eq!(rig.invoke(Operation::Trace, TRACE, &[kinds]), bad);
    }
    let seen = rig.ok(Operation::Mint, TRACE, &[0, Rights::GRANT.0 as u64]);
    assert_eq!(rig.invoke(Operation::Trace, seen, &[2]), Error::NoRights as u64);
    assert_eq!(rig.invoke(Operation::Trace, MEMORY, &[2]), Error::NoRights as u64);
    let port = boot::PORTS.0 as u64;
    assert_eq!(rig.invoke(Operation::Trace, port, &[2]), Error::WrongKind as u64);
    assert_eq!(rig.invoke(Operation::Destroy, TRACE, &[]), Error::NoRights as u64);
}

#[test]
fn a_full_ring_overwrites_what_is_oldest() {
    let mut rig = Rig::new();
    rig.ok(Operation::Trace, TRACE, &[EventKind::Entry.set()]);
    for number in 0..CAPACITY as u64 + 5 {
        rig.invoke(Operation::Now, number, &[]);
    }
    let (header, events) = ring(&rig);
    assert_eq!((header.written, events.len()), (CAPACITY as u64 + 5, CAPACITY));
    let targets = events.iter().map(|event| event.values[0]);
    assert!(targets.eq(5..CAPACITY as u64 + 5));
}

#[test]
fn the_rings_can_be_read_and_nothing_else() {
    let mut rig = Rig::new();
    rig.ok(Operation::Trace, TRACE, &[EventKind::Entry.set()]);
    rig.ok(Operation::Inspect, MEMORY, &[]);
    let [_, rights, _, pages, ..] = rig.registers().words();
    assert_eq!((rights, pages), (u64::from(Rights::READ.union(Rights::GRANT).0), 16));
    let from = Place::Memory as u64;
    rig.ok(Operation::Copy, 0, &[from, MEMORY, 0, 0, DATA, 4096]);
    assert_eq!(rig.peek(0), kamen_abi::trace::MAGIC);
    let to = (Place::Memory as u64) << 8;
    let denied = Error::NoRights as u64;
    assert_eq!(rig.invoke(Operation::Copy, 0, &[to, 0, DATA, MEMORY, 0, 8]), denied);
    let write = Rights::READ.union(Rights::WRITE).0 as u64;
    let map = [MEMORY, 0, DATA + 0x10_0000, 16, write];
    assert_eq!(rig.invoke(Operation::Map, boot::SPACE.0 as u64, &map), denied);
    rig.ok(Operation::Inspect, TRACE, &[]);
    let [kind, _, _, kinds, rings, _] = rig.registers().words();
    let expected = (ObjectKind::Trace as u64, EventKind::Entry.set(), 1);
    assert_eq!((kind, kinds, rings), expected);
}

#[test]
fn a_thread_s_slot_is_what_the_trace_calls_it() {
    let mut rig = Rig::new();
    let process = rig.process(8, &[]);
    rig.ok(Operation::Inspect, process.thread, &[]);
    assert_eq!(rig.registers().words()[5], process.slot.into());
}

#[test]
fn while_the_trace_is_on_nothing_takes_a_way_that_is_not_recorded() {
    let mut rig = Rig::new();
    let event = rig.create(ObjectKind::Notification, &[]);
    let quick = |rig: &mut Rig| {
        rig.ok(Operation::Null, 0, &[]);
        rig.ok(Operation::Yield, 0, &[]);
        rig.ok(Operation::Signal, event, &[5]);
        rig.ok(Operation::Wait, event, &[]);
    };
    rig.ok(Operation::Trace, TRACE, &[EventKind::Entry.set()]);
    quick(&mut rig);
    rig.ok(Operation::Trace, TRACE, &[0]);
    quick(&mut rig);
    let entries = events(&rig, &[EventKind::Entry]).into_iter().map(|(_, _, number, _)| number);
    let expected =
        [Operation::Null, Operation::Yield, Operation::Signal, Operation::Wait, Operation::Trace];
    assert!(entries.eq(expected.map(|operation| operation as u32)));
}

#[test]
fn recorded_interrupts_alone_close_no_way() {
    let mut rig = Rig::new();
    let interrupt = EventKind::Interrupt.set();
    for (kinds, ways) in [
        (interrupt, Ways::All),
        (interrupt | EventKind::Reply.set(), Ways::Recorded),
        (EventKind::Switch.set(), Ways::Recorded),
        (0, Ways::All),
    ] {
        rig.ok(Operation::Trace, TRACE, &[kinds]);
        assert_eq!(rig.kernel.vm.machine.ways, ways, "{kinds:#b}");
    }
    rig.ok(Operation::Trace, TRACE, &[interrupt]);
    rig.kernel.interrupt(4);
    assert_eq!(events(&rig, &[EventKind::Interrupt]).len(), 1);
}
