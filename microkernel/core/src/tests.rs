//! Facts about the kernel, established over the fake machine.

use kamen_abi::{
    Error, FOREVER, Kind, NOW, ObjectKind, OpenCall, Operation, Place, Rights, Tag, boot,
};

mod across;
mod bound;
mod cancelled;
mod decode;
mod dice;
mod entry;
mod exhaustion;
mod foreign;
mod hostile;
mod meter;
mod model;
mod paths;
pub(crate) mod random;
mod scheduling;
mod snapshot;
mod steps;
mod trace;

use crate::fake::{DATA, Process, Rig};
use crate::thread::State;

const CALL: Rights = Rights(Rights::SEND.0 | Rights::GRANT.0);
const QUOTA: u64 = boot::QUOTA.0 as u64;

/// A server at priority 12 that waits on an endpoint, and a client at 8 that runs.
struct Pair {
    rig: Rig,
    server: Process,
    client: Process,
}

fn pair() -> Pair {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let server = rig.process(12, &[(endpoint, Rights::ALL, 0)]);
    let client = rig.process(8, &[(endpoint, CALL, 77)]);
    rig.ok(Operation::Start, server.thread, &[]);
    rig.ok(Operation::Start, client.thread, &[]);
    // The first task leaves the processor for good.
    let idle = rig.create(ObjectKind::Notification, &[]);
    rig.send(Operation::Wait, idle, Tag::short(0), FOREVER);
    Pair { rig, server, client }
}

fn words(rig: &mut Rig) -> [u64; 6] {
    rig.registers().words()
}

#[test]
fn a_call_reaches_a_waiting_server_and_its_reply_the_client() {
    let Pair { mut rig, server, client, .. } = pair();
    assert_eq!(rig.run(), server.slot);
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), client.slot);
    rig.registers().set_words([1, 2, 3, 4, 5, 6]);
    rig.send(Operation::Call, 8, Tag::short(42), FOREVER);

    assert_eq!(rig.run(), server.slot);
    assert_eq!(words(&mut rig), [1, 2, 3, 4, 5, 6]);
    assert_eq!(rig.registers().r14, 77, "badge");
    assert_eq!(Tag(rig.registers().r13).label(), 42);
    let open = rig.registers().r12;
    rig.registers().r15 = 8;
    rig.registers().set_words([9, 8, 7, 6, 5, 4]);
    rig.send(Operation::ReplyReceive, open, Tag::short(3), FOREVER);

    assert_eq!(rig.run(), client.slot);
    assert_eq!(words(&mut rig), [9, 8, 7, 6, 5, 4]);
    assert_eq!((rig.registers().rax, Tag(rig.registers().r13).label()), (0, 3));
    assert!(matches!(rig.kernel.threads[server.slot].state, State::Receiving(_)));
}

#[test]
fn a_call_waits_for_a_server_that_comes_later() {
    let Pair { mut rig, server, client, .. } = pair();
    rig.enter(Operation::Yield, 0, [0; 6]);
    assert_eq!(rig.run(), server.slot, "yield goes to equals only");
    let timer = rig.send(Operation::Wait, 8, Tag::short(0), FOREVER);
    assert_eq!(timer, Error::WrongKind as u64);
    // The server sleeps until a deadline while the client calls.
    rig.send(Operation::Receive, 8, Tag::short(0), 100);
    rig.kernel.vm.machine.now = 100;
    rig.kernel.timer();
    assert_eq!(rig.run(), server.slot);
    assert_eq!(rig.registers().rax, Error::TimedOut as u64);
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), client.slot);
    rig.send(Operation::Call, 8, Tag::short(1), FOREVER);
    assert_eq!(rig.run(), server.slot);
}

#[test]
fn a_deadline_of_now_never_blocks() {
    let Pair { mut rig, server, .. } = pair();
    assert_eq!(rig.send(Operation::Receive, 8, Tag::short(0), NOW), Error::WouldBlock as u64);
    assert_eq!(rig.run(), server.slot);
}

