//! Facts about calls that end before they are answered, and what their servers hear of it.

use kamen_abi::{Error, FOREVER, Kind, NOW, ObjectKind, Operation, Rights, Tag, boot};

use super::{CALL, Pair, pair};
use crate::fake::{Process, Rig};

/// The server's endpoint, and the second one, in its own table.
const ENDPOINT: u64 = 8;

/// A server that has received a client's call and goes on running.
fn parked(deadline: u64) -> (Pair, u64) {
    let mut pair = pair();
    let rig = &mut pair.rig;
    rig.send(Operation::Receive, ENDPOINT, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), pair.client.slot);
    rig.send(Operation::Call, ENDPOINT, Tag::short(1), deadline);
    assert_eq!(rig.run(), pair.server.slot);
    let open = rig.registers().r12;
    (pair, open)
}

/// Lets time pass up to the kernel's next deadline.
fn tick(rig: &mut Rig) {
    rig.kernel.vm.machine.now = rig.kernel.vm.machine.timer.unwrap();
    rig.kernel.timer();
}

/// The running thread has received the notice of a call.
fn assert_notice(rig: &mut Rig, open: u64, badge: u64) {
    let registers = *rig.registers();
    assert_eq!(Tag(registers.r13).kind(), Kind::Cancelled);
    assert_eq!((registers.rax, registers.r12), (0, 0), "nothing is to be answered");
    assert_eq!((registers.words(), registers.r14), ([open, 0, 0, 0, 0, 0], badge));
}

fn assert_nothing_more(rig: &mut Rig) {
    let would_block = Error::WouldBlock as u64;
    assert_eq!(rig.send(Operation::Receive, ENDPOINT, Tag::short(0), NOW), would_block);
}

#[test]
fn a_server_that_waits_hears_at_once_of_a_call_that_timed_out() {
    let (Pair { mut rig, server, client }, open) = parked(100);
    rig.send(Operation::Receive, ENDPOINT, Tag::short(0), FOREVER);
    tick(&mut rig);
    assert_eq!(rig.run(), server.slot);
    assert_notice(&mut rig, open, 77);
    assert_eq!(rig.kernel.threads[client.slot].registers.rax, Error::TimedOut as u64);
    assert_eq!(rig.send(Operation::Reply, open, Tag::short(0), NOW), Error::StaleCall as u64);
    assert_nothing_more(&mut rig);
}

#[test]
fn a_server_that_is_busy_hears_of_it_before_anything_else() {
    let (Pair { mut rig, client, .. }, open) = parked(100);
    tick(&mut rig);
    // The client calls again while the server is below it.
    rig.ok(Operation::SetPriority, boot::THREAD.0 as u64, &[4]);
    assert_eq!(rig.run(), client.slot);
    rig.send(Operation::Call, ENDPOINT, Tag::short(2), FOREVER);
    rig.send(Operation::Receive, ENDPOINT, Tag::short(0), FOREVER);
    assert_notice(&mut rig, open, 77);
    rig.send(Operation::Receive, ENDPOINT, Tag::short(0), FOREVER);
    assert_eq!(Tag(rig.registers().r13).label(), 2);
    assert_eq!(rig.registers().r12, open + (1 << 16), "the client's next call");
}

#[test]
fn reply_receive_brings_notices_too() {
    let (Pair { mut rig, server, .. }, open) = parked(100);
    tick(&mut rig);
    assert_eq!(rig.run(), server.slot);
    rig.registers().r15 = ENDPOINT;
    rig.send(Operation::ReplyReceive, open, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), server.slot);
    assert_notice(&mut rig, open, 77);
}

/// A server over two endpoints with two clients, one of them foreign; the first task controls.
struct Pool {
    rig: Rig,
    endpoint: u64,
    server: Process,
    clients: [Process; 2],
}

/// Both clients have called; the server has received both calls and waits for more. The first
/// task runs.
fn pool() -> (Pool, [u64; 2]) {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let other = rig.create(ObjectKind::Endpoint, &[]);
    let server = rig.process(12, &[(endpoint, Rights::ALL, 0), (other, Rights::ALL, 0)]);
    let give = [(endpoint, CALL, 5), (other, CALL, 6)];
    let clients = [rig.process(8, &give), rig.process(8, &[])];
    rig.ok(Operation::SetHandler, clients[1].thread, &[endpoint, 9, 1]);
    for process in [server, clients[0], clients[1]] {
        rig.ok(Operation::Start, process.thread, &[]);
    }
    let mut pool = Pool { rig, endpoint, server, clients };
    pool.sleep();
    let mut open = [0; 2];
    let rig = &mut pool.rig;
    for (client, open) in clients.into_iter().zip(&mut open) {
        rig.send(Operation::Receive, ENDPOINT, Tag::short(0), FOREVER);
        assert_eq!(rig.run(), client.slot);
        rig.send(Operation::Call, ENDPOINT, Tag::short(1), FOREVER);
        assert_eq!(rig.run(), server.slot);
        *open = rig.registers().r12;
    }
    (pool, open)
}

impl Pool {
    /// The first task waits until the kernel's next deadline.
    fn sleep(&mut self) {
        let notification = self.rig.create(ObjectKind::Notification, &[]);
        let later = self.rig.kernel.vm.machine.now + 10;
        self.rig.send(Operation::Wait, notification, Tag::short(0), later);
    }

