//! Fixed-capacity storage of kernel objects, named by index and generation.
//!
//! The capacity is chosen at boot and never grows, so that references the machine holds (the
//! current thread's registers) stay valid. A slot's generation changes when its object is
//! destroyed: whatever still names the object finds nothing.
//!
//! ```text
//!   free ──insert──> live ──doom──> dying ──remove──> free
//!                      ^               │
//!                      └────revive─────┘   (a clone that is finished)
//! ```
//!
//! A dying object is one that is being destroyed, or made, in steps: capabilities do not find it
//! ([`Arena::get`]), what it is linked with does ([`Arena::find`]).
//!
//! The objects that one owner pays for are a list through their slots, whose head the owner has.

use alloc::vec::Vec;
use core::marker::PhantomData;
use core::num::NonZeroU64;
use core::ops::{Index, IndexMut};

/// The name of an object in an [`Arena`]: slot in the low half, generation in the high half.
///
/// Generations of live objects are odd, so that the number is never 0 and `Option<Id>` is one
/// register.
pub struct Id<T> {
    raw: NonZeroU64,
    kind: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// Returns the name of an object; only for an odd generation.
    #[inline]
    fn new(index: u32, generation: u32) -> Option<Self> {
        let raw = NonZeroU64::new((generation as u64) << 32 | index as u64)?;
        Some(Id { raw, kind: PhantomData })
    }

    /// Returns the slot.
    #[inline]
    pub fn index(self) -> u32 {
        self.raw.get() as u32
    }

    /// Returns whether both are the same name, or both none; in one comparison, which the compiler
    /// does not make of `==`.
    #[inline(always)]
    pub fn are_same(one: Option<Self>, other: Option<Self>) -> bool {
        let raw = |id: Option<Self>| id.map_or(0, |id| id.raw.get());
        raw(one) == raw(other)
    }

    /// Returns the name as a number, which is never 0.
    #[inline]
    pub fn raw(self) -> u64 {
        self.raw.get()
    }

    /// Returns the name that was such a number; nothing for 0.
    #[inline(always)]
    pub fn from_raw(raw: u64) -> Option<Self> {
        NonZeroU64::new(raw).map(|raw| Id { raw, kind: PhantomData })
    }

    #[inline]
    fn generation(self) -> u32 {
        (self.raw.get() >> 32) as u32
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl<T> Eq for Id<T> {}

impl<T> core::fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}.{}", self.index(), self.generation())
    }
}

/// A slot; `generation` is odd while the slot holds an object, and has the bit [`DYING`] while that
/// object is dying.
struct Slot<T> {
    generation: u32,
    /// The next free slot; the next object of the list that this one is in.
    next: u32,
    prev: u32,
    value: T,
}

/// The slots of an arena. Their number cannot change while this exists, so that the compiler
/// checks an index that is used again only once.
pub struct Slots<'a, T>(&'a mut [Slot<T>]);

impl<'a, T> Slots<'a, T> {
    /// Returns what is in a slot, live or not: a free slot holds the default value.
    #[inline(always)]
    pub fn at(&mut self, slot: u16) -> Option<&mut T> {
        self.0.get_mut(slot as usize).map(|slot| &mut slot.value)
    }

    /// As [`Slots::at`], for as long as the arena is borrowed.
    #[inline(always)]
    pub fn into_at(self, slot: u16) -> Option<&'a mut T> {
        self.0.get_mut(slot as usize).map(|slot| &mut slot.value)
    }
}

impl<T> Index<u16> for Slots<'_, T> {
    type Output = T;
    #[inline(always)]
    fn index(&self, slot: u16) -> &T {
        &self.0[slot as usize].value
    }
}

impl<T> IndexMut<u16> for Slots<'_, T> {
    #[inline(always)]
    fn index_mut(&mut self, slot: u16) -> &mut T {
        &mut self.0[slot as usize].value
    }
}

/// No slot: the end of a list.
pub const NONE: u32 = u32::MAX;
const DYING: u32 = 1 << 31;

/// Storage for up to a fixed number of objects of one kind.
pub struct Arena<T> {
    slots: Vec<Slot<T>>,
    capacity: usize,
    free: u32,
    used: usize,
}

impl<T: Default> Arena<T> {
    /// Bytes of a slot.
    pub const SLOT_BYTES: usize = size_of::<Slot<T>>();

