//! Random system calls with nearly valid arguments leave a kernel whose state makes sense.

use kamen_abi::{FOREVER, NOW, ObjectKind, Operation, PAGE_SIZE, Rights, Tag, boot};
use proptest::prelude::*;
use std::vec::Vec;

use crate::fake::{DATA, Fake, Rig};
use crate::machine::{Access, Machine, Next};
use crate::queue::NIL;
use crate::thread::{State, Thread};
use crate::{Kernel, fake};

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The running thread's system call.
    Call { operation: u64, target: u64, words: [u64; 6], tag: u64, deadline: u64, second: u64 },
    /// The running thread's exception: vector, error code, address.
    Exception(u8, u64, u64),
    /// The running thread's `int n`.
    Interrupt(u8),
    /// An interrupt on a line.
    Line(u32),
    /// Time passes.
    Tick,
}

/// Stands for the open call that the running thread received last.
const OPEN: u64 = u64::MAX - 1;

/// What a step's number is drawn out to: dice that fall the same way for the same number.
struct Dice(u64);

impl Dice {
    /// Returns a number below `sides` (SplitMix64).
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ bits >> 31) % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize]
    }

    fn handle(&mut self) -> u64 {
        match self.roll(16) {
            0..4 => 1 + self.roll(7),
            4..10 => 8 + self.roll(6),
            10..13 => 14 + self.roll(26),
            13 => 0,
            _ => OPEN,
        }
    }

    fn address(&mut self) -> u64 {
        let page = DATA + self.roll(64) * PAGE_SIZE as u64;
        let last = kamen_abi::USER_END as u64 - 4096;
        match self.roll(16) {
            0..12 => page,
            12..15 => page + 4092,
            _ => self.pick(&[last, 1 << 47, u64::MAX - 4095, u64::MAX, 0]),
        }
    }

    fn number(&mut self) -> u64 {
        match self.roll(12) {
            0..8 => self.roll(12),
            8..10 => self.roll(70),
            10 => 4000 + self.roll(5000),
            _ => self.pick(&[u64::MAX, 1 << 63, 1 << 52, 1 << 16, 1 << 27]),
        }
    }

    fn rights(&mut self) -> u64 {
        let any = self.roll(600);
        self.pick(&[12, 12, 255, 255, 4, 20, 8, any])
    }

    fn word(&mut self) -> u64 {
        match self.roll(4) {
            0 => self.handle(),
            1 => self.address(),
            2 => self.number(),
            _ => self.rights(),
        }
    }

    fn tag(&mut self) -> u64 {
        let (bytes, caps) = (self.roll(70) as usize, self.roll(5) as usize);
        match self.roll(8) {
            0..4 => self.roll(3),
            4..7 => Tag::long(7, bytes, caps, self.roll(5) as usize).0,
            _ => self.roll(u64::MAX),
        }
    }

    /// Messages are half of what happens; whatever destroys is rare.
    fn operation(&mut self) -> u64 {
        match self.roll(32) {
            0..8 => 1 + self.roll(7),
            8..17 => 8 + self.roll(6),
            17..25 => 15 + self.roll(9),
            25..30 => 24 + self.roll(17),
            30 => Operation::Destroy as u64,
            _ => self.roll(Operation::COUNT),
        }
    }

    /// Returns a handle that is likely to be of the kind that an operation wants; see
    /// [`World::new`] for which is where. New objects are in the slots from 4 to 7, then from 14 on.
    fn target(&mut self, operation: u64) -> u64 {
        let any = self.handle();
        let new = self.pick(&[4, 5, 6, 7, 14, 15, 16]);
        let likely = match Operation::from_number(operation) {
            Some(Operation::Call | Operation::Send | Operation::Receive) => self.pick(&[8, 9]),
            Some(Operation::Reply | Operation::ReplyReceive) => OPEN,
            Some(Operation::Signal | Operation::Wait) => 10,
            Some(Operation::Create) => QUOTA,
            Some(Operation::Map | Operation::Unmap | Operation::Protect) => self.pick(&[2, 2, new]),
            Some(
                Operation::Clone
                | Operation::Resize
                | Operation::Commit
                | Operation::Decommit
                | Operation::Supply,
            ) => self.pick(&[MEMORY, new]),
            Some(
                Operation::SetPriority
                | Operation::SetHandler
                | Operation::SetMessagePage
                | Operation::Bind,
            ) => self.pick(&[3, 3, new]),
            Some(
                Operation::ReadRegisters
                | Operation::WriteRegisters
                | Operation::SetSpace
                | Operation::HandOver
                | Operation::CompareExchange,
            ) => self.pick(&[OPEN, OPEN, new]),
            Some(Operation::PortIn | Operation::PortOut | Operation::PortWrite) => 12,
            Some(Operation::Destroy | Operation::Stop) => new,
            _ => self.pick(&[new, any]),
        };
        self.pick(&[likely, likely, likely, any])
    }

    /// Returns the words that an operation would expect, or any.
    fn words(&mut self, operation: u64) -> [u64; 6] {
        let any = [(); 6].map(|()| self.word());
        let (h, a, n, r) = (self.handle(), self.address(), self.number(), self.rights());
        let new = self.pick(&[4, 5, 6, 7, 14, 15]);
        let memory = self.pick(&[MEMORY, new, h]);
        if self.roll(10) == 0 {
            return any;
        }
        match Operation::from_number(operation) {
            Some(Operation::Create) => match self.roll(12) {
                1 => [
                    ObjectKind::Thread as u64,
                    self.pick(&[2, 2, h]),
                    self.pick(&[0, 1, h]),
                    0,
                    0,
                    0,
                ],
                // Memory of the kinds that need no device, the pagers' endpoints being the same.
                6 => [6, 1 + self.roll(10), self.roll(3), self.pick(&[8, 9]), 0, 0],
                kind => [kind, self.pick(&[10, n, h]), self.pick(&[n, h]), n, 0, 0],
            },
            Some(Operation::Copy) => {
                let (from, to) = (self.roll(8), self.roll(8));
                let (to_at, open) = (self.address(), self.pick(&[OPEN, OPEN, h]));
                let id = |place| if place == 1 { memory } else { open };
                let from_at = self.pick(&[a, n, 0]);
                let from_at = if from == 0 { a } else { from_at };
                let to_at = self.pick(&[to_at, n, 8192]);
                [from | to << 8, id(from), from_at, id(to), to_at, self.pick(&[n, 9000])]
            }
            Some(Operation::Commit | Operation::Decommit) => {
                [self.roll(6), self.roll(5), 0, 0, 0, 0]
            }
            Some(Operation::Supply) => {
                [self.roll(6), self.roll(5), self.pick(&[MEMORY, memory]), self.roll(4), 0, 0]
            }
            Some(Operation::Clone) => [h, self.pick(&[8, 9]), 0, 0, 0, 0],
            Some(Operation::Map) => [memory, self.roll(3), a, 1 + self.roll(4), r, 0],
            Some(Operation::Unmap | Operation::Protect) => [a, n, r, 0, 0, 0],
            Some(Operation::Mint) => [self.roll(2), r, n, 0, 0, 0],
            Some(Operation::SetTimer) => [n.wrapping_mul(1000), 0, 0, 0, 0, 0],
            Some(Operation::HandOver) => [self.pick(&[8, 9, h]), n, 0, 0, 0, 0],
            Some(Operation::SetHandler) => [self.pick(&[8, 9, h]), n, self.roll(2), 0, 0, 0],
            Some(Operation::SetMessagePage) => [memory, self.roll(4), 0, 0, 0, 0],
            Some(Operation::Bind) => [self.pick(&[10, new]), 0, 0, 0, 0, 0],
            Some(Operation::SetSpace) => [self.pick(&[2, new]), 0, 0, 0, 0, 0],
            Some(Operation::CompareExchange) => [a & !3, 0, 1, 0, 0, 0],
            Some(Operation::PortIn | Operation::PortOut | Operation::PortWrite) => {
                [0xe9, self.pick(&[1, 2, a]), n, 0, 0, 0]
            }
            Some(Operation::SetPriority | Operation::Resize) => [n, 0, 0, 0, 0, 0],
            _ => [h, n % 16, a, n, h, a],
        }
    }

    fn call(&mut self) -> Step {
        let operation = self.operation();
        let target = self.target(operation);
        let mut words = self.words(operation);
        if operation == Operation::Clone as u64 && self.roll(4) != 0 {
            words[0] = QUOTA;
        }
        let (tag, second) = (self.tag(), self.pick(&[8, 9, 9, target]));
        let later = 1 + self.roll(50_000_000);
        let deadline = self.pick(&[FOREVER, FOREVER, FOREVER, NOW, later]);
        Step::Call { operation, target, words, tag, deadline, second }
    }

    fn step(&mut self) -> Step {
        match self.roll(40) {
            0..32 => self.call(),
            32..34 => Step::Exception(14, self.roll(32), self.address()),
            34 => Step::Exception(self.roll(32) as u8, 0, 0),
            35 => Step::Interrupt(self.roll(256) as u8),
            36 => Step::Line(self.roll(30) as u32),
            _ => Step::Tick,
        }
    }
}

