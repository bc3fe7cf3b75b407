//! Generations: words by which clients see that what they know of a node has changed.
//!
//! ```text
//!   slot of a node = inode number modulo the number of slots       even: nothing is under way
//!   change:  slot + 1 (odd) ── words and contents change ── slot + 1 (even again, another number)
//! ```
//!
//! Clients map the block of them to read it. What one knows of a node holds as long as the slot
//! has the even number that it had before and after it was asked for; two nodes of one slot only
//! cost an unneeded question. The slots lie in the region, so that a death leaves those odd whose
//! change was cut short: the next life makes them even when it has undone it. They are no part of
//! transactions: a change that was undone counts as one.

use crate::inodes::Inode;
use crate::layout::{GENERATION_SLOTS, GENERATIONS};
use crate::store::Store;
use crate::volume::Volume;
use protocols::file::Node;

/// The word that counts all changes.
const CHANGES: usize = GENERATIONS + GENERATION_SLOTS as usize * 8;

fn slot_at(inode: Inode) -> usize {
    GENERATIONS + (u64::from(inode.0) % GENERATION_SLOTS) as usize * 8
}

impl<S: Store> Volume<'_, S> {
    /// Returns the generation of a node, even or odd.
    pub fn generation(&self, node: Node) -> u64 {
        self.word(slot_at(Inode(node.0 as u32)))
    }

    /// Notes, within a transaction, that what clients know of a node changes from here on.
    pub(crate) fn begin_change(&mut self, inode: Inode) {
        let at = slot_at(inode);
        if !self.changing.contains(&at) {
            self.changing.push(at);
            self.put(at, self.word(at).wrapping_add(1));
            self.put(CHANGES, self.word(CHANGES).wrapping_add(1));
        }
    }

    /// Notes that the changes of a transaction are done, or undone.
    pub(crate) fn end_changes(&mut self) {
        while let Some(at) = self.changing.pop() {
            self.put(at, self.word(at).wrapping_add(1));
        }
    }

    /// Ends the changes that a death cut short.
    pub(crate) fn end_earlier_changes(&mut self) {
        for slot in 0..GENERATION_SLOTS as usize {
            let at = GENERATIONS + slot * 8;
            if !self.word(at).is_multiple_of(2) {
                self.put(at, self.word(at).wrapping_add(1));
            }
        }
    }
}
