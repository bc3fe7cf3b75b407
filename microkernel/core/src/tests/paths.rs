//! The fast path does what the slow path does: random messages, both ways, same state.

use kamen_abi::{FOREVER, NOW, ObjectKind, Operation, PAGE_SIZE, Rights, Tag, USER_END};
use proptest::prelude::*;
use std::format;
use std::string::String;
use std::vec::Vec;

use super::dice::cases;
use crate::fake::{DATA, Process, Rig};
use crate::machine::{FaultAccess, Machine};
use crate::queue::NIL;
use crate::thread::State;

/// Which way system calls go in.
#[derive(Clone, Copy)]
enum Path {
    Fast,
    Slow,
}

/// What the running thread does.
#[derive(Clone, Copy, Debug)]
enum Step {
    Call {
        handle: u64,
        label: u64,
        deadline: u64,
    },
    Send {
        handle: u64,
        deadline: u64,
    },
    Receive {
        handle: u64,
        deadline: u64,
    },
    /// Answers the call received last, or a forged one, and receives.
    ReplyReceive {
        forged: bool,
        label: u64,
        handle: u64,
        deadline: u64,
    },
    /// Answers the call received last, or a forged one, and goes on.
    Reply {
        forged: bool,
        label: u64,
    },
    /// Answers nobody, and receives.
    WaitFor {
        handle: u64,
        deadline: u64,
    },
    Signal {
        handle: u64,
        bits: u64,
    },
    /// Waits for the notification that is bound to the first process, or for the other.
    Wait {
        handle: u64,
        deadline: u64,
    },
    /// Copies between two places: own memory, leases of the call received last and others.
    Copy {
        places: [u64; 2],
        at: [u64; 2],
        len: u64,
    },
    Null,
    Yield,
    /// It meets an exception, where it has a handler.
    Fault,
    /// Time passes.
    Tick,
}

fn deadline() -> impl Strategy<Value = u64> {
    prop_oneof![6 => Just(FOREVER), 1 => Just(NOW), 1 => 1u64..40_000_000]
}

/// A place to copy from or to, most often own memory or a lease.
fn place() -> impl Strategy<Value = u64> {
    prop_oneof![4 => Just(0u64), 4 => 3u64..5, 2 => Just(1), 1 => Just(2), 1 => 0u64..9]
}

fn step() -> impl Strategy<Value = Step> {
    // Handles: 8 and 9 endpoints with all rights, 10 one that may only be sent to; 11 and 12
    // notifications in the same way; 13 memory; 14 nothing.
    let handle = prop_oneof![6 => Just(8u64), 2 => Just(9), 1 => Just(10), 1 => 11u64..15];
    // Bytes and leases, capabilities as well, too many bytes, a kind that is not user space's to say.
    let long = prop_oneof![
        4 => (0u64..40, 0u64..5).prop_map(|(bytes, leases)| bytes << 32 | leases << 48),
        1 => Just(1 << 45 | 8 << 32),
        1 => Just(4000 << 32),
        1 => Just(1 << 56 | 8 << 32),
    ];
    let label = prop_oneof![4 => 0u64..3, 2 => long];
    let answer = prop_oneof![
        3 => (prop::bool::weighted(0.1), label.clone())
            .prop_map(|(forged, label)| Step::Reply { forged, label }),
        2 => (handle.clone(), deadline())
            .prop_map(|(handle, deadline)| Step::WaitFor { handle, deadline }),
    ];
    prop_oneof![
        4 => answer,
        4 => (handle.clone(), label.clone(), deadline())
            .prop_map(|(handle, label, deadline)| Step::Call { handle, label, deadline }),
        1 => (handle.clone(), deadline())
            .prop_map(|(handle, deadline)| Step::Send { handle, deadline }),
        3 => (handle.clone(), deadline())
            .prop_map(|(handle, deadline)| Step::Receive { handle, deadline }),
        6 => (prop::bool::weighted(0.1), label, handle, deadline()).prop_map(
            |(forged, label, handle, deadline)| Step::ReplyReceive { forged, label, handle, deadline }
        ),
        2 => (prop_oneof![2 => Just(11u64), 1 => 8u64..14], 0u64..8)
            .prop_map(|(handle, bits)| Step::Signal { handle, bits }),
        2 => (prop_oneof![2 => Just(11u64), 1 => 8u64..14], prop_oneof![Just(NOW), deadline()])
            .prop_map(|(handle, deadline)| Step::Wait { handle, deadline }),
        4 => ([place(), place()], [0u64..9000, 0u64..9000], prop_oneof![0u64..600, 0u64..5000])
            .prop_map(|(places, at, len)| Step::Copy { places, at, len }),
        2 => prop_oneof![Just(Step::Null), Just(Step::Yield)],
        3 => prop_oneof![2 => Just(Step::Fault), 1 => Just(Step::Tick)],
    ]
}

