//! A run of pages of a process with one access.

use alloc::rc::Rc;

use crate::machine::{Access, Mapping};
use crate::memory::{Backing, PAGE};

/// What a fork does with a region.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sharing {
    /// The child gets a copy.
    Private,
    /// Both see the same pages.
    Shared,
    /// Both see the same pages of a cached program; who makes them writable gets a copy.
    Image,
}

/// A run of pages.
#[derive(Clone, Debug)]
pub struct Region {
    /// Address of the first page.
    pub start: u64,
    /// Number of pages, at least 1.
    pub pages: u64,
    /// What the program may do now.
    pub access: Access,
    /// What the kernel's mapping was made with; `None` where there is no mapping.
    pub mapped: Access,
    /// What a fork does.
    pub sharing: Sharing,
    /// Where the pages come from.
    pub backing: Rc<Backing>,
    /// The first of them, counted in pages.
    pub first_page: u64,
}

impl Region {
    /// Returns the address after the last page.
    pub fn end(&self) -> u64 {
        self.start + self.pages * PAGE
    }

    /// Returns what to map for the region.
    pub fn mapping(&self) -> Mapping {
        Mapping {
            address: self.start,
            pages: self.pages,
            memory: self.backing.memory(),
            first_page: self.first_page,
            access: self.access,
        }
    }

    /// Cuts the region at an address inside of it; returns what lies from there on.
    pub fn split(&mut self, at: u64) -> Region {
        let before = (at - self.start) / PAGE;
        let mut after = self.clone();
        after.start = at;
        after.pages -= before;
        after.first_page += before;
        self.pages = before;
        after
    }
}
