//! Scenarios: who is served and who runs, when others do their worst.

use kamen_abi::{Error, FOREVER, Kind, NOW, ObjectKind, Operation, Rights, Tag};
use std::vec::Vec;

use crate::fake::{Process, Rig};
use crate::schedule::SLICE_NS;
use crate::thread::State;

/// A server and clients of some priorities, all started, over one endpoint in slot 8; each client
/// has its priority as badge. The first task sleeps.
struct World {
    rig: Rig,
    server: Process,
    clients: Vec<Process>,
}

fn world(server: u64, clients: &[u64]) -> World {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let server = rig.process(server, &[(endpoint, Rights::ALL, 0)]);
    let all = |priority: &u64| rig.process(*priority, &[(endpoint, Rights::SEND, *priority)]);
    let clients: Vec<Process> = clients.iter().map(all).collect();
    rig.ok(Operation::Start, server.thread, &[]);
    let idle = rig.create(ObjectKind::Notification, &[]);
    for client in &clients {
        rig.ok(Operation::Start, client.thread, &[]);
    }
    rig.send(Operation::Wait, idle, Tag::short(0), FOREVER);
    World { rig, server, clients }
}

fn call(rig: &mut Rig) {
    rig.send(Operation::Call, 8, Tag::short(1), FOREVER);
}

fn receive(rig: &mut Rig) -> u64 {
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER)
}

/// Answers the call in r12 and receives the next.
fn answer(rig: &mut Rig) {
    let open = rig.registers().r12;
    rig.registers().r15 = 8;
    rig.send(Operation::ReplyReceive, open, Tag::short(0), FOREVER);
}

/// Lets the running thread work until its slice ends, or for a slice.
fn work(rig: &mut Rig) {
    let now = rig.kernel.vm.machine.now + SLICE_NS;
    rig.kernel.vm.machine.now = now;
    if rig.kernel.vm.machine.timer.is_some_and(|timer| timer <= now) {
        rig.kernel.timer();
    }
}

/// Has a low client be served, lets a hog wake up meanwhile, then a high client that calls;
/// returns how many slices the hog had before the high client was answered, of at most 20.
fn inversion(ceiling: u64) -> usize {
    let World { mut rig, server, clients } = world(ceiling, &[4]);
    let low = clients[0];
    // Hog and high client come into being when the low one is being served.
    let endpoint = rig.kernel.threads[server.slot].table.unwrap();
    let endpoint = rig.kernel.tables.get(endpoint).unwrap();
    let endpoint = endpoint.get(&rig.kernel.vm.machine, kamen_abi::Handle(8)).unwrap();
    while rig.run() != server.slot {
        call(&mut rig);
    }
    receive(&mut rig);
    while rig.run() == low.slot {
        call(&mut rig);
    }
    assert_eq!(rig.run(), server.slot, "it serves the low client");
    let (hog, high) = (spawn(&mut rig, 8), spawn(&mut rig, 12));
    let table = rig.kernel.threads[high].table.unwrap();
    let table = rig.kernel.tables.get_mut(table).unwrap();
    table.insert_at(&mut rig.kernel.vm.supply().0, kamen_abi::Handle(8), endpoint).unwrap();
    rig.kernel.wake(hog);
    rig.kernel.wake(high);
    let (mut hogged, mut calls) = (0, 0);
    loop {
        match rig.run() {
            running if running == high && calls == 0 => {
                calls += 1;
                call(&mut rig);
            }
            running if running == high => return hogged,
            running if running == hog => {
                hogged += 1;
                if hogged == 20 {
                    return hogged;
                }
                work(&mut rig);
            }
            running if running == server.slot => answer(&mut rig),
            running => assert_eq!(running, low.slot, "nobody else is there"),
        }
    }
}

/// Makes a thread in a new space, ready to be woken, with a table.
fn spawn(rig: &mut Rig, priority: u8) -> u16 {
    let kernel = &mut rig.kernel;
    let first = kernel.threads.get(kernel.threads.id_at(0).unwrap()).unwrap();
    let (space, root, quota) = (first.space, first.root, first.quota);
    let table = crate::table::Table::new(&mut kernel.vm.supply().0, quota, 16).unwrap();
    let table = kernel.tables.insert(table);
    let thread = crate::Thread { space, root, quota, table, priority, ..Default::default() };
    kernel.threads.insert(thread).unwrap().index() as u16
}

#[test]
fn a_server_at_its_ceiling_bounds_the_wait_of_a_high_client() {
    assert_eq!(inversion(12), 0, "the hog never runs before the high client is answered");
}

#[test]
fn a_server_below_its_ceiling_lets_a_hog_keep_a_high_client_waiting() {
    // That is why init refuses a manifest in which a server is below one of its clients.
    assert_eq!(inversion(4), 20);
}

#[test]
fn a_flood_of_low_calls_does_not_keep_a_high_one_waiting() {
    let World { mut rig, server, clients } = world(12, &[4, 4, 4, 4, 10]);
    let high = clients[4].slot;
    let mut served = Vec::new();
    // Everybody calls before the server receives; it is stopped for so long.
    rig.kernel.unqueue(server.slot);
    rig.kernel.threads[server.slot].state = State::Stopped;
    rig.kernel.unqueue(high);
    rig.kernel.threads[high].state = State::Stopped;
    for _ in 0..4 {
        rig.run();
        call(&mut rig);
    }
    rig.kernel.wake(high);
    assert_eq!(rig.run(), high);
    call(&mut rig);
    rig.kernel.wake(server.slot);
    assert_eq!(rig.run(), server.slot);
    for _ in 0..5 {
        receive(&mut rig);
        served.push(rig.registers().r14);
    }
    assert_eq!(served, [10, 4, 4, 4, 4], "the high one first, the others as they came");
}

