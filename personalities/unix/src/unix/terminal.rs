//! Controlling terminals: whose each is, who is in the foreground, what its keys do.

use alloc::rc::Rc;

use kamen_kit::tty::Signal;
use protocols::console::event;

use crate::linux::signals;
use crate::open::Stream;
use crate::process::Pid;
use crate::signal::Info;
use crate::terminal::{Control, Line};
use crate::unix::Unix;
use crate::wake::Channel;

impl Unix {
    /// Makes the console the controlling terminal of a session, with a group in the foreground.
    pub fn open_session(&mut self, stream: Rc<Stream>, session: Pid, group: Pid) {
        if self.terminals.control(Line::Console).session.is_some() {
            return;
        }
        if self.servers.take(stream.endpoint()).is_err() {
            self.machine.log("unix: the console refused to report its events");
        }
        self.terminals.console = Some(stream);
        self.control(Line::Console, session, group);
    }

    /// Makes a terminal the controlling one of a session, with a group in the foreground.
    pub(crate) fn control(&mut self, line: Line, session: Pid, group: Pid) {
        let control = self.terminals.control_mut(line);
        (control.session, control.foreground) = (Some(session), Some(group));
    }

    /// Takes a session's controlling terminal away; its foreground group is hung up. `leader` says
    /// whether the session's leader has ended, or gives it up (ioctl_tty(2), TIOCNOTTY).
    pub(crate) fn end_session(&mut self, session: Pid, leader: Leader) {
        let Some(line) = self.terminals.of_session(session) else { return };
        let Control { foreground, .. } = self.terminals.forget(line);
        match line {
            Line::Console => {
                if let Some(stream) = self.terminals.console.take() {
                    self.servers.release(stream.endpoint());
                }
            }
            Line::Pty(number) if leader == Leader::Ended => self.hang_up_pty(number),
            Line::Pty(_) => {}
        }
        let of_leader = |group: Pid| line == Line::Console && group == session;
        if let Some(group) = foreground.filter(|&group| !of_leader(group)) {
            self.send_to_group(group, Info::of_system(signals::SIGHUP));
            if line != Line::Console {
                self.send_to_group(group, Info::of_system(signals::SIGCONT));
            }
        }
    }

    /// Acts on what the console reports.
    pub(super) fn terminal_events(&mut self, bits: u64) {
        if bits & (event::READABLE | event::HANGUP) != 0 {
            self.wakes.add(Channel::Streams);
        }
        if bits & event::RESIZED != 0 {
            self.terminals.control_mut(Line::Console).size = None;
        }
        let keys = [
            (event::INTERRUPT, signals::SIGINT),
            (event::QUIT, signals::SIGQUIT),
            (event::SUSPEND, signals::SIGTSTP),
            (event::RESIZED, signals::SIGWINCH),
            (event::HANGUP, signals::SIGHUP),
        ];
        for (bit, signal) in keys {
            if bits & bit != 0 {
                self.signal_foreground(Line::Console, signal);
            }
        }
    }

    /// Sends the signals that keys of a terminal ask for.
    pub(super) fn key_signals(&mut self, line: Line, keys: &[Signal]) {
        for key in keys {
            let signal = match key {
                Signal::Interrupt => signals::SIGINT,
                Signal::Quit => signals::SIGQUIT,
                Signal::Suspend => signals::SIGTSTP,
            };
            self.signal_foreground(line, signal);
        }
    }

    /// Sends a signal to the foreground group of a terminal.
    pub(crate) fn signal_foreground(&mut self, line: Line, signal: u8) {
        if let Some(group) = self.terminals.control(line).foreground {
            self.send_to_group(group, Info::of_system(signal));
        }
    }

    /// Returns whether a process must not use a terminal now: its session has it, but another
    /// group is in the foreground.
    pub fn is_background(&self, pid: Pid, line: Line) -> bool {
        let Some(process) = self.processes.get(&pid) else { return false };
        let control = self.terminals.control(line);
        control.session == Some(process.session)
            && control.foreground.is_some_and(|group| group != process.group)
    }
}

/// Why a session loses its terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Leader {
    /// Its leader has ended.
    Ended,
    /// Its leader gives the terminal up.
    Leaves,
}
