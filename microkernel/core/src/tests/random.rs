//! Random system calls with nearly valid arguments leave a kernel whose state makes sense.

use kamen_abi::{ObjectKind, Operation, Rights, Tag, boot};
use proptest::prelude::*;
use std::vec::Vec;

use super::dice::cases;
use crate::deadline::Timer;
use crate::endpoint::Endpoint;
use crate::fake::{Fake, Rig};
use crate::machine::{Access, Machine, Next};
use crate::memory::Memory;
use crate::notification::Notification;
use crate::queue::NIL;
use crate::quota::{Charged, Quota};
use crate::space::Space;
use crate::table::Table;
use crate::thread::{State, Thread};
use crate::{Kernel, fake};

mod dice;
pub(super) mod processors;

use dice::{Dice, OPEN, Step};

struct World {
    rig: Rig,
    open: Vec<u64>,
    /// What programs are given.
    give: Vec<(u64, Rights, u64)>,
    /// What the first task waits for.
    idle: u64,
    /// The programs, with their priorities.
    programs: Vec<Program>,
    /// Objects that boot made without charging them.
    uncharged: usize,
    /// Whose turn it is to enter, and what extended states must hold.
    turns: processors::Turns,
}

/// A program: its threads, one for each processor, have all in common but their priority.
struct Program {
    priority: u64,
    threads: Vec<u64>,
}

/// The first task's thread.
const FIRST: u16 = 0;
const CLIENT: Rights = Rights(Rights::SEND.0 | Rights::GRANT.0);
/// All rights but to destroy.
const KEEP: Rights = Rights(Rights::ALL.0 & !Rights::DESTROY.0);

impl World {
    /// Four programs with small quotas, over shared endpoints, a notification and a port.
    fn new(count: usize) -> Self {
        let mut rig = Rig::with_processors(count);
        let uncharged = excess(&rig.kernel);
        let one = rig.create(ObjectKind::Endpoint, &[]);
        let two = rig.create(ObjectKind::Endpoint, &[]);
        let event = rig.create(ObjectKind::Notification, &[]);
        let shared = rig.create(ObjectKind::Memory, &[4]);
        rig.ok(Operation::BindInterrupt, boot::INTERRUPTS.0 as u64, &[4, event, 2]);
        let port = rig.ok(Operation::Mint, boot::PORTS.0 as u64, &[0, 255, 0xe9, 0, 0xe9]);
        let give = std::vec![
            (one, Rights::ALL, 0),
            (two, KEEP, 0),
            (event, KEEP, 0),
            (shared, KEEP, 0),
            (port, Rights::ALL, 0),
        ];
        let idle = rig.create(ObjectKind::Notification, &[]);
        let (open, programs) = (std::vec![0; 256], Vec::new());
        let turns = processors::Turns::new(count);
        let mut world = World { rig, open, give, idle, programs, uncharged, turns };
        for priority in [12, 8, 8, 6] {
            world.start(priority);
        }
        world.rest();
        let _ = world.rig.kernel.next();
        // Small enough for operations to be left half done, for ever or to be taken up again.
        world.rig.kernel.vm.steps.limit(150);
        world
    }

    /// Starts a program with a quota of its own.
    fn start(&mut self, priority: u64) {
        let quota = self.rig.create(ObjectKind::Quota, &[60, 100]);
        let mut give = self.give.clone();
        give[0] = (give[0].0, if priority == 12 { KEEP } else { CLIENT }, priority);
        give.push((quota, Rights::ALL, 0));
        let program = self.rig.process(priority, &give);
        let mut threads = std::vec![program.thread];
        while threads.len() < self.turns.processors {
            let another = self.rig.create(ObjectKind::Thread, &[program.space, program.table]);
            self.rig.ok(Operation::SetPriority, another, &[priority]);
            threads.push(another);
        }
        for thread in &threads {
            self.rig.ok(Operation::SetHandler, *thread, &[give[1].0, priority, 0]);
            self.rig.ok(Operation::Start, *thread, &[]);
        }
        self.programs.push(Program { priority, threads });
    }

    /// The first task sleeps until nobody else has had anything to do for a while.
    fn rest(&mut self) {
        let later = self.rig.kernel.vm.machine.now + 100_000_000;
        self.rig.send(Operation::Wait, self.idle, Tag::short(0), later);
    }

