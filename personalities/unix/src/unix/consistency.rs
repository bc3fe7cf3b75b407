//! Whether the personality's tables agree with one another.
//!
//! ```text
//!   Process ── threads ──> Thread ── pid ──> Process        both ways, and for no zombie
//!      │ └──── parent, group, session                        a parent lives; groups lie in a session
//!      ├────── descriptors ──> OpenFile ── End ──> Pipe      counts of users, of ends
//!      └────── mm ──> Region ──> Backing                     in order, disjoint, within the object
//! ```
//!
//! What stands here holds between any two events. Random tests look after every few calls; on a
//! running system `/proc/kamen` tells.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use crate::memory::{Mm, PAGE, Sharing};
use crate::open::{Description, Object};
use crate::process::{Life, Pid, Process, State, Thread};
use crate::terminal::Line;
use crate::unix::Unix;
use crate::wake::Channel;

/// The end of what a program can have mapped: the page of the signal handlers' entry is above the
/// stack.
const SPACE_END: u64 = 0x7fff_ffff_f000;

/// What was found to be wrong, a sentence each.
type Faults = Vec<String>;

/// Adds a fault unless a condition holds.
fn check(faults: &mut Faults, holds: bool, fault: impl FnOnce() -> String) {
    if !holds {
        faults.push(fault());
    }
}

impl Unix {
    /// Returns what does not agree; nothing where everything is well.
    pub fn inconsistencies(&self) -> Vec<String> {
        let mut faults = Faults::new();
        for (number, thread) in self.threads.iter() {
            check(&mut faults, *number == thread.number, || format!("thread {number:?}: its key"));
            self.check_thread(thread, &mut faults);
        }
        for (pid, process) in self.processes.iter() {
            check(&mut faults, *pid == process.pid, || format!("process {pid:?}: its key"));
            self.check_process(process, &mut faults);
            let kept = process.descriptors.is_kept();
            check(&mut faults, kept, || format!("process {}: kept descriptors", pid.0));
        }
        for (name, table) in self.kept.all() {
            check(&mut faults, table.is_sound(), || format!("{name}: their table"));
        }
        self.check_kept(&mut faults);
        let rows = self.kept.processes.len();
        check(&mut faults, rows == self.processes.len(), || format!("processes: {rows} rows"));
        let rows = self.kept.threads.len();
        check(&mut faults, rows == self.threads.len(), || format!("threads: {rows} rows"));
        self.check_numbers(&mut faults);
        self.check_files(&mut faults);
        self.check_memory(&mut faults);
        self.check_terminal(&mut faults);
        self.check_numbered(&mut faults);
        faults
    }

    /// What is kept of processes and threads is what they are.
    fn check_kept(&self, faults: &mut Faults) {
        if self.is_changing() {
            return;
        }
        for process in self.processes.values() {
            let differs = process.differs_from(self.kept);
            let number = process.pid.0;
            check(faults, differs.is_none(), || format!("process {number}: kept {differs:?}"));
        }
        for thread in self.threads.values() {
            let differs = thread.differs_from(self.kept);
            let number = thread.number.0;
            check(faults, differs.is_none(), || format!("thread {number}: kept {differs:?}"));
        }
    }

    fn check_thread(&self, thread: &Thread, faults: &mut Faults) {
        let kept = self.kept.threads.has(thread.row);
        check(faults, kept, || format!("thread {:?}: its row", thread.number));
        let name = || format!("thread {} of process {}", thread.tid.0, thread.pid.0);
        let Some(process) = self.processes.get(&thread.pid) else {
            return faults.push(format!("{}: no such process", name()));
        };
        let listed = process.threads.iter().filter(|&&one| one == thread.number).count();
        check(faults, listed == 1, || format!("{}: listed {listed} times", name()));
        check(faults, thread.mask == thread.mask.maskable(), || format!("{}: its mask", name()));
        check(faults, thread.pending.is_sound(), || format!("{}: its signals", name()));
        match &thread.state {
            State::Running => {}
            State::Held(_) => {
                check(faults, process.is_stopped(), || format!("{}: held, but goes on", name()));
            }
            State::Parked(parked) => {
                if let Some(deadline) = parked.deadline.filter(|_| !process.is_stopped()) {
                    let comes = self.timer <= deadline;
                    check(faults, comes, || format!("{}: its time never comes", name()));
                }
                // A stopped one looks again when it is continued.
                let channels = parked.channels.as_slice().iter();
                for channel in channels.filter(|_| !process.is_stopped()) {
                    let is_known = self.waiters.has(thread.number, *channel);
                    check(faults, is_known, || format!("{}: {channel:?} is not known", name()));
                    let fits = self.is_channel_of(*channel, thread);
                    check(faults, fits, || format!("{}: waits for {channel:?}", name()));
                }
            }
        }
    }

