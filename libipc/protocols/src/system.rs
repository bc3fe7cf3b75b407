//! The supervisor's own operations: power, memory, servers.

use libipc::log::LINE_MAX;
use libipc::{Memory, Trace, interface};

use crate::process::Pid;

/// Why the supervisor refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum SystemError {
    /// No server has that name.
    NotFound = 1,
    /// The caller may not do this.
    Denied = 2,
    /// The kernel refused, or the caller's memory cannot be written.
    Refused = 3,
}

/// Memory of the machine, in pages.
#[derive(libipc::Words, Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemoryUse {
    /// Pages that the kernel found at boot.
    pub total: u64,
    /// Pages in use, kernel, tables and boot archive included.
    pub used: u64,
}

/// What the machine and init have in use: the same before and after whatever leaves nothing behind.
#[derive(libipc::Words, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holdings {
    /// Pages of the machine that are free.
    pub free_pages: u64,
    /// Pages that quotas are charged for.
    pub charged_pages: u64,
    /// Units for kernel objects in use (`ObjectKind::cost`).
    pub objects: u64,
    /// Capabilities in init's table.
    pub handles: u64,
}

/// The supervisor.
#[interface(number = 7, error = SystemError)]
pub trait System {
    /// Powers the machine off; the host sees `status`.
    #[operation(1)]
    fn power_off(&mut self, status: u64) -> Result<(), SystemError>;
    /// Returns how much memory is in use.
    #[operation(2, idempotent)]
    fn memory(&mut self) -> Result<MemoryUse, SystemError>;
    /// Writes a line to the system's log.
    #[operation(3)]
    fn log(&mut self, #[at_most(LINE_MAX)] line: &[u8]) -> Result<(), SystemError>;
    /// Has the kernel record events of these kinds from now on (0: none), and returns its rings,
    /// to be read.
    #[operation(4)]
    fn trace(&mut self, kinds: u64) -> Result<Memory, SystemError>;
    /// Tells what the kernel's trace calls native programs after the process `after`: lines of
    /// text, "pid slot name\n"; returns how many bytes were written, whole lines only.
    #[operation(5, idempotent)]
    fn slots(&mut self, after: Pid, into: &mut [u8]) -> Result<u64, SystemError>;
    /// Tells of the servers behind the first `skip`, in the manifest's order: lines of text,
    /// "name pid restarts state\n", pid being 0 where none runs, and the state several words;
    /// returns how many bytes were written, whole lines only.
    #[operation(6, idempotent)]
    fn services(&mut self, skip: u64, into: &mut [u8]) -> Result<u64, SystemError>;
    /// Ends the life of the server of this name, or of this service, where it runs, and starts
    /// another one, also where init has given it up; returns the new process.
    #[operation(7)]
    fn restart(&mut self, name: &[u8]) -> Result<Pid, SystemError>;
    /// Returns what is in use.
    #[operation(8, idempotent)]
    fn holdings(&mut self) -> Result<Holdings, SystemError>;
    /// Returns the kernel's trace, to be read only: what each thread of the system does and waits
    /// for ([`Trace::threads`]).
    #[operation(10, idempotent)]
    fn threads(&mut self) -> Result<Trace, SystemError>;
    /// Tells what servers and native programs after the process `after` use, and how often each
    /// was restarted: lines of text, "pid pages quota restarts\n", pages being in use of as many
    /// as the quota allows; returns how many bytes were written, whole lines only.
    #[operation(15, idempotent)]
    fn usage(&mut self, after: Pid, into: &mut [u8]) -> Result<u64, SystemError>;
}

#[cfg(test)]
mod tests;
