//! Descriptors of processes (pidfd_open(2)): which process each one names.

use alloc::collections::BTreeMap;

use crate::Errno;
use crate::events::MAX_OF_A_KIND;
use crate::process::{Pid, Process};
use crate::readiness::{READABLE, Readiness};
use crate::unix::Unix;
use crate::wake::Channel;

/// A process: its number may have been given out again, but not at the time at which it started.
#[derive(Clone, Copy, Debug)]
struct Named {
    pid: Pid,
    started: u64,
}

/// All descriptors of processes.
#[derive(Default, Debug)]
pub struct ProcessFiles {
    table: BTreeMap<u64, Named>,
}

impl ProcessFiles {
    /// Adds a descriptor of a process.
    ///
    /// # Errors
    /// ENFILE: there are [`MAX_OF_A_KIND`].
    pub fn add(&mut self, number: u64, pid: Pid, started: u64) -> Result<(), Errno> {
        if self.table.len() >= MAX_OF_A_KIND {
            return Err(Errno::ENFILE);
        }
        self.table.insert(number, Named { pid, started });
        Ok(())
    }

    /// Takes one out that nobody has open any more.
    pub fn remove(&mut self, number: u64) {
        self.table.remove(&number);
    }

    /// Returns whether nobody has any open.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }
}

impl Unix {
    /// Returns the process that a descriptor names, until somebody has waited for its end.
    pub(crate) fn process_of(&self, number: u64) -> Option<&Process> {
        let named = self.process_files.table.get(&number)?;
        self.processes.get(&named.pid).filter(|process| process.started == named.started)
    }
}

/// Returns the readiness of a descriptor of a process: it can be read from its end on, which is
/// how poll(2) tells it; reading it is refused (pidfd_open(2), "Use cases for PID file
/// descriptors").
pub fn readiness(unix: &Unix, number: u64) -> Readiness {
    match unix.process_of(number).filter(|process| !process.is_zombie()) {
        Some(process) => Readiness::new(0, Channel::Ended(process.pid)),
        None => Readiness { events: READABLE, channels: [None; 3] },
    }
}
