//! The protocol `process`: native programs start, watch, signal and list Linux processes.

use alloc::vec::Vec;

use kamen_kit::{Arguments, MAX_BLOCK};
use libipc::{Caller, Endpoint, Notification, ReadLease, WriteLease};
use protocols::process::{ExitStatus, Pid as WirePid, Process as Protocol, ProcessError, Signal};
use protocols::stream::StreamKind;

use crate::Errno;
use crate::exec::has_dos_name;
use crate::open::{Object, Stream};
use crate::process::{Client, Life, Pid, Process};
use crate::signal::Info;
use crate::unix::{Launch, Unix};

impl Unix {
    /// Returns what a capability to a stream is for a process here: the own open file that it
    /// names, or a stream of another server.
    fn adopt(&mut self, stream: Endpoint) -> Object {
        if let Some(badge) = self.servers.own_badge(stream)
            && let Some(file) = self.exported.get(&badge)
        {
            let object = file.borrow().object.clone();
            // Of a node that can be held no more nothing can be read either.
            if let Ok(object) = self.with_own_hold(object) {
                self.servers.close(stream);
                return object;
            }
        }
        let kind = self.servers.kind(stream).unwrap_or(StreamKind::Pipe);
        Object::Stream(Stream::owned(stream, kind, &self.closed))
    }

    fn own(&self, caller: &Caller, pid: WirePid) -> Result<&Process, ProcessError> {
        let pid = Pid(u32::try_from(pid.0).map_err(|_| ProcessError::NoProcess)?);
        let process = self.processes.get(&pid).ok_or(ProcessError::NoProcess)?;
        let owns = process.client.is_some_and(|client| client.badge == caller.badge);
        if owns { Ok(process) } else { Err(ProcessError::NoProcess) }
    }
}

impl Protocol for Unix {
    fn spawn(
        &mut self,
        caller: &Caller,
        stdin: Endpoint,
        stdout: Endpoint,
        stderr: Endpoint,
        exited: Notification,
        arguments: ReadLease<'_>,
    ) -> Result<WirePid, ProcessError> {
        let streams = [stdin, stdout, stderr].map(|stream| self.adopt(stream));
        let arguments = parse(&arguments)?;
        let client = Client { badge: caller.badge, exited };
        let launch = Launch {
            cwd: arguments.cwd,
            arguments: arguments.argv,
            environment: arguments.env,
            streams,
            client,
        };
        let pid = self.launch(launch).map_err(process_error)?;
        Ok(WirePid(pid.0.into()))
    }

    fn status(&mut self, caller: &Caller, process: WirePid) -> Result<ExitStatus, ProcessError> {
        let process = self.own(caller, process)?;
        let Life::Zombie(ending) = process.life else { return Err(ProcessError::WouldBlock) };
        let (pid, client) = (process.pid, process.client);
        self.processes.remove(&pid);
        if let Some(client) = client {
            self.servers.forget(client.exited);
        }
        Ok(ending.exit_status())
    }

    fn signal(
        &mut self,
        _caller: &Caller,
        process: WirePid,
        signal: Signal,
    ) -> Result<(), ProcessError> {
        let pid = Pid(u32::try_from(process.0).map_err(|_| ProcessError::NoProcess)?);
        let lives = self.processes.get(&pid).is_some_and(|process| !process.is_zombie());
        if !lives {
            return Err(ProcessError::NoProcess);
        }
        self.send(pid, Info::of_user(signal as u8, 0, 0));
        Ok(())
    }

    fn badges(
        &mut self,
        _caller: &Caller,
        after: WirePid,
        into: WriteLease<'_>,
    ) -> Result<u64, ProcessError> {
        let mut text = Vec::new();
        for process in self.processes.values().filter(|p| u64::from(p.pid.0) > after.0) {
            let threads = process.threads.iter();
            let lines = threads.map(|thread| alloc::format!("{} {}\n", process.pid.0, thread.0));
            let lines: alloc::string::String = lines.collect();
            if (text.len() + lines.len()) as u64 > into.len() {
                break;
            }
            text.extend_from_slice(lines.as_bytes());
        }
        into.write_at(0, &text).map_err(|_| ProcessError::Invalid)?;
        Ok(text.len() as u64)
    }

    fn list(
        &mut self,
        _caller: &Caller,
        after: WirePid,
        into: WriteLease<'_>,
    ) -> Result<u64, ProcessError> {
        let mut text = Vec::new();
        for process in self.processes.values().filter(|p| u64::from(p.pid.0) > after.0) {
            let state = match process.life {
                Life::Running => "running",
                Life::Stopped(_) => "stopped",
                Life::Zombie(_) => "ended",
            };
            let personality = match process.native {
                None => "unix",
                Some(_) if has_dos_name(&process.executable) => "dos",
                Some(_) => "native",
            };
            let name = process.display_name();
            let (pid, parent) = (process.pid.0, process.parent.0);
            let line = alloc::format!("{pid} {parent} {state} {personality} {name}\n");
            if (text.len() + line.len()) as u64 > into.len() {
                break;
            }
            text.extend_from_slice(line.as_bytes());
        }
        into.write_at(0, &text).map_err(|_| ProcessError::Invalid)?;
        Ok(text.len() as u64)
    }

    fn exit(&mut self, _caller: &Caller, _status: ExitStatus) -> Result<(), ProcessError> {
        // Linux programs have a system call for that; native ones ask init.
        Err(ProcessError::NoProcess)
    }
}

fn parse(lease: &ReadLease<'_>) -> Result<Arguments, ProcessError> {
    if lease.len() > MAX_BLOCK as u64 {
        return Err(ProcessError::Invalid);
    }
    let mut block = alloc::vec![0; lease.len() as usize];
    lease.read_at(0, &mut block).map_err(|_| ProcessError::Invalid)?;
    Arguments::parse(&block).map_err(|_| ProcessError::Invalid)
}

fn process_error(errno: Errno) -> ProcessError {
    match errno {
        Errno::ENOENT | Errno::ENOTDIR => ProcessError::NotFound,
        Errno::ELIBBAD => ProcessError::Unsupported,
        Errno::ENOMEM | Errno::EAGAIN => ProcessError::NoResources,
        Errno::E2BIG | Errno::ENAMETOOLONG => ProcessError::Invalid,
        _ => ProcessError::NotExecutable,
    }
}
