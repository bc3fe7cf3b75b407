//! Files in the middle of long calls, which let others go first: what has begun ends as a whole.

use alloc::rc::Rc;
use alloc::vec::Vec;

use crate::io::Position;
use crate::open::{Description, Object};
use crate::path::Node;
use crate::process::ThreadNumber;

/// What a call does with a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Does {
    /// It reads.
    Read,
    /// It writes.
    Write,
}

#[derive(Debug)]
struct One {
    thread: ThreadNumber,
    file: Description,
    does: Does,
}

/// Whose calls have been paused, and on what.
#[derive(Default, Debug)]
pub struct Paused(Vec<One>);

impl Paused {
    /// Returns whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the call of a thread.
    pub fn add(&mut self, thread: ThreadNumber, file: &Description, does: Does) {
        self.0.push(One { thread, file: Rc::clone(file), does });
    }

    /// Takes a thread's call out, if it has one; returns its file.
    pub fn take(&mut self, thread: ThreadNumber) -> Option<Description> {
        let at = self.0.iter().position(|one| one.thread == thread)?;
        Some(self.0.swap_remove(at).file)
    }

    /// Returns whether a call has to wait for one of these: for the offset of its description
    /// (`f_pos_lock`), or, as both write, for the file (`inode_lock`, `generic_file_write_iter`).
    pub fn holds(&self, file: &Description, does: Does, position: Position) -> bool {
        let node = node_of(file);
        let waits = |one: &One| {
            let shares_offset = position == Position::Current && Rc::ptr_eq(&one.file, file);
            let both_write = does == Does::Write && one.does == Does::Write;
            shares_offset || both_write && node.is_some() && node_of(&one.file) == node
        };
        self.0.iter().any(waits)
    }
}

fn node_of(file: &Description) -> Option<Node> {
    match &file.borrow().object {
        Object::File(held) => Some(held.node()),
        _ => None,
    }
}
