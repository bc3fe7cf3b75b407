//! Facts about threads whose registers somebody else sets, and that change hands.

use kamen_abi::{
    Error, FOREVER, Kind, NOW, ObjectKind, Operation, Place, Registers, Rights, Tag, boot,
};

use super::{CALL, DATA};
use crate::fake::{Process, Rig};
use crate::thread::State;

/// Offset in a thread's memory of the bytes of its message page.
const BYTES: u64 = 15 * 4096 + 128;

/// A foreign thread's call, received by the first task, which has a message page at `page`.
struct Held {
    rig: Rig,
    endpoint: u64,
    foreign: Process,
    open: u64,
}

fn held(number: u64) -> Held {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let foreign = rig.process(8, &[]);
    rig.ok(Operation::SetHandler, foreign.thread, &[endpoint, 2, 1]);
    rig.ok(Operation::Start, foreign.thread, &[]);
    let memory = rig.create(ObjectKind::Memory, &[1]);
    let write = Rights::READ.union(Rights::WRITE).0 as u64;
    let space = boot::SPACE.0 as u64;
    rig.ok(Operation::Map, space, &[memory, 0, DATA + 16 * 4096, 1, write]);
    rig.ok(Operation::SetMessagePage, boot::THREAD.0 as u64, &[memory, 0]);
    rig.send(Operation::Receive, endpoint, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), foreign.slot);
    rig.registers().rax = number;
    rig.registers().set_words([1, 2, 3, 4, 5, 6]);
    rig.kernel.system_call();
    assert_eq!(rig.run(), 0);
    let open = rig.registers().r12;
    Held { rig, endpoint, foreign, open }
}

/// Word of [`Registers`] that holds an address which the kernel checks.
const RIP: u64 = 16;
const FLAGS: u64 = 17;
const FS_BASE: u64 = 18;
const GS_BASE: u64 = 19;

impl Held {
    /// Sets a word of the registers in the first task's message page.
    fn put(&mut self, word: u64, value: u64) {
        self.rig.poke(BYTES + 4096 + 8 * word, value);
    }

    fn write(&mut self, target: u64) -> u64 {
        self.rig.invoke(Operation::WriteRegisters, target, &[])
    }

    /// Answers the open call and waits for the next.
    fn answer(&mut self) {
        self.rig.registers().r15 = self.endpoint;
        self.rig.send(Operation::ReplyReceive, self.open, Tag::short(0), FOREVER);
    }
}

#[test]
fn registers_of_a_call_are_read_and_written_as_far_as_they_may_be() {
    let mut held = held(39);
    let open = held.open;
    held.rig.ok(Operation::ReadRegisters, open, &[]);
    assert_eq!(held.rig.peek(BYTES + 4096), 39, "rax");
    for word in 0..FLAGS {
        held.put(word, 0x1000 + word);
    }
    held.put(FLAGS, u64::MAX);
    for (word, address) in [(RIP, 0), (FS_BASE, 0x5000), (GS_BASE, 0x6000)] {
        for beyond in [kamen_abi::USER_END as u64, 1 << 47, u64::MAX] {
            held.put(word, beyond);
            assert_eq!(held.write(open), Error::InvalidArgument as u64);
            held.put(word, address);
        }
    }
    let slot = held.foreign.slot;
    assert_eq!(held.rig.kernel.threads[slot].registers.rax, 39, "nothing was changed");
    held.put(RIP, 0x1010);
    assert_eq!(held.write(open), 0);
    let registers = held.rig.kernel.threads[slot].registers;
    assert_eq!((registers.rax, registers.r15, registers.rip), (0x1000, 0x100f, 0x1010));
    assert_eq!((registers.fs_base, registers.gs_base), (0x5000, 0x6000));
    let flags = Registers::USER_FLAGS | Registers::FIXED_FLAGS;
    assert_eq!(registers.rflags, flags, "no interrupt flag off, no I/O privilege, no nested task");
}

#[test]
fn registers_of_a_thread_are_its_controller_s_while_it_is_stopped() {
    let mut held = held(39);
    let thread = held.foreign.thread;
    let busy = Error::Busy as u64;
    assert_eq!(held.rig.invoke(Operation::ReadRegisters, thread, &[]), busy);
    assert_eq!(held.write(thread), busy);
    held.rig.ok(Operation::Stop, thread, &[]);
    assert_eq!(held.write(held.open), Error::StaleCall as u64);
    held.rig.ok(Operation::ReadRegisters, thread, &[]);
    held.put(RIP, 0x40_0000);
    assert_eq!(held.write(thread), 0);
    let reader = held.rig.ok(Operation::Mint, thread, &[0, Rights::READ.0 as u64]);
    held.rig.ok(Operation::ReadRegisters, reader, &[]);
    assert_eq!(held.write(reader), Error::NoRights as u64);
    assert_eq!(held.rig.kernel.threads[held.foreign.slot].registers.rip, 0x40_0000);
}