    /// The first task makes programs go on that wait or have stopped, and replaces dead ones.
    fn revive(&mut self) {
        for program in core::mem::take(&mut self.programs) {
            let go_on = |thread: &u64| {
                let stopped = self.rig.invoke(Operation::Stop, *thread, &[]) == 0;
                stopped && self.rig.invoke(Operation::Start, *thread, &[]) == 0
            };
            if program.threads.iter().all(go_on) {
                self.programs.push(program);
            } else {
                self.start(program.priority);
            }
        }
        self.rest();
    }

    /// A processor enters the kernel, does a step, and leaves it.
    fn turn(&mut self, number: u64) {
        self.turns.begin(&mut self.rig, number);
        let step = Dice(number).step();
        self.act(step);
        self.turns.end(&mut self.rig, step);
    }

    fn act(&mut self, step: Step) {
        let kernel = &mut self.rig.kernel;
        let current = match kernel.next() {
            Next::Run(_) => kernel.cpu.current,
            Next::Idle => NIL,
        };
        if current == FIRST {
            return self.revive();
        }
        let step = if current == NIL { Step::Tick } else { step };
        match step {
            Step::Tick => {
                let fake = &mut kernel.vm.machine;
                let first = (0..fake.processors.len()).filter_map(|it| *fake.timer_of(it)).min();
                fake.now = first.unwrap_or(0).max(fake.now + 1);
                while processors::serve_timer(kernel) {}
            }
            Step::Line(line) => kernel.interrupt(line),
            Step::Exception(vector, error, address) => kernel.exception(vector, error, address),
            Step::Interrupt(number) => kernel.software_interrupt(number),
            Step::Call { .. } => self.call(current, step),
        }
    }

    fn call(&mut self, current: u16, step: Step) {
        let Step::Call { operation, target, mut words, tag, deadline, second } = step else {
            return;
        };
        let kernel = &mut self.rig.kernel;
        let thread = &mut kernel.threads[current];
        let registers = &mut thread.registers;
        if registers.r12 > u16::MAX as u64 {
            self.open[current as usize] = registers.r12;
        }
        let open = self.open[current as usize];
        let known = |word: u64| if word == OPEN { open } else { word };
        words = words.map(known);
        registers.rax = operation;
        registers.r12 = known(target);
        [registers.r13, registers.r14, registers.r15] = [tag, deadline, known(second)];
        registers.set_words(words);
        if let Some(page) = thread.message_page {
            // Handles and leases that a message in the page would have.
            let handles = (words[0] % 16) | ((words[3] % 16) << 16) | (9 << 32);
            kernel.vm.machine.store(page, 0, handles);
            for lease in 0..4 {
                kernel.vm.machine.store(page, 8 + 2 * lease, words[2]);
                kernel.vm.machine.store(page, 9 + 2 * lease, 5000 | words[5] << 63);
            }
        }
        kernel.system_call();
    }
}