#[test]
fn an_open_call_is_answered_once_and_only_by_its_receiver() {
    let Pair { mut rig, server, client, .. } = pair();
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    rig.send(Operation::Call, 8, Tag::short(0), FOREVER);
    let open = rig.registers().r12;
    let stale = Error::StaleCall as u64;
    for forged in [open + (1 << 16), open ^ 1, open - (1 << 16), 0] {
        assert_eq!(rig.send(Operation::Reply, forged, Tag::short(0), NOW), stale);
    }
    assert_eq!(rig.send(Operation::Reply, open, Tag::short(0), NOW), 0);
    assert_eq!(rig.send(Operation::Reply, open, Tag::short(0), NOW), stale);
    assert_eq!(rig.run(), server.slot, "the client is below");
    assert_eq!(rig.kernel.threads[client.slot].state, State::Ready);
    assert_eq!(OpenCall(open).thread(), client.slot);
}

#[test]
fn rights_are_needed_and_never_gained() {
    let Pair { mut rig, client, .. } = pair();
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), client.slot);
    let denied = Error::NoRights as u64;
    assert_eq!(rig.send(Operation::Receive, 8, Tag::short(0), NOW), denied);
    assert_eq!(rig.invoke(Operation::Destroy, 8, &[]), denied);
    let copy = rig.ok(Operation::Mint, 8, &[0, u64::MAX, 5]);
    assert_eq!(rig.invoke(Operation::Destroy, copy, &[]), denied);
    rig.ok(Operation::Inspect, copy, &[]);
    let [kind, rights, badge, ..] = words(&mut rig);
    assert_eq!(kind, ObjectKind::Endpoint as u64);
    assert_eq!((rights, badge), (CALL.0 as u64, 77), "a badge is not replaced");
    let silent = rig.ok(Operation::Mint, 8, &[0, Rights::SEND.0 as u64]);
    assert_eq!(rig.invoke(Operation::Mint, silent, &[0, u64::MAX]), denied);
    assert_eq!(rig.invoke(Operation::Null, 0, &[]), 0);
    assert_eq!(rig.invoke(Operation::Signal, 8, &[1]), Error::WrongKind as u64);
    assert_eq!(rig.invoke(Operation::Signal, 63, &[1]), Error::InvalidHandle as u64);
    assert_eq!(rig.invoke(Operation::Signal, 1 << 20, &[1]), Error::InvalidHandle as u64);
}

#[test]
fn long_messages_bring_bytes_and_capabilities() {
    let Pair { mut rig, server, client, .. } = pair();
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    let page = 15 * 4096;
    rig.poke(page, 8);
    rig.poke(page + 128, 0x1122_3344);
    assert_eq!(rig.run(), client.slot);
    rig.send(Operation::Call, 8, Tag::long(1, 8, 1, 0), FOREVER);
    assert_eq!(rig.run(), server.slot);
    assert_eq!(rig.peek(page + 128), 0x1122_3344);
    let handle = rig.peek(page) & 0xffff;
    rig.ok(Operation::Inspect, handle, &[]);
    assert_eq!(words(&mut rig)[2], 77, "the capability has the client's badge");
}

#[test]
fn leases_are_bounded_directed_and_end_with_the_call() {
    let Pair { mut rig, server, client, .. } = pair();
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    let page = 15 * 4096;
    rig.poke(8, 0xabcd);
    rig.poke(page + 64, DATA + 8);
    rig.poke(page + 72, 16);
    assert_eq!(rig.run(), client.slot);
    rig.send(Operation::Call, 8, Tag::long(1, 0, 0, 1), FOREVER);
    assert_eq!(rig.run(), server.slot);
    let open = rig.registers().r12;
    let from_lease = Place::Lease0 as u64 | (Place::Own as u64) << 8;
    rig.ok(Operation::Copy, 0, &[from_lease, open, 0, 0, DATA + 256, 8]);
    assert_eq!(rig.peek(256), 0xabcd);
    let bad = Error::InvalidArgument as u64;
    assert_eq!(rig.invoke(Operation::Copy, 0, &[from_lease, open, 9, 0, DATA, 8]), bad);
    assert_eq!(rig.invoke(Operation::Copy, 0, &[from_lease + 1, open, 0, 0, DATA, 8]), bad);
    let to_lease = Place::Own as u64 | (Place::Lease0 as u64) << 8;
    let denied = Error::NoRights as u64;
    assert_eq!(rig.invoke(Operation::Copy, 0, &[to_lease, 0, DATA, open, 0, 8]), denied);
    let whole = Place::Caller as u64 | (Place::Own as u64) << 8;
    assert_eq!(rig.invoke(Operation::Copy, 0, &[whole, open, DATA, 0, DATA, 8]), denied);
    rig.send(Operation::Reply, open, Tag::short(0), NOW);
    let stale = Error::StaleCall as u64;
    assert_eq!(rig.invoke(Operation::Copy, 0, &[from_lease, open, 0, 0, DATA, 8]), stale);
}

