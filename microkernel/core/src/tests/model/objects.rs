//! What there is in the model: objects by names that are never used again.

use kamen_abi::{Registers, Rights, Tag};
use std::boxed::Box;
use std::collections::{BTreeMap, VecDeque};
use std::vec::Vec;

/// The name of an object; the next one gets the next number.
pub type Name = u32;
/// The name of a page of memory; the next one gets the next number.
pub type PageName = u32;
/// The name of no page.
pub const NO_PAGE: PageName = 0;
/// What a page holds.
pub type Contents = Box<[u64; 512]>;

/// A capability: what somebody may do with something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capability {
    pub to: Target,
    pub rights: Rights,
    pub badge: u64,
}

/// What a capability names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Target {
    Object(Name),
    Ports(u16, u16),
    Interrupts(u16, u16),
    Frames(u32, u32),
    Trace,
}

/// An object, what it is charged to, and its place in the order in which the kernel goes through
/// all objects of its kind.
#[derive(Clone, Debug)]
pub struct Object {
    pub quota: Option<Name>,
    pub order: u32,
    pub what: What,
}

/// The kinds of object.
#[derive(Clone, Debug)]
pub enum What {
    Thread(Box<Thread>),
    Space(Space),
    Table(Table),
    Endpoint(Endpoint),
    Notification(Notification),
    Memory(Memory),
    Timer(Timer),
    Quota(Quota),
}

/// What a thread does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    Stopped,
    Ready,
    Calling(Name),
    Sending(Name),
    /// Its call, received at an endpoint, waits for an answer; nobody's, while it changes hands.
    Open {
        at: Name,
        space: Option<Name>,
        call: u64,
    },
    Receiving(Name),
    Waiting(Name),
}

/// A thread.
#[derive(Clone, Debug)]
pub struct Thread {
    pub registers: Registers,
    pub state: State,
    pub priority: u8,
    pub space: Name,
    pub table: Option<Name>,
    pub page: Option<PageName>,
    pub handler: Option<Handler>,
    pub entry: Option<Entry>,
    pub bound: Option<Name>,
    pub tag: Tag,
    pub badge: u64,
    pub deadline: Option<u64>,
    pub fault: [u64; 2],
    pub extended: bool,
    /// The processor that it was moved to.
    pub home: Option<u64>,
    /// How many of its calls were received.
    pub calls: u64,
}

/// Where a thread's faults go.
#[derive(Clone, Copy, Debug)]
pub struct Handler {
    pub endpoint: Name,
    pub badge: u64,
    pub foreign: bool,
}

/// Where a foreign thread's system calls branch to.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub start: u64,
    pub end: u64,
}

/// An address space: what is mapped at each page's address.
#[derive(Clone, Debug, Default)]
pub struct Space {
    pub pages: BTreeMap<u64, Mapped>,
}

/// A page of a memory object in a space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mapped {
    pub memory: Name,
    pub page: u64,
    pub rights: Rights,
    pub most: Rights,
}

/// A capability table.
#[derive(Clone, Debug)]
pub struct Table {
    pub slots: u64,
    pub used: BTreeMap<u16, Capability>,
}

impl Table {
    /// Returns the first free slots, as many as there are up to `count`.
    pub fn free(&self, count: usize) -> std::vec::Vec<u16> {
        let all = 1..self.slots as u16;
        all.filter(|slot| !self.used.contains_key(slot)).take(count).collect()
    }
}

/// An endpoint.
#[derive(Clone, Debug, Default)]
pub struct Endpoint {
    pub senders: VecDeque<Name>,
    pub receivers: VecDeque<Name>,
    /// Calls that ended before they were answered, the last first: call, badge, caller's slot.
    pub notices: Vec<(u64, u64, u32)>,
    /// Some other call ended, too.
    pub unnamed: bool,
}

/// A notification.
#[derive(Clone, Debug, Default)]
pub struct Notification {
    pub bits: u64,
    pub waiters: VecDeque<Name>,
    pub bound: Option<Name>,
}

/// A memory object: the pages that have been touched.
#[derive(Clone, Debug)]
pub struct Memory {
    pub pages: u64,
    pub touched: BTreeMap<u64, PageName>,
    /// Who supplies its pages, and the badge that it brings there.
    pub pager: Option<(Name, u64)>,
}

/// A timer.
#[derive(Clone, Debug)]
pub struct Timer {
    pub notification: Name,
    pub bits: u64,
    pub deadline: Option<u64>,
}

/// A quota: its limits. What is used follows from what is charged to it.
#[derive(Clone, Debug)]
pub struct Quota {
    pub pages: u64,
    pub objects: u64,
}
