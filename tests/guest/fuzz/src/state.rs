//! What the personality says of itself in `/proc/kamen`, and processes seen from their parent.

use crate::numbers as n;
use crate::raw::{call, call3, error};
use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Pages and units of objects that there may be more: what the parent itself touches for the first
/// time meanwhile, and the few address spaces that the personality keeps for the next processes.
/// The images of programs that are kept for who runs them next are not among the pages: a random
/// call may have made a program anew while it ran (it touched its file).
const KEPT: u64 = 64;
/// How long what was killed may take to be gone.
const GONE: Duration = Duration::from_secs(20);

/// What the personality says.
#[derive(Clone, Default, Debug)]
pub struct State {
    /// Its counts by name.
    pub counts: BTreeMap<String, u64>,
    /// Which of its tables do not agree.
    pub faults: Vec<String>,
}

impl State {
    /// Returns what it says now.
    pub fn read() -> State {
        let mut state = State::default();
        let text = fs::read_to_string("/proc/kamen").unwrap_or_else(|error| {
            State { faults: vec![format!("/proc/kamen: {error}")], ..State::default() }.told()
        });
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("fault", what)) => state.faults.push(what.to_owned()),
                Some((name, count)) => {
                    state.counts.insert(name.to_owned(), count.trim().parse().unwrap_or(0));
                }
                None => {}
            }
        }
        state
    }

    fn told(&self) -> String {
        self.faults.iter().map(|fault| format!("fault {fault}\n")).collect()
    }

    /// Returns a count.
    pub fn count(&self, name: &str) -> u64 {
        let count = |name| self.counts.get(name).copied().unwrap_or(0);
        match name {
            "pages" => count("pages").saturating_sub(count("kept")),
            _ => count(name),
        }
    }

    /// Returns what there is more than before, apart from what is kept for later use.
    pub fn grown_since(&self, before: &State) -> Vec<String> {
        let counted =
            ["processes", "threads", "files", "pipes", "spaces", "regions", "pages", "objects"];
        let more = |name: &str| self.count(name).saturating_sub(before.count(name));
        let kept = |name: &str| if ["pages", "objects"].contains(&name) { KEPT } else { 0 };
        let grown = counted.iter().filter(|name| more(name) > kept(name));
        grown
            .map(|name| format!("{name} {} before, {} after", before.count(name), self.count(name)))
            .collect()
    }
}

/// Waits until there is no more than before; returns what stays.
pub fn settled(before: &State) -> Vec<String> {
    let start = Instant::now();
    loop {
        reap();
        let now = State::read();
        let grown = now.grown_since(before);
        if grown.is_empty() || start.elapsed() > GONE {
            return [grown, now.faults].concat();
        }
        sleep(Duration::from_millis(20));
    }
}

/// Waits until this is the only Linux process, or a while.
pub fn alone() {
    let start = Instant::now();
    while State::read().count("processes") > 1 && start.elapsed() < GONE {
        reap();
        sleep(Duration::from_millis(20));
    }
}

/// Takes all children that have ended.
pub fn reap() {
    loop {
        let result = call(n::WAIT4, [u64::MAX, 0, n::NO_HANG, 0, 0, 0]);
        if result == 0 || error(result).is_some() {
            return;
        }
    }
}

/// Runs a child; it ends with the function.
pub fn child(act: impl FnOnce()) -> u64 {
    let pid = call3(n::FORK, 0, 0, 0);
    if pid == 0 {
        act();
        call3(n::EXIT_GROUP, 0, 0, 0);
    }
    pid
}

/// Waits for a child and returns its status; nothing where it takes too long.
pub fn wait(pid: u64, most: Duration) -> Option<u32> {
    let start = Instant::now();
    loop {
        let mut status = 0u32;
        let at = (&raw mut status) as u64;
        let result = call(n::WAIT4, [pid, at, n::NO_HANG, 0, 0, 0]);
        if result == pid {
            return Some(std::hint::black_box(status));
        }
        if error(result).is_some() || start.elapsed() > most {
            return None;
        }
        sleep(Duration::from_millis(2));
    }
}
