//! Runs of random operations over kernel and model.
//!
//! There are 200,000 operations (fewer on two processors), from seed 1 on, or what the environment says (`dice.rs`). A run
//! that fails prints its seed and the last steps; with that seed alone it fails again.

use super::objects::{Name, What};
use super::steps::{Step, Steps};
use super::world::{Call, World};
use crate::fake::DATA;
use crate::tests::dice::{Dice, setting};
use crate::tests::random;
use kamen_abi::{FOREVER, ObjectKind, Operation, Rights, boot};
use std::collections::VecDeque;
use std::vec::Vec;
use std::{eprintln, println};

/// Operations of one world; then there is a new one.
const RUN: u64 = 4000;
/// Steps shown when a run fails.
const SHOWN: usize = 24;
/// Worlds after which a long run tells how far it is.
const TOLD: u64 = 100;

/// Capabilities without the right to destroy, so that programs go on meeting.
const KEEP: u64 = (Rights::ALL.0 & !Rights::DESTROY.0) as u64;
const ALL: u64 = Rights::ALL.0 as u64;
const CLIENT: u64 = (Rights::SEND.0 | Rights::GRANT.0) as u64;

/// A program that the first task looks after.
struct Program {
    /// One for each processor, all the same but for their message pages.
    threads: Vec<u64>,
    /// What all of it is charged to.
    quota: u64,
    priority: u64,
}

/// A world with programs in it.
pub struct Run {
    world: World,
    dice: Dice,
    first: Name,
    programs: Vec<Program>,
    give: Vec<(u64, u64)>,
    idle: u64,
    calls: Vec<u64>,
    last: VecDeque<Step>,
}

impl Run {
    pub fn new(seed: u64, processors: usize) -> Self {
        let world = World::new(processors);
        let first = world.model.cpu.current.unwrap();
        let (programs, give) = (Vec::new(), Vec::new());
        let (calls, last) = (Vec::new(), VecDeque::new());
        let mut run = Run { world, dice: Dice(seed), first, programs, give, idle: 0, calls, last };
        run.ok(Operation::Delete, 0, &[boot::ARCHIVE.0 as u64]);
        let one = run.create(ObjectKind::Endpoint, &[]);
        let two = run.create(ObjectKind::Endpoint, &[]);
        let event = run.create(ObjectKind::Notification, &[]);
        let ports = run.ok(Operation::Mint, boot::PORTS.0 as u64, &[0, ALL, 0xe9, 0, 0xec]);
        let lines = run.ok(Operation::Mint, boot::INTERRUPTS.0 as u64, &[0, ALL, 4, 0, 9]);
        let shared = run.create(ObjectKind::Memory, &[4]);
        run.idle = run.create(ObjectKind::Notification, &[]);
        run.give =
            [(one, KEEP), (two, KEEP), (event, KEEP), (ports, ALL), (lines, ALL), (shared, KEEP)]
                .to_vec();
        for priority in [12, 8, 8, 6, 8] {
            run.start(priority);
        }
        run.rest();
        run
    }

    /// Performs random operations and compares after each.
    pub fn go(&mut self, operations: u64) {
        for count in 0..operations {
            self.world.enter(&mut self.dice);
            let current = self.world.settle();
            if current == Some(self.first) {
                self.revive();
                continue;
            }
            let step = match current {
                Some(current) => {
                    let r12 = self.world.model.thread(current).registers.r12;
                    if r12 > u16::MAX as u64 {
                        self.calls.push(r12);
                        let excess = self.calls.len().saturating_sub(8);
                        self.calls.drain(..excess);
                    }
                    let (model, calls) = (&self.world.model, &self.calls[..]);
                    let mut steps = Steps { dice: &mut self.dice, model, calls };
                    if model.cpu.is_told() { steps.draw_among() } else { steps.draw() }
                }
                None if self.dice.one_in(4) => Step::Line(self.dice.roll(30) as u32),
                None => Step::Pass(0),
            };
            self.last.push_back(step);
            if self.last.len() > SHOWN {
                self.last.pop_front();
            }
            self.world.act(step, current);
            self.check(count);
        }
    }

    fn check(&mut self, count: u64) {
        self.world.settle();
        self.world.compare();
        random::check_threads(&self.world.kernel);
        // What costs more is done less often in debug builds.
        if !cfg!(debug_assertions) || count.is_multiple_of(8) {
            random::check_frames(&self.world.kernel);
            random::check_quotas(&self.world.kernel, 0);
        }
    }

    fn enter(&mut self, operation: Operation, target: u64, words: &[u64], deadline: u64) -> u64 {
        let mut all = [0; 6];
        all[..words.len()].copy_from_slice(words);
        let rest = [0, deadline, 0];
        let call = Call { operation: operation as u64, target, rest, words: all };
        self.world.settle();
        self.world.system_call(call);
        self.check(1);
        self.world.model.thread(self.first).registers.rax
    }

    fn ok(&mut self, operation: Operation, target: u64, words: &[u64]) -> u64 {
        let status = self.enter(operation, target, words, FOREVER);
        assert_eq!(status, 0, "{operation:?} {target} {words:?}");
        self.world.model.thread(self.first).registers.r12
    }

    fn create(&mut self, kind: ObjectKind, words: &[u64]) -> u64 {
        let mut all = std::vec![kind as u64];
        all.extend(words);
        self.ok(Operation::Create, boot::QUOTA.0 as u64, &all)
    }

