//! All processes, each with a row in kept memory.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Deref;

use crate::Errno;
use crate::kept::{Row, Tables, process};
use crate::process::{Pid, Process};

/// All processes.
#[derive(Debug)]
pub struct Processes {
    all: BTreeMap<Pid, Process>,
    tables: &'static Tables,
}

impl Deref for Processes {
    type Target = BTreeMap<Pid, Process>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

impl Processes {
    /// Returns no processes.
    pub fn new(tables: &'static Tables) -> Self {
        Processes { all: BTreeMap::new(), tables }
    }

    /// Returns the row of a new process, which has no descriptors yet.
    ///
    /// # Errors
    /// EAGAIN: there are too many.
    pub fn new_row(&self, pid: Pid) -> Result<Row, Errno> {
        let row = self.tables.processes.take().ok_or(Errno::EAGAIN)?;
        self.tables.processes.put(row, process::PID, pid.0.into());
        for field in 0..process::DESCRIPTOR_ROWS {
            self.tables.processes.put(row, process::DESCRIPTORS + field, 0);
        }
        Ok(row)
    }

    /// Adds a process.
    pub fn insert(&mut self, pid: Pid, process: Process) {
        self.all.insert(pid, process);
    }

    /// Returns a process, to be changed.
    #[inline]
    pub fn get_mut(&mut self, pid: &Pid) -> Option<&mut Process> {
        self.all.get_mut(pid)
    }

    /// Returns all processes, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Process> {
        self.all.values_mut()
    }

    /// Takes a process out.
    pub fn remove(&mut self, pid: &Pid) -> Option<Process> {
        let mut process = self.all.remove(pid)?;
        process.descriptors.give_up();
        self.tables.processes.free(process.row);
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
