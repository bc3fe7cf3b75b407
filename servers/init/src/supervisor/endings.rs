//! How processes end: by themselves, by a signal, by a fault.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use kamen_kit::fault::{Fault, PAGE_FAULT};
use libipc::abi::boot;
use libipc::log::{Level, crash};
use libipc::{Object, OpenCall, Registers, Trace, error, log_at};
use protocols::process::{ExitStatus, Pid};

use super::launch::Held;
use super::watch::tell;
use super::{Supervisor, power};
use crate::policy::End;
use crate::processes::{Class, Ended};
use crate::run::Mode;

impl Supervisor {
    /// Ends a process that asked for it.
    pub(super) fn end_exited(&mut self, pid: Pid, status: ExitStatus) {
        if let Some(process) = self.processes.running(pid)
            && process.class == Class::Server
        {
            error!("server {} (pid {}) ended with status {}", process.name, pid.0, status.0);
        }
        self.end(pid, status, End::Own(format!("it ended with status {}", status.0)));
    }

    /// Ends a process that met an exception, which is the open call, and tells so in the log and to
    /// whoever sees it.
    pub(super) fn end_faulted(&mut self, pid: Pid, fault: &Fault, call: OpenCall) {
        let Some(process) = self.processes.running(pid) else { return };
        let Some(held) = process.held.as_ref() else { return };
        let class = process.class;
        let (what, level) = match class {
            Class::Server => ("server ", Level::Error),
            Class::Native | Class::Dos => ("", Level::Warn),
        };
        let exhausted = fault.vector == PAGE_FAULT && is_exhausted(held);
        let why = if exhausted { ": its quota of memory is used up" } else { "" };
        let line = format!("{what}{} (pid {}) ended: {fault}{why}", process.name, pid.0);
        log_at!(level, "{line}");
        // The call, and with it the thread, is gone after the end.
        let (name, last) = (process.name.clone(), Last::of(call));
        let stderr = held.stderr;
        let is_console = name == "console";
        // Telling takes long, and the end of a session powers off: a server is back first, of a
        // program all is told first.
        let (before, after) = match class {
            Class::Server => (None, last),
            Class::Native | Class::Dos => (last, None),
        };
        before.iter().for_each(|last| last.tell(&name));
        // Before the end, so that it comes before whatever those say who wait for that.
        match (class, stderr) {
            (Class::Server, _) if is_console => {}
            (Class::Server, _) => self.tell_console(&line),
            (Class::Native | Class::Dos, Some(stderr)) => tell(stderr, &line),
            (Class::Native | Class::Dos, None) => {}
        }
        self.end(pid, ExitStatus(256 + fault.signal()), End::Own(format!("{fault}{why}")));
        after.iter().for_each(|last| last.tell(&name));
    }

    /// Ends a process, tells who waits for it, and sees to what depended on it.
    pub(super) fn end(&mut self, pid: Pid, status: ExitStatus, end: End) {
        let Some(Ended { class, name, held }) = self.processes.end(pid, status) else { return };
        let Held { process, exited, stderr, .. } = held;
        drop(process);
        if self.tracer.take_if(|tracer| *tracer == pid).is_some() {
            // Nobody would end what it began; all others would go on in the slow ways.
            let _ = Trace(boot::TRACE).record(0);
        }
        if let Some(exited) = exited {
            // Nobody waits any more if it is refused.
            let _ = exited.signal(1);
            let _ = exited.delete();
        }
        if let Some(stderr) = stderr {
            let _ = stderr.delete();
        }
        match class {
            Class::Server => {
                if let Some(place) = self.place(&name) {
                    self.replace(place, &end);
                }
            }
            Class::Native | Class::Dos if pid == self.shell => self.end_session(status),
            Class::Native | Class::Dos => {}
        }
    }

    /// Powers off when the shell has ended; a crashed shell at a terminal is started again.
    fn end_session(&mut self, status: ExitStatus) {
        let crashed = status.0 >= 256;
        if crashed && self.run.mode == Mode::Interactive && self.start_shell().is_ok() {
            return;
        }
        self.shut_down(power::code(status));
    }
}

