//! Pseudo-terminals of the personality: opening, moving bytes, hanging up.

use alloc::rc::Rc;

use crate::Errno;
use crate::context::{Stop, Wait};
use crate::linux::flags::poll as bits;
use crate::linux::signals;
use crate::process::Pid;
use crate::readiness::{READABLE, Readiness, WRITABLE};
use crate::servers::Ready;
use crate::signal::Info;
use crate::terminal::{Line, Pty, PtyEnd, Side};
use crate::unix::Unix;
use crate::wake::Channel;

impl Unix {
    /// Makes a pseudo-terminal for a user; returns its master.
    ///
    /// # Errors
    /// ENOSPC: there are too many.
    pub(crate) fn open_master(&mut self, owner: u32) -> Result<Rc<PtyEnd>, Errno> {
        let number = self.terminals.free_number().ok_or(Errno::ENOSPC)?;
        let life = self.unique();
        let (pty, end) = Pty::new(number, owner, life, &self.closed);
        self.terminals.ptys.insert(number, pty);
        Ok(end)
    }

    /// Opens the slave of a pseudo-terminal.
    ///
    /// # Errors
    /// ENOENT, EIO: it is gone or locked.
    pub(crate) fn open_slave(&mut self, number: u32) -> Result<Rc<PtyEnd>, Errno> {
        let pty = self.terminals.ptys.get_mut(&number).ok_or(Errno::ENOENT)?;
        let end = pty.open_slave(&self.closed)?;
        self.wakes.add(Channel::Pty(number));
        Ok(end)
    }

    /// Returns the pseudo-terminal of an open side.
    ///
    /// # Errors
    /// EIO: it is gone.
    pub(crate) fn pty(&mut self, end: &PtyEnd) -> Result<&mut Pty, Errno> {
        self.terminals.ptys.get_mut(&end.number()).ok_or(Errno::EIO)
    }

    /// Reads from a side of a pseudo-terminal.
    ///
    /// # Errors
    /// Wait; EIO: the master's slaves are gone.
    pub(crate) fn read_pty(&mut self, end: &PtyEnd, into: &mut [u8]) -> Result<usize, Stop> {
        let moved = match self.pty(end) {
            Ok(pty) => pty.read(end, into)?,
            // A slave whose pseudo-terminal is gone is at the end of the file.
            Err(_) => Some(0),
        };
        self.moved(end, moved)
    }

    /// Writes to a side of a pseudo-terminal; its keys send their signals.
    ///
    /// # Errors
    /// Wait; EIO: the slave's master is gone.
    pub(crate) fn write_pty(&mut self, end: &PtyEnd, bytes: &[u8]) -> Result<usize, Stop> {
        let (moved, keys) = self.pty(end)?.write(end, bytes)?;
        self.key_signals(Line::Pty(end.number()), &keys);
        self.moved(end, moved)
    }

    fn moved(&mut self, end: &PtyEnd, moved: Option<usize>) -> Result<usize, Stop> {
        let channel = Channel::Pty(end.number());
        match moved {
            Some(count) => {
                self.wakes.add(channel);
                Ok(count)
            }
            None => Err(Stop::Wait(Wait::on(channel))),
        }
    }

    /// Returns what a side can do without waiting, and whether the other one is gone.
    pub(crate) fn pty_ready(&mut self, end: &PtyEnd) -> Readiness {
        let (ready, is_hung_up) = match self.pty(end) {
            Ok(pty) => (pty.ready(end), pty.is_hung_up(end)),
            Err(_) => (Ready { read: true, write: true }, true),
        };
        let event = |holds: bool, events: u16| if holds { events } else { 0 };
        let events = event(ready.read, READABLE)
            | event(ready.write, WRITABLE)
            | event(is_hung_up, bits::HANG_UP);
        Readiness::new(events, Channel::Pty(end.number()))
    }

    /// Takes note of sides that were closed.
    pub(super) fn close_ptys(&mut self) {
        for (number, side, life) in self.closed.take_ptys() {
            let Some(pty) = self.terminals.ptys.get_mut(&number) else { continue };
            pty.close(side, life);
            let is_gone = pty.is_gone();
            self.wakes.add(Channel::Pty(number));
            if side == Side::Master {
                self.hang_up_pty(number);
                self.hang_up_leader(Line::Pty(number));
            }
            if is_gone || self.terminals.ptys.get(&number).is_some_and(Pty::is_gone) {
                self.remove_pty(number);
            }
        }
    }

    /// Forgets a pseudo-terminal. A session that still has it keeps its number from being given to
    /// another one.
    fn remove_pty(&mut self, number: u32) {
        self.terminals.ptys.remove(&number);
        if self.terminals.control(Line::Pty(number)).session.is_none() {
            self.terminals.forget(Line::Pty(number));
        }
    }

    /// Kills the open slaves of a pseudo-terminal (vhangup(2)).
    pub(crate) fn hang_up_pty(&mut self, number: u32) {
        let life = self.unique();
        if let Some(pty) = self.terminals.ptys.get_mut(&number) {
            pty.hang_up(life);
            self.wakes.add(Channel::Pty(number));
        }
    }

    /// Tells the leader of a terminal's session that the terminal is gone; the foreground group
    /// hears of it when the leader ends (`tty_signal_session_leader`, drivers/tty/tty_jobctrl.c).
    pub(crate) fn hang_up_leader(&mut self, line: Line) {
        let Some(Pid(leader)) = self.terminals.control(line).session else { return };
        self.send(Pid(leader), Info::of_system(signals::SIGHUP));
        self.send(Pid(leader), Info::of_system(signals::SIGCONT));
    }
}
