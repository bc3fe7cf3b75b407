//! Working copies of what is kept in rows, and which of them have changed.
//!
//! Processes and threads have many plain fields that handlers change as they like. They are
//! written to their rows when a transaction ends ([`crate::unix::Unix`]'s `answers`), if somebody
//! asked for them to be changed; a death before that leaves what was there before the call.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::array;
use core::cell::Cell;
use core::ops::{Deref, DerefMut};

/// How many keys have a hint of their own.
const HINTS: usize = 256;

/// Names a thing by a number.
pub trait Key: Ord + Copy {
    /// Returns the number.
    fn number(self) -> u64;
}

/// Things under keys; who asks for one to be changed has changed it.
///
/// ```text
///   key ── low bits ──> hint ─┐ right nearly always: some 10 instructions
///    └───> places (ordered) ──┴──> slot: the key again, and the thing
/// ```
#[derive(Debug)]
pub struct Records<K, V> {
    places: BTreeMap<K, u16>,
    slots: Vec<Option<Box<(K, V)>>>,
    hints: [Cell<u16>; HINTS],
    changed: Vec<K>,
}

impl<K, V> Default for Records<K, V> {
    fn default() -> Self {
        Records {
            places: BTreeMap::new(),
            slots: Vec::new(),
            hints: array::from_fn(|_| Cell::new(0)),
            changed: Vec::new(),
        }
    }
}

/// What has plain fields.
pub trait Touched {
    /// Says that plain fields may have changed.
    fn touch(&mut self);
}

impl<K: Key, V> Records<K, V> {
    /// Returns a thing.
    #[inline]
    pub fn get(&self, key: &K) -> Option<&V> {
        match self.slots.get(usize::from(self.hint(*key).get())) {
            Some(Some(slot)) if slot.0 == *key => Some(&slot.1),
            _ => self.search(key),
        }
    }

    /// Returns a thing of which only what is not kept, or keeps itself, is changed; or, where it is
    /// marked, what is [`Marked`].
    #[inline]
    pub fn peek_mut(&mut self, key: &K) -> Option<&mut V> {
        let hint = usize::from(self.hint(*key).get());
        let place = match self.slots.get(hint) {
            Some(Some(slot)) if slot.0 == *key => hint,
            _ => self.place(key)?,
        };
        self.slots.get_mut(place)?.as_deref_mut().map(|(_, value)| value)
    }

    /// Returns whether something is under a key.
    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Returns all keys, in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.places.keys()
    }

    /// Returns all things, in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// Returns all keys with their things, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        let slot = |&place: &u16| self.slots.get(usize::from(place))?.as_deref();
        self.places.values().filter_map(slot).map(|(key, value)| (key, value))
    }

    #[inline(never)]
    fn search(&self, key: &K) -> Option<&V> {
        self.slots.get(self.place(key)?)?.as_deref().map(|(_, value)| value)
    }

    /// Returns where a key's slot is; it will be looked for there the next time.
    #[inline(never)]
    fn place(&self, key: &K) -> Option<usize> {
        let place = *self.places.get(key)?;
        self.hint(*key).set(place);
        Some(place.into())
    }

    #[inline]
    fn hint(&self, key: K) -> &Cell<u16> {
        &self.hints[key.number() as usize % HINTS]
    }
}

impl<K: Key, V: Touched> Records<K, V> {
    /// Adds a thing under a key that has none.
    pub fn insert(&mut self, key: K, value: V) {
        let slot = Some(Box::new((key, value)));
        let place = match self.slots.iter().position(Option::is_none) {
            Some(place) => place,
            None => {
                self.slots.push(None);
                self.slots.len() - 1
            }
        };
        self.slots[place] = slot;
        self.places.insert(key, place as u16);
        self.mark(key);
    }

    /// Returns a thing, to be changed.
    #[inline]
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        if self.contains_key(key) {
            self.mark(*key);
        }
        let value = self.peek_mut(key)?;
        value.touch();
        Some(value)
    }

    /// Says that something [`Marked`] of a thing has changed.
    pub fn mark(&mut self, key: K) {
        if !self.changed.contains(&key) {
            self.changed.push(key);
        }
    }

    /// Takes a thing out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let place = self.places.remove(key)?;
        self.slots.get_mut(usize::from(place))?.take().map(|slot| slot.1)
    }

    /// Returns whether something has changed.
    #[inline]
    pub fn has_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Has `keep` keep what has changed and is still there.
    pub fn keep_changed(&mut self, mut keep: impl FnMut(&mut V)) {
        let mut changed = core::mem::take(&mut self.changed);
        for key in changed.drain(..) {
            self.peek_mut(&key).map(&mut keep);
        }
        self.changed = changed;
    }
}

/// A part of a record that is written by itself, when it has changed.
#[derive(Debug)]
pub struct Marked<T> {
    value: T,
    has_changed: bool,
}

impl<T> Marked<T> {
    /// Returns a part that was not written yet.
    pub fn new(value: T) -> Self {
        Marked { value, has_changed: true }
    }

    /// Returns the part, if it has changed since this was asked last.
    pub fn take_changed(&mut self) -> Option<&T> {
        core::mem::take(&mut self.has_changed).then_some(&self.value)
    }
}

impl<T> Deref for Marked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Marked<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.has_changed = true;
        &mut self.value
    }
}

#[cfg(test)]
impl<K: Key, V> core::ops::Index<&K> for Records<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        self.get(key).expect("something is under the key")
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::btree_map::Entry;

    use super::*;

    impl Key for u64 {
        fn number(self) -> u64 {
            self
        }
    }

    impl Touched for u64 {
        fn touch(&mut self) {}
    }

    #[test]
    fn things_are_found_whatever_the_hints_say() {
        let (mut records, mut model) = (Records::<u64, u64>::default(), BTreeMap::new());
        let mut dice = 7_u64;
        for round in 0..20_000 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // Keys of few different low bits: hints are often of others.
            let key = (dice >> 40) % 8 * HINTS as u64 + (dice >> 50) % 4;
            match model.entry(key) {
                Entry::Occupied(entry) if dice >> 63 == 0 => {
                    assert_eq!(records.remove(&key), Some(entry.remove()));
                }
                Entry::Occupied(_) => {}
                Entry::Vacant(entry) => {
                    entry.insert(round);
                    records.insert(key, round);
                }
            }
            assert_eq!(records.get(&key), model.get(&key));
            assert_eq!(records.peek_mut(&key), model.get_mut(&key));
            assert_eq!(records.len(), model.len());
        }
        assert!(records.iter().eq(model.iter()) && records.keys().eq(model.keys()));
        assert!(records.slots.len() <= 32);
    }

    #[test]
    fn what_was_asked_for_is_kept_once() {
        let mut records = Records::<u64, u64>::default();
        records.insert(5, 50);
        records.insert(6, 60);
        *records.get_mut(&6).unwrap() += 1;
        let mut kept = Vec::new();
        records.keep_changed(|value| kept.push(*value));
        assert_eq!(kept, [50, 61]);
        assert!(!records.has_changed());
    }
}