struct World {
    rig: Rig,
    path: Path,
    processes: Vec<Process>,
    /// The open call that each thread received last.
    open: [u64; 16],
    /// How often the kernel was entered.
    entries: u64,
}

impl World {
    /// Four native threads and a foreign one, over two endpoints; one has a bound notification.
    fn new(path: Path) -> Self {
        let mut rig = Rig::new();
        let (one, two) =
            (rig.create(ObjectKind::Endpoint, &[]), rig.create(ObjectKind::Endpoint, &[]));
        let events = rig.create(ObjectKind::Notification, &[]);
        let memory = rig.create(ObjectKind::Memory, &[2]);
        let give = [
            (one, Rights::ALL, 5),
            (two, Rights::ALL, 6),
            (two, Rights::SEND, 7),
            (events, Rights::ALL, 0),
            (events, Rights::SEND, 4),
            (memory, Rights::ALL, 0),
        ];
        let processes: Vec<Process> =
            [12, 10, 8, 8].iter().map(|priority| rig.process(*priority, &give)).collect();
        let foreign = rig.process(8, &[]);
        rig.ok(Operation::SetHandler, foreign.thread, &[one, 99, 1]);
        rig.ok(Operation::Bind, processes[0].thread, &[events]);
        for process in processes.iter().chain([&foreign]) {
            // Page tables show two pages, the second so that it may be read; more is possible.
            let space = rig.kernel.threads[process.slot].space.unwrap();
            for (page, access) in [(0, FaultAccess::Write), (1, FaultAccess::Read)] {
                let address = DATA as usize + page * PAGE_SIZE;
                rig.kernel.vm.fault(space, address, access).unwrap();
                let frame = rig.kernel.vm.resolve(space, address, FaultAccess::Read).unwrap();
                let number = (process.slot as u64) << 16 | (page as u64) << 12;
                let words = &mut rig.kernel.vm.machine.frames[frame.0 as usize];
                words.iter_mut().zip(number..).for_each(|(word, number)| *word = number);
            }
            rig.ok(Operation::Start, process.thread, &[]);
        }
        let idle = rig.create(ObjectKind::Notification, &[]);
        rig.send(Operation::Wait, idle, Tag::short(0), FOREVER);
        World { rig, path, processes, open: [0; 16], entries: 0 }
    }

    fn act(&mut self, step: Step) {
        let (operation, target, tag, deadline, second) = match step {
            Step::Call { handle, label, deadline } => (Operation::Call, handle, label, deadline, 0),
            Step::Send { handle, deadline } => (Operation::Send, handle, 1, deadline, 0),
            Step::Receive { handle, deadline } => (Operation::Receive, handle, 0, deadline, 0),
            Step::ReplyReceive { forged, label, handle, deadline } => {
                let open = self.last_open() ^ if forged { 1 << 16 } else { 0 };
                (Operation::ReplyReceive, open, label, deadline, handle)
            }
            Step::Reply { forged, label } => {
                let open = self.last_open() ^ if forged { 1 << 16 } else { 0 };
                (Operation::Reply, open, label, FOREVER, 0)
            }
            Step::WaitFor { handle, deadline } => (Operation::ReplyReceive, 0, 0, deadline, handle),
            Step::Signal { handle, bits } => {
                return self.enter(Operation::Signal, handle, [bits, 0, 0, 0, 0, 0], [0; 3]);
            }
            Step::Wait { handle, deadline } => {
                return self.enter(Operation::Wait, handle, [7; 6], [0, deadline, 0]);
            }
            Step::Copy { places: [from, to], at, len } => {
                // Own memory by address, callers' by address, leases and objects by offset.
                let place = |kind: u64, at| match kind {
                    0 => (0, DATA + at),
                    1 => (13, at),
                    2 => (self.last_open(), DATA + at),
                    _ => (self.last_open(), at % 1000),
                };
                let ((id, at), (to_id, to_at)) = (place(from, at[0]), place(to, at[1]));
                let words = [from | to << 8, id, at, to_id, to_at, len];
                return self.enter(Operation::Copy, 0, words, [0; 3]);
            }
            Step::Null => return self.enter(Operation::Null, 0, [7; 6], [0; 3]),
            Step::Yield => return self.enter(Operation::Yield, 0, [0; 6], [0; 3]),
            Step::Fault => return self.fault(),
            Step::Tick => {
                let fake = &mut self.rig.kernel.vm.machine;
                fake.now = fake.timer.unwrap_or(fake.now + 1);
                return self.rig.kernel.timer();
            }
        };
        // Where a handler says the thread goes on, in user space and not.
        let rip = if self.entries.is_multiple_of(4) { USER_END as u64 } else { 0x40_0000 };
        let words = [tag, 2, rip, 4, deadline, 6];
        self.enter(operation, target, words, [tag, deadline, second]);
    }

