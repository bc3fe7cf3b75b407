//! Who waits for whom, of what the kernel tells of all threads at a moment.
//!
//! ```text
//!   snapshots ──> processes (threads of one address space) ──> waits ──> lines, deadlocks
//! ```
//!
//! A thread that calls waits for whoever serves the endpoint; one whose call was received, for the
//! process that may answer it. A process is *stuck* if each of its threads waits so, without a
//! deadline, for a process that is stuck: among those there is a circle, which nobody leaves.
//!
//! Whoever looks may run above all that waits, so everything is computed once, in time that grows
//! with the threads (and the logarithm of their number), and the lines have a bound.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use libipc::abi::snapshot::{Activity, NOTHING, Snapshot};

use crate::trace;

/// Most lines that are told, the one that counts the rest not included.
pub const LINES_MAX: usize = 64;
/// Most processes of a circle that are named.
const CIRCLE_MAX: usize = 16;

/// A wait for somebody else's doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Wait {
    /// The thread.
    who: Snapshot,
    /// The space of the process that it waits for, where that is known.
    whom: Option<u32>,
}

/// What the threads of a process do.
#[derive(Default)]
struct Doings {
    /// Whether one runs, or could.
    is_busy: bool,
    /// Whether one goes on by itself, or by what is no wait.
    is_free: bool,
    /// The endpoints that they receive at.
    receives: BTreeSet<u32>,
    /// Whom the first that waits waits for, where that is known.
    next: Option<u32>,
    /// Whether one waits.
    waits: bool,
}

/// All threads at a moment, and what processes are called.
pub struct View {
    /// Names of processes, by space.
    names: BTreeMap<u32, String>,
    /// Which process serves an endpoint.
    servers: BTreeMap<u32, u32>,
    /// What each process does, by space.
    processes: BTreeMap<u32, Doings>,
    /// The threads that wait, in the order of their slots.
    waits: Vec<Wait>,
}

impl View {
    /// Returns the view of threads; `name` names a thread, and with it its process; `owner` the
    /// process, by the name of its service, that an endpoint belongs to.
    pub fn new(
        threads: &[Snapshot],
        name: impl Fn(&Snapshot) -> Option<String>,
        owner: impl Fn(u32) -> Option<String>,
    ) -> Self {
        let named = |thread: &Snapshot| name(thread).map(|name| (thread.space, name));
        let names: BTreeMap<u32, String> = threads.iter().filter_map(named).collect();
        let servers = servers(threads, &names, owner);
        let waits: Vec<Wait> = threads.iter().filter_map(|who| wait(who, &servers)).collect();
        let processes = processes(threads, &waits);
        View { names, servers, processes, waits }
    }

    /// Returns a line for each deadlock, then one for each thread that waits for somebody: at most
    /// [`LINES_MAX`], and one that counts the rest.
    pub fn lines(&self) -> Vec<String> {
        let circles = self.circles();
        let deadlocks = circles.iter().map(|circle| self.deadlock(circle));
        let waits = self.waits.iter().map(|wait| self.line(wait));
        let mut lines: Vec<String> = deadlocks.chain(waits).take(LINES_MAX).collect();
        match circles.len() + self.waits.len() {
            0 => lines.push("nobody waits for anybody".into()),
            all if all > LINES_MAX => lines.push(format!("… and {} more", all - LINES_MAX)),
            _ => {}
        }
        lines
    }

    /// Returns whether a process receives, or is about to: it would take a message.
    pub fn is_awake(&self, name: &str) -> bool {
        let is_awake = |space: &u32| {
            let doings = self.processes.get(space);
            doings.is_some_and(|doings| doings.is_busy || !doings.receives.is_empty())
        };
        self.names.iter().any(|(space, known)| known == name && is_awake(space))
    }

    fn deadlock(&self, circle: &[u32]) -> String {
        let named = circle.iter().take(CIRCLE_MAX).map(|space| self.process(*space));
        let mut names: Vec<String> = named.collect();
        if circle.len() > CIRCLE_MAX {
            names.push(format!("{} more", circle.len() - CIRCLE_MAX));
        }
        format!("deadlock: {} -> {}", names.join(" -> "), names[0])
    }

