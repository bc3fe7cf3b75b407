//! Several processors under random programs: who is where, what TLBs and registers hold.
//!
//! The kernel is entered by one processor at a time, in any order; what the others do meanwhile
//! is the worst that they could: they use every page that their page tables have shown them until
//! they are told to forget it (`fake.rs`), and change their extended state all the time.

use std::vec::Vec;

use super::Step;
use crate::Kernel;
use crate::cpu::Cpu;
use crate::fake::{CONTENTS, DATA, Fake, Rig};
use crate::machine::Frame;
use crate::queue::NIL;
use crate::tests::dice::Dice;
use crate::thread::State;
use kamen_abi::{Operation, PAGE_SIZE, Place, Rights, boot};

/// Which processor enters, and what it must find.
pub(in crate::tests) struct Turns {
    pub(super) processors: usize,
    states: States,
}

impl Turns {
    pub(in crate::tests) fn new(processors: usize) -> Self {
        Turns { processors, states: States::default() }
    }

    /// Lets a processor enter the kernel; the others stay in user space, or idle.
    pub(super) fn begin(&mut self, rig: &mut Rig, number: u64) {
        if self.processors > 1 {
            let mut dice = Dice(!number);
            on(&mut rig.kernel, dice.roll(self.processors as u64) as u8);
            let _ = rig.kernel.next();
            touch(&mut rig.kernel, &mut dice);
            let _ = rig.kernel.next();
            self.states.use_all(&mut rig.kernel);
            rig.kernel.vm.machine.cache();
        }
    }

    /// Lets it leave the kernel.
    pub(super) fn end(&mut self, rig: &mut Rig, step: Step) {
        let _ = rig.kernel.next();
        rig.kernel.vm.machine.check_cached();
        if writes_extended(step) {
            self.states.forget();
        }
        self.states.check(&rig.kernel);
    }
}

/// Lets the current thread use a page, or its extended state, or move its program's first thread.
fn touch(kernel: &mut Kernel<Fake>, dice: &mut Dice) {
    let Some(thread) = kernel.threads.at(kernel.cpu.current) else { return };
    if dice.one_in(8) {
        let registers = &mut kernel.threads[kernel.cpu.current].registers;
        (registers.rax, registers.r12) = (Operation::SetProcessor as u64, boot::THREAD.0.into());
        registers.rdi = dice.pick(&[0, 1, u64::MAX]);
        return kernel.system_call();
    }
    if dice.one_in(4) && thread.extended.is_none() {
        return kernel.exception(7, 0, 0);
    }
    let address = DATA + dice.roll(12) * PAGE_SIZE as u64;
    let found = kernel.vm.covering(thread.space.unwrap(), address as usize);
    if found.is_some_and(|(_, mapping)| mapping.rights.contains(Rights::WRITE)) {
        kernel.exception(14, 0b110, address);
    }
}

/// Returns whether a step may change another's extended state.
fn writes_extended(step: Step) -> bool {
    let Step::Call { operation, words, .. } = step else { return false };
    operation == Operation::Copy as u64 && words[0] >> 8 == Place::Extended as u64
}

/// Lets a processor enter the kernel; it does what it was asked to.
pub(in crate::tests) fn on(kernel: &mut Kernel<Fake>, processor: u8) {
    kernel.take_over(processor);
    if core::mem::take(&mut kernel.vm.machine.processors[processor as usize].nudged) {
        kernel.reschedule();
    }
}

/// Lets a processor serve its timer whose time has come; returns whether there was one.
pub(in crate::tests) fn serve_timer(kernel: &mut Kernel<Fake>) -> bool {
    let (here, now) = (kernel.cpu.number, kernel.vm.machine.now);
    let mut numbers = 0..kernel.processors() as u8;
    let due = numbers.find(|number| {
        let timer = kernel.vm.machine.timer_of((*number).into());
        timer.is_some_and(|at| at <= now)
    });
    let Some(number) = due else { return false };
    *kernel.vm.machine.timer_of(number.into()) = None;
    on(kernel, number);
    kernel.timer();
    let _ = kernel.next();
    on(kernel, here);
    true
}

/// What each thread's extended state must hold: a number, by its frame.
#[derive(Default)]
struct States(Vec<(Frame, u64)>);