#[test]
fn equals_are_served_as_they_came_and_a_new_priority_counts_at_once() {
    let World { mut rig, server, clients } = world(12, &[8, 8, 8]);
    rig.kernel.unqueue(server.slot);
    rig.kernel.threads[server.slot].state = State::Stopped;
    let mut order = Vec::new();
    for _ in 0..3 {
        order.push(rig.run());
        call(&mut rig);
    }
    let last = clients.iter().find(|client| client.slot == order[2]).unwrap();
    rig.kernel.wake(server.slot);
    // The server raises the one that came last: the harness has the capability in slot 9.
    let table = rig.kernel.threads[server.slot].table.unwrap();
    let object = crate::table::Object::Thread(rig.kernel.threads.id_at(last.slot.into()).unwrap());
    let capability = crate::table::Capability { object, rights: Rights::ALL, badge: 0 };
    let table = rig.kernel.tables.get_mut(table).unwrap();
    table.insert_at(&mut rig.kernel.vm.supply().0, kamen_abi::Handle(9), capability).unwrap();
    assert_eq!(rig.run(), server.slot);
    rig.ok(Operation::SetPriority, 9, &[9]);
    let mut served = Vec::new();
    for _ in 0..3 {
        receive(&mut rig);
        served.push(kamen_abi::OpenCall(rig.registers().r12).thread());
    }
    assert_eq!(served, [order[2], order[0], order[1]]);
}

#[test]
fn who_calls_often_gets_no_more_than_its_share() {
    let World { mut rig, server, clients } = world(12, &[8, 8]);
    let (caller, spinner) = (clients[0].slot, clients[1].slot);
    let mut time = [0u64; 2];
    assert_eq!(rig.run(), server.slot);
    receive(&mut rig);
    // Each turn of a thread takes 100 µs; the server's count for who called it.
    for _ in 0..20_000 {
        let running = rig.run();
        time[usize::from(running == spinner)] += 1;
        rig.kernel.vm.machine.now += 100_000;
        let now = rig.kernel.vm.machine.now;
        if rig.kernel.vm.machine.timer.is_some_and(|timer| timer <= now) {
            rig.kernel.vm.machine.timer = None;
            rig.kernel.timer();
        } else if running == caller {
            call(&mut rig);
        } else if running == server.slot {
            answer(&mut rig);
        }
    }
    let share = 100 * time[0] / (time[0] + time[1]);
    assert!((45..=55).contains(&share), "{share} % for the caller and its server");
}

#[test]
fn calls_are_answered_late_and_in_any_order() {
    let World { mut rig, server, clients } = world(12, &[8, 8, 8]);
    assert_eq!(rig.run(), server.slot);
    receive(&mut rig);
    let mut open = Vec::new();
    for _ in 0..3 {
        assert_ne!(rig.run(), server.slot);
        call(&mut rig);
        assert_eq!(rig.run(), server.slot);
        open.push(rig.registers().r12);
        if open.len() < 3 {
            receive(&mut rig);
        }
    }
    rig.kernel.vm.machine.now += 3_600_000_000_000;
    for call in [open[1], open[2], open[0]] {
        rig.registers().set_words([call, 0, 0, 0, 0, 0]);
        assert_eq!(rig.send(Operation::Reply, call, Tag::short(7), NOW), 0);
        let stale = rig.send(Operation::Reply, call, Tag::short(7), NOW);
        assert_eq!(stale, Error::StaleCall as u64);
    }
    for client in clients {
        let registers = &rig.kernel.threads[client.slot].registers;
        assert_eq!((registers.rax, Tag(registers.r13).label()), (0, 7));
        assert_eq!(kamen_abi::OpenCall(registers.rdi).thread(), client.slot, "its own answer");
    }
}

#[test]
fn a_deadline_passes_in_every_state() {
    let timed_out = Error::TimedOut as u64;
    for operation in [Operation::Call, Operation::Send, Operation::Receive, Operation::Wait] {
        let mut rig = Rig::new();
        let endpoint = rig.create(ObjectKind::Endpoint, &[]);
        let event = rig.create(ObjectKind::Notification, &[]);
        let target = if operation == Operation::Wait { event } else { endpoint };
        rig.send(operation, target, Tag::short(0), 1000);
        rig.kernel.vm.machine.now = 999;
        rig.kernel.timer();
        assert_eq!(rig.kernel.cpu.current, u16::MAX, "{operation:?} waits");
        rig.kernel.vm.machine.now = 1000;
        rig.kernel.timer();
        assert_eq!(rig.registers().rax, timed_out, "{operation:?}");
    }
    // An open call's, too; its server is told.
    let World { mut rig, server, clients } = world(12, &[8]);
    receive(&mut rig);
    assert_eq!(rig.run(), clients[0].slot);
    rig.send(Operation::Call, 8, Tag::short(1), 1000);
    assert_eq!(rig.run(), server.slot);
    let open = rig.registers().r12;
    receive(&mut rig);
    rig.kernel.vm.machine.now = 1000;
    rig.kernel.timer();
    assert_eq!(rig.run(), server.slot);
    assert_eq!(Tag(rig.registers().r13).kind(), Kind::Cancelled);
    assert_eq!(rig.registers().rdi, open);
    assert_eq!(rig.kernel.threads[clients[0].slot].registers.rax, timed_out);
    let late = rig.send(Operation::Reply, open, Tag::short(0), NOW);
    assert_eq!(late, Error::StaleCall as u64);
}