    fn line(&self, wait: &Wait) -> String {
        let Wait { who, whom } = *wait;
        let asked = trace::of_tag(who.tag);
        let whom_name = match whom {
            Some(space) => self.process(space),
            None => format!("endpoint {}", who.waits_for),
        };
        let state = match whom {
            Some(space) => self.state(space, &who),
            None => "nobody receives there".into(),
        };
        let limit = if who.is_timed { ", until a deadline" } else { "" };
        format!("{} waits for {whom_name} ({asked}){limit}: {state}", self.thread(&who))
    }

    /// Returns what a process does that somebody waits for.
    fn state(&self, space: u32, who: &Snapshot) -> String {
        let Some(doings) = self.processes.get(&space) else { return "it is gone".into() };
        if doings.is_busy {
            return "it is busy".into();
        }
        if doings.receives.contains(&who.waits_for) {
            return "it receives, and has not answered yet".into();
        }
        match doings.next {
            Some(next) => format!("it waits for {}", self.process(next)),
            None => "it is hung: it does not receive".into(),
        }
    }

    /// Returns the processes of each circle of waits that nobody leaves by himself.
    fn circles(&self) -> Vec<Vec<u32>> {
        let stuck = self.stuck();
        let mut next = BTreeMap::new();
        for Wait { who, whom } in &self.waits {
            if let Some(whom) = whom.filter(|whom| stuck.contains(whom)) {
                next.entry(who.space).or_insert(whom);
            }
        }
        let mut circles: Vec<Vec<u32>> = Vec::new();
        let mut seen = BTreeSet::new();
        for &first in &stuck {
            let mut way = Vec::new();
            let mut at = Some(first);
            while let Some(space) = at
                && seen.insert(space)
            {
                way.push(space);
                at = next.get(&space).copied();
            }
            if let Some(begin) = at.and_then(|end| way.iter().position(|space| *space == end)) {
                circles.push(way.split_off(begin));
            }
        }
        circles
    }

    /// Returns the processes that are stuck: all that wait, without those that go on, then without
    /// those that wait for one of these, and so on; each is taken away once.
    fn stuck(&self) -> BTreeSet<u32> {
        let may_be = |(_, doings): &(&u32, &Doings)| doings.waits && !doings.is_free;
        let mut stuck: BTreeSet<u32> =
            self.processes.iter().filter(may_be).map(|(space, _)| *space).collect();
        let mut leaving = Vec::new();
        let mut waiters: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for Wait { who, whom } in &self.waits {
            match whom.filter(|whom| stuck.contains(whom)) {
                Some(whom) => waiters.entry(whom).or_default().push(who.space),
                None => leaving.push(who.space),
            }
        }
        while let Some(space) = leaving.pop() {
            if stuck.remove(&space) {
                leaving.extend(waiters.remove(&space).unwrap_or_default());
            }
        }
        stuck
    }

    fn process(&self, space: u32) -> String {
        self.names.get(&space).cloned().unwrap_or_else(|| format!("process in space {space}"))
    }

    fn thread(&self, thread: &Snapshot) -> String {
        match self.names.get(&thread.space) {
            Some(name) => name.clone(),
            None => match self.servers.get(&thread.handler) {
                Some(server) if thread.is_foreign => {
                    format!("{} {}", self.process(*server), thread.badge)
                }
                _ => format!("thread {}", thread.slot),
            },
        }
    }
}

/// Returns which process serves each endpoint that a thread has to do with.
fn servers(
    threads: &[Snapshot],
    names: &BTreeMap<u32, String>,
    owner: impl Fn(u32) -> Option<String>,
) -> BTreeMap<u32, u32> {
    let mut servers = BTreeMap::new();
    for thread in threads {
        match thread.activity {
            Activity::Receiving => servers.insert(thread.waits_for, thread.space),
            Activity::Open if thread.answerer != NOTHING => {
                servers.insert(thread.waits_for, thread.answerer)
            }
            _ => None,
        };
    }
    // Who owns an endpoint counts more than who was seen there. The first of a name has it.
    let spaces: BTreeMap<&str, u32> =
        names.iter().rev().map(|(space, name)| (name.as_str(), *space)).collect();
    let endpoints: BTreeSet<u32> = threads.iter().map(|thread| thread.waits_for).collect();
    for endpoint in endpoints {
        if let Some(space) = owner(endpoint).and_then(|name| spaces.get(name.as_str()).copied()) {
            servers.insert(endpoint, space);
        }
    }
    servers
}

