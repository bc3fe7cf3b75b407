//! Interest lists (epoll(7)).
//!
//! ```text
//!   Channel ──watchers──> (list, key) ──> Interest, queued in `ready` of its list
//!                                                        │ epoll_wait
//!                                                        v readiness asked again, reported
//! ```
//!
//! A change of a channel queues the interests that watch it, and nothing else is looked at. An
//! edge-triggered interest leaves the queue when it is reported, a level-triggered one when it is
//! asked and not ready (as the ready list of fs/eventpoll.c).

use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use core::cell::RefCell;

use crate::Errno;
use crate::events::MAX_OF_A_KIND;
use crate::linux::flags::{epoll as flags, poll as bits};
use crate::open::{Description, Kind, Object, OpenFile};
use crate::readiness::{READABLE, Readiness, readiness};
use crate::unix::Unix;
use crate::wake::{Channel, Wakes};

/// Most interests of all lists together: each is some hundred bytes of this server's memory.
pub const MAX_INTERESTS: usize = 16_384;
/// Most lists that watch one another in a row (epoll_ctl(2), ELOOP).
pub const MAX_DEPTH: usize = 5;

/// Names an interest in its list: the watched description, and under which descriptor.
pub type Key = (u64, u32);

/// What somebody wants to know of a description.
#[derive(Clone, Copy, Debug)]
struct Interest {
    /// Events and flags, as epoll_ctl(2) takes them.
    events: u32,
    /// What is reported with them.
    data: u64,
    /// What it watches.
    channels: [Option<Channel>; 3],
    /// Whether it is in the queue.
    queued: bool,
}

impl Interest {
    /// Returns the events of poll(2) that it is reported for; none once it was, where it asked for
    /// that (`EPOLLONESHOT`).
    fn wanted(&self) -> u16 {
        match self.events & !flags::MODES {
            0 => 0,
            events => events as u16 | bits::ERROR | bits::HANG_UP,
        }
    }

    /// Returns whether a change of a channel can matter to it. A channel that tells of one
    /// direction only does not concern who asked for the other.
    fn cares(&self, channel: Channel) -> bool {
        let (read, write) = (self.events & flags::READS != 0, self.events & flags::WRITES != 0);
        match channel {
            Channel::PipeIn(_) | Channel::SocketIn(_) | Channel::CounterIn(_) => read || !write,
            Channel::PipeOut(_)
            | Channel::SocketOut(_)
            | Channel::SocketQueue(_)
            | Channel::CounterOut(_) => write || !read,
            _ => true,
        }
    }
}

/// What is known of lists that were looked at: in layers of lists that all watch one another there
/// are many ways to each.
type Known<T> = BTreeMap<u64, T>;

#[derive(Default, Debug)]
struct List {
    interests: BTreeMap<Key, Interest>,
    ready: VecDeque<Key>,
}

/// All interest lists.
#[derive(Debug)]
pub struct Epolls {
    table: BTreeMap<u64, List>,
    /// Which interests a channel concerns.
    watchers: BTreeMap<Channel, Vec<(u64, Key)>>,
    /// The descriptions that are watched.
    files: BTreeMap<u64, Weak<RefCell<OpenFile>>>,
    interests: usize,
    wakes: Wakes,
}

impl Epolls {
    /// Returns an empty table that reports changes.
    pub fn new(wakes: &Wakes) -> Self {
        let (table, watchers, files) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Epolls { table, watchers, files, interests: 0, wakes: wakes.clone() }
    }

    /// Adds an empty list.
    ///
    /// # Errors
    /// ENFILE: there are [`MAX_OF_A_KIND`].
    pub fn create(&mut self, number: u64) -> Result<(), Errno> {
        if self.table.len() >= MAX_OF_A_KIND {
            return Err(Errno::ENFILE);
        }
        self.table.insert(number, List::default());
        Ok(())
    }

