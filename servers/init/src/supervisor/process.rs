//! The process protocol for native programs.

use alloc::format;
use alloc::vec;
use kamen_kit::files::Tree;
use kamen_kit::process::{LaunchError, NATIVE_BADGE};
use kamen_kit::{Arguments, MAX_BLOCK, image, path};
use libipc::{
    Caller, Endpoint, Error, Failure, Notification, Object, ReadLease, WriteLease, log, warn,
};
use protocols::file::{FileClient, FileError};
use protocols::process::{ExitStatus, Pid, Process, ProcessError, Signal};

use super::launch::{Candidate, Powers, Streams, classify, explain};
use super::{PATIENCE, Supervisor, pid_of, text};
use crate::policy::End;
use crate::processes::{Class, SUPERVISOR};

/// Longest image that init loads from the file server, in bytes.
const MAX_IMAGE: usize = 8 * 1024 * 1024;
/// Most bytes of one answer to `list`.
pub(super) const MAX_LIST: usize = 4096;

impl Process for Supervisor {
    fn spawn(
        &mut self,
        caller: &Caller,
        stdin: Endpoint,
        stdout: Endpoint,
        stderr: Endpoint,
        exited: Notification,
        arguments: ReadLease<'_>,
    ) -> Result<Pid, ProcessError> {
        let streams = Streams { stdin, stdout, stderr };
        let result = self.spawn_native(pid_of(caller.badge), streams, exited, arguments);
        // The child has copies of its own; what init needs later it keeps if there is a child.
        discard(stdin);
        discard(stdout);
        if result.is_err() {
            discard(stderr);
            discard(exited);
        }
        result
    }

    fn status(&mut self, caller: &Caller, process: Pid) -> Result<ExitStatus, ProcessError> {
        self.processes.take_status(pid_of(caller.badge), process)
    }

    fn signal(&mut self, caller: &Caller, pid: Pid, signal: Signal) -> Result<(), ProcessError> {
        let caller = pid_of(caller.badge);
        let powers = self.processes.running(caller).and_then(|process| process.held.as_ref());
        let powers = powers.map_or(Powers::Own, |held| held.powers);
        let process = self.processes.running(pid).ok_or(ProcessError::NoProcess)?;
        let allowed = match powers {
            // A server can be killed, as a fault would, but not be asked to end.
            Powers::All => process.class != Class::Server || signal == Signal::Kill,
            Powers::Own => process.parent == caller && caller != SUPERVISOR,
        };
        if !allowed {
            return Err(ProcessError::NoProcess);
        }
        if process.class == Class::Server {
            log!("server {} (pid {}) is killed by process {}", process.name, pid.0, caller.0);
        }
        // Native programs have no handlers: every signal ends them.
        self.end(pid, ExitStatus(256 + signal as u64), End::Requested);
        Ok(())
    }

    fn list(
        &mut self,
        _caller: &Caller,
        after: Pid,
        into: WriteLease<'_>,
    ) -> Result<u64, ProcessError> {
        let room = into.len().min(MAX_LIST as u64) as usize;
        let lines = self.processes.list(after, room);
        into.write_at(0, &lines).map_err(|_| ProcessError::Invalid)?;
        Ok(lines.len() as u64)
    }

    fn badges(
        &mut self,
        _caller: &Caller,
        after: Pid,
        into: WriteLease<'_>,
    ) -> Result<u64, ProcessError> {
        let room = into.len().min(MAX_LIST as u64) as usize;
        let badge = |pid: Pid| NATIVE_BADGE | pid.0;
        let lines = self.processes.lines(after, room, |pid, process| {
            process.held.as_ref()?;
            Some(format!("{} {}\n", pid.0, badge(pid)))
        });
        into.write_at(0, &lines).map_err(|_| ProcessError::Invalid)?;
        Ok(lines.len() as u64)
    }

    fn exit(&mut self, caller: &Caller, status: ExitStatus) -> Result<(), ProcessError> {
        // The caller is gone when this returns, and with it the call that would be answered.
        let pid = pid_of(caller.badge);
        let class = self.processes.running(pid).map(|process| process.class);
        // Sessions speak for their programs, which signals can end; others only exit.
        let most = if class == Some(Class::Dos) { 0x1ff } else { 0xff };
        self.end_exited(pid, ExitStatus(status.0 & most));
        Ok(())
    }
}

impl Supervisor {
    fn spawn_native(
        &mut self,
        parent: Pid,
        streams: Streams,
        exited: Notification,
        lease: ReadLease<'_>,
    ) -> Result<Pid, ProcessError> {
        let len = usize::try_from(lease.len()).ok().filter(|&len| len <= MAX_BLOCK);
        let mut block = vec![0; len.ok_or(ProcessError::Invalid)?];
        lease.read_at(0, &mut block).map_err(|_| ProcessError::Invalid)?;
        let arguments = Arguments::parse(&block).map_err(|_| ProcessError::Invalid)?;
        let first = arguments.argv.first().ok_or(ProcessError::Invalid)?;
        let file = path::absolute(&arguments.cwd, first);
        let program = self.manifest.native(&file).ok_or(ProcessError::Unsupported)?.clone();
        let loaded;
        let image = match self.archived(&file) {
            Some(image) => image,
            None => {
                loaded = self.load(&file)?;
                &loaded
            }
        };
        if image::kind(image, &file) != image::Kind::Native {
            return Err(ProcessError::NotExecutable);
        }
        let (class, name) = classify(&file, &arguments);
        let streams = Some(streams);
        let exited = Some(exited);
        let arguments = &block;
        self.start_program(&Candidate {
            program: &program,
            class,
            parent,
            name,
            image,
            arguments,
            streams,
            exited,
        })
        .map_err(|error| refusal(&file, &error))
    }

    /// Reads a program from the file server.
    fn load(&self, file: &[u8]) -> Result<alloc::vec::Vec<u8>, ProcessError> {
        let endpoint = self.client("file").ok_or(ProcessError::NotFound)?;
        let tree = Tree::new(FileClient::with(endpoint, PATIENCE));
        let attributes = tree.find(b"/", file).map_err(not_found)?;
        tree.read_all(&attributes, MAX_IMAGE).map_err(not_found)
    }
}

fn not_found(failure: Failure<FileError>) -> ProcessError {
    match failure {
        Failure::Protocol(FileError::NotFound | FileError::NotDirectory) => ProcessError::NotFound,
        Failure::Protocol(FileError::TooLarge) => ProcessError::NoResources,
        Failure::Protocol(_) => ProcessError::NotExecutable,
        Failure::Kernel(_) => ProcessError::NoResources,
    }
}

fn refusal(file: &[u8], error: &LaunchError) -> ProcessError {
    warn!("cannot start {}: {}", text(file), explain(error));
    match error {
        LaunchError::Elf(_) | LaunchError::NotNative => ProcessError::NotExecutable,
        LaunchError::TooLong => ProcessError::Invalid,
        LaunchError::Kernel(Error::QuotaExhausted | Error::OutOfMemory | Error::TableFull) => {
            ProcessError::NoResources
        }
        LaunchError::Kernel(_) => ProcessError::Unsupported,
    }
}

/// Deletes a capability that came with a request.
fn discard(object: impl Object) {
    // The null handle, or one sent twice, is gone already.
    let _ = object.delete();
}
