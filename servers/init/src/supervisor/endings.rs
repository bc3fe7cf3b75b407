//! How processes end: by themselves, by a signal, by a fault.

use alloc::borrow::ToOwned;
use alloc::format;
use kamen_kit::fault::{Fault, PAGE_FAULT};
use libipc::{Object, Within, log};
use protocols::process::{ExitStatus, Pid};
use protocols::stream::{StreamClient, Wait};

use super::launch::Held;
use super::{Supervisor, power};
use crate::manifest::{Program, Restart};
use crate::processes::{Class, Ended};
use crate::run::Mode;

/// How long telling of a fault may take.
const BRIEFLY: Within = Within(100);
/// How often a server is restarted before it stays down.
const MAX_RESTARTS: u32 = 5;

impl Supervisor {
    /// Ends a process that asked for it.
    pub(super) fn end_exited(&mut self, pid: Pid, status: ExitStatus) {
        if let Some(process) = self.processes.running(pid)
            && process.class == Class::Server
        {
            log!("server {} (pid {}) ended with status {}", process.name, pid.0, status.0);
        }
        self.end(pid, status);
    }

    /// Ends a process that met an exception, and tells so in the log and to whoever sees it.
    pub(super) fn end_faulted(&mut self, pid: Pid, fault: &Fault) {
        let Some(process) = self.processes.running(pid) else { return };
        let Some(held) = process.held.as_ref() else { return };
        let class = process.class;
        let what = if class == Class::Server { "server " } else { "" };
        let exhausted = fault.vector == PAGE_FAULT && is_exhausted(held);
        let why = if exhausted { ": its quota of memory is used up" } else { "" };
        let line = format!("{what}{} (pid {}) ended: {fault}{why}", process.name, pid.0);
        log!("{line}");
        let stderr = held.stderr;
        let is_console = process.name == "console";
        let seen = match class {
            // Nobody would look into the log for a server's end before missing the server.
            Class::Server if !is_console && self.run.mode == Mode::Interactive => {
                self.client("console")
            }
            Class::Server => None,
            Class::Native | Class::Dos => stderr,
        };
        if let Some(seen) = seen {
            // Before the end, so that it comes before whatever those say who wait for that.
            // Who cannot be told now has the log.
            let client = StreamClient::with(seen, BRIEFLY);
            let _ = client.write(Wait::Never, format!("{line}\n").as_bytes());
        }
        self.end(pid, ExitStatus(256 + fault.signal()));
    }

    /// Ends a process, tells who waits for it, and sees to what depended on it.
    pub(super) fn end(&mut self, pid: Pid, status: ExitStatus) {
        let Some(Ended { class, name, held }) = self.processes.end(pid, status) else { return };
        let Held { process, exited, stderr, .. } = held;
        drop(process);
        if let Some(exited) = exited {
            // Nobody waits any more if it is refused.
            let _ = exited.signal(1);
            let _ = exited.delete();
        }
        if let Some(stderr) = stderr {
            let _ = stderr.delete();
        }
        match class {
            Class::Server => self.replace_server(&name),
            Class::Native | Class::Dos if pid == self.shell => self.end_session(status),
            Class::Native | Class::Dos => {}
        }
    }

    /// Starts a server again if its policy says so.
    fn replace_server(&mut self, name: &str) {
        let Some(program) = self.manifest.servers().find(|server| server.name == name) else {
            return;
        };
        let program = program.clone();
        let restarts = self.restarts.entry(name.to_owned()).or_insert(0);
        if program.restart == Restart::Always && *restarts < MAX_RESTARTS {
            *restarts += 1;
            match self.start_server(&program) {
                Ok(pid) => log!("server {name} restarted as pid {}", pid.0),
                Err(cause) => {
                    log!("server {name} cannot be restarted: {cause}");
                    self.abandon(&program);
                }
            }
            return;
        }
        log!("server {name} stays down");
        self.abandon(&program);
    }

    /// Takes a service's endpoint away, so that its clients get an error in place of silence.
    pub(super) fn abandon(&mut self, program: &Program) {
        if let Some(endpoint) = self.services.remove(program.service().unwrap_or_default()) {
            // It is init's, with all rights.
            let _ = endpoint.destroy();
            let _ = endpoint.delete();
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

/// Returns whether a process has used all pages that its quota allows, so that the kernel could not
/// supply the page that it touched.
fn is_exhausted(held: &Held) -> bool {
    held.process.quota().inspect().is_ok_and(|usage| usage.values[0] >= usage.values[1])
}
