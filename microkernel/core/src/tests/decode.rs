//! Arbitrary bits in every register and in the message page: decoding keeps its promises.

use super::dice::{Dice, setting};
use super::random;
use crate::fake::{DATA, Rig};
use crate::machine::{Machine, Next};
use kamen_abi::{
    Error, Kind, Lease, ObjectKind, OpenCall, Operation, Place, PortWidth, Registers, Rights, Tag,
    boot,
};

/// System calls without `KAMEN_OPERATIONS`.
const CALLS: u64 = 60_000;
/// System calls after which there is a new kernel.
const LIFE: u64 = 500;

/// Returns a kernel with objects of every kind, and programs that hold them. The first task sleeps.
fn populated() -> Rig {
    let mut rig = Rig::new();
    let endpoint = rig.create(ObjectKind::Endpoint, &[]);
    let notification = rig.create(ObjectKind::Notification, &[]);
    let memory = rig.create(ObjectKind::Memory, &[8]);
    let timer = rig.create(ObjectKind::Timer, &[notification, 3]);
    let paged = [20, 2, endpoint];
    let paged = rig.create(ObjectKind::Memory, &paged);
    for priority in [12, 8, 8, 4] {
        let quota = rig.create(ObjectKind::Quota, &[60, 100]);
        let all = [endpoint, notification, memory, timer, paged, quota, boot::TRACE.0.into()];
        let give = all.map(|handle| (handle, Rights::ALL, 0));
        let program = rig.process(priority, &give);
        rig.ok(Operation::SetHandler, program.thread, &[endpoint, priority, priority / 12]);
        rig.ok(Operation::Start, program.thread, &[]);
    }
    let idle = rig.create(ObjectKind::Notification, &[]);
    let soon = rig.kernel.vm.machine.now + 1_000_000;
    rig.send(Operation::Wait, idle, Tag::short(0), soon);
    rig
}

/// Returns a number that is biased to what means something, or anything.
fn number(dice: &mut Dice) -> u64 {
    match dice.roll(4) {
        0 => dice.roll(24),
        1 => DATA + dice.roll(20) * 4096 + dice.pick(&[0, 0, 4, 4095]),
        _ => dice.boundary(),
    }
}

fn fill(registers: &mut Registers, dice: &mut Dice) {
    registers.set_words([(); 6].map(|()| number(dice)));
    registers.rax = if dice.one_in(8) { dice.boundary() } else { dice.roll(Operation::COUNT) };
    // What destroys or stops whoever is left would end each life early.
    if registers.rax == Operation::Destroy as u64 && !dice.one_in(8) {
        registers.rax = Operation::Call as u64;
    }
    registers.r12 = number(dice);
    registers.r13 = if dice.one_in(2) { dice.any() } else { dice.roll(3) };
    registers.r14 = dice.pick(&[0, u64::MAX, u64::MAX, 1 << 20]);
    registers.r15 = number(dice);
}

/// The seed of a life, which is told when it ends in a panic.
struct Life(u64);

impl Drop for Life {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::eprintln!(
                "decode: failed; KAMEN_SEED={} KAMEN_OPERATIONS={LIFE} repeats it",
                self.0
            );
        }
    }
}

#[test]
fn no_register_contents_break_the_kernel() {
    let calls = setting("KAMEN_OPERATIONS", CALLS);
    let seed = setting("KAMEN_SEED", 1);
    for life in 0..calls.div_ceil(LIFE) {
        let _told = Life(seed + life);
        let (mut rig, mut dice) = (populated(), Dice(seed + life));
        for _ in 0..LIFE {
            if matches!(rig.kernel.next(), Next::Idle) {
                let fake = &mut rig.kernel.vm.machine;
                fake.now = fake.timer.take().unwrap_or(fake.now).max(fake.now + 1);
                rig.kernel.timer();
                continue;
            }
            let current = rig.kernel.cpu.current;
            if let Some(page) = rig.kernel.threads[current].message_page {
                for word in [0, 8, 9, 10, 11, 16, 17] {
                    let value = number(&mut dice);
                    rig.kernel.vm.machine.store(page, word, value);
                }
            }
            fill(&mut rig.kernel.threads[current].registers, &mut dice);
            rig.kernel.system_call();
            let status = rig.kernel.threads[current].registers.rax;
            let native = rig.kernel.threads[current].handler.is_none_or(|h| !h.foreign);
            let ran = native && rig.kernel.cpu.current == current;
            assert!(!ran || status <= Error::ALL.len() as u64, "status {status}");
        }
        random::check_threads(&rig.kernel);
        random::check_frames(&rig.kernel);
    }
}

#[test]
fn numbers_name_what_they_are_the_number_of_or_nothing() {
    let mut dice = Dice(7);
    for round in 0..100_000u64 {
        let n = if round < 300 { round } else { dice.boundary() };
        assert_eq!(Operation::from_number(n).map_or(n, |it| it as u64), n);
        assert_eq!(Operation::from_number(n).is_some(), n < Operation::COUNT);
        assert_eq!(ObjectKind::from_number(n).map_or(n, |it| it as u64), n);
        assert_eq!(Place::from_number(n).map_or(n, |it| it as u64), n);
        assert_eq!(PortWidth::from_number(n).map_or(n, |it| it as u64), n);
        assert_eq!(kamen_abi::MemoryKind::from_number(n).map_or(n, |it| it as u64), n);
        assert_eq!(Error::check(n).is_ok(), n == 0);
    }
}

#[test]
fn tags_leases_and_open_calls_are_taken_apart_as_they_were_made() {
    let mut dice = Dice(8);
    for _ in 0..100_000 {
        let bits = dice.any();
        let tag = Tag(bits);
        let (label, bytes, caps, leases) = (tag.label(), tag.bytes(), tag.caps(), tag.leases());
        // What user space may say is exactly label and counts.
        assert_eq!(tag.sanitized(), Tag::long(label, bytes, caps, leases));
        assert_eq!(tag.sanitized().kind(), Kind::Message);
        assert!(!tag.sanitized().is_replayed());
        assert_eq!(tag.is_short(), bytes == 0 && caps == 0 && leases == 0);
        let (thread, sequence) = (dice.any() as u16, 1 + dice.roll(1 << 47));
        let open = OpenCall::new(thread, sequence);
        assert_eq!((open.thread(), open.sequence()), (thread, sequence));
        assert!(open.0 > u16::MAX as u64, "no open call is a handle");
        let (read, write) = (Lease::read(bits, bits), Lease::write(bits, bits));
        assert!(!read.is_writable() && write.is_writable());
        assert_eq!((read.len(), write.len()), (bits & !(1 << 63), bits & !(1 << 63)));
        let lease = Lease { address: bits, len_and_access: bits };
        assert_eq!(lease.is_empty(), bits & !(1 << 63) == 0);
    }
}
