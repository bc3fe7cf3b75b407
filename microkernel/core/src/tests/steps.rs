//! Facts about operations that are done in steps: each entry does little, and none is lost.

use kamen_abi::{Error, FOREVER, NOW, ObjectKind, Operation, Place, Tag};

use crate::fake::{DATA, Rig};
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
        (0..20).map(|_| rig.process(8, &[(endpoint, kamen_abi::Rights::ALL, 0)])).collect();
    for sender in &senders {
        rig.ok(Operation::Start, sender.thread, &[]);
    }
    let receiver = rig.run();
    // The receiver has no table to take a capability into.
    let table = rig.kernel.threads[receiver].table;
    for sender in &senders {
        let slot = sender.slot;
        rig.kernel.cpu.ready.remove(&mut rig.kernel.threads, slot);
        rig.kernel.cpu.ready.push(&mut rig.kernel.threads, receiver);
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
