//! The mappings of an address space, sorted by address: a balanced tree through their slots.
//!
//! An AA tree (A. Andersson, "Balanced search trees made simple", 1993): each node has a level;
//! a left child is one level below its parent, a right child at most as high, and no two right
//! links in a row stay on a level. So a tree of n mappings is at most 2 log2(n + 1) deep, whatever
//! order a program maps in, and needs no memory but the mappings' own.

use crate::arena::{Arena, NONE};
use crate::mapping::Mapping;

/// A mapping's place in the tree.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    left: u32,
    right: u32,
    level: u8,
}

impl Default for Node {
    fn default() -> Self {
        Node { left: NONE, right: NONE, level: 1 }
    }
}

/// Adds a mapping to the tree below `at`; returns its new top.
pub fn insert(mappings: &mut Arena<Mapping>, at: u32, new: u32) -> u32 {
    if at == NONE {
        mappings.in_slot_mut(new).node = Node::default();
        return new;
    }
    if mappings.in_slot(new).address < mappings.in_slot(at).address {
        mappings.in_slot_mut(at).node.left = insert(mappings, mappings.in_slot(at).node.left, new);
    } else {
        mappings.in_slot_mut(at).node.right =
            insert(mappings, mappings.in_slot(at).node.right, new);
    }
    let at = skew(mappings, at);
    split(mappings, at)
}

/// Removes the mapping at an address from the tree below `at`; returns its new top.
pub fn remove(mappings: &mut Arena<Mapping>, at: u32, address: usize) -> u32 {
    if at == NONE {
        return NONE;
    }
    let (here, Node { left, right, .. }) =
        (mappings.in_slot(at).address, mappings.in_slot(at).node);
    let at = if address < here {
        mappings.in_slot_mut(at).node.left = remove(mappings, left, address);
        at
    } else if address > here {
        mappings.in_slot_mut(at).node.right = remove(mappings, right, address);
        at
    } else if left != NONE {
        let heir = last(mappings, left);
        let left = remove(mappings, left, mappings.in_slot(heir).address);
        replace(mappings, at, heir, (left, right))
    } else if right != NONE {
        let heir = first(mappings, right);
        let right = remove(mappings, right, mappings.in_slot(heir).address);
        replace(mappings, at, heir, (left, right))
    } else {
        return NONE;
    };
    rebalance(mappings, at)
}

/// Returns the first mapping at or after an address.
pub fn ceiling(mappings: &Arena<Mapping>, top: u32, address: usize) -> Option<u32> {
    let (mut at, mut found) = (top, None);
    while at != NONE {
        let mapping = &mappings.in_slot(at);
        if mapping.address >= address {
            found = Some(at);
            at = mapping.node.left;
        } else {
            at = mapping.node.right;
        }
    }
    found
}

/// Returns the last mapping at or before an address.
pub fn floor(mappings: &Arena<Mapping>, top: u32, address: usize) -> Option<u32> {
    let (mut at, mut found) = (top, None);
    while at != NONE {
        let mapping = &mappings.in_slot(at);
        if mapping.address <= address {
            found = Some(at);
            at = mapping.node.right;
        } else {
            at = mapping.node.left;
        }
    }
    found
}

fn first(mappings: &Arena<Mapping>, mut at: u32) -> u32 {
    while mappings.in_slot(at).node.left != NONE {
        at = mappings.in_slot(at).node.left;
    }
    at
}

fn last(mappings: &Arena<Mapping>, mut at: u32) -> u32 {
    while mappings.in_slot(at).node.right != NONE {
        at = mappings.in_slot(at).node.right;
    }
    at
}

/// Puts an heir with these children in the place of a node.
fn replace(mappings: &mut Arena<Mapping>, old: u32, heir: u32, (left, right): (u32, u32)) -> u32 {
    mappings.in_slot_mut(heir).node = Node { left, right, level: mappings.in_slot(old).node.level };
    heir
}

fn level(mappings: &Arena<Mapping>, at: u32) -> u8 {
    if at == NONE { 0 } else { mappings.in_slot(at).node.level }
}

