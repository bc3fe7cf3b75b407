//! Fixed-capacity storage of kernel objects, named by index and generation.
//!
//! The capacity is chosen at boot and never grows, so that references the machine holds (the
//! current thread's registers) stay valid. A slot's generation changes when its object is
//! destroyed: whatever still names the object finds nothing.

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

/// A slot; `generation` is odd while the slot holds a live object.
struct Slot<T> {
    generation: u32,
    next_free: u32,
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

const NONE: u32 = u32::MAX;

/// Storage for up to a fixed number of objects of one kind.
pub struct Arena<T> {
    slots: Vec<Slot<T>>,
    capacity: usize,
    free: u32,
    used: usize,
}

impl<T: Default> Arena<T> {
    /// Returns an empty arena for `capacity` objects; its memory is allocated here.
    pub fn new(capacity: usize) -> Self {
        Arena { slots: Vec::with_capacity(capacity), capacity, free: NONE, used: 0 }
    }

    /// Adds an object; nothing where the arena is full.
    pub fn insert(&mut self, value: T) -> Option<Id<T>> {
        let index = if self.free != NONE {
            let index = self.free;
            self.free = self.slots[index as usize].next_free;
            index
        } else if self.slots.len() < self.capacity {
            self.slots.push(Slot { generation: 0, next_free: NONE, value: T::default() });
            self.slots.len() as u32 - 1
        } else {
            return None;
        };
        let slot = &mut self.slots[index as usize];
        slot.generation = slot.generation.wrapping_add(1);
        slot.value = value;
        self.used += 1;
        Id::new(index, slot.generation)
    }

    /// Removes an object and returns it.
    pub fn remove(&mut self, id: Id<T>) -> Option<T> {
        let slot = self.slots.get_mut(id.index() as usize)?;
        if slot.generation != id.generation() {
            return None;
        }
        slot.generation = slot.generation.wrapping_add(1);
        if slot.generation != 0 {
            slot.next_free = self.free;
            self.free = id.index();
        }
        // Else all its generations are used up: reused, it would revive the names of the first.
        self.used -= 1;
        Some(core::mem::take(&mut slot.value))
    }
}

impl<T> Arena<T> {
    /// Returns whether the object still exists.
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

    /// Returns all slots, for looking into several of them in turn.
    #[inline(always)]
    pub fn slots(&mut self) -> Slots<'_, T> {
        Slots(&mut self.slots)
    }

    /// Returns the name of the live object in a slot.
    pub fn id_at(&self, index: u32) -> Option<Id<T>> {
        let slot = self.slots.get(index as usize)?;
        let live = slot.generation & 1 == 1;
        if live { Id::new(index, slot.generation) } else { None }
    }

    /// Returns the names of all live objects, in the order of their slots.
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
    use super::Arena;

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
        arena.slots[0].generation = u32::MAX;
        let last = arena.id_at(0).unwrap();
        assert_eq!(arena.remove(last), Some(1));
        assert!(arena.is_full() && arena.insert(2).is_none());
        assert!(!arena.contains(first) && !arena.contains(last));
    }

    #[test]
    fn a_full_arena_refuses() {
        let mut arena = Arena::new(1);
        assert!(arena.insert(1).is_some());
        assert!(arena.insert(2).is_none());
        assert_eq!(arena.used(), 1);
    }
}
