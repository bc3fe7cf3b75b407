//! Tables of capabilities: what a process holds, kept in frames that its quota pays for.
//!
//! ```text
//!   leaf: 128 slots of 32 bytes          root frame, of tables with more than one leaf
//!   ┌──────┬──────┬─────┬──────┐         ┌───────────┬──────────────┬────────┐
//!   │ 0    │ 1    │  …  │ 127  │         │ leaves    │ free slots   │ unused │
//!   └──────┴──────┴─────┴──────┘         │ words     │ words        │        │
//!    object, badge, kind and rights      │ 0..128    │ 128..384     │        │
//!         ▲                              └─────┬─────┴──────────────┴────────┘
//!         └── frame of leaf slot / 128; 0: none ┘
//! ```
//!
//! A bit of the free slots is set where the slot is free; those of the first leaf are in the table
//! itself. Root and all leaves are charged when the table is made. The first leaf is there from then
//! on; another is taken when the first of its slots is used, and as budgets together are no more
//! than the frames that the root quota began with (`boot.rs`), there is one to be taken.

use kamen_abi::{Error, Handle, MAX_SLOTS, ObjectKind, PAGE_SIZE, Rights};

use crate::arena::Id;
use crate::endpoint::Endpoint;
use crate::machine::{Frame, Machine};
use crate::memory::{Memory, Supply};
use crate::notification::Notification;
use crate::quota::Quota;
use crate::steps;

mod capability;

use capability::{BADGE, EMPTY, HEADER, WORDS, allowed, allows, refusal};
pub use capability::{Capability, Object};

/// Words of a slot.
const SLOT_WORDS: usize = 4;
/// Slots of a leaf.
const LEAF_SLOTS: usize = PAGE_SIZE / 8 / SLOT_WORDS;
/// Words of free bits of a leaf.
const FIRST_WORDS: usize = LEAF_SLOTS / 64;
/// Leaves of the largest table: words of the root that name them.
const LEAVES: usize = MAX_SLOTS / LEAF_SLOTS;
/// The first word of the root's free bits, 64 slots each.
const FREE_AT: usize = LEAVES;

const _: () = assert!(FREE_AT + MAX_SLOTS / 64 <= PAGE_SIZE / 8);

/// A table of capabilities.
pub struct Table {
    /// The first leaf, which is there from the beginning: most handles are small.
    first: Frame,
    /// The root, where there is more than one leaf.
    root: Option<Frame>,
    /// Slots, the one that is never used included.
    slots: u16,
    /// No word of free bits before this one has a bit set.
    hint: u16,
    /// While it is being destroyed: frames that are released, or never were.
    released: u16,
    /// The free slots of the first leaf.
    free: [u64; FIRST_WORDS],
    /// What it is charged to.
    pub quota: Option<Id<Quota>>,
}

impl Default for Table {
    fn default() -> Self {
        Table {
            first: Frame(0),
            root: None,
            slots: 0,
            hint: 0,
            released: 0,
            free: [0; FIRST_WORDS],
            quota: None,
        }
    }
}

impl Table {
    /// Returns the pages to be charged for a table of so many slots.
    pub fn price_of(slots: usize) -> usize {
        let leaves = slots.div_ceil(LEAF_SLOTS);
        leaves + usize::from(leaves > 1)
    }

