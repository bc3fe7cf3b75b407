//! The end of threads and processes, and what their relatives learn of it.

use protocols::process::{Pid as NativePid, Signal};

use crate::linux::signals::{self, action, code};
use crate::process::{Ending, Life, Pid, ThreadNumber};
use crate::signal::Info;
use crate::terminal::Line;
use crate::timers::Deleted;
use crate::unix::{Leader, Unix};
use crate::wake::Channel;

impl Unix {
    /// Ends one thread; the last one ends its process with `ending`.
    pub(crate) fn end_thread(&mut self, number: ThreadNumber, ending: Ending) {
        let Some(thread) = self.threads.get(&number) else { return };
        let pid = thread.pid;
        let last = self.processes.get(&pid).is_none_or(|process| process.threads.len() <= 1);
        if last {
            return self.end_process(pid, ending);
        }
        self.leave_memory(number);
        self.remove_thread(number);
        if let Some(process) = self.processes.get_mut(&pid) {
            process.threads.retain(|&other| other != number);
        }
    }

    /// Ends a thread of the kernel's and forgets it.
    pub(crate) fn remove_thread(&mut self, number: ThreadNumber) {
        let Some(thread) = self.threads.remove(&number) else { return };
        self.paused.take(number);
        self.futexes.forget(number);
        thread.give_up(self.kept);
        let time = self.machine.run_time(thread.handle);
        // What cannot be undone comes after the transaction.
        self.doomed.push(thread.handle);
        self.ended_time += time;
        if let Some(process) = self.processes.get_mut(&thread.pid) {
            process.ended_time += time;
        }
    }

    /// Ends a process: its threads, files and memory go; its parent is told.
    pub fn end_process(&mut self, pid: Pid, ending: Ending) {
        let Some(process) = self.processes.get(&pid).filter(|process| !process.is_zombie()) else {
            return;
        };
        let threads = process.threads.clone();
        let guarded = self.guarded_groups(pid);
        for thread in threads {
            self.leave_memory(thread);
            self.remove_thread(thread);
        }
        let Some(process) = self.processes.get_mut(&pid) else { return };
        process.threads.clear();
        process.life = Life::Zombie(ending);
        process.report = None;
        process.alarm = None;
        process.descriptors.clear();
        self.locks.release_process(pid);
        process.mm = None;
        for badge in process.exported.drain(..) {
            self.exported.remove(&badge);
        }
        let (native, client) = (process.native.take(), process.client);
        let (parent, is_leader) = (process.parent, process.session == pid);
        if let Some(lender) = process.borrowed_from.take() {
            self.wakes.add(Channel::Borrowed(lender.0));
        }
        if let Some(native) = native {
            self.servers.signal(native, Signal::Kill);
        }
        if !self.process_files.is_empty() {
            self.wakes.add(Channel::Ended(pid));
        }
        self.delete_timers(pid, Deleted::All);
        self.orphan_children(pid);
        if is_leader {
            self.end_session(pid, Leader::Ended);
        }
        self.hang_up_orphans(guarded);
        match client {
            Some(client) => self.servers.notify(client.exited),
            None => self.tell_of_end(pid, parent, ending),
        }
    }

    fn tell_of_end(&mut self, pid: Pid, parent: Pid, ending: Ending) {
        let Some(process) = self.processes.get(&pid) else { return };
        let (uid, signal) = (process.credentials.user.real, process.exit_signal);
        self.wakes.add(Channel::Children(parent));
        let Some(parent_process) = self.processes.get(&parent).filter(|p| !p.is_zombie()) else {
            self.processes.remove(&pid);
            return;
        };
        let action = parent_process.actions.of(signals::SIGCHLD);
        let (code, value) = match ending {
            Ending::Code(code) => (code::CHILD_EXITED, code.into()),
            Ending::Signal(signal) => (code::CHILD_KILLED, signal.into()),
        };
        if signal != 0 {
            self.send(parent, Info { signal, code, pid: pid.0, uid, value });
        }
        let unwanted =
            action.handler == signals::IGNORE || action.flags & action::NO_CHILD_WAIT != 0;
        if unwanted && signal == signals::SIGCHLD {
            self.processes.remove(&pid);
        }
    }

