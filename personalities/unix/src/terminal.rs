//! Terminals: the console and the pseudo-terminals, and which sessions they control.
//!
//! ```text
//!   Terminals ── Line::Console ── Control: session, foreground group …
//!             ── Line::Pty(0)  ── Control …      Pty: line discipline, bytes for the master
//! ```
//!
//! Plain data: a terminal is named by its [`Line`], an open side of a pseudo-terminal is a
//! [`PtyEnd`] that tells when it is dropped.

pub mod pty;
#[cfg(test)]
mod tests;

use alloc::collections::BTreeMap;
use alloc::rc::Rc;

use crate::linux::structures::device;
use crate::linux::terminal::slave_device;
use crate::open::{Object, Stream};
use crate::process::Pid;

pub use pty::{MAX_PTYS, Pty, PtyEnd, Side};

/// Names a terminal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Line {
    /// The console: another server's.
    Console,
    /// The pseudo-terminal of that number.
    Pty(u32),
}

impl Line {
    /// Returns the terminal that an open file is; a pseudo-terminal's master is that terminal as
    /// well, but nobody's controlling one.
    pub fn of(object: &Object) -> Option<Line> {
        match object {
            Object::Stream(stream) if stream.is_terminal() => Some(Line::Console),
            Object::Pty(end) => Some(Line::Pty(end.number())),
            _ => None,
        }
    }

    /// Returns the device number (Linux admin-guide/devices.txt).
    pub fn device(self) -> u32 {
        match self {
            Line::Console => device(5, 1),
            Line::Pty(number) => slave_device(number),
        }
    }

    /// Returns the terminal that an open file is as a program's own, and not its master.
    pub fn of_user(object: &Object) -> Option<Line> {
        match object {
            Object::Pty(end) if end.side() == Side::Master => None,
            object => Line::of(object),
        }
    }
}

/// Rows and columns, and pixels across and down (`struct winsize`, asm-generic/termios.h).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct WindowSize(pub [u16; 4]);

/// What a terminal is to the sessions.
#[derive(Clone, Copy, Default, Debug)]
pub struct Control {
    /// The session whose controlling terminal it is.
    pub session: Option<Pid>,
    /// The process group that its keys signal and that may read it.
    pub foreground: Option<Pid>,
    /// Whether nobody but root may open it (`TIOCEXCL`).
    pub is_exclusive: bool,
    /// The size that a program has set, for the console, whose server knows another.
    pub size: Option<WindowSize>,
}

/// All terminals.
#[derive(Default, Debug)]
pub struct Terminals {
    /// The console's stream, while a session has it.
    pub console: Option<Rc<Stream>>,
    /// The pseudo-terminals by their numbers.
    pub ptys: BTreeMap<u32, Pty>,
    controls: BTreeMap<Line, Control>,
}

impl Terminals {
    /// Returns what a terminal is to the sessions.
    pub fn control(&self, line: Line) -> Control {
        self.controls.get(&line).copied().unwrap_or_default()
    }

    /// Returns the same, to be changed.
    pub fn control_mut(&mut self, line: Line) -> &mut Control {
        self.controls.entry(line).or_default()
    }

    /// Returns the controlling terminal of a session.
    pub fn of_session(&self, session: Pid) -> Option<Line> {
        let mut all = self.controls.iter();
        all.find(|(_, control)| control.session == Some(session)).map(|(line, _)| *line)
    }

    /// Returns what all terminals are to the sessions.
    pub fn controls(&self) -> impl Iterator<Item = (Line, Control)> + '_ {
        self.controls.iter().map(|(line, control)| (*line, *control))
    }

    /// Forgets what a terminal is to the sessions.
    pub fn forget(&mut self, line: Line) -> Control {
        self.controls.remove(&line).unwrap_or_default()
    }

    /// Returns a number for another pseudo-terminal: the lowest that is free (devpts).
    pub fn free_number(&self) -> Option<u32> {
        let is_free = |number: &u32| {
            !self.ptys.contains_key(number) && !self.controls.contains_key(&Line::Pty(*number))
        };
        (0..MAX_PTYS).find(is_free)
    }
}
