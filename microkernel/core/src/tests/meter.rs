//! Facts about processor time: who is charged for what.

use kamen_abi::{FOREVER, ObjectKind, Operation, Rights, Tag};

use super::{Pair, pair};
use crate::fake::{Process, Rig};
use crate::kernel::Kernel;
use crate::machine::Next;

/// A server at 12 that waits, foreign threads at 8 that it serves, and another native thread at 8.
struct Scene {
    rig: Rig,
    server: Process,
    foreign: [Process; 2],
}

fn scene() -> Scene {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let server = rig.process(12, &[(endpoint, Rights::ALL, 0)]);
    let foreign = [(); 2].map(|()| rig.process(8, &[]));
    rig.ok(Operation::Start, server.thread, &[]);
    for (badge, process) in (1..).zip(foreign) {
        rig.ok(Operation::SetHandler, process.thread, &[endpoint, badge, 1]);
        rig.ok(Operation::Start, process.thread, &[]);
    }
    let idle = rig.create(ObjectKind::Notification, &[]);
    rig.send(Operation::Wait, idle, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), server.slot);
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), foreign[0].slot);
    Scene { rig, server, foreign }
}

/// Lets whoever runs do so for a time.
fn pass(rig: &mut Rig, time: u64) {
    rig.kernel.vm.machine.now += time;
}

/// A system call of the running foreign thread, by all ways or the slow one.
fn call(rig: &mut Rig, is_slow: bool) {
    if is_slow { rig.kernel.foreign_system_call() } else { rig.kernel.system_call() }
}

/// The running server answers the call in r12 and receives the next.
fn answer(rig: &mut Rig, is_slow: bool) {
    let registers = rig.registers();
    let open = registers.r12;
    registers.r15 = 8;
    (registers.r13, registers.r14) = (0, FOREVER);
    (registers.rax, registers.r12) = (Operation::ReplyReceive as u64, open);
    if is_slow { rig.kernel.native_system_call() } else { rig.kernel.system_call() }
}

/// What a foreign thread does itself, and what is done for its calls.
fn own_and_served(rig: &Rig, process: Process) -> [u64; 2] {
    let [total, system] = rig.kernel.times(process.slot);
    [total - system, system]
}

#[test]
fn a_foreign_thread_pays_for_itself_and_its_calls() {
    for ways in [[false; 2], [true; 2], [false, true], [true, false]] {
        let Scene { mut rig, server, foreign: [one, _] } = scene();
        let before = rig.kernel.times(server.slot);
        for _ in 0..3 {
            pass(&mut rig, 100);
            call(&mut rig, ways[0]);
            assert_eq!(rig.run(), server.slot);
            pass(&mut rig, 7);
            answer(&mut rig, ways[1]);
            assert_eq!(rig.run(), one.slot);
        }
        pass(&mut rig, 50);
        assert_eq!(own_and_served(&rig, one), [350, 21], "slow: {ways:?}");
        assert_eq!(rig.kernel.times(server.slot), before, "it works at others' expense");
    }
}

#[test]
fn a_parked_call_costs_nothing() {
    for is_slow in [false, true] {
        let Scene { mut rig, server, foreign: [one, two] } = scene();
        pass(&mut rig, 10);
        call(&mut rig, is_slow);
        let open = rig.registers().r12;
        pass(&mut rig, 5);
        rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
        assert_eq!(rig.run(), two.slot);
        pass(&mut rig, 1000);
        call(&mut rig, is_slow);
        pass(&mut rig, 3);
        // The call of the second one is parked, that of the first one answered.
        assert_eq!(rig.run(), server.slot);
        rig.registers().r12 = open;
        answer(&mut rig, is_slow);
        assert_eq!(rig.run(), one.slot);
        pass(&mut rig, 20);
        assert_eq!(own_and_served(&rig, one), [30, 5]);
        assert_eq!(own_and_served(&rig, two), [1000, 3]);
    }
}

#[test]
fn a_queued_call_is_paid_for_from_when_it_is_received() {
    let Scene { mut rig, server, foreign: [one, two] } = scene();
    call(&mut rig, false);
    pass(&mut rig, 5);
    // The server sleeps with the call; the other one's waits in the queue meanwhile.
    let event = rig.kernel.vm.machine.now + 100;
    rig.send(Operation::Receive, 8, Tag::short(0), event);
    assert_eq!(rig.run(), two.slot);
    rig.kernel.vm.machine.now = event;
    rig.kernel.timer();
    assert_eq!(rig.run(), server.slot);
    let own = rig.kernel.times(server.slot)[0];
    pass(&mut rig, 9);
    assert_eq!(rig.kernel.times(server.slot)[0], own + 9, "it was not asked");
    assert_eq!(own_and_served(&rig, one), [0, 5]);
    assert_eq!(own_and_served(&rig, two), [100, 0]);
}

#[test]
fn a_client_lends_its_time() {
    let Pair { mut rig, server, client } = pair();
    rig.run();
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), client.slot);
    let before = rig.kernel.times(server.slot)[0];
    let own = rig.kernel.times(client.slot)[0];
    for _ in 0..2 {
        pass(&mut rig, 10);
        rig.send(Operation::Call, 8, Tag::short(1), FOREVER);
        assert_eq!(rig.run(), server.slot);
        pass(&mut rig, 4);
        answer(&mut rig, false);
        assert_eq!(rig.run(), client.slot);
    }
    assert_eq!(rig.kernel.times(client.slot), [own + 28, 0]);
    assert_eq!(rig.kernel.times(server.slot)[0], before);
}

#[test]
fn nobody_pays_while_a_processor_idles() {
    let Scene { mut rig, server, foreign } = scene();
    for process in foreign {
        assert_eq!(rig.run(), process.slot);
        pass(&mut rig, 10);
        call(&mut rig, false);
        assert_eq!(rig.run(), server.slot);
        pass(&mut rig, 1);
        rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    }
    assert!(matches!(Kernel::next(&mut rig.kernel), Next::Idle));
    pass(&mut rig, 1_000_000);
    assert_eq!(foreign.map(|process| own_and_served(&rig, process)), [[10, 1]; 2]);
}

#[test]
fn all_that_passes_is_paid_for_once() {
    let Scene { mut rig, foreign, .. } = scene();
    let sum = |rig: &Rig| -> u64 {
        let threads = &rig.kernel.threads;
        threads.ids().map(|id| rig.kernel.times(id.index() as u16)[0]).sum()
    };
    let (before, start) = (sum(&rig), rig.kernel.vm.machine.now);
    for round in 0..20 {
        let slot = rig.run();
        pass(&mut rig, 1 + round);
        if foreign.iter().any(|process| process.slot == slot) {
            call(&mut rig, round % 3 == 0);
        } else if round % 5 != 0 {
            answer(&mut rig, round % 2 == 0);
        }
    }
    assert_eq!(sum(&rig) - before, rig.kernel.vm.machine.now - start);
}

#[test]
fn a_thread_that_took_a_slot_begins_with_nothing() {
    let Scene { mut rig, server, foreign: [one, _] } = scene();
    pass(&mut rig, 100);
    call(&mut rig, false);
    assert_eq!(rig.run(), server.slot);
    let id = rig.kernel.threads.id_at(u32::from(one.slot)).unwrap();
    rig.kernel.cpu.meter.forget(one.slot);
    rig.kernel.threads.remove(id);
    pass(&mut rig, 100);
    let new = rig.kernel.threads.insert(crate::Thread::default()).unwrap();
    assert_eq!(new.index() as u16, one.slot);
    assert_eq!(rig.kernel.times(one.slot), [0; 2]);
}