    /// Returns an empty arena for `capacity` objects; its memory is allocated here.
    pub fn new(capacity: usize) -> Self {
        Arena { slots: Vec::with_capacity(capacity), capacity, free: NONE, used: 0 }
    }

    /// Adds an object; nothing where the arena is full.
    pub fn insert(&mut self, value: T) -> Option<Id<T>> {
        let index = if self.free != NONE {
            let index = self.free;
            self.free = self.slots[index as usize].next;
            index
        } else if self.slots.len() < self.capacity {
            self.slots.push(Slot { generation: 0, next: NONE, prev: NONE, value: T::default() });
            self.slots.len() as u32 - 1
        } else {
            return None;
        };
        let slot = &mut self.slots[index as usize];
        slot.generation += 1;
        (slot.next, slot.prev) = (NONE, NONE);
        slot.value = value;
        self.used += 1;
        Id::new(index, slot.generation)
    }

    /// Adds an object, first in the list that `head` begins.
    pub fn insert_listed(&mut self, value: T, head: &mut u32) -> Option<Id<T>> {
        let id = self.insert(value)?;
        self.slots[id.index() as usize].next = *head;
        if *head != NONE {
            self.slots[*head as usize].prev = id.index();
        }
        *head = id.index();
        Some(id)
    }

    /// Removes an object, live or dying, and returns it.
    pub fn remove(&mut self, id: Id<T>) -> Option<T> {
        let slot = self.slots.get_mut(id.index() as usize)?;
        if slot.generation & !DYING != id.generation() {
            return None;
        }
        slot.generation = (id.generation() + 1) & !DYING;
        if slot.generation != 0 {
            slot.next = self.free;
            self.free = id.index();
        }
        // Else all its generations are used up: reused, it would revive the names of the first.
        self.used -= 1;
        Some(core::mem::take(&mut slot.value))
    }

    /// Removes an object, live or dying, that is in the list that `head` begins.
    pub fn remove_listed(&mut self, id: Id<T>, head: &mut u32) -> Option<T> {
        self.find(id)?;
        let Slot { next, prev, .. } = self.slots[id.index() as usize];
        if next != NONE {
            self.slots[next as usize].prev = prev;
        }
        if prev != NONE {
            self.slots[prev as usize].next = next;
        } else {
            *head = next;
        }
        self.remove(id)
    }
}

impl<T> Arena<T> {
    /// Makes a live object a dying one.
    pub fn doom(&mut self, id: Id<T>) {
        if let Some(slot) = self.slots.get_mut(id.index() as usize)
            && slot.generation == id.generation()
        {
            slot.generation |= DYING;
        }
    }

    /// Makes a dying object a live one.
    pub fn revive(&mut self, id: Id<T>) {
        if self.find(id).is_some() {
            self.slots[id.index() as usize].generation = id.generation();
        }
    }

    /// Returns the object, live or dying.
    #[inline]
    pub fn find(&self, id: Id<T>) -> Option<&T> {
        let slot = self.slots.get(id.index() as usize)?;
        (slot.generation & !DYING == id.generation()).then_some(&slot.value)
    }

    /// Returns the object, live or dying.
    #[inline]
    pub fn find_mut(&mut self, id: Id<T>) -> Option<&mut T> {
        let slot = self.slots.get_mut(id.index() as usize)?;
        (slot.generation & !DYING == id.generation()).then_some(&mut slot.value)
    }

    /// Returns whether the object still exists, and is not dying.
    #[inline]
    pub fn contains(&self, id: Id<T>) -> bool {
        self.slots.get(id.index() as usize).is_some_and(|slot| slot.generation == id.generation())
    }

    /// Returns the object, if it still exists.
    #[inline]
    pub fn get(&self, id: Id<T>) -> Option<&T> {
        let slot = self.slots.get(id.index() as usize)?;
        if slot.generation == id.generation() { Some(&slot.value) } else { None }
    }

    /// Returns the object, if it still exists.
    #[inline]
    pub fn get_mut(&mut self, id: Id<T>) -> Option<&mut T> {
        let slot = self.slots.get_mut(id.index() as usize)?;
        if slot.generation == id.generation() { Some(&mut slot.value) } else { None }
    }

    /// Returns what is in a slot, live or not: a free slot holds the default value.
    #[inline(always)]
    pub fn at(&self, slot: u16) -> Option<&T> {
        self.slots.get(slot as usize).map(|slot| &slot.value)
    }

