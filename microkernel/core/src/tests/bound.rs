//! Facts about notifications that are bound to threads, and whose bits others may set.

use kamen_abi::{Error, FOREVER, Kind, NOW, ObjectKind, Operation, Rights, Tag};

use crate::fake::{Process, Rig};
use crate::thread::State;

/// Where a process has the notification.
const EVENT: u64 = 9;

/// Processes that wait on their slot 9 for ever; the first task runs again.
fn waiting(rig: &mut Rig, event: u64, count: usize) -> std::vec::Vec<Process> {
    let give = [(event, Rights::ALL, 0), (event, Rights::ALL, 0)];
    let all: std::vec::Vec<_> = (0..count).map(|_| rig.process(8, &give)).collect();
    for process in &all {
        rig.ok(Operation::Start, process.thread, &[]);
    }
    let tick = rig.create(ObjectKind::Notification, &[]);
    rig.send(Operation::Wait, tick, Tag::short(0), 50);
    for process in &all {
        assert_eq!(rig.run(), process.slot);
        rig.send(Operation::Wait, EVENT, Tag::short(0), FOREVER);
    }
    rig.kernel.vm.machine.now = 50;
    rig.kernel.timer();
    all
}

#[test]
fn a_thread_bound_anew_while_its_notification_is_destroyed_stays_bound() {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let old = rig.create(ObjectKind::Notification, &[]);
    let new = rig.create(ObjectKind::Notification, &[]);
    waiting(&mut rig, old, 3);
    let thread = rig.process(8, &[]);
    rig.ok(Operation::Bind, thread.thread, &[old]);
    rig.kernel.vm.steps.limit(1);
    let rip = rig.registers().rip;
    rig.invoke(Operation::Destroy, old, &[]);
    assert_ne!(rig.registers().rip, rip, "it is to be repeated");
    rig.registers().rip = rip;
    // What another thread of the process does meanwhile.
    assert_eq!(rig.invoke(Operation::Bind, thread.thread, &[new]), 0);
    assert_eq!(rig.in_steps(Operation::Destroy, old, &[]).0, 0);

    // The thread goes; whoever gets its slot has nothing to do with the notification.
    rig.kernel.vm.steps.limit(u32::MAX);
    rig.ok(Operation::Destroy, thread.thread, &[]);
    let next = rig.process(9, &[(endpoint, Rights::ALL, 0)]);
    assert_eq!(next.slot, thread.slot);
    rig.ok(Operation::Start, next.thread, &[]);
    let tick = rig.create(ObjectKind::Notification, &[]);
    rig.send(Operation::Wait, tick, Tag::short(0), 100);
    assert_eq!(rig.run(), next.slot);
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    rig.kernel.vm.machine.now = 100;
    rig.kernel.timer();
    rig.ok(Operation::Signal, new, &[0xbad]);
    assert!(matches!(rig.kernel.threads[next.slot].state, State::Receiving(_)));
}

#[test]
fn bits_that_are_set_already_wake_a_thread_that_is_bound_while_it_receives() {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let event = rig.create(ObjectKind::Notification, &[]);
    let server = rig.process(8, &[(endpoint, Rights::ALL, 0)]);
    rig.ok(Operation::Start, server.thread, &[]);
    let tick = rig.create(ObjectKind::Notification, &[]);
    rig.send(Operation::Wait, tick, Tag::short(0), 50);
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    rig.kernel.vm.machine.now = 50;
    rig.kernel.timer();
    rig.ok(Operation::Signal, event, &[6]);
    rig.ok(Operation::Bind, server.thread, &[event]);
    let thread = &rig.kernel.threads[server.slot];
    assert_eq!(thread.state, State::Ready);
    assert_eq!(Tag(thread.registers.r13).kind(), Kind::Notification);
    assert_eq!(thread.registers.rdi, 6);
}

#[test]
fn neither_timer_nor_interrupt_signals_more_than_the_capability_may() {
    let mut rig = Rig::new();
    let event = rig.create(ObjectKind::Notification, &[]);
    let doorbell = rig.ok(Operation::Mint, event, &[0, Rights::SEND.0 as u64, 4]);
    rig.ok(Operation::Signal, doorbell, &[0xff]);
    let taken = |rig: &mut Rig| {
        let status = rig.send(Operation::Wait, event, Tag::short(0), NOW);
        if status == Error::WouldBlock as u64 { 0 } else { rig.registers().rdi }
    };
    assert_eq!(taken(&mut rig), 4, "a signal sets the badge");
    let timer = rig.create(ObjectKind::Timer, &[doorbell, 0xff]);
    rig.ok(Operation::SetTimer, timer, &[10]);
    rig.kernel.vm.machine.now = 10;
    rig.kernel.timer();
    assert_eq!(taken(&mut rig), 4, "so does a timer");
    let lines = kamen_abi::boot::INTERRUPTS.0 as u64;
    rig.ok(Operation::BindInterrupt, lines, &[5, doorbell, 0xff]);
    rig.kernel.interrupt(5);
    assert_eq!(taken(&mut rig), 4, "and an interrupt");
}