/// Returns what a thread waits for, if it does.
fn wait(who: &Snapshot, servers: &BTreeMap<u32, u32>) -> Option<Wait> {
    let whom = match who.activity {
        Activity::Calling | Activity::Sending => servers.get(&who.waits_for).copied(),
        Activity::Open => Some(who.answerer).filter(|space| *space != NOTHING),
        _ => return None,
    };
    Some(Wait { who: *who, whom })
}

/// Returns what the threads of each process do.
fn processes(threads: &[Snapshot], waits: &[Wait]) -> BTreeMap<u32, Doings> {
    let mut processes: BTreeMap<u32, Doings> = BTreeMap::new();
    for thread in threads {
        let doings = processes.entry(thread.space).or_default();
        match thread.activity {
            Activity::Running | Activity::Ready => doings.is_busy = true,
            Activity::Receiving => {
                doings.receives.insert(thread.waits_for);
            }
            _ => {}
        }
        let waits = matches!(
            thread.activity,
            Activity::Calling | Activity::Sending | Activity::Open | Activity::Stopped
        );
        doings.is_free |= !waits || thread.is_timed;
    }
    for Wait { who, whom } in waits {
        let doings = processes.entry(who.space).or_default();
        if !doings.waits {
            (doings.waits, doings.next) = (true, *whom);
        }
    }
    processes
}

#[cfg(test)]
mod tests {
    extern crate std;

    use alloc::string::ToString;
    use alloc::vec;
    use core::cell::Cell;

    use libipc::Tag;
    use protocols::{clock, file};

    use super::*;

    /// Threads are named by their spaces: 1 is "a", 2 is "b" and so on.
    fn named(thread: &Snapshot) -> Option<String> {
        let letter = b"abcdef".get(thread.space as usize - 1)?;
        Some(char::from(*letter).to_string())
    }

    fn thread(slot: u16, space: u32, activity: Activity) -> Snapshot {
        Snapshot { activity, space, ..Snapshot::vacant(slot) }
    }

    fn open(slot: u16, space: u32, endpoint: u32, answerer: u32) -> Snapshot {
        let tag = Tag::short(file::file_label::READ);
        let waits_for = endpoint;
        Snapshot { waits_for, answerer, tag, ..thread(slot, space, Activity::Open) }
    }

    fn calling(slot: u16, space: u32, endpoint: u32) -> Snapshot {
        let tag = Tag::short(clock::clock_label::BOOT_TIME);
        Snapshot { waits_for: endpoint, tag, ..thread(slot, space, Activity::Calling) }
    }

    fn receiving(slot: u16, space: u32, endpoint: u32) -> Snapshot {
        Snapshot { waits_for: endpoint, ..thread(slot, space, Activity::Receiving) }
    }

    fn lines(threads: &[Snapshot]) -> Vec<String> {
        View::new(threads, named, |_| None).lines()
    }

    #[test]
    fn two_that_call_each_other_are_a_deadlock_and_who_waits_for_them_is_told() {
        // a's endpoint is 10, b's 20. b has a call of c open and calls a, who calls b.
        let threads = [calling(1, 1, 20), open(2, 2, 10, 1), open(3, 3, 20, 2)];
        let expected = [
            "deadlock: a -> b -> a",
            "a waits for b (Clock::boot_time): it waits for a",
            "b waits for a (File::read): it waits for b",
            "c waits for b (File::read): it waits for a",
        ];
        assert_eq!(lines(&threads), expected);
    }

