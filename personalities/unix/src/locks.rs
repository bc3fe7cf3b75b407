//! Locks on files: of processes and of open file descriptions (fcntl(2)), and whole ones (flock(2)).
//!
//! ```text
//!   Key (what is locked) ──> [ owner, kind, first … last byte ] …     sorted by nobody: few
//! ```
//!
//! Locks keep out other locks, nobody who reads or writes. Those of flock and those of fcntl do
//! not see each other, as on Linux. All of it is numbers: who waits is found by its thread.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::Errno;
use crate::open::{Object, OpenFile};
use crate::path::{Node, VNode};
use crate::process::{Pid, ThreadNumber};
use crate::wake::{Channel, Wakes};

#[cfg(test)]
mod tests;

/// Most locks of all processes together, so that a program cannot fill this server's memory.
pub const MAX_LOCKS: usize = 4096;

/// What is locked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Key {
    /// A node of the file server.
    Node(Node),
    /// A pipe, by its number.
    Pipe(u64),
}

impl Key {
    /// Returns what a lock on an object locks; nothing where there is no other way to it.
    pub fn of(object: &Object) -> Option<Key> {
        match object {
            Object::File(held) | Object::Device(_, Some(held)) => Some(Key::Node(held.node())),
            Object::Directory(directory) => match directory.node {
                VNode::File(node) => Some(Key::Node(node)),
                VNode::Proc(_) => None,
            },
            Object::Pipe(end) => Some(Key::Pipe(end.id())),
            _ => None,
        }
    }
}

/// Who holds a lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// A process, until it closes any descriptor of the file (`F_SETLK`).
    Process(Pid),
    /// An open file description, by its number ([`crate::open::Locker`], `F_OFD_SETLK`).
    Description(u64),
    /// An open file description, with a lock of flock(2).
    Whole(u64),
}

impl Owner {
    /// Returns whether locks of the two owners can keep each other out.
    fn meets(self, other: Owner) -> bool {
        let is_whole = |owner| matches!(owner, Owner::Whole(_));
        self != other && is_whole(self) == is_whole(other)
    }
}

/// What a lock keeps out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Exclusive locks.
    Shared,
    /// All locks.
    Exclusive,
}

/// A lock on a range of bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lock {
    /// Who holds it.
    pub owner: Owner,
    /// What it keeps out.
    pub kind: Kind,
    /// First byte.
    pub first: u64,
    /// Last byte.
    pub last: u64,
}

impl Lock {
    fn conflicts(&self, other: &Lock) -> bool {
        let excludes = self.kind == Kind::Exclusive || other.kind == Kind::Exclusive;
        let overlaps = self.first <= other.last && other.first <= self.last;
        self.owner.meets(other.owner) && excludes && overlaps
    }
}

/// All locks.
#[derive(Debug)]
pub struct Locks {
    held: BTreeMap<Key, Vec<Lock>>,
    /// What threads whose calls are parked want, for the search for deadlocks.
    wanted: BTreeMap<ThreadNumber, (Key, Lock)>,
    wakes: Wakes,
}

impl Locks {
    /// Returns no locks; who waits for one is woken through `wakes`.
    pub fn new(wakes: &Wakes) -> Self {
        Locks { held: BTreeMap::new(), wanted: BTreeMap::new(), wakes: wakes.clone() }
    }

    /// Returns a lock that keeps another one out.
    pub fn blocker(&self, key: Key, lock: &Lock) -> Option<Lock> {
        self.held.get(&key)?.iter().find(|held| held.conflicts(lock)).copied()
    }

    /// Sets a lock in place of what its owner has in its range.
    ///
    /// # Errors
    /// EAGAIN: another one keeps it out; ENOLCK: there are too many.
    pub fn set(&mut self, key: Key, lock: Lock) -> Result<(), Errno> {
        if self.blocker(key, &lock).is_some() {
            return Err(Errno::EAGAIN);
        }
        // Clearing the middle of a lock makes one more.
        if self.held.values().map(Vec::len).sum::<usize>() + 2 > MAX_LOCKS {
            return Err(Errno::ENOLCK);
        }
        self.clear(key, lock.owner, lock.first, lock.last);
        let locks = self.held.entry(key).or_default();
        let mut whole = lock;
        locks.retain(|held| {
            let adjoins = held.first.saturating_sub(1) <= whole.last
                && whole.first.saturating_sub(1) <= held.last;
            let joins = held.owner == whole.owner && held.kind == whole.kind && adjoins;
            if joins {
                whole.first = whole.first.min(held.first);
                whole.last = whole.last.max(held.last);
            }
            !joins
        });
        locks.push(whole);
        Ok(())
    }