    /// Returns an empty table, charged already; slot 0 is never used.
    ///
    /// # Errors
    /// InvalidArgument for a number of slots out of bounds, OutOfMemory.
    pub fn new<M: Machine>(
        supply: &mut Supply<'_, M>,
        quota: Option<Id<Quota>>,
        slots: usize,
    ) -> Result<Self, Error> {
        if !(2..=MAX_SLOTS).contains(&slots) {
            return Err(Error::InvalidArgument);
        }
        let mut table = Table { slots: slots as u16, quota, ..Table::default() };
        table.first = new_leaf(supply)?;
        if slots > LEAF_SLOTS {
            let root = supply.frames.allocate();
            let root = root.ok_or(Error::OutOfMemory).inspect_err(|_| {
                supply.frames.release(table.first);
            })?;
            supply.machine.store(root, 0, table.first.0.into());
            (1..table.leaves()).for_each(|leaf| supply.machine.store(root, leaf, 0));
            supply.steps.note(steps::passed(LEAVES));
            table.root = Some(root);
        }
        for word in 0..table.words() {
            let free = match slots - word * 64 {
                few @ 0..64 => (1 << few) - 1,
                _ => u64::MAX,
            };
            table.set_free(supply.machine, word, if word == 0 { free & !1 } else { free });
        }
        Ok(table)
    }

    /// Returns the pages charged for it.
    pub fn price(&self) -> usize {
        Table::price_of(self.slots.into())
    }

    /// Returns how many leaves it may have.
    fn leaves(&self) -> usize {
        (self.slots as usize).div_ceil(LEAF_SLOTS)
    }

    /// Returns how many words of free bits it has.
    fn words(&self) -> usize {
        (self.slots as usize).div_ceil(64)
    }

    /// Returns the leaf of a slot, if it is there, and the slot's first word in it.
    #[inline]
    fn place<M: Machine>(&self, machine: &M, handle: Handle) -> Option<(Frame, usize)> {
        let slot = handle.0 as usize;
        if slot < LEAF_SLOTS {
            return Some((self.first, slot * SLOT_WORDS));
        }
        if handle.0 >= self.slots {
            return None;
        }
        let leaf = machine.load(self.root?, slot / LEAF_SLOTS) as u32;
        (leaf != 0).then_some((Frame(leaf), slot % LEAF_SLOTS * SLOT_WORDS))
    }

    /// Returns the capability in a slot.
    #[inline]
    pub fn get<M: Machine>(&self, machine: &M, handle: Handle) -> Result<Capability, Error> {
        let (leaf, word) = self.place(machine, handle).ok_or(Error::InvalidHandle)?;
        let words = core::array::from_fn::<_, WORDS, _>(|place| machine.load(leaf, word + place));
        Capability::from_words(words).ok_or(Error::InvalidHandle)
    }

    /// Returns an object of a kind by its slot, what its capability allows, and the badge.
    ///
    /// # Errors
    /// InvalidHandle for an empty slot, NoRights, WrongKind.
    #[inline]
    pub fn named<T, M: Machine>(
        &self,
        machine: &M,
        handle: Handle,
        kind: ObjectKind,
        rights: Rights,
    ) -> Result<(Id<T>, Rights, u64), Error> {
        let (leaf, word) = self.place(machine, handle).ok_or(Error::InvalidHandle)?;
        let header = machine.load(leaf, word + HEADER);
        if !allows(header, kind, rights) {
            return Err(refusal(header, rights));
        }
        let id = Id::from_raw(machine.load(leaf, word)).ok_or(Error::InvalidHandle)?;
        Ok((id, allowed(header), machine.load(leaf, word + BADGE)))
    }

    /// Returns an object by its slot and the badge, where its capability has the kind and the right;
    /// for the fast path, which leaves handles past the first leaf to others.
    #[inline(always)]
    fn find<T, M: Machine>(
        &self,
        machine: &M,
        handle: Handle,
        kind: ObjectKind,
        right: Rights,
    ) -> Option<(Id<T>, u64)> {
        let slot = handle.0 as usize;
        if slot >= LEAF_SLOTS {
            return None;
        }
        let word = slot * SLOT_WORDS;
        if !allows(machine.load(self.first, word + HEADER), kind, right) {
            return None;
        }
        Some((
            Id::from_raw(machine.load(self.first, word))?,
            machine.load(self.first, word + BADGE),
        ))
    }

    /// Returns the endpoint in a slot and the badge, where the capability has the right.
    #[inline(always)]
    pub fn endpoint<M: Machine>(
        &self,
        machine: &M,
        handle: Handle,
        right: Rights,
    ) -> Option<(Id<Endpoint>, u64)> {
        self.find(machine, handle, ObjectKind::Endpoint, right)
    }

