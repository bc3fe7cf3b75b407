//! All processes and threads, each with a row in kept memory.

use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

use crate::Errno;
use crate::kept::{Key, Records, Row, Tables, process};
use crate::process::{Pid, Process, Thread, ThreadNumber};

impl Key for Pid {
    fn number(self) -> u64 {
        self.0.into()
    }
}

impl Key for ThreadNumber {
    fn number(self) -> u64 {
        self.0
    }
}

/// All threads.
pub type Threads = Records<ThreadNumber, Thread>;

/// All processes.
#[derive(Debug)]
pub struct Processes {
    all: Records<Pid, Process>,
    tables: &'static Tables,
}

impl Deref for Processes {
    type Target = Records<Pid, Process>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl DerefMut for Processes {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.all
    }
}

impl Processes {
    /// Returns no processes.
    pub fn new(tables: &'static Tables) -> Self {
        Processes { all: Records::default(), tables }
    }

    /// Returns the row of a new process. What names something else is 0; the rest is written with
    /// the process.
    ///
    /// # Errors
    /// EAGAIN: there are too many.
    pub fn new_row(&self) -> Result<Row, Errno> {
        let row = self.tables.processes.take().ok_or(Errno::EAGAIN)?;
        let none = [0; process::DESCRIPTOR_ROWS];
        self.tables.processes.put_all(row, process::DESCRIPTORS, &none);
        for place in [process::CWD, process::EXECUTABLE, process::COMMAND_LINE, process::PENDING] {
            self.tables.processes.put_all(row, place, &[0; 2]);
        }
        Ok(row)
    }

    /// Takes a process out.
    pub fn remove(&mut self, pid: &Pid) -> Option<Process> {
        let mut process = self.all.remove(pid)?;
        process.give_up(self.tables);
        Some(process)
    }

    /// Takes the processes out for which `stays` is false.
    pub fn retain(&mut self, mut stays: impl FnMut(&Pid, &Process) -> bool) {
        let going = self.all.iter().filter(|(pid, process)| !stays(pid, process));
        let going: Vec<Pid> = going.map(|(&pid, _)| pid).collect();
        for pid in going {
            self.remove(&pid);
        }
    }
}
