//! Programs that mean harm: what the kernel keeps although they try.

use kamen_abi::{
    Error, FOREVER, Kind, NOW, ObjectKind, Operation, Place, PortWidth, Rights, Tag, boot,
};
use std::vec::Vec;

use crate::fake::{DATA, Rig};
use crate::machine::Machine;
use crate::schedule::SLICE_NS;
use crate::thread::State;

const QUOTA: u64 = boot::QUOTA.0 as u64;
const WRITE: u64 = (Rights::READ.0 | Rights::WRITE.0) as u64;

/// The first task leaves the processor for good.
fn retire(rig: &mut Rig) {
    let idle = rig.create(ObjectKind::Notification, &[]);
    rig.send(Operation::Wait, idle, Tag::short(0), FOREVER);
}

#[test]
fn a_refused_sender_does_not_preempt_the_receive_that_refused_it() {
    for (deadline, rax) in [(FOREVER, 0), (NOW, Error::WouldBlock as u64)] {
        let mut rig = Rig::new();
        let endpoint = rig.create(ObjectKind::Endpoint, &[]);
        let sender = rig.process(8, &[(endpoint, Rights::ALL, 0)]);
        let receiver = rig.process(4, &[(endpoint, Rights::ALL, 0)]);
        let page = rig.kernel.threads[receiver.slot].message_page.take().unwrap();
        rig.kernel.vm.frames.unpin(page);
        rig.ok(Operation::Start, sender.thread, &[]);
        rig.ok(Operation::Start, receiver.thread, &[]);
        retire(&mut rig);
        assert_eq!(rig.run(), sender.slot);
        rig.send(Operation::Call, 8, Tag::long(1, 8, 0, 0), FOREVER);
        assert_eq!(rig.run(), receiver.slot);
        assert_eq!(rig.send(Operation::Receive, 8, Tag::short(0), deadline), rax);
        assert_eq!(rig.run(), sender.slot, "it is above the receiver");
        assert_eq!(rig.registers().rax, Error::BadAddress as u64);
        let receives = matches!(rig.kernel.threads[receiver.slot].state, State::Receiving(_));
        assert_eq!(receives, deadline == FOREVER);
    }
}

#[test]
fn quotas_nest_deeper_than_the_kernel_s_stack() {
    let mut rig = Rig::new();
    let outer = rig.create(ObjectKind::Quota, &[500, 1000]);
    let mut inner = outer;
    for depth in (1..=100).rev() {
        let words = [ObjectKind::Quota as u64, 4 * depth, 8 * depth];
        inner = rig.ok(Operation::Create, inner, &words);
    }
    let small = std::thread::Builder::new().stack_size(32 << 10);
    let destroy = small.spawn(move || {
        rig.ok(Operation::Destroy, outer, &[]);
        rig
    });
    let mut rig = destroy.unwrap().join().unwrap();
    assert_eq!(rig.kernel.vm.quotas.used(), 1);
    assert_eq!(rig.invoke(Operation::Inspect, inner, &[]), Error::InvalidHandle as u64);
}

#[test]
fn an_open_call_names_no_call_of_the_next_thread_in_the_slot() {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let call = |rig: &mut Rig| {
        let client = rig.process(8, &[(endpoint, Rights::ALL, 0)]);
        rig.ok(Operation::Start, client.thread, &[]);
        rig.send(Operation::Receive, endpoint, Tag::short(0), FOREVER);
        assert_eq!(rig.run(), client.slot);
        rig.send(Operation::Call, 8, Tag::short(0), FOREVER);
        (client, rig.registers().r12)
    };
    let (first, stale) = call(&mut rig);
    rig.ok(Operation::Destroy, first.thread, &[]);
    rig.send(Operation::Receive, endpoint, Tag::short(0), NOW);
    assert_eq!(Tag(rig.registers().r13).kind(), Kind::Cancelled);
    let (second, open) = call(&mut rig);
    assert_eq!(first.slot, second.slot);
    let reply = |rig: &mut Rig, to| rig.send(Operation::Reply, to, Tag::short(0), NOW);
    assert_eq!(reply(&mut rig, stale), Error::StaleCall as u64);
    assert_eq!(reply(&mut rig, open), 0);
}

