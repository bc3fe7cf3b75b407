//! A console that tests type on, and an init that starts nothing.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use libipc::{Endpoint, Handle, Notification};
use protocols::console::Modes;
use protocols::process::{ExitStatus, Pid, Signal};
use protocols::stream::StreamKind;

use crate::Errno;
use crate::servers::{Handed, Ready, Servers};

/// The console's capability.
pub const CONSOLE: Endpoint = Endpoint(Handle(7));

#[derive(Default)]
pub struct Seen {
    pub typed: VecDeque<u8>,
    pub output: Vec<u8>,
    pub taken: bool,
    pub closed: Vec<Endpoint>,
    pub notified: Vec<Notification>,
    pub spawned: Vec<[Handed; 3]>,
    pub ended: Option<ExitStatus>,
    pub signals: Vec<u8>,
    /// How many reads and writes the console's death meets.
    pub deaths: usize,
}

impl Seen {
    /// Returns whether the console dies now.
    fn dies(&mut self) -> bool {
        let dies = self.deaths > 0;
        self.deaths = self.deaths.saturating_sub(1);
        dies
    }
}

#[derive(Clone, Default)]
pub struct FakeServers(pub Rc<RefCell<Seen>>);

impl Servers for FakeServers {
    fn kind(&mut self, _: Endpoint) -> Result<StreamKind, Errno> {
        Ok(StreamKind::Terminal)
    }

    fn read(&mut self, _: Endpoint, into: &mut [u8]) -> Result<usize, Errno> {
        if self.0.borrow_mut().dies() {
            return Err(Errno::EAGAIN);
        }
        let typed = &mut self.0.borrow_mut().typed;
        let count = typed.len().min(into.len());
        if count == 0 {
            return Err(Errno::EAGAIN);
        }
        for (byte, typed) in into.iter_mut().zip(typed.drain(..count)) {
            *byte = typed;
        }
        Ok(count)
    }

    fn write(&mut self, _: Endpoint, bytes: &[u8]) -> Result<usize, Errno> {
        if self.0.borrow_mut().dies() {
            return Err(Errno::EAGAIN);
        }
        self.0.borrow_mut().output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn ready(&mut self, _: Endpoint) -> Result<Ready, Errno> {
        Ok(Ready { read: !self.0.borrow().typed.is_empty(), write: true })
    }

    fn close(&mut self, stream: Endpoint) {
        self.0.borrow_mut().closed.push(stream);
    }

    fn modes(&mut self, _: Endpoint) -> Result<Modes, Errno> {
        Ok(Modes { input: 1, output: 2, control: 3, local: 4, characters: [0; 24] })
    }

    fn set_modes(&mut self, _: Endpoint, _: bool, _: Modes) -> Result<(), Errno> {
        Ok(())
    }

    fn size(&mut self, _: Endpoint) -> Result<(u16, u16), Errno> {
        Ok((80, 24))
    }

    fn take(&mut self, _: Endpoint) -> Result<(), Errno> {
        self.0.borrow_mut().taken = true;
        Ok(())
    }

    fn release(&mut self, _: Endpoint) {
        self.0.borrow_mut().taken = false;
    }

    fn console(&self) -> Option<Endpoint> {
        Some(CONSOLE)
    }

    fn spawn(&mut self, streams: [Handed; 3], _: &[u8]) -> Result<Pid, Errno> {
        self.0.borrow_mut().spawned.push(streams);
        Ok(Pid(99))
    }

    fn status(&mut self, _: Pid) -> Option<ExitStatus> {
        self.0.borrow().ended
    }

    fn signal(&mut self, _: Pid, signal: Signal) {
        self.0.borrow_mut().signals.push(signal as u8);
    }

    fn list(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn own_badge(&mut self, _: Endpoint) -> Option<u64> {
        None
    }

    fn forget(&mut self, _: Notification) {}

    fn notify(&mut self, exited: Notification) {
        self.0.borrow_mut().notified.push(exited);
    }

    fn power_off(&mut self, _: u64) {}
}
