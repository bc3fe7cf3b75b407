//! The controlling terminal: whose it is, who is in the foreground, what its keys do.

use alloc::rc::Rc;

use protocols::console::event;

use crate::linux::signals;
use crate::open::Stream;
use crate::process::Pid;
use crate::signal::Info;
use crate::unix::Unix;
use crate::wake::Channel;

/// The terminal and its session. There is one: the console.
#[derive(Default, Debug)]
pub struct Terminal {
    /// The stream, while a session has it.
    pub stream: Option<Rc<Stream>>,
    /// The session whose controlling terminal it is.
    pub session: Option<Pid>,
    /// The process group that its keys signal and that may read it.
    pub foreground: Option<Pid>,
}

impl Unix {
    /// Makes a terminal the controlling one of a session, with a group in the foreground.
    pub fn open_session(&mut self, stream: Rc<Stream>, session: Pid, group: Pid) {
        if self.terminal.session.is_some() {
            return;
        }
        if self.servers.take(stream.endpoint()).is_err() {
            self.machine.log("unix: the console refused to report its events");
        }
        self.terminal =
            Terminal { stream: Some(stream), session: Some(session), foreground: Some(group) };
    }

    /// Ends a session whose leader has ended: its foreground group is hung up.
    pub(super) fn end_session(&mut self, session: Pid) {
        if self.terminal.session != Some(session) {
            return;
        }
        let Terminal { stream, foreground, .. } = core::mem::take(&mut self.terminal);
        if let Some(stream) = stream {
            self.servers.release(stream.endpoint());
        }
        if let Some(group) = foreground.filter(|&group| group != session) {
            self.send_to_group(group, Info::of_system(signals::SIGHUP));
        }
    }

    /// Acts on what the console reports.
    pub(super) fn terminal_events(&mut self, bits: u64) {
        if bits & (event::READABLE | event::HANGUP) != 0 {
            self.wakes.add(Channel::Streams);
        }
        let Some(group) = self.terminal.foreground else { return };
        let keys = [
            (event::INTERRUPT, signals::SIGINT),
            (event::QUIT, signals::SIGQUIT),
            (event::SUSPEND, signals::SIGTSTP),
            (event::RESIZED, signals::SIGWINCH),
            (event::HANGUP, signals::SIGHUP),
        ];
        for (bit, signal) in keys {
            if bits & bit != 0 {
                self.send_to_group(group, Info::of_system(signal));
            }
        }
    }

    /// Returns whether a process must not use the terminal now: its session has it, but another
    /// group is in the foreground.
    pub fn is_background(&self, pid: Pid) -> bool {
        let Some(process) = self.processes.get(&pid) else { return false };
        self.terminal.session == Some(process.session)
            && self.terminal.foreground.is_some_and(|group| group != process.group)
    }
}
