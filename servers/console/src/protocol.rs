//! The stream and console protocols on the server.

use libipc::{Caller, Notification, ReadLease, WriteLease};
use protocols::console::{Console, Modes, event};
use protocols::stream::{Stream, StreamError, StreamKind, Wait};

use crate::listeners::Admission;
use crate::parked::{PARKED_MAX, Transfer};
use crate::server::Server;
use crate::settings::Line;
use crate::uart::Device;

/// Bits of what [`Stream::watch`] returns.
const CAN_READ: u32 = 1;
const CAN_WRITE: u32 = 2;

impl<D: Device> Stream for Server<D> {
    fn read(
        &mut self,
        caller: &Caller,
        wait: Wait,
        into: WriteLease<'_>,
    ) -> Option<Result<u64, StreamError>> {
        let read = Transfer { call: caller.call, lease: into.index(), len: into.len() };
        // Who waits comes first.
        let answer = if self.parked.reads.is_empty() { self.read(read, wait) } else { None };
        if answer.is_some() {
            return answer;
        }
        if wait == Wait::Never || self.parked.reads.len() == PARKED_MAX {
            return Some(Err(StreamError::WouldBlock));
        }
        self.parked.reads.push_back(read);
        None
    }

    fn write(
        &mut self,
        caller: &Caller,
        wait: Wait,
        data: ReadLease<'_>,
    ) -> Option<Result<u64, StreamError>> {
        let write = Transfer { call: caller.call, lease: data.index(), len: data.len() };
        let answer = if self.parked.writes.is_empty() { self.write(write) } else { None };
        if answer.is_some() {
            return answer;
        }
        if wait == Wait::Never || self.parked.writes.len() == PARKED_MAX {
            return Some(Err(StreamError::WouldBlock));
        }
        self.parked.writes.push_back(write);
        None
    }

    fn kind(&mut self, _: &Caller) -> Result<StreamKind, StreamError> {
        Ok(match self.settings.line {
            Line::Terminal => StreamKind::Terminal,
            Line::Pipe => StreamKind::Pipe,
        })
    }

    fn watch(&mut self, caller: &Caller, notify: Notification) -> Result<u32, StreamError> {
        let admission = self.listeners.watch(caller.badge, notify);
        self.remember();
        admitted(admission)?;
        let read = if self.is_readable() { CAN_READ } else { 0 };
        Ok(read | if self.is_writable() { CAN_WRITE } else { 0 })
    }
}

impl<D: Device> Console for Server<D> {
    fn modes(&mut self, _: &Caller) -> Result<Modes, StreamError> {
        Ok(*self.tty.modes())
    }

    fn set_modes(&mut self, _: &Caller, flush: u32, modes: Modes) -> Result<(), StreamError> {
        if flush != 0 {
            self.tty.flush();
        }
        // A pipe has no modes to change. Output that waits was processed in the old modes.
        if self.settings.line == Line::Terminal {
            self.tty.set_modes(modes);
            self.listeners.has_changed = true;
            self.has_news = true;
        }
        self.settle();
        Ok(())
    }

    fn size(&mut self, _: &Caller) -> Result<u32, StreamError> {
        Ok(u32::from(self.settings.columns) | u32::from(self.settings.rows) << 16)
    }

    fn take(&mut self, caller: &Caller, events: Notification) -> Result<(), StreamError> {
        let admission = self.listeners.take(caller.badge, events);
        self.remember();
        admitted(admission)?;
        self.tell_if_readable();
        Ok(())
    }

    fn release(&mut self, caller: &Caller) -> Result<(), StreamError> {
        if !self.listeners.release(caller.badge) {
            return Err(StreamError::NotOpen);
        }
        self.remember();
        self.tell_if_readable();
        Ok(())
    }

    fn drain(&mut self, caller: &Caller) -> Option<Result<(), StreamError>> {
        if self.is_drained() {
            return Some(Ok(()));
        }
        if self.parked.drains.len() == PARKED_MAX {
            return Some(Err(StreamError::WouldBlock));
        }
        self.limit_draining();
        self.parked.drains.push_back(caller.call);
        None
    }
}

impl<D: Device> Server<D> {
    /// A new controller has missed what came before.
    fn tell_if_readable(&mut self) {
        if self.is_readable() {
            self.listeners.tell_controller(event::READABLE);
        }
    }
}

fn admitted(admission: Admission) -> Result<(), StreamError> {
    match admission {
        Admission::Admitted => Ok(()),
        Admission::Full => Err(StreamError::Device),
    }
}