    /// Returns whether there are no lists, and nothing is watched.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty() && self.watchers.is_empty() && self.files.is_empty()
    }

    /// Takes a list out that nobody has open any more.
    pub fn remove(&mut self, number: u64) {
        let Some(list) = self.table.remove(&number) else { return };
        for (key, interest) in list.interests {
            self.unwatch(number, key, &interest.channels);
            self.interests -= 1;
        }
    }

    /// Forgets a description that nobody has open any more, in all lists.
    pub fn forget(&mut self, watch: u64) {
        self.files.remove(&watch);
        let numbers: Vec<u64> = self.table.keys().copied().collect();
        for number in numbers {
            let Some(list) = self.table.get(&number) else { continue };
            let keys: Vec<Key> =
                list.interests.range((watch, 0)..=(watch, u32::MAX)).map(|(key, _)| *key).collect();
            for key in keys {
                let _ = self.delete(number, key);
            }
        }
    }

    /// Queues the interests that channels concern, and wakes who waits for their lists.
    pub fn changed(&mut self, channels: &[Channel]) {
        if self.watchers.is_empty() {
            return;
        }
        for &channel in channels {
            for &(number, key) in self.watchers.get(&channel).into_iter().flatten() {
                let Some(list) = self.table.get_mut(&number) else { continue };
                let Some(interest) = list.interests.get_mut(&key) else { continue };
                if interest.cares(channel) && interest.wanted() != 0 {
                    if !core::mem::replace(&mut interest.queued, true) {
                        list.ready.push_back(key);
                    }
                    self.wakes.add(Channel::Epoll(number));
                }
            }
        }
    }

    /// Adds or replaces an interest that now has this readiness.
    fn put(&mut self, number: u64, key: Key, events: u32, data: u64, now: Readiness) {
        let Some(list) = self.table.get_mut(&number) else { return };
        let before = list.interests.get(&key).copied();
        let queued = before.is_some_and(|interest| interest.queued);
        let mut interest = Interest { events, data, channels: now.channels, queued };
        if !queued && interest.wanted() & now.events != 0 {
            interest.queued = true;
            list.ready.push_back(key);
        }
        list.interests.insert(key, interest);
        if interest.queued {
            self.wakes.add(Channel::Epoll(number));
        }
        match before {
            Some(before) => self.unwatch(number, key, &before.channels),
            None => self.interests += 1,
        }
        self.watch(number, key, &now.channels);
    }

    /// Takes an interest out.
    ///
    /// # Errors
    /// ENOENT: there is none.
    pub fn delete(&mut self, number: u64, key: Key) -> Result<(), Errno> {
        let list = self.table.get_mut(&number).ok_or(Errno::EBADF)?;
        let interest = list.interests.remove(&key).ok_or(Errno::ENOENT)?;
        if interest.queued {
            list.ready.retain(|&other| other != key);
        }
        self.interests -= 1;
        self.unwatch(number, key, &interest.channels);
        Ok(())
    }

    /// Returns whether a list has an interest.
    pub fn has(&self, number: u64, key: Key) -> bool {
        self.table.get(&number).is_some_and(|list| list.interests.contains_key(&key))
    }

    /// Returns whether an interest was made exclusive (`EPOLLEXCLUSIVE`).
    pub fn is_exclusive(&self, number: u64, key: Key) -> bool {
        let interest = self.table.get(&number).and_then(|list| list.interests.get(&key));
        interest.is_some_and(|interest| interest.events & flags::EXCLUSIVE != 0)
    }

    /// Returns whether there may be one more interest.
    pub fn has_space(&self) -> bool {
        self.interests < MAX_INTERESTS
    }

    fn watch(&mut self, number: u64, key: Key, channels: &[Option<Channel>]) {
        for &channel in channels.iter().flatten() {
            self.watchers.entry(channel).or_default().push((number, key));
        }
    }

    fn unwatch(&mut self, number: u64, key: Key, channels: &[Option<Channel>]) {
        for channel in channels.iter().flatten() {
            let Some(watchers) = self.watchers.get_mut(channel) else { continue };
            if let Some(at) = watchers.iter().position(|&watcher| watcher == (number, key)) {
                watchers.swap_remove(at);
            }
            if watchers.is_empty() {
                self.watchers.remove(channel);
            }
        }
    }

    /// Returns the lists that a list watches.
    fn below(&self, number: u64) -> Vec<u64> {
        let Some(list) = self.table.get(&number) else { return Vec::new() };
        let files = list.interests.keys().filter_map(|key| self.files.get(&key.0)?.upgrade());
        files.filter_map(|file| list_of(&file)).collect()
    }

    /// Returns how many lists lie below one another from one on, itself counted; nothing where
    /// `other` is among them. Each list is looked at once (`ep_loop_check_proc`, fs/eventpoll.c).
    fn depth(&self, number: u64, other: u64, known: &mut Known<usize>) -> Option<usize> {
        if number == other {
            return None;
        }
        if let Some(&depth) = known.get(&number) {
            return Some(depth);
        }
        let mut deepest = 0;
        for below in self.below(number) {
            deepest = deepest.max(self.depth(below, other, known)?);
        }
        known.insert(number, 1 + deepest);
        Some(1 + deepest)
    }

    /// Returns how many lists lie above one, itself counted.
    fn height(&self, number: u64, known: &mut Known<usize>) -> usize {
        if let Some(&height) = known.get(&number) {
            return height;
        }
        let watchers = self.watchers.get(&Channel::Epoll(number)).into_iter().flatten();
        let highest = watchers.map(|&(above, _)| self.height(above, known)).max();
        known.insert(number, 1 + highest.unwrap_or(0));
        1 + highest.unwrap_or(0)
    }

    /// Checks that a list may watch another.
    ///
    /// # Errors
    /// ELOOP: the other watches it, or too many watch one another in a row.
    pub fn may_watch(&self, number: u64, other: u64) -> Result<(), Errno> {
        let below = self.depth(other, number, &mut Known::new()).ok_or(Errno::ELOOP)?;
        let above = self.height(number, &mut Known::new());
        if below + above > MAX_DEPTH { Err(Errno::ELOOP) } else { Ok(()) }
    }
}