#[test]
fn a_call_s_thread_can_be_moved_to_another_space() {
    let mut held = held(59);
    let space = held.rig.create(ObjectKind::Space, &[]);
    let memory = held.rig.create(ObjectKind::Memory, &[1]);
    let read = Rights::READ.0 as u64;
    held.rig.ok(Operation::Map, space, &[memory, 0, 0x40_0000, 1, read]);
    let open = held.open;
    held.rig.ok(Operation::SetSpace, open, &[space]);
    held.rig.ok(Operation::Destroy, held.foreign.space, &[]);
    let from = Place::Caller as u64;
    let copy = [from, open, 0x40_0000, 0, DATA, 8];
    held.rig.ok(Operation::Copy, 0, &copy);
    held.rig.send(Operation::Reply, open, Tag::short(0), NOW);
    let idle = held.rig.create(ObjectKind::Notification, &[]);
    held.rig.send(Operation::Wait, idle, Tag::short(0), FOREVER);
    assert_eq!(held.rig.run(), held.foreign.slot);
    let root = held.rig.kernel.threads[held.foreign.slot].root;
    assert_eq!(held.rig.kernel.vm.machine.active, root);
}

#[test]
fn extended_state_is_copied_within_its_page_only() {
    let mut held = held(57);
    let child = held.rig.process(8, &[]);
    let open = held.open;
    let extended = Place::Extended as u64;
    let both = extended | extended << 8;
    let to_own = extended;
    let from_own = extended << 8;
    held.rig.poke(0, 0x1234_5678);
    held.rig.ok(Operation::Copy, 0, &[from_own, 0, DATA, open, 160, 8]);
    held.rig.ok(Operation::Copy, 0, &[both, open, 0, child.thread, 0, 832]);
    held.rig.ok(Operation::Copy, 0, &[to_own, child.thread, 160, 0, DATA + 8, 8]);
    assert_eq!(held.rig.peek(8), 0x1234_5678);
    let bad = Error::InvalidArgument as u64;
    for at in [4089, u64::MAX, 1 << 63] {
        assert_eq!(held.rig.invoke(Operation::Copy, 0, &[to_own, open, at, 0, DATA, 8]), bad);
        assert_eq!(held.rig.invoke(Operation::Copy, 0, &[from_own, 0, DATA, open, at, 8]), bad);
    }
    held.rig.ok(Operation::Start, child.thread, &[]);
    let busy = Error::Busy as u64;
    let copy = [to_own, child.thread, 0, 0, DATA, 8];
    assert_eq!(held.rig.invoke(Operation::Copy, 0, &copy), busy);
}

#[test]
fn a_thread_that_is_handed_over_calls_its_new_personality() {
    let mut held = held(0x4c);
    let (open, slot) = (held.open, held.foreign.slot);
    let rig = &mut held.rig;
    let other = rig.create(ObjectKind::Endpoint, &[]);
    let other = rig.ok(Operation::Mint, other, &[0, Rights::ALL.0 as u64, 0]);
    rig.ok(Operation::HandOver, open, &[other, 31]);
    assert_eq!(rig.send(Operation::Reply, open, Tag::short(0), NOW), Error::StaleCall as u64);
    assert_eq!(rig.invoke(Operation::HandOver, open, &[other, 31]), Error::StaleCall as u64);
    let none = Error::WouldBlock as u64;
    assert_eq!(rig.send(Operation::Receive, held.endpoint, Tag::short(0), NOW), none);
    rig.send(Operation::Receive, other, Tag::short(0), NOW);
    let registers = *rig.registers();
    let tag = Tag(registers.r13);
    assert_eq!((tag.kind(), tag.label(), tag.is_replayed()), (Kind::SystemCall, 0x4c, false));
    assert_eq!((registers.words(), registers.r14), ([1, 2, 3, 4, 5, 6], 31));
    // The answer lets it go on, and its next call goes to the new personality as well.
    rig.send(Operation::Reply, registers.r12, Tag::short(0), NOW);
    rig.send(Operation::Receive, other, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), slot);
    rig.kernel.software_interrupt(0x21);
    assert_eq!(Tag(rig.registers().r13).kind(), Kind::Interrupt);
    assert_eq!(rig.registers().r14, 31);
}

#[test]
fn a_replayed_call_is_handed_over_as_a_new_one() {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let other = rig.create(ObjectKind::Endpoint, &[]);
    let server = rig.process(12, &[(endpoint, Rights::ALL, 0)]);
    let foreign = rig.process(8, &[]);
    rig.ok(Operation::SetHandler, foreign.thread, &[endpoint, 2, 1]);
    rig.ok(Operation::Start, server.thread, &[]);
    rig.ok(Operation::Start, foreign.thread, &[]);
    let idle = rig.create(ObjectKind::Notification, &[]);
    rig.send(Operation::Wait, idle, Tag::short(0), 10);
    rig.send(Operation::Receive, 8, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), foreign.slot);
    rig.kernel.system_call();
    rig.kernel.vm.machine.now = 10;
    rig.kernel.timer();
    rig.ok(Operation::Destroy, server.space, &[]);
    rig.send(Operation::Receive, endpoint, Tag::short(0), NOW);
    assert!(Tag(rig.registers().r13).is_replayed());
    let open = rig.registers().r12;
    let badged = rig.ok(Operation::Mint, other, &[0, Rights::SEND.0 as u64, 6]);
    rig.ok(Operation::HandOver, open, &[badged, 31]);
    rig.send(Operation::Receive, other, Tag::short(0), NOW);
    assert!(!Tag(rig.registers().r13).is_replayed());
    assert_eq!(rig.registers().r14, 6, "the capability's badge, not the caller's choice");
}