    /// Returns the notification in a slot and the badge, where the capability has the right.
    #[inline(always)]
    pub fn notification<M: Machine>(
        &self,
        machine: &M,
        handle: Handle,
        right: Rights,
    ) -> Option<(Id<Notification>, u64)> {
        self.find(machine, handle, ObjectKind::Notification, right)
    }

    /// Returns the memory object in a slot, where the capability has the right.
    #[inline(always)]
    pub fn memory<M: Machine>(
        &self,
        machine: &M,
        handle: Handle,
        right: Rights,
    ) -> Option<Id<Memory>> {
        Some(self.find(machine, handle, ObjectKind::Memory, right)?.0)
    }

    /// Returns the word of free bits of 64 slots.
    fn free<M: Machine>(&self, machine: &M, word: usize) -> u64 {
        match self.free.get(word) {
            Some(free) => *free,
            None => self.root.map_or(0, |root| machine.load(root, FREE_AT + word)),
        }
    }

    fn set_free<M: Machine>(&mut self, machine: &mut M, word: usize, bits: u64) {
        if let Some(free) = self.free.get_mut(word) {
            *free = bits;
        } else if let Some(root) = self.root {
            machine.store(root, FREE_AT + word, bits);
        }
    }

    /// Makes sure that the next `count` capabilities that are inserted anywhere will be.
    ///
    /// # Errors
    /// TableFull, and OutOfMemory where a leaf is not to be had.
    pub fn reserve<M: Machine>(
        &mut self,
        supply: &mut Supply<'_, M>,
        count: usize,
    ) -> Result<(), Error> {
        let mut left = count;
        for word in self.hint as usize..self.words() {
            if left == 0 {
                break;
            }
            supply.steps.note(steps::passed(1));
            let free = self.free(supply.machine, word).count_ones() as usize;
            if free > 0 {
                self.add_leaf(supply, word * 64)?;
            }
            left -= free.min(left);
        }
        if left == 0 { Ok(()) } else { Err(Error::TableFull) }
    }

    /// Makes sure that a slot has its leaf, and returns that.
    fn add_leaf<M: Machine>(
        &mut self,
        supply: &mut Supply<'_, M>,
        slot: usize,
    ) -> Result<Frame, Error> {
        let index = slot / LEAF_SLOTS;
        let Some(root) = self.root.filter(|_| index > 0) else { return Ok(self.first) };
        let leaf = supply.machine.load(root, index) as u32;
        if leaf != 0 {
            return Ok(Frame(leaf));
        }
        let leaf = new_leaf(supply)?;
        supply.machine.store(root, index, leaf.0.into());
        Ok(leaf)
    }

    /// Puts a capability into any free slot.
    ///
    /// # Errors
    /// TableFull, OutOfMemory; neither after [`Table::reserve`].
    pub fn insert<M: Machine>(
        &mut self,
        supply: &mut Supply<'_, M>,
        capability: Capability,
    ) -> Result<Handle, Error> {
        let mut word = self.hint as usize;
        while word < self.words() && self.free(supply.machine, word) == 0 {
            supply.steps.note(steps::passed(1));
            word += 1;
        }
        // Of a table that is full, it is the number of words.
        self.hint = word as u16;
        if word >= self.words() {
            return Err(Error::TableFull);
        }
        let slot = word * 64 + self.free(supply.machine, word).trailing_zeros() as usize;
        self.occupy(supply, slot, capability)
    }

    /// Puts a capability into a certain slot.
    ///
    /// # Errors
    /// InvalidArgument where the table has no such slot, Busy where it is in use, OutOfMemory.
    pub fn insert_at<M: Machine>(
        &mut self,
        supply: &mut Supply<'_, M>,
        handle: Handle,
        capability: Capability,
    ) -> Result<Handle, Error> {
        if handle.0 >= self.slots {
            return Err(Error::InvalidArgument);
        }
        let slot = handle.0 as usize;
        if self.get(supply.machine, handle).is_ok() {
            return Err(Error::Busy);
        }
        self.occupy(supply, slot, capability)
    }

