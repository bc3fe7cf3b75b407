//! Orphaned process groups: nobody is left to continue what stops in them.
//!
//! A group is orphaned if no member has a parent in another group of the same session (POSIX
//! XBD 3.264). Programs that native ones start are leaders of sessions without such a parent, so
//! the keys that stop jobs do nothing to them: the native shell could not continue them.

use alloc::collections::BTreeSet;

use crate::linux::signals;
use crate::process::{Pid, Process};
use crate::signal::Info;
use crate::unix::Unix;

impl Unix {
    /// Returns whether a process group is orphaned.
    pub(crate) fn is_orphaned(&self, group: Pid) -> bool {
        let mut members = self.processes.values().filter(|process| process.group == group);
        !members.any(|member| self.guardian(member).is_some())
    }

    /// Returns the process groups that a process keeps from being orphaned, be it alone or not.
    pub(super) fn guarded_groups(&self, pid: Pid) -> BTreeSet<Pid> {
        let of_process = |member: &&Process| {
            let guardian = self.guardian(member);
            guardian.is_some() && (member.pid == pid || guardian == Some(pid))
        };
        self.processes.values().filter(of_process).map(|member| member.group).collect()
    }

    /// Hangs up and continues those groups that are orphaned now and have a stopped member (POSIX
    /// _exit(), "Consequences of Process Termination").
    pub(super) fn hang_up_orphans(&mut self, groups: BTreeSet<Pid>) {
        for group in groups {
            let mut all = self.processes.values();
            let is_stopped = all.any(|process| process.group == group && process.is_stopped());
            drop(all);
            if is_stopped && self.is_orphaned(group) {
                self.send_to_group(group, Info::of_system(signals::SIGHUP));
                self.send_to_group(group, Info::of_system(signals::SIGCONT));
            }
        }
    }

    /// Returns a process's parent if that can look after the process's group.
    fn guardian(&self, member: &Process) -> Option<Pid> {
        let parent = self.processes.get(&member.parent)?;
        let guards = parent.session == member.session && parent.group != member.group;
        (guards && !member.is_zombie() && !parent.is_zombie()).then_some(parent.pid)
    }
}
