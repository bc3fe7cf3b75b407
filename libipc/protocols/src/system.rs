//! The supervisor's own operations: power, memory, servers.

use libipc::interface;

/// Why the supervisor refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum SystemError {
    /// No server has that name.
    NotFound = 1,
    /// The caller may not do this.
    Denied = 2,
}

/// Memory of the machine, in pages.
#[derive(libipc::Words, Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemoryUse {
    /// Pages that the kernel found at boot.
    pub total: u64,
    /// Pages in use, kernel, tables and boot archive included.
    pub used: u64,
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
    fn log(&mut self, line: &[u8]) -> Result<(), SystemError>;
}

#[cfg(test)]
mod tests;