    /// Takes an owner's locks away from a range.
    pub fn clear(&mut self, key: Key, owner: Owner, first: u64, last: u64) {
        let Some(locks) = self.held.get_mut(&key) else { return };
        let mut kept = Vec::new();
        let mut has_changed = false;
        for lock in locks.drain(..) {
            if lock.owner != owner || lock.last < first || lock.first > last {
                kept.push(lock);
                continue;
            }
            has_changed = true;
            if lock.first < first {
                kept.push(Lock { last: first - 1, ..lock });
            }
            if lock.last > last {
                kept.push(Lock { first: last + 1, ..lock });
            }
        }
        *locks = kept;
        if locks.is_empty() {
            self.held.remove(&key);
        }
        if has_changed {
            self.wakes.add(Channel::Lock(key));
        }
    }

    /// Gives back a process's locks on what a descriptor that it closed was of (fcntl(2)).
    pub fn release_closed(&mut self, pid: Pid, object: &Object) {
        if self.held.is_empty() {
            return;
        }
        if let Some(key) = Key::of(object) {
            self.clear(key, Owner::Process(pid), 0, u64::MAX);
        }
    }

    /// Gives back all locks of a process that ended.
    pub fn release_process(&mut self, pid: Pid) {
        self.release(Owner::Process(pid));
        self.wanted.retain(|_, (_, lock)| lock.owner != Owner::Process(pid));
    }

    /// Gives back all locks of an open file description that was closed.
    pub fn release_description(&mut self, number: u64) {
        self.release(Owner::Description(number));
        self.release(Owner::Whole(number));
    }

    fn release(&mut self, owner: Owner) {
        let has = |locks: &Vec<Lock>| locks.iter().any(|lock| lock.owner == owner);
        let keys: Vec<Key> =
            self.held.iter().filter(|(_, locks)| has(locks)).map(|(key, _)| *key).collect();
        for key in keys {
            self.clear(key, owner, 0, u64::MAX);
        }
    }

    /// Notes what a thread waits for; nothing when it waits no longer.
    pub fn want(&mut self, thread: ThreadNumber, wanted: Option<(Key, Lock)>) {
        match wanted {
            Some(wanted) => drop(self.wanted.insert(thread, wanted)),
            None => drop(self.wanted.remove(&thread)),
        }
    }

    /// Returns whether waiting for a lock could have no end: its holder waits for its owner, be it
    /// through others. `waits` tells whether a thread still does. Only locks of processes count
    /// (fcntl(2), EDEADLK).
    pub fn would_deadlock(
        &self,
        key: Key,
        lock: &Lock,
        waits: impl Fn(ThreadNumber) -> bool,
    ) -> bool {
        let mut seen = Vec::new();
        let mut next = alloc::vec![(key, *lock)];
        while let Some((key, wanted)) = next.pop() {
            let held = self.held.get(&key).into_iter().flatten();
            for blocker in held.filter(|held| held.conflicts(&wanted)).map(|held| held.owner) {
                if blocker == lock.owner {
                    return true;
                }
                if matches!(blocker, Owner::Process(_)) && !seen.contains(&blocker) {
                    seen.push(blocker);
                    let waiting = self
                        .wanted
                        .iter()
                        .filter(|(thread, (_, lock))| lock.owner == blocker && waits(**thread));
                    next.extend(waiting.map(|(_, wanted)| *wanted));
                }
            }
        }
        false
    }
}

/// Returns the number under which a description holds locks, given by `number` the first time.
pub fn locker(
    open: &mut OpenFile,
    closed: &crate::open::Closed,
    number: impl FnOnce() -> u64,
) -> u64 {
    let closed = closed.clone();
    let make = || crate::open::Locker { number: number(), closed };
    open.locker.get_or_insert_with(make).number
}