#[test]
fn only_foreign_calls_are_handed_over_and_only_to_endpoints_that_take_calls() {
    let mut held = held(1);
    let (open, slot) = (held.open, held.foreign.slot);
    let rig = &mut held.rig;
    let other = rig.create(ObjectKind::Endpoint, &[]);
    let deaf = rig.ok(Operation::Mint, other, &[0, Rights::RECEIVE.0 as u64]);
    assert_eq!(rig.invoke(Operation::HandOver, open, &[deaf, 0]), Error::NoRights as u64);
    let space = boot::SPACE.0 as u64;
    assert_eq!(rig.invoke(Operation::HandOver, open, &[space, 0]), Error::WrongKind as u64);
    assert_eq!(rig.kernel.threads[slot].state, State::Open(rig.kernel.endpoints.id_at(0).unwrap()));
    let client = rig.process(8, &[(other, CALL, 1)]);
    rig.ok(Operation::Start, client.thread, &[]);
    rig.send(Operation::Receive, other, Tag::short(0), FOREVER);
    assert_eq!(rig.run(), client.slot);
    rig.send(Operation::Call, 8, Tag::short(5), FOREVER);
    let message = rig.registers().r12;
    let endpoint = held.endpoint;
    assert_eq!(rig.invoke(Operation::HandOver, message, &[endpoint, 0]), Error::WrongKind as u64);
}

/// Bases of FS and GS in the processor, and whether user space may use the extended state there.
fn set_up(rig: &Rig) -> ((u64, u64), bool) {
    let machine = &rig.kernel.vm.machine;
    let processor = &machine.processors[machine.here];
    (processor.bases, processor.enabled)
}

/// Has the first task, which handles a call of a thread with bases, wait for the next; the thread
/// uses its extended state before it makes one, and the first task handles that.
fn on_top(mut held: Held) -> Held {
    held.rig.invoke(Operation::ReadRegisters, held.open, &[]);
    held.put(FS_BASE, 0x5000);
    assert_eq!(held.write(held.open), 0);
    held.answer();
    assert_eq!(held.rig.run(), held.foreign.slot);
    held.rig.kernel.exception(7, 0, 0);
    assert_eq!(set_up_of(&mut held.rig), ((0x5000, 0), true));
    held.rig.kernel.system_call();
    assert_eq!(held.rig.run(), 0);
    held.open = held.rig.registers().r12;
    held
}

fn set_up_of(rig: &mut Rig) -> ((u64, u64), bool) {
    rig.run();
    set_up(rig)
}

#[test]
fn a_handler_runs_on_top_of_what_it_handles() {
    let mut held = on_top(held(1));
    assert_eq!(set_up(&held.rig), ((0x5000, 0), false), "the bases stay, out of reach the rest");
    held.answer();
    assert_eq!(held.rig.run(), held.foreign.slot);
    assert_eq!(set_up(&held.rig), ((0x5000, 0), true));
}

#[test]
fn nobody_but_its_handler_finds_a_thread_s_bases() {
    let mut held = on_top(held(1));
    let other = held.rig.process(9, &[]);
    held.rig.ok(Operation::Start, other.thread, &[]);
    held.rig.send(Operation::Receive, held.endpoint, Tag::short(0), FOREVER);
    assert_eq!(held.rig.run(), other.slot);
    assert_eq!(set_up(&held.rig), ((0, 0), false));
}

#[test]
fn a_handler_that_uses_the_extended_state_gets_its_own() {
    let mut held = on_top(held(1));
    held.rig.kernel.vm.machine.processors[0].contents = 77;
    held.rig.kernel.exception(7, 0, 0);
    assert_eq!(set_up_of(&mut held.rig), ((0, 0), true));
    assert_eq!(held.rig.kernel.vm.machine.processors[0].contents, 0, "nothing of the other's");
    held.answer();
    assert_eq!(held.rig.run(), held.foreign.slot);
    assert_eq!(set_up(&held.rig), ((0x5000, 0), true));
    assert_eq!(held.rig.kernel.vm.machine.processors[0].contents, 77);
}

#[test]
fn a_thread_that_is_gone_leaves_its_handler_nothing() {
    let mut held = on_top(held(1));
    held.rig.ok(Operation::Destroy, held.foreign.thread, &[]);
    assert_eq!(set_up_of(&mut held.rig), ((0, 0), false));
}

#[test]
fn bases_that_a_handler_writes_are_loaded() {
    let mut held = on_top(held(1));
    held.put(FS_BASE, 0x6000);
    assert_eq!(held.write(held.open), 0);
    held.answer();
    assert_eq!(held.rig.run(), held.foreign.slot);
    assert_eq!(set_up(&held.rig), ((0x6000, 0), true));
}