    /// Gives a process's children to the next process above that adopts orphans, or to nobody,
    /// for whom those that have ended are forgotten; tells those that asked of their parent's end.
    fn orphan_children(&mut self, pid: Pid) {
        let adopter = self.adopter(pid);
        if adopter == Pid::INIT {
            self.processes.retain(|_, child| child.parent != pid || !child.is_zombie());
        }
        let children = self.processes.values().filter(|child| child.parent == pid);
        let children: alloc::vec::Vec<Pid> = children.map(|child| child.pid).collect();
        let mut moved = alloc::vec::Vec::new();
        for child in children {
            let Some(child) = self.processes.get_mut(&child) else { continue };
            // Whoever adopts waits for ordinary children.
            (child.parent, child.exit_signal) = (adopter, signals::SIGCHLD);
            moved.push((child.pid, child.life, child.settings.parent_death_signal));
        }
        for (child, life, death_signal) in moved {
            if let Life::Zombie(ending) = life {
                self.tell_of_end(child, adopter, ending);
            } else if death_signal != 0 {
                self.send(child, Info::of_user(death_signal, pid.0, 0));
            }
        }
    }

    /// Returns who adopts the children of a process (prctl(2), `PR_SET_CHILD_SUBREAPER`).
    fn adopter(&self, pid: Pid) -> Pid {
        let mut at = pid;
        while let Some(above) = self.processes.get(&at).map(|process| process.parent) {
            let adopts = |process: &crate::process::Process| {
                process.settings.adopts_orphans && !process.is_zombie()
            };
            if self.processes.get(&above).is_some_and(adopts) {
                return above;
            }
            at = above;
        }
        Pid::INIT
    }

    /// Sends a signal on to the native program that plays a process.
    pub(super) fn send_native(&mut self, native: NativePid, signal: u8) {
        let signal = match signal {
            signals::SIGINT => Signal::Interrupt,
            signals::SIGQUIT => Signal::Quit,
            signals::SIGTERM | signals::SIGHUP => Signal::Terminate,
            signals::SIGKILL => Signal::Kill,
            _ => return,
        };
        self.servers.signal(native, signal);
    }

    /// Sends SIGINT to the rest of a foreground group, one member of which has been ended by a
    /// Ctrl-C that the terminal reported to it alone.
    fn pass_on_interrupt(&mut self, pid: Pid) {
        let Some(group) = self.processes.get(&pid).map(|process| process.group) else { return };
        if self.terminals.control(Line::Console).foreground != Some(group) {
            return;
        }
        let rest = self.processes.values().filter(|p| p.group == group && p.pid != pid);
        let rest: alloc::vec::Vec<_> = rest.map(|process| process.pid).collect();
        for member in rest {
            self.send(member, Info::of_system(signals::SIGINT));
        }
    }

    /// Looks which native programs have ended and ends the processes that they played.
    pub(super) fn natives_changed(&mut self) {
        let playing = self.processes.values().filter_map(|p| Some((p.pid, p.native?)));
        let playing: alloc::vec::Vec<_> = playing.collect();
        for (pid, native) in playing {
            if let Some(status) = self.servers.status(native) {
                let ending = Ending::from_exit_status(status);
                if let Some(process) = self.processes.get_mut(&pid) {
                    process.native = None;
                    if process.has_keys && ending == Ending::Signal(signals::SIGINT) {
                        self.pass_on_interrupt(pid);
                    }
                }
                self.control_console_again(pid);
                self.end_process(pid, ending);
            }
        }
    }

    /// Has the console report to us again after a native program of the foreground: with our endpoint it
    /// was the same client to the console, and has given up our control with its own.
    fn control_console_again(&mut self, pid: Pid) {
        let group = self.processes.get(&pid).map(|process| process.group);
        let is_foreground = group == self.terminals.control(Line::Console).foreground;
        if let Some(stream) = self.terminals.console.clone().filter(|_| is_foreground)
            && self.servers.take(stream.endpoint()).is_err()
        {
            self.machine.log("unix: the console refused to report its events again");
        }
    }
}