    /// Returns what is in a slot that is known to be in use (a link of a list).
    #[inline]
    pub fn in_slot(&self, slot: u32) -> &T {
        &self.slots[slot as usize].value
    }

    /// Returns what is in a slot that is known to be in use.
    #[inline]
    pub fn in_slot_mut(&mut self, slot: u32) -> &mut T {
        &mut self.slots[slot as usize].value
    }

    /// Returns all slots, for looking into several of them in turn.
    #[inline(always)]
    pub fn slots(&mut self) -> Slots<'_, T> {
        Slots(&mut self.slots)
    }

    /// Returns the name of the object in a slot, live or dying.
    #[inline]
    pub fn id_at(&self, index: u32) -> Option<Id<T>> {
        let slot = self.slots.get(index as usize)?;
        let used = slot.generation & 1 == 1;
        if used { Id::new(index, slot.generation & !DYING) } else { None }
    }

    /// Returns the names of all objects, live or dying, in the order of their slots.
    pub fn ids(&self) -> impl Iterator<Item = Id<T>> + '_ {
        (0..self.slots.len() as u32).filter_map(|index| self.id_at(index))
    }

    /// Returns the number of slots that have ever been used; live indices lie below it.
    pub fn high_water(&self) -> u32 {
        self.slots.len() as u32
    }

    /// Returns whether `insert` would refuse.
    pub fn is_full(&self) -> bool {
        self.free == NONE && self.slots.len() == self.capacity
    }

    /// Returns the number of live objects.
    pub fn used(&self) -> usize {
        self.used
    }
}

/// Access by slot, for indices that are known to be live (links of a queue, the current thread).
impl<T> Index<u16> for Arena<T> {
    type Output = T;
    #[inline]
    fn index(&self, index: u16) -> &T {
        &self.slots[index as usize].value
    }
}

impl<T> IndexMut<u16> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, index: u16) -> &mut T {
        &mut self.slots[index as usize].value
    }
}

#[cfg(test)]
mod tests {
    use super::{Arena, DYING, NONE};

    #[test]
    fn a_removed_object_is_not_found_by_its_old_name() {
        let mut arena = Arena::new(2);
        let first = arena.insert(1).unwrap();
        assert_eq!(arena.remove(first), Some(1));
        let second = arena.insert(2).unwrap();
        assert_eq!(first.index(), second.index());
        assert_eq!(arena.get(first), None);
        assert_eq!(arena.get(second), Some(&2));
        assert_eq!(arena.remove(first), None);
    }

    #[test]
    fn a_slot_whose_generations_are_used_up_is_not_reused() {
        let mut arena = Arena::new(1);
        let first = arena.insert(1).unwrap();
        arena.slots[0].generation = DYING - 1;
        let last = arena.id_at(0).unwrap();
        assert_eq!(arena.remove(last), Some(1));
        assert!(arena.is_full() && arena.insert(2).is_none());
        assert!(!arena.contains(first) && !arena.contains(last));
    }

    #[test]
    fn a_dying_object_is_found_by_its_links_only() {
        let mut arena = Arena::new(1);
        let id = arena.insert(7).unwrap();
        arena.doom(id);
        assert_eq!((arena.get(id), arena.find(id), arena.id_at(0)), (None, Some(&7), Some(id)));
        arena.revive(id);
        assert_eq!(arena.get(id), Some(&7));
        arena.doom(id);
        assert_eq!(arena.remove(id), Some(7));
        assert_eq!(arena.find(id), None);
    }

    #[test]
    fn a_list_has_whoever_was_not_removed() {
        let mut arena = Arena::new(4);
        let mut head = NONE;
        let ids = [1, 2, 3, 4].map(|value| arena.insert_listed(value, &mut head).unwrap());
        assert_eq!(arena.remove_listed(ids[1], &mut head), Some(2));
        assert_eq!(arena.remove_listed(ids[3], &mut head), Some(4));
        let mut values = std::vec::Vec::new();
        while let Some(id) = arena.id_at(head) {
            values.push(arena.remove_listed(id, &mut head).unwrap());
        }
        assert_eq!(values, [3, 1]);
        assert_eq!(head, NONE);
    }

    #[test]
    fn a_full_arena_refuses() {
        let mut arena = Arena::new(1);
        assert!(arena.insert(1).is_some());
        assert!(arena.insert(2).is_none());
        assert_eq!(arena.used(), 1);
    }
}
