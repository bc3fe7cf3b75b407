//! A run of pages of a process with one access.

use alloc::rc::Rc;

use crate::machine::{Access, Mapping};
use crate::memory::{Backing, MappedFile, PAGE};

/// Whose pages they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sharing {
    /// The process's own; a forked child gets a copy.
    Private,
    /// Everybody's who maps them.
    Shared,
    /// Those of a cached program or a file, for reading; who makes them writable gets a copy.
    Image,
}

/// What a region is for, as `/proc/PID/maps` tells it, and whether it grows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Whatever the program wants.
    Ordinary,
    /// A stack: a fault below it makes it longer (`MAP_GROWSDOWN`).
    Stack,
    /// A part of the system that every process has.
    System(&'static str),
}

/// What a forked child has in a region's place (madvise(2), `MADV_DONTFORK`, `MADV_WIPEONFORK`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AtFork {
    /// What [`Sharing`] says.
    Kept,
    /// Nothing.
    Absent,
    /// Zeros.
    Wiped,
}

/// A run of pages.
#[derive(Clone, Debug)]
pub struct Region {
    /// Address of the first page.
    pub start: u64,
    /// Number of pages, at least 1.
    pub pages: u64,
    /// How many of them the kernel maps, if any: those beyond the end of a file are missing.
    pub shown: u64,
    /// What the program may do now.
    pub access: Access,
    /// What the kernel's mapping was made with; `None` where there is no mapping.
    pub mapped: Access,
    /// Whose pages they are.
    pub sharing: Sharing,
    /// Where the pages come from.
    pub backing: Rc<Backing>,
    /// The first of them, counted in pages.
    pub first_page: u64,
    /// What it is for.
    pub purpose: Purpose,
    /// What a forked child has of it.
    pub at_fork: AtFork,
    /// The file whose contents they are; `first_page` counts from its beginning.
    pub file: Option<Rc<MappedFile>>,
    /// Whether the program asked for it to stay in memory (mlock(2)).
    pub is_locked: bool,
    /// The most that mprotect may allow: reading, where a shared file is open for nothing else.
    pub most: Access,
    /// Whether it was joined of regions that the kernel still maps one by one.
    pub is_joined: bool,
}

impl Region {
    /// Returns a region of an object's first pages, not mapped yet.
    pub fn new(
        start: u64,
        pages: u64,
        access: Access,
        sharing: Sharing,
        backing: Rc<Backing>,
    ) -> Region {
        Region {
            start,
            pages,
            shown: 0,
            access,
            mapped: Access::None,
            sharing,
            backing,
            first_page: 0,
            purpose: Purpose::Ordinary,
            at_fork: AtFork::Kept,
            file: None,
            is_locked: false,
            most: Access::Write,
            is_joined: false,
        }
    }

    /// Returns the address after the last page.
    pub fn end(&self) -> u64 {
        self.start + self.pages * PAGE
    }

    /// Returns the page of the object that lies at an address of the region.
    pub fn page_at(&self, address: u64) -> u64 {
        self.first_page + (address - self.start) / PAGE
    }

    /// Returns how many of its pages the object has.
    pub fn available(&self) -> u64 {
        self.backing.pages().saturating_sub(self.first_page).min(self.pages)
    }

    /// Returns whether the region's pages are zeros that nobody else sees (anonymous, private).
    pub fn is_anonymous(&self) -> bool {
        self.sharing == Sharing::Private && self.file.is_none()
    }

    /// Returns what to map for the pages from the one at `from`, counted from the region's first.
    pub fn mapping(&self, from: u64) -> Mapping {
        Mapping {
            address: self.start + from * PAGE,
            pages: self.available() - from,
            memory: self.backing.memory(),
            first_page: self.first_page + from,
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
        after.shown = self.shown.saturating_sub(before);
        self.pages = before;
        self.shown = self.shown.min(before);
        after
    }

    /// Returns whether another one that lies behind it is alike, so that both are one to programs.
    pub fn continues_in(&self, next: &Region) -> bool {
        let same_file = match (&self.file, &next.file) {
            (None, None) => true,
            (Some(one), Some(other)) => {
                Rc::ptr_eq(one, other) && self.first_page + self.pages == next.first_page
            }
            _ => false,
        };
        let same =
            (self.access, self.sharing, self.purpose) == (next.access, next.sharing, next.purpose);
        self.end() == next.start && same && same_file
    }
}
