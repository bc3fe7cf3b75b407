//! The mappings of an address space, sorted by address: a balanced tree through their slots.
//!
//! An AVL tree (G. Adelson-Velsky, E. Landis, 1962): the heights of a node's two subtrees differ
//! by one at most. So the tree of n mappings is less than 1.45 log2(n + 2) high, whatever order a
//! program maps in, and needs no memory but the mappings' own. On the way back up from a change
//! nothing is looked at above the first subtree whose height stayed as it was: that of most
//! changes is the first or second.

use crate::arena::{Arena, NONE};
use crate::mapping::Mapping;

/// A mapping's place in the tree.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// What lies below and above this mapping's address.
    children: [u32; 2],
    parent: u32,
    height: u8,
}

/// Indices of the children.
const LEFT: usize = 0;
const RIGHT: usize = 1;

impl Default for Node {
    fn default() -> Self {
        Node { children: [NONE; 2], parent: NONE, height: 1 }
    }
}

/// Adds a mapping to the tree, at whose address none is.
pub fn insert(mappings: &mut Arena<Mapping>, top: &mut u32, new: u32) {
    let address = mappings.in_slot(new).address;
    let (mut parent, mut side) = (NONE, LEFT);
    let mut at = *top;
    while at != NONE {
        let mapping = mappings.in_slot(at);
        parent = at;
        side = if address < mapping.address { LEFT } else { RIGHT };
        at = mapping.node.children[side];
    }
    mappings.in_slot_mut(new).node = Node { parent, ..Node::default() };
    if parent == NONE {
        *top = new;
    } else {
        mappings.in_slot_mut(parent).node.children[side] = new;
        rebalance(mappings, top, parent);
    }
}

/// Removes a mapping from the tree.
pub fn remove(mappings: &mut Arena<Mapping>, top: &mut u32, old: u32) {
    let Node { children: [left, right], parent, height } = mappings.in_slot(old).node;
    if left == NONE || right == NONE {
        replace(mappings, top, old, if left == NONE { right } else { left });
        return rebalance(mappings, top, parent);
    }
    // The next one takes its place, and that one's right subtree the next one's.
    let next = first(mappings, right);
    let Node { children: [_, after], parent: above, .. } = mappings.in_slot(next).node;
    replace(mappings, top, next, after);
    replace(mappings, top, old, next);
    mappings.in_slot_mut(next).node.height = height;
    for side in [LEFT, RIGHT] {
        let child = mappings.in_slot(old).node.children[side];
        attach(mappings, next, side, child);
    }
    rebalance(mappings, top, if above == old { next } else { above });
}

/// Returns the first mapping at or after an address.
pub fn ceiling(mappings: &Arena<Mapping>, top: u32, address: usize) -> Option<u32> {
    let (mut at, mut found) = (top, None);
    while at != NONE {
        let mapping = &mappings.in_slot(at);
        if mapping.address >= address {
            found = Some(at);
            at = mapping.node.children[LEFT];
        } else {
            at = mapping.node.children[RIGHT];
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
            at = mapping.node.children[RIGHT];
        } else {
            at = mapping.node.children[LEFT];
        }
    }
    found
}

fn first(mappings: &Arena<Mapping>, mut at: u32) -> u32 {
    while mappings.in_slot(at).node.children[LEFT] != NONE {
        at = mappings.in_slot(at).node.children[LEFT];
    }
    at
}

fn height(mappings: &Arena<Mapping>, at: u32) -> u8 {
    if at == NONE { 0 } else { mappings.in_slot(at).node.height }
}

/// Makes a subtree, or nothing, a child.
fn attach(mappings: &mut Arena<Mapping>, parent: u32, side: usize, child: u32) {
    mappings.in_slot_mut(parent).node.children[side] = child;
    if child != NONE {
        mappings.in_slot_mut(child).node.parent = parent;
    }
}

/// Puts a subtree, or nothing, in the place of another.
fn replace(mappings: &mut Arena<Mapping>, top: &mut u32, old: u32, new: u32) {
    let parent = mappings.in_slot(old).node.parent;
    if parent != NONE {
        let side = (mappings.in_slot(parent).node.children[RIGHT] == old) as usize;
        return attach(mappings, parent, side, new);
    }
    *top = new;
    if new != NONE {
        mappings.in_slot_mut(new).node.parent = NONE;
    }
}

/// Makes the tree valid after a change below `at`: from there upwards, as far as heights change.
fn rebalance(mappings: &mut Arena<Mapping>, top: &mut u32, mut at: u32) {
    while at != NONE {
        let Node { children: [left, right], height: before, .. } = mappings.in_slot(at).node;
        let (left, right) = (height(mappings, left), height(mappings, right));
        let new = 1 + left.max(right);
        if left.abs_diff(right) > 1 {
            at = lift(mappings, top, at, (right > left) as usize);
        } else {
            mappings.in_slot_mut(at).node.height = new;
        }
        let node = mappings.in_slot(at).node;
        if node.height == before {
            return;
        }
        at = node.parent;
    }
}

/// Lifts the higher child of a node, or that one's inner child where it is the higher one, into
/// the node's place, and returns it.
fn lift(mappings: &mut Arena<Mapping>, top: &mut u32, at: u32, side: usize) -> u32 {
    let child = mappings.in_slot(at).node.children[side];
    let Node { children, .. } = mappings.in_slot(child).node;
    if height(mappings, children[1 - side]) > height(mappings, children[side]) {
        rotate(mappings, top, child, 1 - side);
    }
    rotate(mappings, top, at, side)
}

/// Puts the child on a side in the place of a node, which becomes its child on the other side.
fn rotate(mappings: &mut Arena<Mapping>, top: &mut u32, at: u32, side: usize) -> u32 {
    let child = mappings.in_slot(at).node.children[side];
    let inner = mappings.in_slot(child).node.children[1 - side];
    replace(mappings, top, at, child);
    attach(mappings, at, side, inner);
    attach(mappings, child, 1 - side, at);
    for node in [at, child] {
        let [left, right] = mappings.in_slot(node).node.children;
        let new = 1 + height(mappings, left).max(height(mappings, right));
        mappings.in_slot_mut(node).node.height = new;
    }
    child
}

#[cfg(test)]
mod tests {
    use super::{NONE, Node, ceiling, floor, insert, remove};
    use crate::arena::Arena;
    use crate::mapping::Mapping;
    use proptest::prelude::*;

    /// Returns the height of a tree and checks what its nodes say.
    fn checked_height(mappings: &Arena<Mapping>, at: u32, parent: u32) -> u8 {
        if at == NONE {
            return 0;
        }
        let node: Node = mappings.in_slot(at).node;
        let [left, right] = node.children.map(|child| checked_height(mappings, child, at));
        assert_eq!((node.parent, node.height), (parent, 1 + left.max(right)));
        assert!(left.abs_diff(right) <= 1);
        node.height
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
                    insert(&mut mappings, &mut top, slot);
                    model.insert(address, slot);
                } else if let Some(slot) = model.remove(&address) {
                    remove(&mut mappings, &mut top, slot);
                    let id = mappings.id_at(slot).unwrap();
                    mappings.remove(id);
                }
                checked_height(&mappings, top, NONE);
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
