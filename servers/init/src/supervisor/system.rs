//! The system protocol: power, memory, log.

use libipc::{Caller, Object, log};
use protocols::system::{MemoryUse, System, SystemError};

use super::{SYSTEM_BADGE, Supervisor, pid_of};

impl System for Supervisor {
    fn power_off(&mut self, caller: &Caller, status: u64) -> Result<(), SystemError> {
        allowed(caller)?;
        self.shut_down(status as u8)
    }

    fn memory(&mut self, caller: &Caller) -> Result<MemoryUse, SystemError> {
        allowed(caller)?;
        let machine = self.machine.quota.inspect().map_or(0, |inspection| inspection.badge);
        let (total, free) = (machine >> 32, machine & 0xffff_ffff);
        Ok(MemoryUse { total, used: total - free })
    }

    fn log(&mut self, caller: &Caller, line: &[u8]) -> Result<(), SystemError> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        log!("process {}: {}", pid_of(caller.badge).0, line.escape_ascii());
        Ok(())
    }
}

/// Refuses callers whose capability is for the process protocol.
fn allowed(caller: &Caller) -> Result<(), SystemError> {
    if caller.badge & SYSTEM_BADGE == 0 { Err(SystemError::Denied) } else { Ok(()) }
}
