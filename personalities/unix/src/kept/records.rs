//! Working copies of what is kept in rows, and which of them have changed.
//!
//! Processes and threads have many plain fields that handlers change as they like. They are
//! written to their rows when a transaction ends ([`crate::unix::Unix`]'s `answers`), if somebody
//! asked for them to be changed; a death before that leaves what was there before the call.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::{Deref, DerefMut};

/// Things under keys; who asks for one to be changed has changed it.
#[derive(Debug)]
pub struct Records<K, V> {
    all: BTreeMap<K, V>,
    changed: Vec<K>,
}

impl<K, V> Default for Records<K, V> {
    fn default() -> Self {
        Records { all: BTreeMap::new(), changed: Vec::new() }
    }
}

impl<K, V> Deref for Records<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.all
    }
}

/// What has plain fields.
pub trait Touched {
    /// Says that plain fields may have changed.
    fn touch(&mut self);
}

impl<K: Ord + Copy, V: Touched> Records<K, V> {
    /// Adds a thing.
    pub fn insert(&mut self, key: K, value: V) {
        self.all.insert(key, value);
        self.mark(key);
    }

    /// Returns a thing, to be changed.
    #[inline]
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let value = self.all.get_mut(key)?;
        value.touch();
        if !self.changed.contains(key) {
            self.changed.push(*key);
        }
        Some(value)
    }

    /// Returns a thing of which only what is not kept, or keeps itself, is changed; or, where it is
    /// marked, what is [`Marked`].
    #[inline]
    pub fn peek_mut(&mut self, key: &K) -> Option<&mut V> {
        self.all.get_mut(key)
    }

    /// Says that something [`Marked`] of a thing has changed.
    pub fn mark(&mut self, key: K) {
        if !self.changed.contains(&key) {
            self.changed.push(key);
        }
    }

    /// Takes a thing out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        self.all.remove(key)
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
            if let Some(value) = self.all.get_mut(&key) {
                keep(value);
            }
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
