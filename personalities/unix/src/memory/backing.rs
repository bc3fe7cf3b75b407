//! Memory objects with a count of users, and the list of what nobody uses any more.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use libipc::{Memory, Space};

use crate::machine::Machine;
use crate::memory::PAGE;

/// Pages of user space.
const USER_PAGES: u64 = libipc::abi::USER_END as u64 / PAGE;

/// Most empty spaces that are kept for the next process: a shell and what it runs by turns. Each
/// keeps its page tables, a dozen pages.
const MAX_SPARE: usize = 4;
/// Most pages of page tables of a space that is kept: what a program has scattered over its address
/// space is not charged to all for ever.
const MAX_TABLES: u64 = 32;

/// Objects without a user, which the event loop destroys between events; and a few spaces in which
/// nothing is mapped any more, as a new one costs more than the rest of a fork's bookkeeping
/// (decisions/0042).
#[derive(Clone, Default, Debug)]
pub struct Trash(Rc<RefCell<Contents>>);

#[derive(Default, Debug)]
struct Contents {
    memories: Vec<Memory>,
    spaces: Vec<Space>,
    spare: Vec<Space>,
}

impl Trash {
    /// Destroys everything in it, spaces first, so that nothing must be unmapped page by page.
    pub fn empty(&self, machine: &mut dyn Machine) {
        let mut contents = self.0.borrow_mut();
        let Contents { memories, spaces, spare } = &mut *contents;
        for space in spaces.drain(..) {
            if spare.len() < MAX_SPARE && machine.page_tables(space) <= MAX_TABLES {
                machine.unmap(space, 0, USER_PAGES);
                spare.push(space);
            } else {
                machine.destroy_space(space);
            }
        }
        for memory in memories.drain(..) {
            machine.destroy_memory(memory);
        }
    }

    /// Returns a space in which nothing is mapped, if one is kept.
    pub fn take_spare(&self) -> Option<Space> {
        self.0.borrow_mut().spare.pop()
    }

    /// Returns how many spaces are kept.
    pub fn spares(&self) -> usize {
        self.0.borrow().spare.len()
    }

    /// Returns whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        let contents = self.0.borrow();
        contents.memories.is_empty() && contents.spaces.is_empty()
    }

    /// Adds a space.
    pub fn add_space(&self, space: Space) {
        self.0.borrow_mut().spaces.push(space);
    }
}

/// A memory object that regions map; it goes to the trash with its last user.
#[derive(Debug)]
pub struct Backing {
    memory: Memory,
    pages: Cell<u64>,
    trash: Trash,
}

impl Backing {
    /// Returns the backing for a memory object of that many pages.
    pub fn new(memory: Memory, pages: u64, trash: &Trash) -> Rc<Self> {
        Rc::new(Backing { memory, pages: Cell::new(pages), trash: trash.clone() })
    }

    /// Returns the memory object.
    pub fn memory(&self) -> Memory {
        self.memory
    }

    /// Returns its pages.
    pub fn pages(&self) -> u64 {
        self.pages.get()
    }

    /// Notes that the object was resized.
    pub fn set_pages(&self, pages: u64) {
        self.pages.set(pages);
    }
}

impl Drop for Backing {
    fn drop(&mut self) {
        self.trash.0.borrow_mut().memories.push(self.memory);
    }
}
