//! Files whose pages are in memory because somebody maps them.
//!
//! The pages of a file are those of one memory object for all who map it shared, and for private
//! mappings until they are made writable. Pages are read when they are mapped first; what is
//! written through a mapping goes back to the file server at msync(2), and when nobody maps the
//! file any more. `unix::contents` keeps what read(2) and write(2) see the same.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use crate::memory::Backing;
use crate::open::HeldNode;

/// Most files that are mapped at a time; each keeps a memory object and a hold.
pub const MAX_MAPPED_FILES: usize = 1024;

/// A file whose pages are in memory.
#[derive(Debug)]
pub struct MappedFile {
    /// The file, which lives as long as it is mapped.
    pub held: Rc<HeldNode>,
    /// The path it was opened with, for `/proc/PID/maps`.
    pub path: Vec<u8>,
    /// Its pages; as many as its size needs.
    pub backing: Rc<Backing>,
    /// Which of them have been read.
    present: RefCell<Vec<bool>>,
    written: Cell<bool>,
}

impl MappedFile {
    /// Returns a file none of whose pages has been read.
    pub fn new(held: Rc<HeldNode>, path: Vec<u8>, backing: Rc<Backing>) -> Rc<Self> {
        let present = RefCell::new(alloc::vec![false; backing.pages() as usize]);
        Rc::new(MappedFile { held, path, backing, present, written: Cell::new(false) })
    }

    /// Returns whether a page has been read.
    pub fn has(&self, page: u64) -> bool {
        self.present.borrow().get(page as usize).copied().unwrap_or(false)
    }

    /// Notes that a page has been read.
    pub fn set_present(&self, page: u64) {
        if let Some(present) = self.present.borrow_mut().get_mut(page as usize) {
            *present = true;
        }
    }

    /// Notes that the object has been resized; pages that come are zeros, as the file's are.
    pub fn set_pages(&self, pages: u64) {
        self.backing.set_pages(pages);
        self.present.borrow_mut().resize(pages as usize, true);
    }

    /// Returns whether its contents may be others than the file server's.
    pub fn is_written(&self) -> bool {
        self.written.get()
    }

    /// Notes that a program may write to its pages.
    pub fn set_written(&self) {
        self.written.set(true);
    }

    /// Returns whether nobody maps it, apart from the table of mapped files.
    pub fn is_unused(self: &Rc<Self>) -> bool {
        Rc::strong_count(self) == 1
    }
}