/// Turns a left link on one level into a right one.
fn skew(mappings: &mut Arena<Mapping>, at: u32) -> u32 {
    if at == NONE {
        return at;
    }
    let left = mappings.in_slot(at).node.left;
    if level(mappings, left) != level(mappings, at) {
        return at;
    }
    mappings.in_slot_mut(at).node.left = mappings.in_slot(left).node.right;
    mappings.in_slot_mut(left).node.right = at;
    left
}

/// Lifts the middle of two right links on one level.
fn split(mappings: &mut Arena<Mapping>, at: u32) -> u32 {
    if at == NONE {
        return at;
    }
    let right = mappings.in_slot(at).node.right;
    if right == NONE || level(mappings, mappings.in_slot(right).node.right) != level(mappings, at) {
        return at;
    }
    mappings.in_slot_mut(at).node.right = mappings.in_slot(right).node.left;
    mappings.in_slot_mut(right).node.left = at;
    mappings.in_slot_mut(right).node.level += 1;
    right
}

/// Makes a tree whose child lost a level valid again.
fn rebalance(mappings: &mut Arena<Mapping>, at: u32) -> u32 {
    let Node { left, right, .. } = mappings.in_slot(at).node;
    let wanted = level(mappings, left).min(level(mappings, right)) + 1;
    if wanted < mappings.in_slot(at).node.level {
        mappings.in_slot_mut(at).node.level = wanted;
        if right != NONE && wanted < mappings.in_slot(right).node.level {
            mappings.in_slot_mut(right).node.level = wanted;
        }
    }
    let at = skew(mappings, at);
    let right = skew(mappings, mappings.in_slot(at).node.right);
    mappings.in_slot_mut(at).node.right = right;
    if right != NONE {
        mappings.in_slot_mut(right).node.right = skew(mappings, mappings.in_slot(right).node.right);
    }
    let at = split(mappings, at);
    mappings.in_slot_mut(at).node.right = split(mappings, mappings.in_slot(at).node.right);
    at
}

#[cfg(test)]
mod tests {
    use super::{NONE, Node, ceiling, floor, insert, level, remove};
    use crate::arena::Arena;
    use crate::mapping::Mapping;
    use proptest::prelude::*;

    /// Returns the depth of a tree and checks the levels.
    fn depth(mappings: &Arena<Mapping>, at: u32) -> u32 {
        if at == NONE {
            return 0;
        }
        let Node { left, right, level: own } = mappings.in_slot(at).node;
        assert_eq!(level(mappings, left) + 1, own);
        assert!(own - level(mappings, right) <= 1);
        if right != NONE {
            assert!(level(mappings, mappings.in_slot(right).node.right) < own);
        }
        1 + depth(mappings, left).max(depth(mappings, right))
    }

    proptest! {
        #[test]
        fn it_is_sorted_and_flat_whatever_was_removed(
            steps in prop::collection::vec((0usize..64, any::<bool>()), 1..300)
        ) {
            let mut mappings = Arena::new(64);
            let mut model = std::collections::BTreeMap::new();
            let mut top = NONE;
            for (address, adds) in steps {
                if adds && !model.contains_key(&address) {
                    let new = Mapping { address, ..Mapping::default() };
                    let slot = mappings.insert(new).unwrap().index();
                    top = insert(&mut mappings, top, slot);
                    model.insert(address, slot);
                } else if let Some(slot) = model.remove(&address) {
                    top = remove(&mut mappings, top, address);
                    let id = mappings.id_at(slot).unwrap();
                    mappings.remove(id);
                }
                prop_assert!(1 << (depth(&mappings, top) / 2) <= model.len() + 1);
                for at in 0..65 {
                    let above = model.range(at..).next().map(|(_, slot)| *slot);
                    let below = model.range(..=at).next_back().map(|(_, slot)| *slot);
                    prop_assert_eq!(ceiling(&mappings, top, at), above);
                    prop_assert_eq!(floor(&mappings, top, at), below);
                }
            }
        }
    }
}
