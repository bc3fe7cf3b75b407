//! The table of native processes: who is whose child, who still runs, how the rest ended.
//!
//! ```text
//!   insert ──> Running ── end ──> Ended ── take_status, or the parent is gone ──> (forgotten)
//! ```
//!
//! Pure bookkeeping: `R` is what the process holds in the kernel, handed back when it ends.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use protocols::process::{ExitStatus, Pid, ProcessError};

/// Most processes, ended ones that nobody asked about included; servers always have room, so that
/// one that starts again does not depend on how many programs there are.
pub const MAX_PROCESSES: usize = 128;
/// init's own line in a list of processes.
const OWN_LINE: &[u8] = b"1 0 running server init\n";
/// init's own process number, the parent of servers and of orphans.
pub const SUPERVISOR: Pid = Pid(1);

/// What a process is to init.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// A server of the manifest.
    Server,
    /// A native program.
    Native,
    /// A DOS session.
    Dos,
}

impl Class {
    /// Returns the name of the personality in a list of processes.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Server => "server",
            Class::Native => "native",
            Class::Dos => "dos",
        }
    }
}

/// A process.
#[derive(Debug)]
pub struct Process<R> {
    /// Who started it and may ask about it.
    pub parent: Pid,
    /// What it is.
    pub class: Class,
    /// Name for people.
    pub name: String,
    /// What it holds, while it runs.
    pub held: Option<R>,
    status: ExitStatus,
}

/// A process that has just ended.
#[derive(PartialEq, Eq, Debug)]
pub struct Ended<R> {
    /// What it was.
    pub class: Class,
    /// Its name.
    pub name: String,
    /// What it held.
    pub held: R,
}

/// All processes.
#[derive(Debug)]
pub struct Processes<R> {
    table: BTreeMap<Pid, Process<R>>,
    last: Pid,
    /// How many lives each server has had; as many servers as the manifest has.
    lives: BTreeMap<String, u64>,
}

impl<R> Default for Processes<R> {
    fn default() -> Self {
        Processes { table: BTreeMap::new(), last: SUPERVISOR, lives: BTreeMap::new() }
    }
}

impl<R> Processes<R> {
    /// Returns the number that the next process gets, which its capabilities carry as badge.
    ///
    /// # Errors
    /// NoResources: the table is full.
    pub fn next(&self, class: Class) -> Result<Pid, ProcessError> {
        let full = class != Class::Server && self.table.len() >= MAX_PROCESSES;
        if full { Err(ProcessError::NoResources) } else { Ok(Pid(self.last.0 + 1)) }
    }

    /// Adds a running process and returns its number, the one that [`Processes::next`] told.
    ///
    /// # Errors
    /// NoResources: the table is full.
    pub fn insert(
        &mut self,
        parent: Pid,
        class: Class,
        name: String,
        held: R,
    ) -> Result<Pid, ProcessError> {
        let pid = self.next(class)?;
        self.last = pid;
        if class == Class::Server {
            *self.lives.entry(name.clone()).or_insert(0) += 1;
        }
        let status = ExitStatus(0);
        self.table.insert(pid, Process { parent, class, name, held: Some(held), status });
        Ok(pid)
    }

    /// Returns how often a server was started again; of others, 0.
    pub fn restarts(&self, process: &Process<R>) -> u64 {
        let lives = self.lives.get(&process.name).filter(|_| process.class == Class::Server);
        lives.map_or(0, |lives| lives.saturating_sub(1))
    }

    /// Returns a process that runs.
    pub fn running(&mut self, pid: Pid) -> Option<&mut Process<R>> {
        self.table.get_mut(&pid).filter(|process| process.held.is_some())
    }

    /// Ends a process: returns what it was and held, or nothing if it does not run. Its children
    /// get init as parent, and those of them that ended are forgotten.
    pub fn end(&mut self, pid: Pid, status: ExitStatus) -> Option<Ended<R>> {
        let process = self.table.get_mut(&pid)?;
        let held = process.held.take()?;
        process.status = status;
        let ended = Ended { class: process.class, name: process.name.clone(), held };
        for child in self.table.values_mut().filter(|child| child.parent == pid) {
            child.parent = SUPERVISOR;
        }
        self.table.retain(|_, process| process.held.is_some() || process.parent != SUPERVISOR);
        Some(ended)
    }

    /// Returns how a child of `parent` ended, and forgets it.
    ///
    /// # Errors
    /// NoProcess: there is no such child; WouldBlock: it runs.
    pub fn take_status(&mut self, parent: Pid, pid: Pid) -> Result<ExitStatus, ProcessError> {
        let child = self.table.get(&pid).filter(|process| process.parent == parent);
        let child = child.ok_or(ProcessError::NoProcess)?;
        if child.held.is_some() {
            return Err(ProcessError::WouldBlock);
        }
        let status = child.status;
        self.table.remove(&pid);
        Ok(status)
    }

    /// Returns a process of this class and name that runs.
    pub fn find(&self, class: Class, name: &str) -> Option<Pid> {
        let is_it = |process: &Process<R>| {
            process.held.is_some() && process.class == class && process.name == name
        };
        self.table.iter().find(|(_, process)| is_it(process)).map(|(pid, _)| *pid)
    }