#[test]
fn a_handler_s_badge_is_that_of_the_capability() {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let badged = rig.ok(Operation::Mint, endpoint, &[0, Rights::SEND.0 as u64, 5]);
    let forger = rig.process(8, &[]);
    rig.ok(Operation::SetHandler, forger.thread, &[badged, 9, 1]);
    rig.ok(Operation::Start, forger.thread, &[]);
    rig.send(Operation::Receive, endpoint, Tag::short(0), FOREVER);
    rig.invoke(Operation::Null, 0, &[]);
    let registers = rig.registers();
    assert_eq!(Tag(registers.r13).kind(), Kind::SystemCall);
    assert_eq!(registers.r14, 5);
}

#[test]
fn the_first_port_alone_is_no_other_port() {
    let mut rig = Rig::new();
    let mint = |rig: &mut Rig, from: u64, first: u64, last: u64| {
        rig.ok(Operation::Mint, from, &[0, u64::MAX, first, 0, last])
    };
    let first = mint(&mut rig, boot::PORTS.0 as u64, 0, 0);
    let copy = mint(&mut rig, first, 0, kamen_abi::WHOLE);
    let bad = Error::InvalidArgument as u64;
    for handle in [first, copy] {
        assert_eq!(rig.invoke(Operation::PortIn, handle, &[0, PortWidth::Byte as u64]), 0);
        assert_eq!(rig.invoke(Operation::PortIn, handle, &[1, PortWidth::Byte as u64]), bad);
    }
}

#[test]
fn an_access_needs_all_ports_that_it_touches() {
    let mut rig = Rig::new();
    let all = boot::PORTS.0 as u64;
    let one = rig.ok(Operation::Mint, all, &[0, u64::MAX, 0xe9, 0, 0xe9]);
    let bad = Error::InvalidArgument as u64;
    for width in [PortWidth::Word, PortWidth::Long] {
        assert_eq!(rig.invoke(Operation::PortOut, one, &[0xe9, width as u64, 1]), bad);
        assert_eq!(rig.invoke(Operation::PortIn, one, &[0xe9, width as u64]), bad);
        assert_eq!(rig.invoke(Operation::PortIn, all, &[0xffff, width as u64]), bad);
    }
    assert_eq!(rig.kernel.vm.machine.written, []);
    rig.ok(Operation::PortOut, one, &[0xe9, PortWidth::Byte as u64, 1]);
    rig.ok(Operation::PortIn, all, &[0xfffc, PortWidth::Long as u64]);
}

#[test]
fn what_may_not_be_read_is_not_mapped_to_be_written_or_executed() {
    let mut rig = Rig::new();
    let memory = rig.create(ObjectKind::Memory, &[1]);
    let space = boot::SPACE.0 as u64;
    let at = DATA + 0x10_0000;
    for rights in [Rights::WRITE, Rights::EXECUTE] {
        let rights = rights.0 as u64;
        let narrow = rig.ok(Operation::Mint, memory, &[0, rights]);
        let denied = Error::NoRights as u64;
        assert_eq!(rig.invoke(Operation::Map, space, &[narrow, 0, at, 1, rights]), denied);
        rig.ok(Operation::Map, space, &[narrow, 0, at, 1, 0]);
        assert_eq!(rig.invoke(Operation::Protect, space, &[at, 1, rights]), denied);
        rig.ok(Operation::Unmap, space, &[at, 1]);
    }
}

#[test]
fn a_caller_that_got_its_reply_shares_with_equals_that_the_server_woke() {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let event = rig.create(ObjectKind::Notification, &[]);
    let give = [(endpoint, Rights::ALL, 0), (event, Rights::ALL, 0)];
    let server = rig.process(12, &give);
    let (waiter, caller) = (rig.process(8, &give), rig.process(8, &give));
    for process in [server, waiter, caller] {
        rig.ok(Operation::Start, process.thread, &[]);
    }
    retire(&mut rig);
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    rig.send(Operation::Wait, 9, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), caller.slot);
    rig.send(Operation::Call, 8, Tag::short(0), FOREVER);
    let open = rig.registers().r12;
    rig.ok(Operation::Signal, 9, &[1]);
    rig.registers().r15 = 8;
    rig.send(Operation::ReplyReceive, open, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), caller.slot);
    rig.kernel.vm.machine.now = rig.kernel.vm.machine.timer.expect("a slice has begun");
    rig.kernel.timer();
    assert_eq!(rig.run(), waiter.slot);
}