/// Returns the number of the interest list that a description is of.
pub fn list_of(file: &Description) -> Option<u64> {
    match &file.borrow().object {
        Object::Numbered(numbered) if numbered.kind() == Kind::Epoll => Some(numbered.number()),
        _ => None,
    }
}

/// Adds or replaces an interest.
pub fn put(unix: &mut Unix, number: u64, file: &Description, key: Key, events: u32, data: u64) {
    let now = readiness(unix, file);
    unix.epolls.files.insert(key.0, Rc::downgrade(file));
    unix.epolls.put(number, key, events, data, now);
}

/// Returns whether anything in a list is ready: it can be "read" itself.
pub fn list_readiness(unix: &mut Unix, number: u64) -> Readiness {
    let is_ready = is_ready(unix, number, &mut Known::new());
    Readiness::new(if is_ready { READABLE } else { 0 }, Channel::Epoll(number))
}

/// As [`list_readiness`], where some lists were looked at already.
fn is_ready(unix: &mut Unix, number: u64, known: &mut Known<bool>) -> bool {
    if let Some(&is_ready) = known.get(&number) {
        return is_ready;
    }
    let queued = unix.epolls.table.get(&number).map(|list| list.ready.clone());
    let is_ready = queued.into_iter().flatten().any(|key| check(unix, number, key, known) != 0);
    known.insert(number, is_ready);
    is_ready
}

/// Returns the events that an interest can be reported for now.
fn check(unix: &mut Unix, number: u64, key: Key, known: &mut Known<bool>) -> u16 {
    let Some(list) = unix.epolls.table.get(&number) else { return 0 };
    let Some(wanted) = list.interests.get(&key).map(Interest::wanted) else { return 0 };
    let Some(file) = unix.epolls.files.get(&key.0).and_then(Weak::upgrade) else { return 0 };
    let events = match list_of(&file) {
        Some(below) if is_ready(unix, below, known) => READABLE,
        Some(_) => 0,
        None => readiness(unix, &file).events,
    };
    events & wanted
}

/// Takes up to `most` reports out of a list, each with the interest's data.
pub fn take(unix: &mut Unix, number: u64, most: usize) -> Vec<(Key, u32, u64)> {
    let (mut reports, mut known) = (Vec::new(), Known::new());
    let queued = unix.epolls.table.get(&number).map_or(0, |list| list.ready.len());
    for _ in 0..queued {
        if reports.len() == most {
            break;
        }
        let list = unix.epolls.table.get_mut(&number);
        let Some(key) = list.and_then(|list| list.ready.pop_front()) else { break };
        let events = check(unix, number, key, &mut known);
        let Some(list) = unix.epolls.table.get_mut(&number) else { break };
        let Some(interest) = list.interests.get_mut(&key) else { continue };
        interest.queued = false;
        if events == 0 {
            continue;
        }
        reports.push((key, events.into(), interest.data));
        if interest.events & flags::ONE_SHOT != 0 {
            interest.events &= flags::MODES;
        } else if interest.events & flags::EDGE == 0 {
            interest.queued = true;
            list.ready.push_back(key);
        }
    }
    reports
}

/// Puts reports back that could not be delivered.
pub fn put_back(unix: &mut Unix, number: u64, reports: &[(Key, u32, u64)]) {
    let Some(list) = unix.epolls.table.get_mut(&number) else { return };
    for (key, ..) in reports {
        let Some(interest) = list.interests.get_mut(key) else { continue };
        if !core::mem::replace(&mut interest.queued, true) {
            list.ready.push_back(*key);
        }
    }
}