    /// Returns whether a channel is one that a thread's call can wait for.
    fn is_channel_of(&self, channel: Channel, thread: &Thread) -> bool {
        match channel {
            Channel::Children(pid) => pid == thread.pid,
            Channel::Borrowed(number) => {
                let lender = Some(thread.number);
                let lent = self.processes.values().any(|child| child.borrowed_from == lender);
                number == thread.number.0 && lent
            }
            Channel::Turn(number) => number == thread.number.0,
            // Others are awaited for themselves.
            _ => true,
        }
    }

    fn check_process(&self, process: &Process, faults: &mut Faults) {
        let name = || format!("process {}", process.pid.0);
        let mut expect = |holds: bool, what: &str| {
            check(faults, holds, || format!("{}: {what}", name()));
        };
        let parent = self.processes.get(&process.parent);
        let has_parent = process.parent == Pid::INIT || parent.is_some_and(|it| !it.is_zombie());
        expect(has_parent && process.parent != process.pid, "its parent");
        expect(process.client.is_none() || process.parent == Pid::INIT, "a client and a parent");
        expect(process.pending.is_sound(), "its signals");
        expect(process.alarm.is_none_or(|alarm| self.timer <= alarm.at), "its alarm never comes");
        expect(
            process
                .threads
                .iter()
                .all(|one| self.threads.get(one).is_some_and(|thread| thread.pid == process.pid)),
            "its threads",
        );
        let (threads, memory) = (!process.threads.is_empty(), process.mm.is_some());
        match (process.life, process.native) {
            (Life::Zombie(_), _) => {
                expect(!threads && !memory, "ended, with threads or memory");
                expect(process.descriptors.iter().next().is_none(), "ended, with open files");
                expect(process.alarm.is_none() && process.native.is_none(), "ended, yet busy");
                expect(process.borrowed_from.is_none(), "ended, with memory not its own");
            }
            (Life::Running | Life::Stopped(_), Some(_)) => {
                expect(!threads && !memory, "played by a native program, with threads or memory");
            }
            (Life::Running | Life::Stopped(_), None) => {
                expect(threads && memory, "alive, without threads or memory");
            }
        }
    }

    /// Numbers name one thing each; a group lies in one session.
    fn check_numbers(&self, faults: &mut Faults) {
        let mut numbers = BTreeSet::new();
        for thread in self.threads.values() {
            check(faults, numbers.insert(thread.tid), || format!("two threads {}", thread.tid.0));
            let taken = thread.tid != thread.pid && self.processes.contains_key(&thread.tid);
            check(faults, !taken, || format!("a thread and a process {}", thread.tid.0));
        }
        let mut sessions = BTreeMap::new();
        for process in self.processes.values() {
            let session = *sessions.entry(process.group).or_insert(process.session);
            let fits = session == process.session;
            check(faults, fits, || format!("group {} in two sessions", process.group.0));
        }
    }

    /// What lies in a table under a number is open somewhere, or waits to be accepted.
    fn check_numbered(&self, faults: &mut Faults) {
        faults.extend(self.sockets.inconsistencies());
        let slots = self.processes.values().flat_map(|process| process.descriptors.iter());
        let files = slots.map(|(_, slot)| &slot.file).chain(self.exported.values());
        let files = files.chain(self.sockets.in_flight());
        let number = |file: &Description| match &file.borrow().object {
            Object::Numbered(numbered) => Some(numbered.number()),
            _ => None,
        };
        let open: BTreeSet<u64> = files.filter_map(number).collect();
        for (what, number) in self.sockets.open().map(|one| ("socket", one)) {
            check(faults, open.contains(&number), || format!("{what} {number}: nobody's"));
        }
    }