/// Where each program has the capability to its quota.
const QUOTA: u64 = 13;
/// Where each has the capability to the memory that all share.
const MEMORY: u64 = 11;

struct World {
    rig: Rig,
    open: Vec<u64>,
    /// What programs are given.
    give: Vec<(u64, Rights, u64)>,
    /// What the first task waits for.
    idle: u64,
    /// The programs, with their priorities.
    programs: Vec<(u64, fake::Process)>,
    /// Objects that boot made without charging them.
    uncharged: usize,
}

/// The first task's thread.
const FIRST: u16 = 0;
const CLIENT: Rights = Rights(Rights::SEND.0 | Rights::GRANT.0);
/// All rights but to destroy.
const KEEP: Rights = Rights(Rights::ALL.0 & !Rights::DESTROY.0);

impl World {
    /// Four programs with small quotas, over shared endpoints, a notification and a port.
    fn new() -> Self {
        let mut rig = Rig::new();
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
        let mut world = World { rig, open, give, idle, programs, uncharged };
        for priority in [12, 8, 8, 6] {
            world.start(priority);
        }
        world.rest();
        // Small enough for operations to be left half done, for ever or to be taken up again.
        world.rig.kernel.vm.steps.limit(150);
        world
    }

    /// Starts a program with a quota of its own.
    fn start(&mut self, priority: u64) {
        let quota = self.rig.create(ObjectKind::Quota, &[60, 30]);
        let mut give = self.give.clone();
        give[0] = (give[0].0, if priority == 12 { KEEP } else { CLIENT }, priority);
        give.push((quota, Rights::ALL, 0));
        let program = self.rig.process(priority, &give);
        self.rig.ok(Operation::SetHandler, program.thread, &[give[1].0, priority, 0]);
        self.rig.ok(Operation::Start, program.thread, &[]);
        self.programs.push((priority, program));
    }

