//! The server dies, anywhere in a call, and the next life goes on: nothing is lost or doubled.
//!
//! ```text
//!   program ── call ──> a life of the server, of so many steps ──> answer
//!                          │ death: its memory is taken up, calls that are open are replayed
//! ```
//!
//! A step is a store to kept memory, or something that others see (`fake::Mortal`). What programs
//! are told is compared with what Linux tells them, whose kernel does not die.

extern crate std;

mod programs;

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use kamen_fuzz::Dice;
use libipc::{Caller, Foreign, Kind, OpenCall};

use crate::fake::{Bench, Mortal};
use crate::kept::Kept;
use crate::memory::Mm;
use crate::process::{Pid, ThreadNumber};
use crate::unix::{Reply, Unix};

/// A call that a thread has not got an answer to.
#[derive(Clone, Copy, Debug)]
struct Open {
    number: u32,
    words: [u64; 6],
    sequence: u64,
}

/// Programs on a server that dies.
struct Lives {
    bench: Bench,
    dice: Dice,
    /// What has not been answered, by thread.
    open: BTreeMap<ThreadNumber, Open>,
    sequences: BTreeMap<ThreadNumber, u64>,
    /// Answers that programs have not looked at.
    answers: BTreeMap<ThreadNumber, u64>,
    /// What is not kept yet.
    memory: BTreeMap<Pid, Rc<RefCell<Mm>>>,
    deaths: u32,
}

impl Lives {
    fn new(seed: u64) -> Self {
        Lives {
            bench: Bench::new(),
            dice: Dice(seed),
            open: BTreeMap::new(),
            sequences: BTreeMap::new(),
            answers: BTreeMap::new(),
            memory: BTreeMap::new(),
            deaths: 0,
        }
    }

    fn thread(&self, pid: Pid) -> Option<ThreadNumber> {
        self.bench.unix.processes.get(&pid)?.threads.first().copied()
    }

    /// Makes a call and returns its answer, if it has one now.
    fn call(&mut self, pid: Pid, number: u32, words: &[u64]) -> Option<u64> {
        let thread = self.thread(pid).unwrap();
        let mut all = [0; 6];
        all[..words.len()].copy_from_slice(words);
        self.open.insert(thread, Open { number, words: all, sequence: 0 });
        let mut dead = self.receive(thread, false);
        while dead {
            dead = self.next_life();
        }
        self.gather();
        // What has ended gets no answer.
        let threads = &self.bench.unix.threads;
        self.open.retain(|thread, _| threads.contains_key(thread));
        self.answers.remove(&thread)
    }

    /// Makes a call that is answered at once.
    fn value(&mut self, pid: Pid, number: u32, words: &[u64]) -> u64 {
        self.call(pid, number, words).unwrap_or_else(|| panic!("call {number} waits"))
    }

    /// Returns the answer to a call that waited.
    fn answer(&mut self, pid: Pid) -> Option<u64> {
        let thread = self.thread(pid)?;
        self.answers.remove(&thread)
    }

    /// Gives the server the open call of a thread; returns whether it died.
    fn receive(&mut self, thread: ThreadNumber, replayed: bool) -> bool {
        self.remember_memory();
        let Some(handle) = self.bench.unix.threads.get(&thread).map(|one| one.handle.0.0) else {
            self.open.remove(&thread);
            return false;
        };
        let sequence = self.sequences.entry(thread).or_insert(0);
        *sequence += 1;
        let call = OpenCall::from_raw(*sequence << 16 | u64::from(handle));
        let Some(open) = self.open.get_mut(&thread) else { return false };
        open.sequence = *sequence;
        let Open { number, words, .. } = *open;
        self.bench.machine.0.borrow_mut().calls.insert(call, handle);
        let caller = Caller { badge: thread.0, call, replayed };
        let foreign = Foreign { caller, kind: Kind::SystemCall, number, words };
        // Not before a record is of the call as it came now (decisions/0074, "Consequences").
        let least = if replayed { 2 } else { 0 };
        let steps = if self.dice.one_in(2) { u64::MAX } else { least + self.dice.roll(50) };
        Mortal::live_for(steps);
        let unix = &mut self.bench.unix;
        let result = catch_unwind(AssertUnwindSafe(|| unix.foreign(&foreign)));
        Mortal::live_for(u64::MAX);
        // It may also die between the answer and its way out.
        let dies = result.is_err() || self.dice.one_in(16);
        match result {
            Ok(Some(Reply::Value(value))) if !dies => {
                self.bench.machine.0.borrow_mut().calls.remove(&call);
                self.open.remove(&thread);
                self.answers.insert(thread, value);
            }
            Ok(Some(Reply::Resume)) => panic!("no call here sets registers"),
            _ => {}
        }
        dies
    }

    fn remember_memory(&mut self) {
        for (pid, process) in self.bench.unix.processes.iter() {
            if let Some(mm) = &process.mm {
                self.memory.insert(*pid, mm.clone());
            }
        }
    }

    /// Takes the answers of calls that waited to their programs.
    fn gather(&mut self) {
        let threads: Vec<ThreadNumber> = self.open.keys().copied().collect();
        for thread in threads {
            let Some(known) = self.bench.unix.threads.get(&thread) else { continue };
            let handle = known.handle.0.0;
            let reply = self.bench.machine.0.borrow_mut().replies.remove(&handle);
            match reply {
                Some(Reply::Value(value)) => {
                    self.open.remove(&thread);
                    self.answers.insert(thread, value);
                }
                Some(Reply::Resume) => panic!("no call here sets registers"),
                None => {}
            }
        }
    }

    /// Begins the next life and gives it the calls that are open; returns whether it died, too.
    fn next_life(&mut self) -> bool {
        self.gather();
        self.remember_memory();
        self.deaths += 1;
        let old = &self.bench.unix;
        let (store, rings) = (old.kept.store, old.pipes.take_rings());
        store.begin_again();
        self.bench.machine.0.borrow_mut().calls.clear();
        let next = Unix::new(
            Box::new(self.bench.machine.clone()),
            Box::new(self.bench.files.clone()),
            Box::new(self.bench.servers.clone()),
            Kept::again(store, rings),
        );
        let corpse = core::mem::replace(&mut self.bench.unix, next);
        Mortal::bury(corpse);
        let memory = &self.memory;
        self.bench.unix.take_up(|pid| memory.get(&pid).cloned());
        let faults = self.bench.unix.inconsistencies();
        assert!(faults.is_empty(), "{faults:#?}");
        let threads: Vec<ThreadNumber> = self.open.keys().copied().collect();
        threads.into_iter().any(|thread| self.receive(thread, true))
    }
}
