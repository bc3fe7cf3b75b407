//! A life that takes up what an earlier one kept.
//!
//! ```text
//!   rows of descriptions ─> descriptions ──┐
//!   rows of processes, descriptors ────────┴─> processes <── threads <── rows of threads
//!   rows of pipes: those that nobody has open any more go; named ones are found by their nodes
//! ```
//!
//! Calls that were not answered come again by themselves, `replayed` (`answers`). What is not kept
//! yet is not there: sockets and the like are closed, locks are given back, and the memory of
//! processes comes from whoever still has it.

use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use crate::kept::Row;
use crate::memory::Mm;
use crate::open::{Description, Descriptors, row};
use crate::pipe;
use crate::process::{Pid, Process, Thread, ThreadNumber};
use crate::unix::Unix;

impl Unix {
    /// Takes up processes, threads, descriptors and pipes; `memory` has a process's memory.
    pub fn take_up(&mut self, mut memory: impl FnMut(Pid) -> Option<Rc<RefCell<Mm>>>) {
        let files = self.take_up_files();
        let rows: Vec<Row> = self.kept.processes.rows().collect();
        for row in rows {
            let file = |row: Row| files.get(&row).cloned();
            let descriptors = Descriptors::take_up(self.kept, row, file);
            let mut process = Process::take_up(self.kept, row, descriptors);
            process.mm = memory(process.pid).filter(|_| !process.is_zombie());
            self.last_pid = self.last_pid.max(process.pid.0);
            self.processes.insert(process.pid, process);
        }
        drop(files);
        self.take_up_threads();
        self.take_up_pipes();
        self.take_up_times();
        self.commit();
        // An earlier life may not have come to that.
        let threads: Vec<ThreadNumber> = self.threads.keys().copied().collect();
        threads.into_iter().for_each(|number| self.recall_for_signals(number));
    }

    /// Returns the descriptions that could be kept, by their rows; the others are given up.
    fn take_up_files(&mut self) -> BTreeMap<Row, Description> {
        let rows: Vec<Row> = self.kept.files.rows().collect();
        let mut files = BTreeMap::new();
        for row in rows {
            match row::take_up(self.kept, row, &self.pipes, &self.closed) {
                Some(file) => drop(files.insert(row, file)),
                None => row::forget(self.kept, row),
            }
        }
        files
    }

    fn take_up_threads(&mut self) {
        let mut threads: Vec<Thread> =
            self.kept.threads.rows().map(|row| Thread::take_up(self.kept, row)).collect();
        // The first of a process is the one that was made first.
        threads.sort_unstable_by_key(|thread| thread.number);
        for thread in threads {
            self.next_number = self.next_number.max(thread.number.0);
            self.last_pid = self.last_pid.max(thread.tid.0);
            match self.processes.get_mut(&thread.pid) {
                Some(process) => process.threads.push(thread.number),
                None => {
                    thread.give_up(self.kept);
                    continue;
                }
            }
            self.threads.insert(thread.number, thread);
        }
    }

    fn take_up_pipes(&mut self) {
        for row in self.pipes.take_up() {
            self.next_number = self.next_number.max(self.kept.pipes.get(row, pipe::fields::ID));
            if let Some(pipe) = self.pipes.weak(row)
                && let Some(node) = pipe.node()
            {
                self.fifos.take_up(node, pipe);
            }
        }
    }

    /// Has alarms come at their times.
    fn take_up_times(&mut self) {
        let alarms = self.processes.values().filter_map(|process| Some(process.alarm?.at));
        if let Some(next) = alarms.min() {
            self.wake_at(next);
        }
    }
}
