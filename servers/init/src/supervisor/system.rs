//! The system protocol: power, memory, log.

use libipc::abi::PAGE_SIZE;
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
        let usage = |object: libipc::Quota| match object.inspect() {
            Ok(inspection) => (inspection.values[0], inspection.values[1]),
            Err(_) => (0, 0),
        };
        let (mut used, total) = usage(self.machine.quota);
        // A process' budget counts as used in init's quota, whether it is used or not.
        for held in self.processes.held() {
            let (child_used, child_limit) = usage(held.process.quota());
            used = used.saturating_sub(child_limit).saturating_add(child_used);
        }
        // The boot archive's pages are no quota's, but nobody else's either.
        let archive = self.machine.archive.len().div_ceil(PAGE_SIZE) as u64;
        Ok(MemoryUse { total: total + archive, used: used + archive })
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
