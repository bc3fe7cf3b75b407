//! The in-process entry: which system calls branch to it, and what takes it away.

use kamen_abi::{
    Error, FOREVER, Kind, ObjectKind, OpenCall, Operation, Rights, Tag, USER_END, boot,
};

use crate::fake::{Process, Rig};

const ENTRY: [u64; 3] = [0x50_0000, 0x50_1000, 0xb10c];

/// A server that waits, and a thread, foreign with a table, that runs in user space.
struct World {
    rig: Rig,
    server: Process,
    foreign: Process,
}

fn world(entry: [u64; 3]) -> World {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let events = rig.create(ObjectKind::Notification, &[]);
    let give = [(endpoint, Rights::ALL, 0)];
    let server = rig.process(12, &give);
    let foreign = rig.process(8, &[(events, Rights::ALL, 0)]);
    rig.ok(Operation::SetEntry, foreign.thread, &entry);
    rig.ok(Operation::SetHandler, foreign.thread, &[endpoint, 99, 1]);
    rig.ok(Operation::Start, server.thread, &[]);
    rig.ok(Operation::Start, foreign.thread, &[]);
    let idle = rig.create(ObjectKind::Notification, &[]);
    rig.send(Operation::Wait, idle, Tag::short(0), FOREVER);
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), foreign.slot);
    World { rig, server, foreign }
}

/// Executes `syscall` with the number 39 in rax; rcx is `rip`, the address after the instruction.
fn syscall(rig: &mut Rig, rip: u64) {
    let registers = rig.registers();
    (registers.rax, registers.rip, registers.r12) = (39, rip, 0);
    rig.kernel.system_call();
}

#[test]
fn a_call_from_outside_the_range_branches() {
    let World { mut rig, foreign, .. } = world(ENTRY);
    let before = *rig.registers();
    syscall(&mut rig, 0x40_0002);
    assert_eq!(rig.run(), foreign.slot);
    let after = rig.registers();
    assert_eq!((after.rip, after.rcx, after.r11), (ENTRY[0], 0x40_0002, ENTRY[2]));
    assert_eq!((after.rax, after.rsp, after.rdi), (39, before.rsp, before.rdi));
}

#[test]
fn a_call_from_within_the_range_is_native() {
    let World { mut rig, foreign, .. } = world(ENTRY);
    for rip in [ENTRY[0] + 2, ENTRY[1]] {
        let registers = rig.registers();
        (registers.rip, registers.r12, registers.rdi) = (rip, 8, 6);
        registers.rax = Operation::Signal as u64;
        rig.kernel.system_call();
        assert_eq!(rig.run(), foreign.slot);
        assert_eq!((rig.registers().rip, rig.registers().rax), (rip, 0));
    }
    for rip in [ENTRY[0], ENTRY[1] + 1] {
        syscall(&mut rig, rip);
        assert_eq!((rig.registers().rip, rig.registers().rcx), (ENTRY[0], rip));
    }
}

#[test]
fn without_an_entry_calls_go_to_the_handler() {
    let World { mut rig, server, .. } = world([0; 3]);
    syscall(&mut rig, 0x40_0002);
    assert_eq!(rig.run(), server.slot);
    assert_eq!(Tag(rig.registers().r13).kind(), Kind::SystemCall);
}

#[test]
fn an_entry_must_lie_in_user_space() {
    let mut rig = Rig::new();
    let thread = rig.process(8, &[]).thread;
    let end = USER_END as u64;
    for entry in [[5, 5, 0], [5, 4, 0], [5, end + 1, 0], [end, end, 0], [5, 0, 0]] {
        let status = rig.invoke(Operation::SetEntry, thread, &entry);
        assert_eq!(status, Error::InvalidArgument as u64, "{entry:x?}");
    }
    assert_eq!(rig.invoke(Operation::SetEntry, thread, &[5, end, 0]), 0);
    let space = boot::SPACE.0 as u64;
    assert_eq!(rig.invoke(Operation::SetEntry, space, &ENTRY), Error::WrongKind as u64);
}

#[test]
fn another_space_or_personality_takes_the_entry_away() {
    for way in [Operation::SetSpace, Operation::HandOver] {
        let World { mut rig, server, foreign, .. } = world(ENTRY);
        // An undefined instruction: the thread is in an open call.
        rig.kernel.exception(6, 0, 0);
        assert_eq!(rig.run(), server.slot);
        let call = rig.registers().r12;
        assert_ne!(OpenCall(call), OpenCall::NONE);
        let to = if way == Operation::SetSpace { boot::SPACE.0 } else { 8 };
        rig.ok(way, call, &[to as u64, 0]);
        assert_eq!(rig.kernel.threads[foreign.slot].entry.start, 0, "{way:?}");
    }
}

#[test]
fn a_server_does_not_redirect_who_calls_it() {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let client = rig.process(8, &[(endpoint, Rights::SEND, 0)]);
    rig.ok(Operation::Start, client.thread, &[]);
    rig.send(Operation::Receive, endpoint, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), client.slot);
    rig.send(Operation::Call, 8, Tag::short(1), FOREVER);
    let open = rig.registers().r12;
    assert_eq!(rig.invoke(Operation::SetEntry, open, &ENTRY), Error::WrongKind as u64);
    assert_eq!(rig.kernel.threads[client.slot].entry.start, 0);
}

#[test]
fn an_answer_moves_a_thread_past_its_exception() {
    let World { mut rig, server, foreign } = world([0; 3]);
    let before = *rig.registers();
    rig.kernel.exception(6, 0, 0);
    assert_eq!(rig.run(), server.slot);
    let (call, [.., rip, rsp, flags, _]) = (rig.registers().r12, rig.registers().words());
    assert_eq!((rip, rsp), (before.rip, before.rsp));
    let wrong = [0, 0, USER_END as u64, rsp, flags, 0];
    rig.registers().r13 = 2;
    let status = rig.enter(Operation::Reply, call, wrong);
    assert_eq!(status, Error::InvalidArgument as u64);
    let registers = rig.registers();
    (registers.r13, registers.r14, registers.r15) = (2, FOREVER, 8);
    rig.enter(Operation::ReplyReceive, call, [0, 0, rip + 2, rsp + 8, flags | 1, 0]);
    assert_eq!(rig.run(), foreign.slot);
    let after = *rig.registers();
    assert_eq!((after.rip, after.rsp, after.rflags), (rip + 2, rsp + 8, flags | 1));
    assert_eq!((after.rax, after.rdi), (before.rax, before.rdi));
}