    /// Descriptions have as many users as point to them, pipes as many ends as are open.
    fn check_files(&self, faults: &mut Faults) {
        let mut users: BTreeMap<usize, (usize, &Description)> = BTreeMap::new();
        let slots = self.processes.values().flat_map(|process| process.descriptors.iter());
        let files = slots.map(|(_, slot)| &slot.file).chain(self.exported.values());
        let files = files.chain(self.sockets.in_flight());
        for file in files {
            users.entry(Rc::as_ptr(file) as usize).or_insert((0, file)).0 += 1;
        }
        let mut ends: BTreeMap<u64, [usize; 3]> = BTreeMap::new();
        let mut add = |end: &crate::pipe::End| {
            let [read, write, all] = ends.entry(end.id()).or_default();
            let direction = end.direction();
            *read += usize::from(direction.reads());
            *write += usize::from(direction.writes());
            let (readers, writers) = end.counts();
            *all = readers << 16 | writers;
        };
        let (rows, files) = (self.kept.files.len(), users.len());
        check(faults, rows == files, || format!("files: {rows} rows of {files}"));
        for (count, file) in users.values() {
            let strong = Rc::strong_count(file);
            let path = || String::from_utf8_lossy(&file.borrow().path).into_owned();
            // The call that reads a text, such as this one, holds it besides.
            let is_read = matches!(file.borrow().object, Object::Text(..));
            let fits = strong == *count || is_read && strong == *count + 1;
            check(faults, fits, || format!("file {}: {strong} users, {count} descriptors", path()));
            if let Object::Pipe(end) = &file.borrow().object {
                add(end);
            }
        }
        self.fifos.waiting().for_each(&mut add);
        check(faults, self.pipes.is_sound(), || String::from("pipes: their table"));
        check(faults, self.fifos.is_sound(), || String::from("named pipes: their nodes"));
        for (id, [read, write, all]) in ends {
            let fits = all == read << 16 | write;
            check(faults, fits, || format!("pipe {id}: {read} + {write} ends, counted {all:#x}"));
        }
    }

    fn check_memory(&self, faults: &mut Faults) {
        let mut spaces = BTreeSet::new();
        // Whose private pages an object is, by its handle.
        let mut owners = BTreeMap::new();
        for process in self.processes.values() {
            let Some(mm) = &process.mm else { continue };
            let mm = mm.borrow();
            let space = mm.space().0.0;
            if !spaces.insert(space) {
                continue;
            }
            check_regions(&mm, process.pid, faults);
            for region in mm.regions().filter(|region| region.sharing == Sharing::Private) {
                let owner = *owners.entry(region.backing.memory().0.0).or_insert(space);
                let own = owner == space;
                check(faults, own, || format!("process {}: another's pages", process.pid.0));
            }
        }
    }

    fn check_terminal(&self, faults: &mut Faults) {
        for (line, control) in self.terminals.controls() {
            let Some(session) = control.session else { continue };
            let leader = self.processes.get(&session);
            let has_leader = leader.is_some_and(|leader| !leader.is_zombie());
            check(faults, has_leader, || format!("{line:?}: session {} has no leader", session.0));
            let has_stream = line != Line::Console || self.terminals.console.is_some();
            check(faults, has_stream, || format!("{line:?}: no stream"));
        }
        for (number, pty) in &self.terminals.ptys {
            check(faults, !pty.is_gone(), || format!("pty {number}: nobody can use it"));
        }
    }
}

fn check_regions(mm: &Mm, pid: Pid, faults: &mut Faults) {
    let mut before = 0;
    for region in mm.regions() {
        let at = region.start;
        let sound = region.pages > 0
            && at % PAGE == 0
            && at >= before
            && region.end() <= SPACE_END
            && region.first_page + region.pages <= region.backing.pages();
        check(faults, sound, || format!("process {}: the region at {at:#x}", pid.0));
        before = region.end();
    }
}

#[cfg(test)]
mod tests {
    use crate::fake::Bench;
    use crate::process::Pid;

    #[test]
    fn what_does_not_agree_is_told() {
        let mut bench = Bench::new();
        let pid = bench.launch();
        assert!(bench.unix.inconsistencies().is_empty());
        bench.unix.processes.get_mut(&pid).unwrap().parent = Pid(77);
        let thread = bench.thread(pid);
        bench.unix.threads.get_mut(&thread).unwrap().pid = Pid(78);
        let faults = bench.unix.inconsistencies();
        assert!(faults.iter().any(|fault| fault.contains("its parent")), "{faults:?}");
        assert!(faults.iter().any(|fault| fault.contains("no such process")), "{faults:?}");
    }
}
