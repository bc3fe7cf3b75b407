//! Quotas: what a process may use of memory and kernel objects.
//!
//! A quota has a list of the objects of each kind that are charged to it, so that destroying it
//! finds them without a search.

use kamen_abi::{Error, ObjectKind};

use crate::arena::{Arena, Id, NONE};
use crate::deadline::Timer;
use crate::endpoint::Endpoint;
use crate::memory::Memory;
use crate::notification::Notification;
use crate::space::Space;
use crate::table::Table;
use crate::thread::Thread;

/// Kinds of object that are charged to quotas.
const KINDS: usize = 8;

/// A budget of pages and objects, cut out of its parent's.
#[derive(Debug)]
pub struct Quota {
    /// The quota that this one was cut out of; the root has none.
    pub parent: Option<Id<Quota>>,
    /// Pages in use: memory, page tables, capability tables, threads' message pages and extended
    /// states, children's budgets.
    pub pages_used: usize,
    /// Pages that may be used.
    pub pages_limit: usize,
    /// Units in use for objects, by [`Charged::COST`], children's budgets included.
    pub objects_used: usize,
    /// Units that may be used.
    pub objects_limit: usize,
    /// Heads of the lists of objects, by [`Charged::LIST`].
    pub(crate) lists: [u32; KINDS],
    /// While it is being destroyed: the quota below it at which that is.
    pub destroying: Option<Id<Quota>>,
}

impl Default for Quota {
    fn default() -> Self {
        Quota {
            parent: None,
            pages_used: 0,
            pages_limit: 0,
            objects_used: 0,
            objects_limit: 0,
            lists: [NONE; KINDS],
            destroying: None,
        }
    }
}

/// An object that a quota pays for.
pub trait Charged: Default {
    /// Which list of the quota it is in.
    const LIST: usize;
    /// What it costs, in units of the quota's objects.
    const COST: usize;

    /// Returns the quota that pays for it.
    fn payer(&self) -> Option<Id<Quota>>;
}

macro_rules! charged {
    ($($kind:ident: $list:literal),*) => {$(
        impl Charged for $kind {
            const LIST: usize = $list;
            const COST: usize = ObjectKind::$kind.cost() as usize;

            fn payer(&self) -> Option<Id<Quota>> {
                self.quota
            }
        }
    )*};
}

charged!(Thread: 0, Space: 1, Table: 2, Endpoint: 3, Notification: 4, Memory: 5, Timer: 6);

/// The list of the children.
const CHILDREN: usize = 7;

impl Quota {
    /// What a quota costs its parent besides its budget, in units of objects.
    pub const COST: usize = ObjectKind::Quota.cost() as usize;

    /// Returns the slot of the first object of a kind that it pays for; [`NONE`]: there is none.
    pub fn first<T: Charged>(&self) -> u32 {
        self.lists[T::LIST]
    }

    /// Returns the slot of its first child; [`NONE`]: there is none.
    pub fn first_child(&self) -> u32 {
        self.lists[CHILDREN]
    }
}

/// Adds an object, charged already, to its arena and to its payer's list.
pub fn insert<T: Charged>(
    quotas: &mut Arena<Quota>,
    arena: &mut Arena<T>,
    object: T,
) -> Option<Id<T>> {
    let payer = quotas.find_mut(object.payer()?)?;
    arena.insert_listed(object, &mut payer.lists[T::LIST])
}

/// Removes an object from its arena and from its payer's list; the charge stays.
pub fn remove<T: Charged>(quotas: &mut Arena<Quota>, arena: &mut Arena<T>, id: Id<T>) -> Option<T> {
    let payer = quotas.find_mut(arena.find(id)?.payer()?)?;
    arena.remove_listed(id, &mut payer.lists[T::LIST])
}

/// Adds a quota, whose budget is charged already, below its parent.
pub fn insert_child(quotas: &mut Arena<Quota>, child: Quota) -> Option<Id<Quota>> {
    let parent = child.parent?;
    let mut head = quotas.find(parent)?.first_child();
    let id = quotas.insert_listed(child, &mut head)?;
    quotas.find_mut(parent)?.lists[CHILDREN] = head;
    Some(id)
}

/// Removes a quota and takes it off its parent's list.
pub fn remove_child(quotas: &mut Arena<Quota>, id: Id<Quota>) -> Option<Quota> {
    let Some(parent) = quotas.find(id)?.parent else { return quotas.remove(id) };
    let mut head = quotas.find(parent)?.first_child();
    let child = quotas.remove_listed(id, &mut head);
    quotas.find_mut(parent)?.lists[CHILDREN] = head;
    child
}

/// Charges pages and units of objects to a quota, a dying one, too: those that draw on it go on
/// until they are destroyed themselves.
///
/// # Errors
/// QuotaExhausted where either would exceed its limit, InvalidHandle for a quota that is gone;
/// nothing is charged then.
pub fn charge(
    quotas: &mut Arena<Quota>,
    quota: Option<Id<Quota>>,
    pages: usize,
    objects: usize,
) -> Result<(), Error> {
    let quota = quota.and_then(|id| quotas.find_mut(id)).ok_or(Error::InvalidHandle)?;
    let fits = quota.pages_limit - quota.pages_used >= pages
        && quota.objects_limit - quota.objects_used >= objects;
    if !fits {
        return Err(Error::QuotaExhausted);
    }
    quota.pages_used += pages;
    quota.objects_used += objects;
    Ok(())
}

/// Returns what was charged; a quota that is gone has nothing to get back.
pub fn refund(quotas: &mut Arena<Quota>, quota: Option<Id<Quota>>, pages: usize, objects: usize) {
    if let Some(quota) = quota.and_then(|id| quotas.find_mut(id)) {
        quota.pages_used -= pages;
        quota.objects_used -= objects;
    }
}