/// Most bytes of stack that are told of a program, for init does nothing else meanwhile: as long as
/// the innermost frames usually are.
const STACK_USUAL: usize = 2048;
/// Most bytes of a stack that was used up: whose frames they are is what one wants to know.
const STACK_USED_UP: usize = crash::STACK_MAX;

/// Registers and stack of a program that met an exception, as they were then.
struct Last {
    registers: Registers,
    /// Where the copy begins.
    from: u64,
    stack: Vec<u8>,
}

impl Last {
    /// Returns what the caller of a call was like, if that can be read.
    fn of(call: OpenCall) -> Option<Self> {
        let registers = call.read_registers().ok()?;
        Some(Last::read(registers, |at, into| match call.copy_in(at, into) {
            Ok(()) => into.len(),
            Err(end) => end.copied,
        }))
    }

    /// Returns registers and the stack that they point to; `read` copies memory from an address on
    /// and returns how many bytes it could.
    fn read(registers: Registers, mut read: impl FnMut(u64, &mut [u8]) -> usize) -> Self {
        let mut from = registers.rsp;
        let mut stack = vec![0; STACK_USUAL];
        let mut len = read(from, &mut stack);
        if len < 8
            && let Some(next) = crash::next_page(from)
        {
            from = next;
            stack.resize(STACK_USED_UP, 0);
            len = read(from, &mut stack);
        }
        stack.truncate(len);
        Last { registers, from, stack }
    }

    /// Tells the host's tool.
    fn tell(&self, name: &str) {
        crash::tell(name, &self.registers, |at, into| self.copy(at, into));
    }

    /// Copies the stack from an address on; returns how many bytes there were.
    fn copy(&self, at: u64, into: &mut [u8]) -> usize {
        let offset = at.checked_sub(self.from).and_then(|offset| usize::try_from(offset).ok());
        let bytes = offset.and_then(|offset| self.stack.get(offset..)).unwrap_or_default();
        let len = bytes.len().min(into.len());
        into[..len].copy_from_slice(&bytes[..len]);
        len
    }
}

/// Returns whether a process has used all pages that its quota allows, so that the kernel could not
/// supply the page that it touched.
fn is_exhausted(held: &Held) -> bool {
    held.process.quota().inspect().is_ok_and(|usage| usage.values[0] >= usage.values[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a stack that is mapped from `first` to `end`; each byte is its address' lowest.
    fn stack(rsp: u64, first: u64, end: u64) -> (Last, usize) {
        let mut reads = 0;
        let last = Last::read(Registers { rsp, ..Registers::default() }, |at, into| {
            reads += 1;
            let there = if at < first { 0 } else { end.saturating_sub(at) as usize };
            let len = there.min(into.len());
            (at..).zip(&mut into[..len]).for_each(|(at, byte)| *byte = at as u8);
            len
        });
        (last, reads)
    }

    #[test]
    fn what_is_copied_of_a_stack_is_bounded() {
        let (last, reads) = stack(0x7010, 0x7000, 0x1_0000);
        assert_eq!((last.from, last.stack.len(), reads), (0x7010, STACK_USUAL, 1));
        let (last, _) = stack(0x7ff0, 0x7000, 0x8000);
        assert_eq!((last.from, last.stack.len()), (0x7ff0, 16));
        // Used up: the page of rsp is not there.
        let (last, reads) = stack(0x6ff0, 0x7000, 0x1_0000);
        assert_eq!((last.from, last.stack.len(), reads), (0x7000, STACK_USED_UP, 2));
        let (last, _) = stack(u64::MAX - 7, 0x7000, 0x8000);
        assert!(last.stack.is_empty());
    }

    #[test]
    fn what_was_copied_is_told_once_the_program_is_gone() {
        let (last, _) = stack(0x6ff0, 0x7000, 0x7030);
        let mut bytes = [0; 40];
        assert_eq!(last.copy(0x6ff0, &mut bytes), 0);
        assert_eq!((last.copy(0x7008, &mut bytes), bytes[0], bytes[39]), (40, 8, 0x2f));
        assert_eq!(last.copy(0x7028, &mut bytes), 8);
        assert_eq!([0x7030, 0x8000, u64::MAX].map(|at| last.copy(at, &mut bytes)), [0; 3]);
    }
}