#[test]
fn only_a_call_can_lend_memory() {
    let Pair { mut rig, server, client } = pair();
    let bad = Error::InvalidArgument as u64;
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), client.slot);
    assert_eq!(rig.send(Operation::Send, 8, Tag::long(1, 0, 0, 1), FOREVER), bad);
    rig.send(Operation::Call, 8, Tag::long(1, 0, 0, 1), FOREVER);
    assert_eq!(rig.run(), server.slot);
    let open = rig.registers().r12;
    assert_eq!(rig.send(Operation::Reply, open, Tag::long(0, 0, 0, 1), NOW), bad);
    assert_eq!(rig.send(Operation::Reply, open, Tag::short(0), NOW), 0, "still open");
}

#[test]
fn a_dead_server_restarts_native_calls_and_replays_foreign_ones() {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let server = rig.process(12, &[(endpoint, Rights::ALL, 0)]);
    let client = rig.process(8, &[(endpoint, CALL, 1)]);
    let foreign = rig.process(8, &[]);
    rig.ok(Operation::SetHandler, foreign.thread, &[endpoint, 2, 1]);
    for process in [server, client, foreign] {
        rig.ok(Operation::Start, process.thread, &[]);
    }
    let tick = rig.create(ObjectKind::Notification, &[]);
    let timer = rig.create(ObjectKind::Timer, &[tick, 1]);
    rig.ok(Operation::SetTimer, timer, &[50]);
    rig.send(Operation::Wait, tick, Tag::short(0), FOREVER);

    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), client.slot);
    rig.send(Operation::Call, 8, Tag::short(5), FOREVER);
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), foreign.slot);
    rig.registers().rax = 39;
    rig.registers().set_words([10, 11, 12, 13, 14, 15]);
    rig.kernel.system_call();
    assert_eq!(rig.run(), server.slot);
    assert_eq!(Tag(rig.registers().r13).kind(), Kind::SystemCall);
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);

    rig.kernel.vm.machine.now = 50;
    rig.kernel.timer();
    rig.ok(Operation::Destroy, server.space, &[]);
    assert_eq!(rig.kernel.threads[client.slot].registers.rax, Error::Restarted as u64);
    // A new life of the server finds the foreign call again, registers intact.
    rig.send(Operation::Receive, endpoint, Tag::short(0), FOREVER);
    let registers = *rig.registers();
    assert!(Tag(registers.r13).is_replayed());
    assert_eq!((Tag(registers.r13).label(), registers.r14), (39, 2));
    assert_eq!(registers.words(), [10, 11, 12, 13, 14, 15]);
    rig.registers().set_words([123, 0, 0, 0, 0, 0]);
    rig.send(Operation::Reply, registers.r12, Tag::short(0), NOW);
    assert_eq!(rig.kernel.threads[foreign.slot].registers.rax, 123);
}

#[test]
fn a_recalled_thread_becomes_an_open_call_wherever_it_is() {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let foreign = rig.process(8, &[]);
    rig.ok(Operation::SetHandler, foreign.thread, &[endpoint, 2, 1]);
    let busy = Error::Busy as u64;
    assert_eq!(rig.invoke(Operation::Recall, foreign.thread, &[]), busy, "not started");
    rig.ok(Operation::Start, foreign.thread, &[]);
    rig.ok(Operation::Recall, foreign.thread, &[]);
    assert_eq!(rig.invoke(Operation::Recall, foreign.thread, &[]), busy, "queued already");
    rig.send(Operation::Receive, endpoint, Tag::short(0), NOW);
    assert_eq!(Tag(rig.registers().r13).kind(), Kind::Recall);
    let open = rig.registers().r12;
    assert_eq!(rig.invoke(Operation::ReadRegisters, open, &[]), 0);
}

