//! The system protocol: power, memory, log, servers.
//!
//! Whoever holds a capability to it (`system` in the manifest) can read the words of all messages
//! of all processes while it traces, typed passwords and files included: a program that is not to
//! be trusted with them must not get it. One traces at a time: nobody else begins or ends a trace
//! before the tracer ends it, or its process ends.

use alloc::format;
use alloc::vec::Vec;

use libipc::abi::boot;
use libipc::{Caller, Memory, Object, Rights, Thread, Trace, WriteLease, log, warn};
use protocols::process::Pid;
use protocols::system::{Holdings, MemoryUse, System, SystemError};

use super::process::MAX_LIST;
use super::{SYSTEM_BADGE, Supervisor, pid_of};
use crate::processes::SUPERVISOR;

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

    fn trace(&mut self, caller: &Caller, kinds: u64) -> Result<Memory, SystemError> {
        allowed(caller)?;
        let by = pid_of(caller.badge);
        // A capability outlives the process that it was made for, which may have traced by it.
        let tracer = self.tracer.filter(|pid| self.processes.running(*pid).is_some());
        match asked_to_record(kinds, by, tracer) {
            Asked::Record => {
                Trace(boot::TRACE).record(kinds).map_err(|_| SystemError::Refused)?;
                self.tracer = (kinds != 0).then_some(by);
            }
            Asked::Ignore => {}
            Asked::Refuse(Pid(other)) => {
                warn!("process {} can't trace: another trace runs, of process {other}", by.0);
                return Err(SystemError::Refused);
            }
        }
        Ok(Memory(boot::TRACE_MEMORY))
    }

    fn slots(
        &mut self,
        caller: &Caller,
        after: Pid,
        into: WriteLease<'_>,
    ) -> Result<u64, SystemError> {
        allowed(caller)?;
        let room = into.len().min(MAX_LIST as u64) as usize;
        let mut lines = own_slot(after, room);
        lines.extend(self.processes.lines(after, room - lines.len(), |pid, process| {
            let slot = process.held.as_ref()?.process.slot();
            Some(format!("{} {slot} {}\n", pid.0, process.name))
        }));
        into.write_at(0, &lines).map_err(|_| SystemError::Refused)?;
        Ok(lines.len() as u64)
    }

    fn services(
        &mut self,
        caller: &Caller,
        skip: u64,
        into: WriteLease<'_>,
    ) -> Result<u64, SystemError> {
        allowed(caller)?;
        let room = into.len().min(MAX_LIST as u64) as usize;
        let lines = self.standings(skip, room);
        into.write_at(0, &lines).map_err(|_| SystemError::Refused)?;
        Ok(lines.len() as u64)
    }

    fn restart(&mut self, caller: &Caller, name: &[u8]) -> Result<Pid, SystemError> {
        allowed(caller)?;
        self.restart_server(name, pid_of(caller.badge))
    }

    fn holdings(&mut self, caller: &Caller) -> Result<Holdings, SystemError> {
        allowed(caller)?;
        Ok(Supervisor::holdings(self))
    }

    fn threads(&mut self, caller: &Caller) -> Result<Trace, SystemError> {
        allowed(caller)?;
        let seen = match self.seen {
            Some(seen) => seen,
            None => Trace(boot::TRACE)
                .mint(Rights::READ.union(Rights::GRANT), 0)
                .map_err(|_| SystemError::Refused)?,
        };
        Ok(*self.seen.insert(seen))
    }

    fn usage(
        &mut self,
        caller: &Caller,
        after: Pid,
        into: WriteLease<'_>,
    ) -> Result<u64, SystemError> {
        allowed(caller)?;
        let room = into.len().min(MAX_LIST as u64) as usize;
        let lines = self.processes.lines(after, room, |pid, process| {
            let [used, quota, _] = process.held.as_ref()?.process.quota().inspect().ok()?.values;
            let restarts = self.processes.restarts(process);
            Some(format!("{} {used} {quota} {restarts}\n", pid.0))
        });
        into.write_at(0, &lines).map_err(|_| SystemError::Refused)?;
        Ok(lines.len() as u64)
    }
}

/// What is done with somebody's wish to begin a trace, or to end it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    /// What is wished.
    Record,
    /// Nothing: who ends a trace of another's wants to have none, and has none.
    Ignore,
    /// It is refused, as this process traces.
    Refuse(Pid),
}

/// Returns what is done when a process wants events of these kinds (0: none) to be recorded, while
/// `tracer` traces.
fn asked_to_record(kinds: u64, by: Pid, tracer: Option<Pid>) -> Asked {
    match tracer.filter(|tracer| *tracer != by) {
        None => Asked::Record,
        Some(_) if kinds == 0 => Asked::Ignore,
        Some(other) => Asked::Refuse(other),
    }
}

/// Returns init's own line, where it is asked for and there is room.
fn own_slot(after: Pid, room: usize) -> Vec<u8> {
    let slot = Thread(boot::THREAD).inspect().map_or(0, |inspection| inspection.values[2]);
    let line = format!("{} {slot} init\n", SUPERVISOR.0);
    if after < SUPERVISOR && line.len() <= room { line.into_bytes() } else { Vec::new() }
}

/// Refuses callers whose capability is for the process protocol.
fn allowed(caller: &Caller) -> Result<(), SystemError> {
    if caller.badge & SYSTEM_BADGE == 0 { Err(SystemError::Denied) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_traces_at_a_time_and_nobody_else_ends_it() {
        let (one, other) = (Pid(7), Pid(8));
        assert_eq!(asked_to_record(6, one, None), Asked::Record);
        assert_eq!(asked_to_record(0, one, None), Asked::Record);
        // The tracer itself may change its mind.
        assert_eq!(asked_to_record(2, one, Some(one)), Asked::Record);
        assert_eq!(asked_to_record(0, one, Some(one)), Asked::Record);
        assert_eq!(asked_to_record(6, other, Some(one)), Asked::Refuse(one));
        assert_eq!(asked_to_record(0, other, Some(one)), Asked::Ignore);
    }
}