    /// The first task runs: it is above all others.
    fn control(&mut self, operation: Operation, target: u64) {
        tick(&mut self.rig);
        assert_eq!(self.rig.run(), 0);
        self.rig.ok(operation, target, &[]);
    }
}

#[test]
fn stopped_and_destroyed_callers_are_told_of_native_and_foreign_ones() {
    let (mut pool, open) = pool();
    let [native, foreign] = pool.clients;
    pool.control(Operation::Stop, native.thread);
    pool.rig.ok(Operation::Destroy, foreign.space, &[]);
    pool.sleep();
    assert_eq!(pool.rig.run(), pool.server.slot);
    pool.rig.send(Operation::Receive, ENDPOINT, Tag::short(0), FOREVER);
    assert_notice(&mut pool.rig, open[1], 9);
    pool.rig.send(Operation::Receive, ENDPOINT, Tag::short(0), FOREVER);
    assert_notice(&mut pool.rig, open[0], 5);
    assert_nothing_more(&mut pool.rig);
    assert_eq!(pool.rig.kernel.threads[native.slot].registers.rax, Error::Cancelled as u64);
}

#[test]
fn a_call_that_nobody_received_or_that_was_answered_is_not_told_of() {
    let (mut pool, open) = pool();
    let [native, foreign] = pool.clients;
    for call in open {
        pool.rig.send(Operation::Reply, call, Tag::short(0), NOW);
    }
    pool.rig.send(Operation::Receive, 9, Tag::short(0), FOREVER);
    assert_eq!(pool.rig.run(), native.slot);
    pool.rig.send(Operation::Call, ENDPOINT, Tag::short(1), FOREVER);
    pool.control(Operation::Destroy, native.thread);
    pool.rig.ok(Operation::Destroy, foreign.thread, &[]);
    let endpoint = pool.endpoint;
    let none = Error::WouldBlock as u64;
    assert_eq!(pool.rig.send(Operation::Receive, endpoint, Tag::short(0), NOW), none);
}

#[test]
fn a_slot_whose_notice_is_on_its_way_makes_the_next_one_unnamed() {
    let (mut pool, open) = pool();
    let [native, _] = pool.clients;
    pool.control(Operation::Destroy, native.thread);
    // Another client gets the slot; its call to the other endpoint is received and ends.
    let other = pool.rig.create(ObjectKind::Endpoint, &[]);
    let next = pool.rig.process(8, &[(other, CALL, 3)]);
    assert_eq!(next.slot, native.slot);
    pool.rig.ok(Operation::Start, next.thread, &[]);
    pool.rig.ok(Operation::Stop, pool.server.thread, &[]);
    pool.rig.send(Operation::Receive, other, Tag::short(0), 10_000);
    assert_eq!(pool.rig.run(), next.slot);
    pool.rig.send(Operation::Call, ENDPOINT, Tag::short(1), FOREVER);
    assert_eq!(pool.rig.run(), 0);
    pool.rig.ok(Operation::Destroy, next.thread, &[]);
    pool.rig.send(Operation::Receive, other, Tag::short(0), NOW);
    assert_notice(&mut pool.rig, 0, 0);
    let none = Error::WouldBlock as u64;
    assert_eq!(pool.rig.send(Operation::Receive, other, Tag::short(0), NOW), none);
    let endpoint = pool.endpoint;
    pool.rig.send(Operation::Receive, endpoint, Tag::short(0), NOW);
    assert_notice(&mut pool.rig, open[0], 5);
    assert_eq!(pool.rig.send(Operation::Receive, endpoint, Tag::short(0), NOW), none);
}

#[test]
fn a_destroyed_endpoint_takes_its_notices_along() {
    let (mut pool, _) = pool();
    let [native, foreign] = pool.clients;
    pool.control(Operation::Stop, native.thread);
    let endpoint = pool.endpoint;
    pool.rig.ok(Operation::Destroy, endpoint, &[]);
    pool.rig.ok(Operation::Destroy, foreign.thread, &[]);
    // The slot's notice is free again: the next one has a name.
    pool.rig.ok(Operation::Stop, pool.server.thread, &[]);
    let other = pool.rig.create(ObjectKind::Endpoint, &[]);
    pool.rig.ok(Operation::SetHandler, native.thread, &[other, 4, 1]);
    pool.rig.ok(Operation::Start, native.thread, &[]);
    pool.rig.send(Operation::Receive, other, Tag::short(0), 10_000);
    assert_eq!(pool.rig.run(), native.slot);
    pool.rig.kernel.system_call();
    let open = pool.rig.registers().r12;
    pool.rig.ok(Operation::Stop, native.thread, &[]);
    pool.rig.send(Operation::Receive, other, Tag::short(0), NOW);
    assert_notice(&mut pool.rig, open, 4);
}

#[test]
fn a_dead_server_s_calls_are_no_news_to_its_next_life() {
    let (mut pool, _) = pool();
    pool.control(Operation::Destroy, pool.server.space);
    let endpoint = pool.endpoint;
    pool.rig.send(Operation::Receive, endpoint, Tag::short(0), NOW);
    assert!(Tag(pool.rig.registers().r13).is_replayed(), "the foreign one is back in the queue");
}
