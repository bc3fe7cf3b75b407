//! [`Servers`] by the clients of their protocols.

use alloc::vec::Vec;

use libipc::{Endpoint, Failure, Notification, Object, Rights};
use protocols::console::{ConsoleClient, Modes};
use protocols::process::{ExitStatus, Pid, ProcessClient, ProcessError, Signal};
use protocols::stream::{StreamClient, StreamKind, Wait};
use protocols::system::SystemClient;

use crate::Errno;
use crate::errno::of_stream;
use crate::serve::STREAM_BADGE;
use crate::servers::{Handed, Ready, Servers};
use crate::unix::event;

/// What the personality holds when it starts.
#[derive(Clone, Copy, Debug)]
pub struct Capabilities {
    /// The own endpoint, from which streams are minted.
    pub own: Endpoint,
    /// The console.
    pub console: Option<Endpoint>,
    /// Init's `process`.
    pub process: Option<Endpoint>,
    /// Init's `system`.
    pub system: Option<Endpoint>,
    /// Where streams report that their readiness has changed ([`event::STREAM`]).
    pub stream_events: Notification,
    /// Where init reports the end of native programs ([`event::NATIVE`]).
    pub native_events: Notification,
    /// Where the console reports keys.
    pub console_events: Notification,
}

/// The other servers.
#[derive(Debug)]
pub struct RemoteServers(Capabilities);

impl RemoteServers {
    /// Returns the servers behind capabilities.
    pub fn new(capabilities: Capabilities) -> Self {
        RemoteServers(capabilities)
    }

    fn process(&self) -> Option<ProcessClient> {
        self.0.process.map(ProcessClient::new)
    }

    /// Returns a capability to the stream of a badge.
    fn stream(&self, badge: u64) -> Result<Endpoint, Errno> {
        let rights = Rights::SEND.union(Rights::GRANT);
        Ok(self.0.own.mint(rights, badge | STREAM_BADGE)?)
    }
}

impl Servers for RemoteServers {
    fn kind(&mut self, stream: Endpoint) -> Result<StreamKind, Errno> {
        Ok(StreamClient::new(stream).kind()?)
    }

    fn read(&mut self, stream: Endpoint, into: &mut [u8]) -> Result<usize, Errno> {
        let len = into.len();
        let count = StreamClient::new(stream).read(Wait::Never, into).map_err(of_stream)?;
        Ok((count as usize).min(len))
    }

    fn write(&mut self, stream: Endpoint, bytes: &[u8]) -> Result<usize, Errno> {
        let count = StreamClient::new(stream).write(Wait::Never, bytes).map_err(of_stream)?;
        Ok((count as usize).min(bytes.len()))
    }

    fn ready(&mut self, stream: Endpoint) -> Result<Ready, Errno> {
        let bits = StreamClient::new(stream).watch(self.0.stream_events)?;
        Ok(Ready { read: bits & 1 != 0, write: bits & 2 != 0 })
    }

    fn close(&mut self, stream: Endpoint) {
        // A capability that is gone already needs no deleting.
        let _ = stream.delete();
    }

    fn modes(&mut self, terminal: Endpoint) -> Result<Modes, Errno> {
        Ok(ConsoleClient::new(terminal).modes()?)
    }

    fn set_modes(&mut self, terminal: Endpoint, flush: bool, modes: Modes) -> Result<(), Errno> {
        Ok(ConsoleClient::new(terminal).set_modes(flush.into(), modes)?)
    }

    fn size(&mut self, terminal: Endpoint) -> Result<(u16, u16), Errno> {
        let size = ConsoleClient::new(terminal).size()?;
        Ok((size as u16, (size >> 16) as u16))
    }

    fn take(&mut self, terminal: Endpoint) -> Result<(), Errno> {
        Ok(ConsoleClient::new(terminal).take(self.0.console_events)?)
    }

    fn release(&mut self, terminal: Endpoint) {
        // NotOpen: it was done before, by a console that died since. A console that does not come
        // back has no controller, and nobody here could do more.
        let _ = ConsoleClient::new(terminal).release();
    }

    fn console(&self) -> Option<Endpoint> {
        self.0.console
    }

    fn spawn(&mut self, streams: [Handed; 3], arguments: &[u8]) -> Result<Pid, Errno> {
        let process = self.process().ok_or(Errno::ENOEXEC)?;
        let (mut handed, mut minted) = (Vec::new(), Vec::new());
        for stream in streams {
            handed.push(match stream {
                Handed::File(badge) => {
                    let stream = self.stream(badge)?;
                    minted.push(stream);
                    stream
                }
                Handed::Stream(stream) => stream,
            });
        }
        let [stdin, stdout, stderr] = [handed[0], handed[1], handed[2]];
        let result = process.spawn(stdin, stdout, stderr, self.0.native_events, arguments);
        for stream in minted {
            self.close(stream);
        }
        result.map_err(|failure| match failure {
            Failure::Protocol(ProcessError::NotFound) => Errno::ENOENT,
            Failure::Protocol(ProcessError::NoResources) => Errno::ENOMEM,
            Failure::Protocol(ProcessError::Invalid) => Errno::E2BIG,
            // Not ENOEXEC, which has shells read the program as a script.
            Failure::Protocol(_) | Failure::Kernel(_) => Errno::EACCES,
        })
    }

    fn status(&mut self, process: Pid) -> Option<ExitStatus> {
        self.process()?.status(process).ok()
    }

    fn signal(&mut self, process: Pid, signal: Signal) {
        if let Some(client) = self.process() {
            // It may have ended meanwhile.
            let _ = client.signal(process, signal);
        }
    }

    fn list(&mut self) -> Vec<u8> {
        let mut text = alloc::vec![0; 4096];
        let len = self.process().and_then(|client| client.list(Pid(0), &mut text).ok());
        text.truncate(len.unwrap_or(0) as usize);
        text
    }

    fn own_badge(&mut self, stream: Endpoint) -> Option<u64> {
        let badge = stream.inspect().ok()?.badge;
        (badge & STREAM_BADGE != 0).then_some(badge & !STREAM_BADGE)
    }

    fn forget(&mut self, notification: Notification) {
        // A capability that is gone already needs no deleting.
        let _ = notification.delete();
    }

    fn notify(&mut self, exited: Notification) {
        // A client that is gone wants to know nothing.
        let _ = exited.signal(event::NATIVE);
    }

    fn power_off(&mut self, status: u64) {
        if let Some(system) = self.0.system {
            // There is nobody to tell when it fails.
            let _ = SystemClient::new(system).power_off(status);
        }
    }
}