    fn fault(&mut self) {
        if let crate::Next::Run(thread) = self.rig.kernel.next()
            && thread.handler.is_some()
        {
            thread.is_interrupted = true;
            (thread.registers.rcx, thread.registers.r11) = (self.entries, 11);
            self.rig.kernel.exception(6, 0, 0);
        }
    }

    /// Returns the open call that the running thread received last.
    fn last_open(&self) -> u64 {
        let current = self.rig.kernel.cpu.current;
        if current == NIL { 0 } else { self.open[current as usize] }
    }

    fn enter(&mut self, operation: Operation, target: u64, words: [u64; 6], rest: [u64; 3]) {
        if matches!(self.rig.kernel.next(), crate::Next::Idle) {
            return;
        }
        let current = self.rig.kernel.cpu.current;
        let thread = &mut self.rig.kernel.threads[current];
        let registers = &mut thread.registers;
        if registers.r12 > u16::MAX as u64 && registers.rax == 0 {
            self.open[current as usize] = registers.r12;
        }
        registers.rax = operation as u64;
        registers.r12 = target;
        [registers.r13, registers.r14, registers.r15] = rest;
        registers.set_words(words);
        if let Some(page) = thread.message_page {
            // Endpoint 8 as capability; leases and bytes that differ each time.
            self.entries += 1;
            let fake = &mut self.rig.kernel.vm.machine;
            (0..24).for_each(|word| fake.store(page, word, self.entries << 16 | word as u64));
            fake.store(page, 0, 8);
            // Leases that cross a page's end or do not, to be read or to be written.
            for lease in 0..4 {
                fake.store(page, 8 + 2 * lease, DATA + 3000 * lease as u64);
                fake.store(page, 9 + 2 * lease, 2000 | (lease as u64 & 1) << 63);
            }
        }
        match self.path {
            Path::Fast => self.rig.kernel.system_call(),
            Path::Slow => self.rig.kernel.slow_system_call(),
        }
    }

    /// Everything that user space could ever find out, and who runs.
    fn state(&mut self) -> String {
        let runs = match self.rig.kernel.next() {
            crate::Next::Run(_) => self.rig.kernel.cpu.current,
            crate::Next::Idle => NIL,
        };
        let kernel = &self.rig.kernel;
        let threads: Vec<String> = (0..=self.processes.len() as u16 + 1)
            .filter_map(|slot| kernel.threads.at(slot))
            .map(|t| {
                let mut registers = t.registers;
                if t.state != State::Ready {
                    // What a waiting thread's rax holds until it is given its status is nobody's.
                    registers.rax = 0;
                }
                let page = t.message_page.map(|page| &kernel.vm.machine.frames[page.0 as usize]);
                let page = page.map(|words| &words[..24]);
                format!("{registers:?} {:?} {} {:?} {page:?}", t.state, t.sequence, t.answerer)
            })
            .collect();
        let ids = kernel.notifications.ids();
        let bits: Vec<Option<u64>> =
            ids.map(|id| kernel.notifications.get(id).map(|n| n.bits)).collect();
        format!("{runs} {:?} {bits:?} {threads:#?}", kernel.vm.machine.timer)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(400)))]
    #[test]
    fn the_fast_path_leaves_the_state_that_the_slow_path_leaves(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let (mut fast, mut slow) = (World::new(Path::Fast), World::new(Path::Slow));
        for step in steps {
            fast.act(step);
            slow.act(step);
            prop_assert_eq!(fast.state(), slow.state(), "after {:?}", step);
            if let Step::Copy { .. } = step {
                let (one, other) = (&fast.rig.kernel.vm.machine, &slow.rig.kernel.vm.machine);
                prop_assert!(one.frames == other.frames, "after {:?}", step);
            }
        }
    }
}