#[test]
fn a_thread_that_is_preempted_often_does_not_keep_its_equals_waiting() {
    let mut rig = Rig::new();
    let event = rig.create(ObjectKind::Notification, &[]);
    let ticker = rig.process(12, &[(event, Rights::ALL, 0)]);
    let (one, other) = (rig.process(8, &[]), rig.process(8, &[]));
    for process in [ticker, one, other] {
        rig.ok(Operation::Start, process.thread, &[]);
    }
    retire(&mut rig);
    let mut ran = Vec::new();
    for _ in 0..12 {
        assert_eq!(rig.run(), ticker.slot);
        let next = rig.kernel.vm.machine.now + SLICE_NS / 3;
        rig.send(Operation::Wait, 8, Tag::short(0), next);
        rig.run();
        let now = rig.kernel.vm.machine.now;
        if rig.kernel.vm.machine.timer.is_some_and(|timer| timer <= now) {
            rig.kernel.timer();
        }
        ran.push(rig.run());
        rig.kernel.vm.machine.now = next;
        rig.kernel.timer();
    }
    assert!(ran.contains(&one.slot) && ran.contains(&other.slot), "{ran:?}");
}

#[test]
fn clones_are_paid_for_however_often_their_original_is_written() {
    const PAGES: u64 = 4;
    let mut rig = Rig::new();
    // One page more than the clones: what a page is copied to is paid for beside it for a moment.
    let quota = rig.create(ObjectKind::Quota, &[41, 40]);
    let memory = rig.ok(Operation::Create, quota, &[ObjectKind::Memory as u64, PAGES]);
    for page in 0..PAGES {
        rig.poke(page * 4096, page);
    }
    let free = rig.kernel.vm.frames.free();
    let to_memory = Place::Own as u64 | (Place::Memory as u64) << 8;
    let mut clones = 0;
    loop {
        let all = [to_memory, 0, DATA, memory, 0, PAGES * 4096];
        rig.ok(Operation::Copy, 0, &all);
        if rig.invoke(Operation::Clone, memory, &[quota]) != 0 {
            break;
        }
        clones += 1;
        assert!(clones < 40);
    }
    assert!(free - rig.kernel.vm.frames.free() <= 41);
    assert_eq!(clones, 40 / (PAGES + 1) - 1);
    rig.ok(Operation::Destroy, quota, &[]);
}

#[test]
fn a_clone_never_shows_messages_that_come_later() {
    let mut rig = Rig::new();
    let memory = rig.create(ObjectKind::Memory, &[1]);
    let (space, at) = (boot::SPACE.0 as u64, DATA + 0x10_0000);
    rig.ok(Operation::Map, space, &[memory, 0, at, 1, WRITE]);
    rig.ok(Operation::SetMessagePage, boot::THREAD.0 as u64, &[memory, 0]);
    rig.poke(0x10_0000 + 128, 1);
    let clone = rig.ok(Operation::Clone, memory, &[QUOTA]);
    rig.ok(Operation::Map, space, &[clone, 0, at + 0x10_0000, 1, WRITE]);
    rig.poke(0x10_0000 + 128, 2);
    let page = rig.kernel.threads[0].message_page.unwrap();
    assert_eq!(rig.kernel.vm.machine.load(page, 16), 2, "thread and kernel see one page");
    assert_eq!(rig.peek(0x20_0000 + 128), 1);
}

#[test]
fn a_protection_that_its_quota_refuses_has_changed_nothing() {
    let mut rig = Rig::new();
    let quota = rig.create(ObjectKind::Quota, &[200, 200]);
    let space = rig.ok(Operation::Create, quota, &[ObjectKind::Space as u64]);
    let memory = rig.create(ObjectKind::Memory, &[8]);
    // Two mappings; the range ends within the second, which is to be split.
    rig.ok(Operation::Map, space, &[memory, 0, DATA, 1, WRITE]);
    rig.ok(Operation::Map, space, &[memory, 4, DATA + 4096, 3, WRITE]);
    while rig.invoke(Operation::Create, quota, &[ObjectKind::Memory as u64, 1]) == 0 {}
    let read = Rights::READ.0 as u64;
    let refused = rig.invoke(Operation::Protect, space, &[DATA, 2, read]);
    assert_eq!(refused, Error::QuotaExhausted as u64);
    let id = rig.kernel.vm.spaces.ids().last().unwrap();
    let (_, first) = rig.kernel.vm.covering(id, DATA as usize).unwrap();
    assert_eq!(first.rights, Rights(WRITE as u16));
}