    /// Starts a program with a quota of its own.
    fn start(&mut self, priority: u64) {
        let all = self.create(ObjectKind::Quota, &[160, 160]);
        let mut create = |kind: ObjectKind, words: [u64; 2]| {
            self.ok(Operation::Create, all, &[kind as u64, words[0], words[1]])
        };
        let space = create(ObjectKind::Space, [0; 2]);
        let table = create(ObjectKind::Table, [64, 0]);
        let thread = create(ObjectKind::Thread, [space, table]);
        let memory = create(ObjectKind::Memory, [16, 0]);
        let quota = create(ObjectKind::Quota, [100, 100]);
        self.ok(Operation::Map, space, &[memory, 0, DATA, 16, 12]);
        self.ok(Operation::SetMessagePage, thread, &[memory, 15]);
        self.ok(Operation::SetPriority, thread, &[priority]);
        self.ok(Operation::SetHandler, thread, &[self.give[1].0, priority, 0]);
        let own = [(table, KEEP), (space, KEEP), (thread, KEEP), (quota, ALL), (memory, KEEP)];
        for (slot, (handle, rights)) in own.into_iter().enumerate() {
            self.ok(Operation::Mint, handle, &[table, rights, 0, 1 + slot as u64]);
        }
        for (place, (handle, rights)) in self.give.clone().into_iter().enumerate() {
            let rights = if place == 0 && priority < 12 { CLIENT } else { rights };
            let (badge, last) = match place {
                0 | 1 => (priority, 0),
                _ => (0, u64::MAX),
            };
            self.ok(Operation::Mint, handle, &[table, rights, badge, 8 + place as u64, last]);
        }
        let mut threads = std::vec![thread];
        for another in 1..self.world.model.cpu.processors {
            let words = [ObjectKind::Thread as u64, space, table];
            let thread = self.ok(Operation::Create, all, &words);
            self.ok(Operation::SetMessagePage, thread, &[memory, 15 - another]);
            self.ok(Operation::SetPriority, thread, &[priority]);
            self.ok(Operation::SetHandler, thread, &[self.give[1].0, priority, 0]);
            self.ok(Operation::Mint, thread, &[table, KEEP, 0, 13 + another]);
            threads.push(thread);
        }
        for thread in &threads {
            self.ok(Operation::Start, *thread, &[]);
        }
        for handle in [space, table, memory, quota] {
            self.ok(Operation::Delete, 0, &[handle]);
        }
        self.programs.push(Program { threads, quota: all, priority });
    }

    /// The first task waits until nobody else has had anything to do for a while.
    fn rest(&mut self) {
        let later = self.world.model.now + 100_000_000;
        self.enter(Operation::Wait, self.idle, &[], later);
    }

    /// The first task makes programs go on, and replaces those that are dead.
    fn revive(&mut self) {
        for program in core::mem::take(&mut self.programs) {
            if program.threads.iter().all(|thread| self.go_on(*thread, program.priority)) {
                self.programs.push(program);
                continue;
            }
            self.ok(Operation::Destroy, program.quota, &[]);
            for handle in program.threads.into_iter().chain([program.quota]) {
                self.ok(Operation::Delete, 0, &[handle]);
            }
            self.start(program.priority);
        }
        self.rest();
    }

    /// Makes a program's thread go on; returns whether it could.
    fn go_on(&mut self, thread: u64, badge: u64) -> bool {
        self.enter(Operation::Stop, thread, &[], FOREVER);
        let foreign = self.dice.one_in(4) as u64;
        let handler = [self.give[1].0, badge, foreign];
        self.enter(Operation::SetHandler, thread, &handler, FOREVER);
        self.enter(Operation::Start, thread, &[], FOREVER) == 0
    }
}

/// Runs worlds from a seed on until there were so many operations.
fn run(processors: usize, operations: u64) {
    let first_seed = setting("KAMEN_SEED", 1);
    let operations = setting("KAMEN_OPERATIONS", operations);
    let mut done = 0;
    let mut seed = first_seed;
    while done < operations {
        let mut run = None;
        let count = RUN.min(operations - done);
        let go = std::panic::AssertUnwindSafe(|| run.insert(Run::new(seed, processors)).go(count));
        if let Err(panic) = std::panic::catch_unwind(go) {
            if let Some(run) = &run {
                run.last.iter().for_each(|step| eprintln!("{step:x?}"));
                let who = run.world.model.cpu.current;
                eprintln!("current: {who:?} of {:?}", names(&run.world));
            }
            eprintln!("model: failed; KAMEN_SEED={seed} KAMEN_OPERATIONS={RUN} repeats it");
            std::panic::resume_unwind(panic);
        }
        done += count;
        seed += 1;
        if (seed - first_seed).is_multiple_of(TOLD) {
            println!("model: {done} of {operations} operations, to seed {}", seed - 1);
        }
    }
    println!("model: {done} operations, seeds {first_seed} to {}", seed - 1);
}

fn names(world: &World) -> Vec<(Name, u16)> {
    let threads = world.model.objects.iter();
    let threads = threads.filter(|(_, object)| matches!(object.what, What::Thread(_)));
    threads.map(|(name, _)| (*name, world.slot(*name))).collect()
}

#[test]
fn the_kernel_does_what_the_model_does() {
    run(1, 200_000);
}

#[test]
fn the_kernel_on_two_processors_does_what_the_model_does() {
    run(2, 50_000);
}
