//! Who waits for whom, of what the kernel tells of all threads at a moment.
//!
//! ```text
//!   snapshots ──> processes (threads of one address space) ──> waits ──> lines, deadlocks
//! ```
//!
//! A thread that calls waits for whoever serves the endpoint; one whose call was received, for the
//! process that may answer it. A process is *stuck* if each of its threads waits so, without a
//! deadline, for a process that is stuck: among those there is a circle, which nobody leaves.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use libipc::abi::snapshot::{Activity, NOTHING, Snapshot};

use crate::trace;

/// A wait for somebody else's doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Wait {
    /// The thread.
    who: Snapshot,
    /// The space of the process that it waits for, where that is known.
    whom: Option<u32>,
}

/// All threads at a moment, and what processes are called.
pub struct View<'a> {
    threads: &'a [Snapshot],
    /// Names of processes, by space.
    names: BTreeMap<u32, String>,
    /// Which process serves an endpoint.
    servers: BTreeMap<u32, u32>,
}

impl<'a> View<'a> {
    /// Returns the view of threads; `name` names a thread, and with it its process; `owner` the
    /// process, by the name of its service, that an endpoint belongs to.
    pub fn new(
        threads: &'a [Snapshot],
        name: impl Fn(&Snapshot) -> Option<String>,
        owner: impl Fn(u32) -> Option<String>,
    ) -> Self {
        let mut view = View { threads, names: BTreeMap::new(), servers: BTreeMap::new() };
        for thread in threads {
            if let Some(name) = name(thread) {
                view.names.insert(thread.space, name);
            }
        }
        for thread in threads {
            match thread.activity {
                Activity::Receiving => view.servers.insert(thread.waits_for, thread.space),
                Activity::Open if thread.answerer != NOTHING => {
                    view.servers.insert(thread.waits_for, thread.answerer)
                }
                _ => None,
            };
        }
        // Who owns an endpoint counts more than who was seen there.
        for endpoint in threads.iter().map(|thread| thread.waits_for) {
            let name = owner(endpoint);
            let space = name.and_then(|name| {
                view.names.iter().find(|(_, known)| **known == name).map(|(space, _)| *space)
            });
            if let Some(space) = space {
                view.servers.insert(endpoint, space);
            }
        }
        view
    }

    /// Returns a line for each thread that waits for somebody, then one for each deadlock.
    pub fn lines(&self) -> Vec<String> {
        let waits = self.waits();
        let mut lines: Vec<String> = waits.iter().map(|wait| self.line(wait)).collect();
        let circles = self.circles();
        lines.extend(circles.iter().map(|circle| {
            let names: Vec<String> = circle.iter().map(|space| self.process(*space)).collect();
            format!("deadlock: {} -> {}", names.join(" -> "), names[0])
        }));
        if lines.is_empty() {
            lines.push("nobody waits for anybody".into());
        }
        lines
    }

    /// Returns whether a process receives, or is about to: it would take a message.
    pub fn is_awake(&self, name: &str) -> bool {
        let is_awake = |thread: &&Snapshot| {
            matches!(thread.activity, Activity::Receiving | Activity::Running | Activity::Ready)
        };
        self.threads.iter().filter(is_awake).any(|thread| self.process(thread.space) == name)
    }

    fn waits(&self) -> Vec<Wait> {
        let waiting = self.threads.iter().filter_map(|thread| {
            let whom = match thread.activity {
                Activity::Calling | Activity::Sending => {
                    self.servers.get(&thread.waits_for).copied()
                }
                Activity::Open => Some(thread.answerer).filter(|space| *space != NOTHING),
                _ => return None,
            };
            Some(Wait { who: *thread, whom })
        });
        waiting.collect()
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
        let threads = || self.threads.iter().filter(move |thread| thread.space == space);
        let does = |activity| threads().any(|thread| thread.activity == activity);
        if threads().next().is_none() {
            return "it is gone".into();
        }
        if does(Activity::Running) || does(Activity::Ready) {
            return "it is busy".into();
        }
        let receives = |thread: &Snapshot| {
            thread.activity == Activity::Receiving && thread.waits_for == who.waits_for
        };
        if threads().any(receives) {
            return "it receives, and has not answered yet".into();
        }
        let own = self.waits().into_iter().find(|wait| wait.who.space == space);
        match own.and_then(|wait| wait.whom) {
            Some(next) => format!("it waits for {}", self.process(next)),
            None => "it is hung: it does not receive".into(),
        }
    }

    /// Returns the processes of each circle of waits that nobody leaves by himself.
    fn circles(&self) -> Vec<Vec<u32>> {
        let stuck = self.stuck();
        let next = |space: u32| {
            let of = self.waits().into_iter().filter(move |wait| wait.who.space == space);
            of.filter_map(|wait| wait.whom).find(|whom| stuck.contains(whom))
        };
        let mut circles: Vec<Vec<u32>> = Vec::new();
        let mut seen = BTreeSet::new();
        for &first in &stuck {
            let mut way = Vec::new();
            let mut at = Some(first);
            while let Some(space) = at
                && seen.insert(space)
            {
                way.push(space);
                at = next(space);
            }
            if let Some(begin) = at.and_then(|end| way.iter().position(|space| *space == end)) {
                circles.push(way.split_off(begin));
            }
        }
        circles
    }

    fn stuck(&self) -> BTreeSet<u32> {
        let waits = self.waits();
        let is_free = |thread: &&Snapshot| {
            let waits = matches!(
                thread.activity,
                Activity::Calling | Activity::Sending | Activity::Open | Activity::Stopped
            );
            !waits || thread.is_timed
        };
        let free: BTreeSet<u32> =
            self.threads.iter().filter(is_free).map(|thread| thread.space).collect();
        let mut stuck: BTreeSet<u32> = waits.iter().map(|wait| wait.who.space).collect();
        stuck.retain(|space| !free.contains(space));
        loop {
            let leaves = |wait: &&Wait| {
                let waits_for_stuck = wait.whom.is_some_and(|whom| stuck.contains(&whom));
                stuck.contains(&wait.who.space) && !waits_for_stuck
            };
            match waits.iter().find(leaves).map(|wait| wait.who.space) {
                Some(space) => stuck.remove(&space),
                None => return stuck,
            };
        }
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

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

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
            "a waits for b (Clock::boot_time): it waits for a",
            "b waits for a (File::read): it waits for b",
            "c waits for b (File::read): it waits for a",
            "deadlock: a -> b -> a",
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
        assert_eq!(found[5], "b 77 waits for b (read): it waits for c");
        assert_eq!(found[6..], ["deadlock: a -> b -> c -> a", "deadlock: d -> e -> d"]);
        assert_eq!(lines(&[]), ["nobody waits for anybody"]);
    }
}