impl States {
    /// Threads that run change their extended states.
    fn use_all(&mut self, kernel: &mut Kernel<Fake>) {
        let owners: Vec<(u8, u16)> = all(kernel)
            .filter(|cpu| cpu.current != NIL && cpu.extended_enabled)
            .map(|cpu| (cpu.number, cpu.current))
            .collect();
        for (number, thread) in owners {
            let state = kernel.threads[thread].extended.expect("else it is not enabled");
            let found = &mut kernel.vm.machine.processors[number as usize].contents;
            *found = found.wrapping_add(1);
            let contents = *found;
            self.0.retain(|(known, _)| *known != state);
            self.0.push((state, contents));
        }
    }

    /// Each is where it was left, in the processor that has it or else in its frame.
    fn check(&mut self, kernel: &Kernel<Fake>) {
        let threads = kernel.threads.ids().map(|id| id.index() as u16);
        let states: Vec<(u16, Frame)> =
            threads.filter_map(|thread| Some((thread, kernel.threads[thread].extended?))).collect();
        self.0.retain(|(known, _)| states.iter().any(|(_, state)| state == known));
        for (thread, state) in states {
            let owner = all(kernel).find(|cpu| cpu.extended_owner == thread);
            let machine = &kernel.vm.machine;
            let found = match owner {
                Some(cpu) => machine.processors[cpu.number as usize].contents,
                None => machine.frames[state.0 as usize][CONTENTS],
            };
            match self.0.iter().find(|(known, _)| *known == state) {
                Some((_, left)) => assert_eq!(found, *left, "extended state of {thread}"),
                None => self.0.push((state, found)),
            }
        }
    }

    fn forget(&mut self) {
        self.0.clear();
    }
}

fn all(kernel: &Kernel<Fake>) -> impl Iterator<Item = &Cpu> {
    core::iter::once(&kernel.cpu).chain(&kernel.parked)
}

/// Each processor runs somebody whom nobody else runs, the first of those who may.
pub(in crate::tests) fn check(kernel: &Kernel<Fake>) {
    let threads = &kernel.threads;
    for cpu in all(kernel) {
        let number = cpu.number;
        let nudged = kernel.vm.machine.processors[number as usize].nudged;
        let here = number == kernel.cpu.number;
        if cpu.current == NIL {
            assert!(here || nudged || cpu.ready.is_empty(), "{number} idles, though it could run");
            continue;
        }
        let thread = &threads[cpu.current];
        assert_eq!(thread.state, State::Ready);
        assert!(thread.obstacles.may_run_on(number), "{number} runs what is not its own");
        let others = all(kernel).filter(|other| other.number != number);
        assert!(others.into_iter().all(|other| other.current != cpu.current), "runs twice");
        if !nudged {
            let is_first = !cpu.ready.has_above(thread.priority);
            assert!(is_first, "somebody above the thread that {number} runs waits");
            let admitted = cpu.slice_over || thread.priority >= cpu.bar_by_ready();
            assert!(admitted, "an equal waits for ever");
        }
    }
    all(kernel).filter(|cpu| cpu.current != NIL).for_each(|cpu| check_setup(kernel, cpu));
    for cpu in all(kernel).filter(|cpu| cpu.extended_owner != NIL) {
        let owner = &threads[cpu.extended_owner];
        let elsewhere = (0..kernel.processors() as u8).filter(|other| *other != cpu.number);
        assert!(elsewhere.into_iter().all(|other| !owner.obstacles.may_run_on(other)));
        assert!(owner.obstacles.may_run_on(cpu.number));
    }
}

/// A processor holds what its thread is to find there, and nobody else's; but a handler on top of
/// whom it handles finds that one's bases.
fn check_setup(kernel: &Kernel<Fake>, cpu: &Cpu) {
    let machine = &kernel.vm.machine.processors[cpu.number as usize];
    if machine.nudged {
        return;
    }
    let thread = &kernel.threads[cpu.current];
    let below = if cpu.beneath != NIL && cpu.guest == cpu.current {
        &kernel.threads[cpu.beneath]
    } else {
        thread
    };
    let registers = &below.registers;
    assert_eq!(machine.bases, (registers.fs_base, registers.gs_base), "bases of another");
    assert_eq!(machine.enabled, thread.extended.is_some(), "extended state of another");
    assert!(!machine.enabled || cpu.extended_owner == cpu.current, "extended state of another");
}
