//! The reference model: what user space can observe of the kernel, written to be obvious.
//!
//! ```text
//!   steps (a random operation, nearly valid) ──> world ──┬──> Kernel over the fake machine
//!                                                        └──> Model
//!                                 compare: registers, who runs, capabilities, memory, quotas
//! ```
//!
//! The model is plain collections: objects by names that are never reused, queues that are
//! written down, pages that each have one owner. What the kernel may choose freely it is told by
//! the [`Oracle`] and checks that the choice was allowed: the number of an open call, whether a
//! quota that is nearly full sufficed (the kernel's own needs are its affair), the order of slots.

mod across;
mod compare;
mod destroy;
mod ipc;
mod lookup;
mod manage;
mod memory;
mod objects;
mod runs;
mod schedule;
mod steps;
mod trap;
mod world;

use kamen_abi::{Error, ObjectKind};
use std::collections::{BTreeMap, BTreeSet};
use std::vec::Vec;

use objects::{Contents, Name, Object, PageName, State, What};
use schedule::Processor;

/// What an operation returns.
pub type Outcome = Result<(), Error>;

/// What the kernel was free to choose, and chose.
#[derive(Clone, Debug, Default)]
pub struct Oracle {
    /// It refused for want of quota.
    pub refused: bool,
    /// It succeeded.
    pub is_ok: bool,
    /// How far a copy had come when it was refused.
    pub refused_at: u64,
    /// The pages that memory objects have since it refused: making those was not refused.
    pub present: BTreeSet<(Name, u64)>,
    /// How far the model's copy has come.
    pub progress: u64,
    /// Slot of the object that it made.
    pub order: u32,
    /// The values that an operation returned: those that the model doesn't know it takes.
    pub words: [u64; 6],
    /// What it left in rcx and r11 of registers that were read.
    pub destroyed: [u64; 2],
}

impl Oracle {
    /// Returns whether the kernel refused what the model is about to pay for.
    pub fn is_refused_here(&self) -> bool {
        self.refused && self.refused_at == self.progress
    }
}

/// The model.
#[derive(Clone, Debug)]
pub struct Model {
    pub objects: BTreeMap<Name, Object>,
    pub pages: BTreeMap<PageName, Contents>,
    pub cpu: Processor,
    pub now: u64,
    /// What each interrupt line signals.
    pub lines: Vec<Option<(Name, u64)>>,
    pub oracle: Oracle,
    /// What objects were that are gone, as capabilities to them still know their kind.
    pub dead: BTreeMap<Name, What>,
    last_name: Name,
    last_page: PageName,
    last_call: u64,
}

/// Open calls have numbers above this in the model until the kernel's are learned.
pub const OPEN_CALLS: u64 = 0x7ead_0000_0000_0000;

impl Model {
    pub fn new(now: u64, lines: usize) -> Self {
        Model {
            objects: BTreeMap::new(),
            pages: BTreeMap::new(),
            cpu: Processor::new(),
            now,
            lines: std::vec![None; lines],
            oracle: Oracle::default(),
            dead: BTreeMap::new(),
            last_name: 0,
            last_page: 0,
            last_call: OPEN_CALLS,
        }
    }

    pub fn add(&mut self, quota: Option<Name>, what: What) -> Name {
        self.last_name += 1;
        let object = Object { quota, order: self.oracle.order, what };
        self.objects.insert(self.last_name, object);
        self.last_name
    }

    pub fn new_open_call(&mut self) -> u64 {
        self.last_call += 1;
        self.last_call
    }

    /// Returns what is charged to a quota: pages and objects, at least and at most.
    pub fn charged(&self, quota: Name) -> ((u64, u64), (u64, u64)) {
        let (mut least, mut most, mut objects) = (0, 0, (0, 0));
        for object in self.objects.values().filter(|object| object.quota == Some(quota)) {
            let (low, high, count) = price(&object.what);
            (least, most) = (least + low, most + high);
            objects = (
                objects.0 + count + mappings(&object.what).0,
                objects.1 + count + mappings(&object.what).1,
            );
        }
        ((least, most), objects)
    }

    /// Tells whether a quota can pay for pages (at least, at most) and objects.
    pub fn afford(&self, quota: Option<Name>, pages: (u64, u64), objects: u64) -> Outcome {
        let limits = quota.and_then(|quota| match self.objects.get(&quota)?.what {
            What::Quota(ref limits) => Some((quota, limits)),
            _ => None,
        });
        let (quota, limits) = limits.ok_or(Error::InvalidHandle)?;
        let ((least, most), used) = self.charged(quota);
        let least = least.saturating_add(pages.0);
        let most = most.saturating_add(pages.1);
        let fits =
            |used: u64| used.checked_add(objects).is_some_and(|objects| objects <= limits.objects);
        let here = self.oracle.is_refused_here();
        // An operation on a space splits two mappings at most.
        let enough = most <= limits.pages && fits(used.1.saturating_add(2));
        if !fits(used.0) || least > limits.pages || !enough && here {
            return Err(Error::QuotaExhausted);
        }
        Ok(())
    }
}

/// Returns how many mappings an object has, at least and at most: they are merged and split.
fn mappings(what: &What) -> (u64, u64) {
    match what {
        What::Space(space) => (u64::from(!space.pages.is_empty()), space.pages.len() as u64),
        _ => (0, 0),
    }
}

/// Returns what an object costs: pages, at least and at most, and objects.
fn price(what: &What) -> (u64, u64, u64) {
    match what {
        What::Thread(thread) => {
            // The frame of the message page, which the memory object pays for as well.
            let pages = u64::from(thread.extended) + u64::from(thread.page.is_some());
            (pages, pages + 1, ObjectKind::Thread.cost())
        }
        // The root; then what page tables and lists of mappings take.
        What::Space(space) => (1, 2 + 4 * space.pages.len() as u64, ObjectKind::Space.cost()),
        What::Table(table) => {
            let leaves = table.slots.div_ceil(128);
            let pages = leaves + u64::from(leaves > 1);
            (pages, pages, ObjectKind::Table.cost())
        }
        What::Memory(memory) => {
            let touched = memory.touched.len() as u64;
            (touched, 4 * touched + 3, ObjectKind::Memory.cost())
        }
        What::Quota(limits) => {
            (limits.pages, limits.pages + 1, limits.objects + ObjectKind::Quota.cost())
        }
        What::Endpoint(_) => (0, 1, ObjectKind::Endpoint.cost()),
        What::Notification(_) => (0, 1, ObjectKind::Notification.cost()),
        What::Timer(_) => (0, 1, ObjectKind::Timer.cost()),
    }
}

/// Returns whether a thread waits for something.
fn waits(state: State) -> bool {
    !matches!(state, State::Stopped | State::Ready)
}