    #[test]
    fn a_server_that_receives_runs_or_can_go_on_is_no_deadlock() {
        let parked = [open(1, 1, 20, 2), receiving(2, 2, 20)];
        assert_eq!(
            lines(&parked),
            ["a waits for b (File::read): it receives, and has not answered yet"]
        );
        let busy = [calling(1, 1, 20), thread(2, 2, Activity::Ready), open(3, 3, 20, 2)];
        assert_eq!(lines(&busy)[0], "a waits for b (Clock::boot_time): it is busy");
        // A second thread of b could answer.
        let threads = [open(1, 1, 20, 2), open(2, 2, 10, 1), thread(3, 2, Activity::Waiting)];
        assert!(!lines(&threads).iter().any(|line| line.starts_with("deadlock")));
        // a's wait ends by itself.
        let timed = Snapshot { is_timed: true, ..open(1, 1, 20, 2) };
        let found = lines(&[timed, open(2, 2, 10, 1)]);
        assert_eq!(found[0], "a waits for b (File::read), until a deadline: it waits for a");
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn servers_that_do_not_receive_are_hung_and_endpoints_have_owners() {
        let threads = [calling(1, 1, 20), thread(2, 2, Activity::Waiting), calling(3, 3, 30)];
        let owner = |endpoint| (endpoint == 20).then(|| "b".to_string());
        let view = View::new(&threads, named, owner);
        let expected = [
            "a waits for b (Clock::boot_time): it is hung: it does not receive",
            "c waits for endpoint 30 (Clock::boot_time): nobody receives there",
        ];
        assert_eq!(view.lines(), expected);
        assert!(!view.is_awake("b"));
        let threads = [receiving(1, 1, 20), thread(2, 2, Activity::Ready)];
        let view = View::new(&threads, named, |_| None);
        assert!(view.is_awake("a") && view.is_awake("b") && !view.is_awake("c"));
    }

    #[test]
    fn circles_are_found_beside_each_other_and_foreign_threads_named_by_their_personality() {
        let system_call = Tag::short(0).with_kind(libipc::Kind::SystemCall);
        let foreign = Snapshot {
            badge: 77,
            is_foreign: true,
            handler: 20,
            tag: system_call,
            ..open(9, 99, 20, 2)
        };
        let threads = vec![
            open(1, 1, 20, 2),
            open(2, 2, 30, 3),
            open(3, 3, 10, 1),
            open(4, 4, 50, 5),
            open(5, 5, 40, 4),
            foreign,
        ];
        let found = lines(&threads);
        assert_eq!(found[..2], ["deadlock: a -> b -> c -> a", "deadlock: d -> e -> d"]);
        assert_eq!(found[7], "b 77 waits for b (read): it waits for c");
        assert_eq!(lines(&[]), ["nobody waits for anybody"]);
    }

    /// Returns processes from space 1 on, each calling at its own endpoint, which `whom` answers.
    fn parked(count: u32, whom: impl Fn(u32) -> u32) -> Vec<Snapshot> {
        (1..=count).map(|space| open(space as u16, space, 10_000 + space, whom(space))).collect()
    }

    #[test]
    fn a_thousand_parked_threads_are_a_bounded_work_and_few_lines() {
        const MANY: u32 = 1_000;
        let begin = std::time::Instant::now();
        let (named, owned) = (Cell::new(0), Cell::new(0));
        let see = |threads: &[Snapshot]| {
            let name = |thread: &Snapshot| {
                named.set(named.get() + 1);
                Some(format!("p{}", thread.space))
            };
            let owner = |_| {
                owned.set(owned.get() + 1);
                None
            };
            View::new(threads, name, owner).lines()
        };
        // A chain: only its end is known to go on, and everybody is taken away after it.
        let chain = see(&parked(MANY, |space| space + 1));
        assert_eq!((chain.len(), named.get(), owned.get()), (LINES_MAX + 1, 1_000, 1_000));
        assert_eq!(chain[0], "p1 waits for p2 (File::read): it waits for p3");
        assert_eq!(chain[LINES_MAX], "… and 936 more");
        // One circle of all, which is named in part; then as many as there can be.
        let circle = see(&parked(MANY, |space| space % MANY + 1));
        assert_eq!(circle.len(), LINES_MAX + 1);
        assert!(circle[0].starts_with("deadlock: p1 -> p2 -> "), "{}", circle[0]);
        assert!(circle[0].ends_with(" -> p16 -> 984 more -> p1"), "{}", circle[0]);
        let pairs = see(&parked(MANY, |space| ((space - 1) ^ 1) + 1));
        assert!(pairs[..LINES_MAX].iter().all(|line| line.starts_with("deadlock: ")));
        assert_eq!(pairs[LINES_MAX], "… and 1436 more");
        // Threads of one process, which all wait for one that receives nothing.
        let mut server: Vec<Snapshot> = parked(MANY, |_| 2);
        server.iter_mut().for_each(|thread| thread.space = 1);
        assert_eq!(see(&server).len(), LINES_MAX + 1);
        assert!(begin.elapsed().as_millis() < 500, "{:?}", begin.elapsed());
    }

    #[test]
    fn as_many_waits_as_lines_are_all_told() {
        let count = LINES_MAX as u32;
        assert_eq!(lines(&parked(count, |space| space + 1)).len(), LINES_MAX);
    }
}