    /// The first task sleeps until nobody else has had anything to do for a while.
    fn rest(&mut self) {
        let later = self.rig.kernel.vm.machine.now + 100_000_000;
        self.rig.send(Operation::Wait, self.idle, Tag::short(0), later);
    }

    /// The first task makes programs go on that wait or have stopped, and replaces dead ones.
    fn revive(&mut self) {
        for (priority, program) in core::mem::take(&mut self.programs) {
            let stopped = self.rig.invoke(Operation::Stop, program.thread, &[]) == 0;
            if stopped && self.rig.invoke(Operation::Start, program.thread, &[]) == 0 {
                self.programs.push((priority, program));
            } else {
                self.start(priority);
            }
        }
        self.rest();
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
                fake.now = fake.timer.unwrap_or(0).max(fake.now + 1);
                kernel.timer();
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
pub(super) fn check_threads(kernel: &Kernel<Fake>) {
    let threads = &kernel.threads;
    let mut queued = Vec::new();
    for thread in kernel.cpu.ready.members(threads) {
        assert_eq!(threads[thread].state, State::Ready);
        queued.push(thread);
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
    let current = kernel.cpu.current;
    for id in threads.ids() {
        let slot = id.index() as u16;
        let thread = &threads[slot];
        let rests = matches!(thread.state, State::Stopped | State::Open(_)) || slot == current;
        assert_eq!(queued.binary_search(&slot).is_err(), rests, "{slot} {:?}", thread.state);
        let waits = !matches!(thread.state, State::Stopped | State::Ready);
        assert!(waits || !thread.obstacles.is_timed());
        assert_eq!(thread.answerer.is_some(), matches!(thread.state, State::Open(_)));
        assert!(kernel.vm.spaces.find(thread.space.unwrap()).is_some());
    }
    if current != NIL {
        assert_eq!(threads[current].state, State::Ready);
        let (cpu, priority) = (&kernel.cpu, threads[current].priority);
        assert!(!cpu.ready.has_above(priority), "somebody above the current thread waits");
        assert!(cpu.slice_over || priority >= cpu.bar_by_ready(), "an equal waits for ever");
    }
}

/// Frames are shared and pinned as often as somebody refers to them; what page tables show is
/// what mappings allow.
pub(super) fn check_frames(kernel: &Kernel<Fake>) {
    let (vm, machine) = (&kernel.vm, &kernel.vm.machine);
    let mut counts = std::vec![(0, 0); fake::FRAMES];
    for memory in vm.memories.ids().filter_map(|id| vm.memories.find(id)) {
        memory.frames(machine).iter().for_each(|frame| counts[frame.0 as usize].0 += 1);
        let kept = memory.sweep.and_then(|sweep| sweep.kept());
        kept.iter().for_each(|frame| counts[frame.0 as usize].0 += 1);
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
pub(super) fn check_quotas(kernel: &Kernel<Fake>, uncharged: usize) {
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
    charges.extend(
        memories.map(|memory| (memory.frames(&vm.machine).len() + usize::from(kept(memory)), 1)),
    );
    let mappings = vm.mappings.ids().filter_map(|id| vm.mappings.get(id)?.space);
    let payers = mappings.filter_map(|space| vm.spaces.find(space)?.quota);
    charges.extend(payers.filter(|payer| *payer == id).map(|_| (0, crate::mapping::Mapping::COST)));
    let spaces = vm.spaces.ids().filter_map(|id| vm.spaces.find(id));
    charges.extend(spaces.filter(|space| space.quota == own).map(|_| (1, 1)));
    let threads = kernel.threads.ids().filter_map(|id| kernel.threads.get(id));
    let threads = threads.filter(|thread| thread.quota == own);
    charges.extend(threads.map(|thread| (thread.extended.iter().count(), 1)));
    let tables = kernel.tables.ids().filter_map(|id| kernel.tables.find(id));
    let tables = tables.filter(|table| table.quota == own);
    charges.extend(tables.map(|table| (table.pages, 1)));
    let quotas = vm.quotas.ids().filter_map(|id| vm.quotas.find(id));
    let quotas = quotas.filter(|quota| quota.parent == own);
    charges.extend(quotas.map(|quota| (quota.pages_limit, quota.objects_limit + 1)));
    let endpoints = kernel.endpoints.ids().filter_map(|id| kernel.endpoints.find(id)?.quota);
    let notifications = kernel.notifications.ids();
    let notifications = notifications.filter_map(|id| kernel.notifications.find(id)?.quota);
    let timers = kernel.timers.ids().filter_map(|id| kernel.timers.find(id)?.quota);
    let others = endpoints.chain(notifications).chain(timers);
    charges.extend(others.filter(|quota| *quota == id).map(|_| (0, 1)));
    charges.iter().fold((0, 0), |sum, charge| (sum.0 + charge.0, sum.1 + charge.1))
}

/// Returns how many objects of the first quota nobody paid for.
fn excess(kernel: &Kernel<Fake>) -> usize {
    let root = kernel.vm.quotas.id_at(0).unwrap();
    charges(kernel, root).1 - kernel.vm.quotas.get(root).unwrap().objects_used
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]
    #[test]
    fn whatever_programs_do_the_kernel_s_state_makes_sense(
        steps in prop::collection::vec(any::<u64>(), 400)
    ) {
        let mut world = World::new();
        for number in steps {
            world.act(Dice(number).step());
            check_threads(&world.rig.kernel);
            check_frames(&world.rig.kernel);
            check_quotas(&world.rig.kernel, world.uncharged);
        }
    }
}