#[test]
fn a_notification_reaches_who_waits_receives_or_polls() {
    let mut rig = Rig::new();
    let notification = rig.create(ObjectKind::Notification, &[]);
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    rig.ok(Operation::Bind, boot::THREAD.0 as u64, &[notification]);
    rig.ok(Operation::Signal, notification, &[0b101]);
    rig.ok(Operation::Signal, notification, &[0b010]);
    rig.send(Operation::Receive, endpoint, Tag::short(0), FOREVER);
    assert_eq!(Tag(rig.registers().r13).kind(), Kind::Notification);
    assert_eq!(words(&mut rig)[0], 0b111);
    let empty = rig.send(Operation::Wait, notification, Tag::short(0), NOW);
    assert_eq!(empty, Error::WouldBlock as u64);
    rig.ok(Operation::Signal, notification, &[8]);
    assert_eq!(rig.send(Operation::Wait, notification, Tag::short(0), NOW), 0);
    assert_eq!(words(&mut rig)[0], 8);
}

#[test]
fn an_interrupt_wakes_the_thread_that_receives() {
    let mut rig = Rig::new();
    let notification = rig.create(ObjectKind::Notification, &[]);
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    rig.ok(Operation::Bind, boot::THREAD.0 as u64, &[notification]);
    rig.ok(Operation::BindInterrupt, boot::INTERRUPTS.0 as u64, &[4, notification, 16]);
    rig.send(Operation::Receive, endpoint, Tag::short(0), FOREVER);
    assert_eq!(rig.kernel.cpu.current, u16::MAX);
    rig.kernel.interrupt(4);
    assert_eq!(words(&mut rig)[0], 16);
    assert_eq!(Tag(rig.registers().r13).kind(), Kind::Notification);
}

#[test]
fn a_clone_shows_the_original_until_either_is_written() {
    let mut rig = Rig::new();
    let memory = rig.create(ObjectKind::Memory, &[4]);
    let write = Rights::READ.union(Rights::WRITE).0 as u64;
    let space = boot::SPACE.0 as u64;
    let at = DATA + 0x10_0000;
    rig.ok(Operation::Map, space, &[memory, 0, at, 4, write]);
    rig.poke(0x10_0000, 1);
    let before = rig.kernel.vm.frames.free();
    let clone = rig.ok(Operation::Clone, memory, &[QUOTA]);
    rig.ok(Operation::Map, space, &[clone, 0, at + 0x10_0000, 4, write]);
    assert_eq!(rig.peek(0x20_0000), 1);
    assert_eq!(before - rig.kernel.vm.frames.free(), 1, "only the tree's node");
    rig.poke(0x20_0000, 2);
    assert_eq!((rig.peek(0x10_0000), rig.peek(0x20_0000)), (1, 2));
    rig.poke(0x10_0000, 3);
    assert_eq!((rig.peek(0x10_0000), rig.peek(0x20_0000)), (3, 2));
    rig.ok(Operation::Destroy, memory, &[]);
    assert_eq!(rig.peek(0x20_0000), 2);
    rig.ok(Operation::Destroy, clone, &[]);
    let gone = rig.kernel.vm.resolve(
        rig.kernel.threads[0].space.unwrap(),
        at as usize,
        crate::FaultAccess::Read,
    );
    assert_eq!(gone, Err(Error::BadAddress));
}

#[test]
fn partial_unmap_and_protect_split_a_mapping() {
    let mut rig = Rig::new();
    let memory = rig.create(ObjectKind::Memory, &[8]);
    let write = Rights::READ.union(Rights::WRITE).0 as u64;
    let space = boot::SPACE.0 as u64;
    let at = DATA + 0x10_0000;
    rig.ok(Operation::Map, space, &[memory, 0, at, 8, write]);
    for page in 0..8 {
        rig.poke(0x10_0000 + page * 4096, page);
    }
    let overlap = rig.invoke(Operation::Map, space, &[memory, 0, at + 7 * 4096, 1, write]);
    assert_eq!(overlap, Error::BadRange as u64);
    rig.ok(Operation::Unmap, space, &[at + 2 * 4096, 2]);
    let read = Rights::READ.0 as u64;
    rig.ok(Operation::Protect, space, &[at + 5 * 4096, 1, read]);
    let id = rig.kernel.threads[0].space.unwrap();
    let mut allowed =
        |page: usize, access| rig.kernel.vm.fault(id, at as usize + page * 4096, access).is_ok();
    use crate::FaultAccess::{Execute, Read, Write};
    assert!(allowed(1, Write) && !allowed(2, Read) && !allowed(3, Read) && allowed(4, Write));
    assert!(allowed(5, Read) && !allowed(5, Write) && allowed(6, Write) && !allowed(6, Execute));
    let hole = rig.invoke(Operation::Protect, space, &[at, 8, read]);
    assert_eq!(hole, Error::BadRange as u64);
    rig.ok(Operation::Map, space, &[memory, 2, at + 2 * 4096, 2, write]);
    assert_eq!(rig.peek(0x10_0000 + 3 * 4096), 3);
}

