//! How processes end: by themselves, by a signal, by a fault.

use alloc::format;
use kamen_kit::fault::{Fault, PAGE_FAULT};
use libipc::abi::boot;
use libipc::log::{Level, crash};
use libipc::{Object, OpenCall, Trace, error, log_at};
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
        tell_stack(&process.name, call);
        let stderr = held.stderr;
        let is_console = process.name == "console";
        // Before the end, so that it comes before whatever those say who wait for that.
        match (class, stderr) {
            (Class::Server, _) if is_console => {}
            (Class::Server, _) => self.tell_console(&line),
            (Class::Native | Class::Dos, Some(stderr)) => tell(stderr, &line),
            (Class::Native | Class::Dos, None) => {}
        }
        self.end(pid, ExitStatus(256 + fault.signal()), End::Own(format!("{fault}{why}")));
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

/// Tells the host's tool registers and stack of a program that met an exception.
fn tell_stack(name: &str, call: OpenCall) {
    if let Ok(registers) = call.read_registers() {
        crash::tell(name, &registers, |at, into| match call.copy_in(at, into) {
            Ok(()) => into.len(),
            Err(end) => end.copied,
        });
    }
}

/// Returns whether a process has used all pages that its quota allows, so that the kernel could not
/// supply the page that it touched.
fn is_exhausted(held: &Held) -> bool {
    held.process.quota().inspect().is_ok_and(|usage| usage.values[0] >= usage.values[1])
}