    /// Returns all processes in the order of their numbers, ended ones that are still asked about
    /// included.
    pub fn all(&self) -> impl Iterator<Item = (Pid, &Process<R>)> {
        self.table.iter().map(|(pid, process)| (*pid, process))
    }

    /// Returns lines of the processes after `after`, "pid parent state personality name\n", as
    /// many as fit into `room` bytes.
    pub fn list(&self, after: Pid, room: usize) -> Vec<u8> {
        let mut lines = Vec::new();
        if after < SUPERVISOR && room >= OWN_LINE.len() {
            lines.extend_from_slice(OWN_LINE);
        }
        let room = room - lines.len();
        lines.extend(self.lines(after, room, |pid, process| {
            let state = if process.held.is_some() { "running" } else { "ended" };
            let (parent, class, name) = (process.parent.0, process.class.name(), &process.name);
            Some(format!("{} {parent} {state} {class} {name}\n", pid.0))
        }));
        lines
    }

    /// Returns a line of text for each process after `after` of which there is something to say,
    /// as many as there is room for.
    pub fn lines(
        &self,
        after: Pid,
        room: usize,
        line: impl Fn(Pid, &Process<R>) -> Option<String>,
    ) -> Vec<u8> {
        let mut lines = Vec::new();
        let first = Pid(after.0.saturating_add(1));
        for text in self.table.range(first..).filter_map(|(pid, process)| line(*pid, process)) {
            if lines.len() + text.len() > room {
                break;
            }
            lines.extend_from_slice(text.as_bytes());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(processes: &mut Processes<u32>, parent: Pid, held: u32) -> Pid {
        processes.insert(parent, Class::Native, format!("p{held}"), held).unwrap()
    }

    #[test]
    fn a_child_runs_ends_and_is_forgotten() {
        let mut processes = Processes::default();
        let shell = insert(&mut processes, SUPERVISOR, 10);
        let child = insert(&mut processes, shell, 11);
        assert_eq!(processes.take_status(shell, child), Err(ProcessError::WouldBlock));
        assert_eq!(processes.end(child, ExitStatus(3)).map(|ended| ended.held), Some(11));
        assert_eq!(processes.end(child, ExitStatus(4)).map(|ended| ended.held), None);
        assert!(processes.running(child).is_none());
        assert_eq!(processes.take_status(SUPERVISOR, child), Err(ProcessError::NoProcess));
        assert_eq!(processes.find(Class::Native, "p10"), Some(shell));
        assert_eq!(processes.find(Class::Native, "p11"), None);
        assert_eq!(processes.find(Class::Server, "p10"), None);
        assert_eq!(processes.take_status(shell, child), Ok(ExitStatus(3)));
        assert_eq!(processes.take_status(shell, child), Err(ProcessError::NoProcess));
    }

    #[test]
    fn numbers_are_not_used_again() {
        let mut processes = Processes::default();
        let first = insert(&mut processes, SUPERVISOR, 1);
        processes.end(first, ExitStatus(0));
        assert!(insert(&mut processes, SUPERVISOR, 2) > first);
    }

    #[test]
    fn orphans_are_forgotten_when_they_end() {
        let mut processes = Processes::default();
        let shell = insert(&mut processes, SUPERVISOR, 1);
        let ended = insert(&mut processes, shell, 2);
        let running = insert(&mut processes, shell, 3);
        processes.end(ended, ExitStatus(0));
        processes.end(shell, ExitStatus(0));
        assert_eq!(processes.list(SUPERVISOR, 100), b"4 1 running native p3\n");
        assert_eq!(processes.end(running, ExitStatus(0)).map(|ended| ended.held), Some(3));
        assert_eq!(processes.list(Pid(0), 100), OWN_LINE);
    }

    #[test]
    fn the_table_has_a_bound() {
        let mut processes = Processes::default();
        for held in 0..MAX_PROCESSES as u32 {
            insert(&mut processes, SUPERVISOR, held);
        }
        let refused = processes.insert(SUPERVISOR, Class::Native, String::new(), 0);
        assert_eq!(refused, Err(ProcessError::NoResources));
        assert!(processes.insert(SUPERVISOR, Class::Server, String::new(), 0).is_ok());
    }

    #[test]
    fn a_server_that_is_started_again_is_counted() {
        let mut processes = Processes::default();
        for life in 0..3 {
            let server = processes.insert(SUPERVISOR, Class::Server, "names".into(), 7).unwrap();
            let native = processes.insert(SUPERVISOR, Class::Native, "names".into(), 8).unwrap();
            let restarts = |pid| processes.restarts(&processes.table[&pid]);
            assert_eq!((restarts(server), restarts(native)), (life, 0));
            processes.end(server, ExitStatus(0));
        }
    }

    #[test]
    fn lists_are_whole_lines_and_go_on() {
        let mut processes = Processes::default();
        let first = insert(&mut processes, SUPERVISOR, 1);
        insert(&mut processes, SUPERVISOR, 2);
        assert_eq!(processes.list(SUPERVISOR, 40), b"2 1 running native p1\n");
        assert_eq!(processes.list(first, 40), b"3 1 running native p2\n");
        assert!(processes.list(Pid(u64::MAX), 40).is_empty());
        assert!(processes.list(Pid(0), 5).is_empty());
    }
}