/// Every live thread is in exactly the queue that its state names.
pub(crate) fn check_threads(kernel: &Kernel<Fake>) {
    let threads = &kernel.threads;
    let mut queued = Vec::new();
    for cpu in core::iter::once(&kernel.cpu).chain(&kernel.parked) {
        for thread in cpu.ready.members(threads) {
            assert_eq!((threads[thread].state, threads[thread].queue), (State::Ready, cpu.number));
            assert!(threads[thread].obstacles.may_run_on(cpu.number));
            queued.push(thread);
        }
    }
    for id in kernel.endpoints.ids() {
        let endpoint = kernel.endpoints.find(id).unwrap();
        for sender in endpoint.senders.members(threads) {
            let state = threads[sender].state;
            assert!(state == State::Calling(id) || state == State::Sending(id));
            queued.push(sender);
        }
        for receiver in endpoint.receivers.members(threads) {
            assert_eq!(threads[receiver].state, State::Receiving(id));
            queued.push(receiver);
        }
        assert!(endpoint.senders.is_empty() || endpoint.receivers.is_empty());
        assert!(endpoint.notices.is_empty() || endpoint.receivers.is_empty());
        for call in kernel.noticed(id) {
            let caller = threads.id_at(call.thread() as u32).and_then(|id| threads.get(id));
            let is_open = |t: &Thread| matches!(t.state, State::Open(_));
            assert!(!caller.is_some_and(|t| t.sequence == call.sequence() && is_open(t)));
        }
    }
    for id in kernel.notifications.ids() {
        let notification = kernel.notifications.find(id).unwrap();
        for waiter in notification.waiters.members(threads) {
            assert_eq!(threads[waiter].state, State::Waiting(id));
            queued.push(waiter);
        }
        let bound = notification.bound;
        assert!(bound == NIL || threads[bound].bound == Some(id));
    }
    queued.sort_unstable();
    assert!(queued.windows(2).all(|pair| pair[0] != pair[1]), "in two queues: {queued:?}");
    for id in threads.ids() {
        let slot = id.index() as u16;
        let thread = &threads[slot];
        let rests = matches!(thread.state, State::Stopped | State::Open(_));
        let rests = rests || kernel.is_current(slot);
        assert_eq!(queued.binary_search(&slot).is_err(), rests, "{slot} {:?}", thread.state);
        let waits = !matches!(thread.state, State::Stopped | State::Ready);
        assert!(waits || !thread.obstacles.is_timed());
        assert_eq!(thread.answerer.is_some(), matches!(thread.state, State::Open(_)));
        assert!(kernel.vm.spaces.find(thread.space.unwrap()).is_some());
    }
    let paid: u64 = threads.ids().map(|id| kernel.times(id.index() as u16)[0]).sum();
    let passed = kernel.vm.machine.now * (kernel.parked.len() as u64 + 1);
    assert!(paid <= passed, "{paid} paid for of {passed}");
    processors::check(kernel);
}

/// Frames are shared and pinned as often as somebody refers to them; what page tables show is
/// what mappings allow.
pub(crate) fn check_frames(kernel: &Kernel<Fake>) {
    let (vm, machine) = (&kernel.vm, &kernel.vm.machine);
    let mut counts = std::vec![(0, 0); fake::FRAMES];
    for memory in vm.memories.ids().filter_map(|id| vm.memories.find(id)) {
        memory.frames(machine).iter().for_each(|frame| counts[frame.0 as usize].0 += 1);
        let kept = memory.sweep.and_then(|sweep| sweep.kept());
        kept.iter().for_each(|frame| counts[frame.0 as usize].0 += 1);
    }
    for table in kernel.tables.ids().filter_map(|id| kernel.tables.find(id)) {
        table.frames(machine).iter().for_each(|frame| counts[frame.0 as usize].0 += 1);
    }
    for thread in kernel.threads.ids().filter_map(|id| kernel.threads.get(id)) {
        thread.extended.iter().for_each(|frame| counts[frame.0 as usize].0 += 1);
        thread.message_page.iter().for_each(|frame| counts[frame.0 as usize].1 += 1);
    }
    for id in vm.spaces.ids() {
        let root = vm.spaces.find(id).unwrap().root.unwrap();
        counts[root.0 as usize].0 += 1;
        for (address, (frame, access)) in &machine.tables[&root] {
            let (_, mapping) = vm.covering(id, *address).expect("mapped by nobody");
            let memory = vm.memories.find(mapping.memory.unwrap()).unwrap();
            // What a sweep has not come to yet shows what was before.
            let is_swept = memory.sweep.is_some();
            let shown = memory.frame(machine, mapping.page(*address));
            let before = memory.sweep.and_then(|sweep| sweep.kept());
            assert!(shown == Some(*frame) || before == Some(*frame));
            // So does what a Protect that is not finished has not come to.
            assert!(mapping.most.contains(Rights::READ));
            if *access == Access::Write {
                assert!(mapping.most.contains(Rights::WRITE));
                assert!(vm.frames.shares(*frame) == 1 || is_swept);
            }
            assert!(*access != Access::Execute || mapping.most.contains(Rights::EXECUTE));
        }
    }
    assert_eq!(vm.frames.counts(), counts);
}