    /// Empties a slot and returns what was in it.
    ///
    /// # Errors
    /// InvalidHandle where nothing was.
    pub fn remove<M: Machine>(
        &mut self,
        machine: &mut M,
        handle: Handle,
    ) -> Result<Capability, Error> {
        let capability = self.get(machine, handle)?;
        let (leaf, first) = self.place(machine, handle).ok_or(Error::InvalidHandle)?;
        machine.store(leaf, first + HEADER, EMPTY);
        let (word, bit) = (handle.0 / 64, handle.0 % 64);
        let free = self.free(machine, word.into()) | 1 << bit;
        self.set_free(machine, word.into(), free);
        self.hint = self.hint.min(word);
        Ok(capability)
    }

    fn occupy<M: Machine>(
        &mut self,
        supply: &mut Supply<'_, M>,
        slot: usize,
        capability: Capability,
    ) -> Result<Handle, Error> {
        let leaf = self.add_leaf(supply, slot)?;
        let first = slot % LEAF_SLOTS * SLOT_WORDS;
        for (place, word) in capability.words().into_iter().enumerate() {
            supply.machine.store(leaf, first + place, word);
        }
        let free = self.free(supply.machine, slot / 64) & !(1 << (slot % 64));
        self.set_free(supply.machine, slot / 64, free);
        Ok(Handle(slot as u16))
    }

    /// Releases the frames of a dying table, the root last, in steps; the charge stays.
    ///
    /// # Errors
    /// Where steps are used up.
    pub fn release<M: Machine>(&mut self, supply: &mut Supply<'_, M>) -> Result<(), Error> {
        let frames = self.price();
        while usize::from(self.released) < frames {
            supply.steps.spend(steps::PAGE)?;
            let frame = self.frame(supply.machine, self.released.into());
            if let Some(frame) = frame {
                supply.frames.release(frame);
            }
            self.released += 1;
        }
        Ok(())
    }

    /// Returns a leaf, if it is there, or past the last leaf the root.
    fn frame<M: Machine>(&self, machine: &M, index: usize) -> Option<Frame> {
        match index {
            0 => Some(self.first),
            _ if index == self.leaves() => self.root,
            _ => match machine.load(self.root?, index) as u32 {
                0 => None,
                leaf => Some(Frame(leaf)),
            },
        }
    }
}

/// Takes a frame, charged already, for a leaf whose slots are empty; what else is in it nobody sees.
fn new_leaf<M: Machine>(supply: &mut Supply<'_, M>) -> Result<Frame, Error> {
    let leaf = supply.frames.allocate().ok_or(Error::OutOfMemory)?;
    debug_assert_ne!(leaf, Frame(0), "the machine keeps the first frame to itself");
    for slot in 0..LEAF_SLOTS {
        supply.machine.store(leaf, slot * SLOT_WORDS + HEADER, EMPTY);
    }
    supply.steps.note(steps::passed(LEAF_SLOTS));
    Ok(leaf)
}

#[cfg(test)]
impl Table {
    /// Returns the number of slots.
    pub fn len(&self) -> usize {
        self.slots as usize
    }

    /// Returns the number of capabilities.
    pub fn used<M: Machine>(&self, machine: &M) -> usize {
        let free = (0..self.words()).map(|word| self.free(machine, word).count_ones() as usize);
        self.slots as usize - 1 - free.sum::<usize>()
    }

    /// Returns the frames that it is kept in.
    pub fn frames<M: Machine>(&self, machine: &M) -> std::vec::Vec<Frame> {
        let frames = self.released.into()..self.price();
        frames.filter_map(|index| self.frame(machine, index)).collect()
    }
}

#[cfg(test)]
mod tests;