#[test]
fn a_destroyed_quota_gives_everything_back() {
    let mut rig = Rig::new();
    let free = rig.kernel.vm.frames.free();
    let objects = rig.kernel.vm.quotas.id_at(0).unwrap();
    let used = |rig: &Rig| {
        let quota = rig.kernel.vm.quotas.get(objects).unwrap();
        (quota.pages_used, quota.objects_used)
    };
    let before = used(&rig);
    let quota = rig.create(ObjectKind::Quota, &[100, 80]);
    let create = |rig: &mut Rig, kind: ObjectKind, w1, w2| {
        rig.ok(Operation::Create, quota, &[kind as u64, w1, w2])
    };
    let space = create(&mut rig, ObjectKind::Space, 0, 0);
    let table = create(&mut rig, ObjectKind::Table, 100, 0);
    let thread = create(&mut rig, ObjectKind::Thread, space, table);
    let memory = create(&mut rig, ObjectKind::Memory, 10, 0);
    let notification = create(&mut rig, ObjectKind::Notification, 0, 0);
    create(&mut rig, ObjectKind::Timer, notification, 1);
    let write = Rights::READ.union(Rights::WRITE).0 as u64;
    rig.ok(Operation::Map, space, &[memory, 0, DATA, 10, write]);
    rig.ok(Operation::SetMessagePage, thread, &[memory, 9]);
    rig.ok(Operation::Clone, memory, &[quota]);
    rig.ok(Operation::Start, thread, &[]);
    rig.ok(Operation::Destroy, quota, &[]);
    assert_eq!(rig.kernel.vm.frames.free(), free);
    assert_eq!(used(&rig), before);
    assert_eq!(rig.invoke(Operation::Inspect, thread, &[]), Error::InvalidHandle as u64);
}

#[test]
fn an_exhausted_quota_refuses_and_loses_nothing() {
    let mut rig = Rig::new();
    let quota = rig.create(ObjectKind::Quota, &[3, 17]);
    let memory = rig.ok(Operation::Create, quota, &[ObjectKind::Memory as u64, 10]);
    let to_memory = Place::Own as u64 | (Place::Memory as u64) << 8;
    let all = [to_memory, 0, DATA, memory, 0, 5 * 4096];
    assert_eq!(rig.invoke(Operation::Copy, 0, &all), Error::QuotaExhausted as u64);
    assert_eq!(words(&mut rig)[0], 2 * 4096, "two pages and the tree's node");
    for _ in 0..2 {
        rig.ok(Operation::Create, quota, &[ObjectKind::Endpoint as u64]);
    }
    let full = rig.invoke(Operation::Create, quota, &[ObjectKind::Endpoint as u64]);
    assert_eq!(full, Error::QuotaExhausted as u64);
}

#[test]
fn equals_share_the_processor_by_slices() {
    let mut rig = Rig::new();
    let (a, b) = (rig.process(8, &[]), rig.process(8, &[]));
    rig.ok(Operation::Start, a.thread, &[]);
    rig.ok(Operation::Start, b.thread, &[]);
    let idle = rig.create(ObjectKind::Notification, &[]);
    rig.send(Operation::Wait, idle, Tag::short(0), FOREVER);
    let mut turns = std::vec::Vec::new();
    for _ in 0..4 {
        turns.push(rig.run());
        let end = rig.kernel.vm.machine.timer.unwrap();
        rig.kernel.vm.machine.now = end;
        rig.kernel.timer();
    }
    assert_eq!(turns, [a.slot, b.slot, a.slot, b.slot]);
}