/// Quotas have paid for exactly what refers to them.
pub(crate) fn check_quotas(kernel: &Kernel<Fake>, uncharged: usize) {
    let vm = &kernel.vm;
    for id in vm.quotas.ids() {
        let quota = vm.quotas.find(id).unwrap();
        let (pages, objects) = charges(kernel, id);
        assert_eq!(quota.pages_used, pages);
        let uncharged = if quota.parent.is_none() { uncharged } else { 0 };
        assert_eq!(quota.objects_used + uncharged, objects);
        assert!(pages <= quota.pages_limit && quota.objects_used <= quota.objects_limit);
    }
}

fn charges(kernel: &Kernel<Fake>, id: crate::arena::Id<crate::quota::Quota>) -> (usize, usize) {
    let vm = &kernel.vm;
    let own = Some(id);
    let mut charges: Vec<(usize, usize)> = Vec::new();
    let memories = vm.memories.ids().filter_map(|id| vm.memories.find(id));
    let memories = memories.filter(|memory| memory.quota == own);
    let kept =
        |memory: &crate::memory::Memory| memory.sweep.is_some_and(|sweep| sweep.is_charged());
    charges.extend(memories.map(|memory| {
        (memory.frames(&vm.machine).len() + usize::from(kept(memory)), Memory::COST)
    }));
    let mappings = vm.mappings.ids().filter_map(|id| vm.mappings.get(id)?.space);
    let payers = mappings.filter_map(|space| vm.spaces.find(space)?.quota);
    charges.extend(payers.filter(|payer| *payer == id).map(|_| (0, crate::mapping::Mapping::COST)));
    let spaces = vm.spaces.ids().filter_map(|id| vm.spaces.find(id));
    charges.extend(spaces.filter(|space| space.quota == own).map(|_| (1, Space::COST)));
    let threads = kernel.threads.ids().filter_map(|id| kernel.threads.get(id));
    let threads = threads.filter(|thread| thread.quota == own);
    charges.extend(threads.map(|thread| {
        (thread.extended.iter().count() + thread.message_page.iter().count(), Thread::COST)
    }));
    let tables = kernel.tables.ids().filter_map(|id| kernel.tables.find(id));
    let tables = tables.filter(|table| table.quota == own);
    charges.extend(tables.map(|table| (table.price(), Table::COST)));
    let quotas = vm.quotas.ids().filter_map(|id| vm.quotas.find(id));
    let quotas = quotas.filter(|quota| quota.parent == own);
    charges.extend(quotas.map(|quota| (quota.pages_limit, quota.objects_limit + Quota::COST)));
    let endpoints = kernel.endpoints.ids().filter_map(|id| kernel.endpoints.find(id)?.quota);
    let notifications = kernel.notifications.ids();
    let notifications = notifications.filter_map(|id| kernel.notifications.find(id)?.quota);
    let timers = kernel.timers.ids().filter_map(|id| kernel.timers.find(id)?.quota);
    let others = (endpoints.map(|payer| (payer, Endpoint::COST)))
        .chain(notifications.map(|payer| (payer, Notification::COST)))
        .chain(timers.map(|payer| (payer, Timer::COST)));
    charges.extend(others.filter(|(payer, _)| *payer == id).map(|(_, cost)| (0, cost)));
    charges.iter().fold((0, 0), |sum, charge| (sum.0 + charge.0, sum.1 + charge.1))
}

/// Returns how many objects of the first quota nobody paid for.
fn excess(kernel: &Kernel<Fake>) -> usize {
    let root = kernel.vm.quotas.id_at(0).unwrap();
    charges(kernel, root).1 - kernel.vm.quotas.get(root).unwrap().objects_used
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(50)))]
    #[test]
    fn whatever_programs_do_the_kernel_s_state_makes_sense(
        steps in prop::collection::vec(any::<u64>(), 400)
    ) {
        run(1, &steps);
    }

    #[test]
    fn whatever_programs_do_on_two_processors_the_kernel_s_state_makes_sense(
        steps in prop::collection::vec(any::<u64>(), 400)
    ) {
        run(2, &steps);
    }
}

fn run(processors: usize, steps: &[u64]) {
    let mut world = World::new(processors);
    for number in steps {
        world.turn(*number);
        check_threads(&world.rig.kernel);
        check_frames(&world.rig.kernel);
        check_quotas(&world.rig.kernel, world.uncharged);
    }
}
