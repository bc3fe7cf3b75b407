//! Memory objects: pages that are zero-filled on demand, shared, and copied on write.
//!
//! An object's pages are found through a radix tree of frames, 512 entries each, as deep as the
//! object's size needs:
//!
//! ```text
//!   depth 0: entry ──> page            (1 page)
//!   depth 1: entry ──> node ──> page   (512 pages = 2 MiB)
//!   depth 2: …                         (1 GiB)       depth 3: (512 GiB)
//!
//!   entry:  63..12 frame   1 not zeroed yet   0 present
//! ```
//!
//! A clone copies entries and adds a share to each frame; whoever writes first to a frame with
//! more than one share gets a copy of its own. There are no chains of shadows to walk. An
//! object's quota pays for each of its entries and nodes, whether the frame is shared or not.

use kamen_abi::Error;

use crate::arena::{Arena, Id};
use crate::backing::Backing;
use crate::frames::Frames;
use crate::machine::{Frame, Machine};
use crate::quota::{self, Quota};
use crate::steps::{self, Steps};

/// Entries of a node of the tree.
pub const FANOUT: usize = 512;
/// Most pages that an object can have.
pub const MAX_PAGES: usize = FANOUT * FANOUT * FANOUT;

/// No mapping.
pub const NO_MAPPING: u32 = u32::MAX;

/// An entry of the tree.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct Entry(u64);

impl Entry {
    const PRESENT: u64 = 1;
    /// The frame was set aside and holds whatever its last user left.
    const STALE: u64 = 2;

    fn new(frame: Frame) -> Self {
        Entry((frame.0 as u64) << 12 | Self::PRESENT)
    }

    fn is_stale(self) -> bool {
        self.0 & Self::STALE != 0
    }

    fn frame(self) -> Option<Frame> {
        (self.0 & Self::PRESENT != 0).then_some(Frame((self.0 >> 12) as u32))
    }
}

/// A memory object.
pub struct Memory {
    /// Its size in pages.
    pub pages: usize,
    root: Entry,
    depth: u8,
    /// Where its pages come from.
    pub backing: Backing,
    /// Head of the list of its mappings, [`NO_MAPPING`] where there are none.
    pub mappings: u32,
    /// What its pages are charged to.
    pub quota: Option<Id<Quota>>,
}

impl Default for Memory {
    fn default() -> Self {
        Memory::new(0, None)
    }
}

/// What memory objects draw on; borrowed from the kernel for one operation.
pub struct Supply<'k, M> {
    /// The machine whose frames they are.
    pub machine: &'k mut M,
    /// Free frames.
    pub frames: &'k mut Frames,
    /// Who pays.
    pub quotas: &'k mut Arena<Quota>,
    /// What the entry under way may still do.
    pub steps: &'k mut Steps,
}

impl<M: Machine> Supply<'_, M> {
    /// Takes a frame and charges it.
    ///
    /// # Errors
    /// QuotaExhausted or OutOfMemory.
    fn frame(&mut self, quota: Option<Id<Quota>>) -> Result<Frame, Error> {
        quota::charge(self.quotas, quota, 1, 0)?;
        self.frames.allocate().ok_or_else(|| {
            quota::refund(self.quotas, quota, 1, 0);
            Error::OutOfMemory
        })
    }

    /// Takes a frame of zeros and charges it.
    ///
    /// # Errors
    /// As for [`Supply::frame`].
    pub fn zeroed(&mut self, quota: Option<Id<Quota>>) -> Result<Frame, Error> {
        let frame = self.frame(quota)?;
        self.machine.zero(frame);
        self.steps.note(steps::FRAME);
        Ok(frame)
    }

    /// Charges for a share of a frame and returns the frame, or a copy where it is pinned: what
    /// the kernel writes to a message page is not the sharer's to see.
    ///
    /// # Errors
    /// As for [`Supply::zeroed`].
    fn share(&mut self, frame: Frame, quota: Option<Id<Quota>>) -> Result<Frame, Error> {
        if self.frames.is_pinned(frame) {
            let copy = self.frame(quota)?;
            self.machine.copy(frame, 0, copy, 0, kamen_abi::PAGE_SIZE);
            self.steps.note(steps::FRAME);
            return Ok(copy);
        }
        quota::charge(self.quotas, quota, 1, 0)?;
        self.frames.share(frame);
        Ok(frame)
    }

    /// Gives back a share of a frame that is charged to `quota`. If it was unmapped just now, other
    /// processors must not write to it any more when it is somebody else's.
    pub fn release(&mut self, frame: Frame, quota: Option<Id<Quota>>) {
        self.machine.shoot_down();
        self.frames.release(frame);
        quota::refund(self.quotas, quota, 1, 0);
    }
}

impl Memory {
    /// Returns an object of untouched pages.
    pub fn new(pages: usize, quota: Option<Id<Quota>>) -> Self {
        let mut depth = 0;
        while pages > FANOUT.pow(depth) {
            depth += 1;
        }
        Memory {
            pages,
            root: Entry::default(),
            depth: depth as u8,
            backing: Backing::Anonymous,
            mappings: NO_MAPPING,
            quota,
        }
    }

    /// Returns an object with other backing than free frames.
    pub fn backed(backing: Backing, pages: usize, quota: Option<Id<Quota>>) -> Self {
        Memory { backing, ..Memory::new(pages, quota) }
    }

    /// Returns the first frame of a contiguous object, all of which is zeroed.
    pub fn contiguous<M: Machine>(&self, machine: &M) -> Option<Frame> {
        let ready = self.backing == Backing::Contiguous(0);
        self.frame(machine, 0).filter(|_| ready)
    }

    /// Returns the frame of a page, if it has one and that is ready for use.
    pub fn frame<M: Machine>(&self, machine: &M, page: usize) -> Option<Frame> {
        if let Some(first) = self.backing.fixed() {
            return (page < self.pages).then(|| Frame(first.0 + page as u32));
        }
        let entry = self.entry(machine, page);
        if entry.is_stale() { None } else { entry.frame() }
    }

    /// Returns the frame of a page, which is zero-filled first where it was untouched.
    ///
    /// # Errors
    /// BadRange past the end, PageMissing where a pager is to be asked, BadAddress for a device's
    /// registers, QuotaExhausted, OutOfMemory.
    pub fn frame_for_read<M: Machine>(
        &mut self,
        supply: &mut Supply<'_, M>,
        page: usize,
    ) -> Result<Frame, Error> {
        if page >= self.pages {
            return Err(Error::BadRange);
        }
        if let Backing::Device(_) = self.backing {
            return Err(Error::BadAddress);
        }
        match self.frame(supply.machine, page) {
            Some(frame) => Ok(frame),
            None => self.fill(supply, page),
        }
    }

    /// Gives a page that has no frame ready for use one of zeros, which nobody but the kernel does
    /// for pager-backed objects.
    fn fill<M: Machine>(
        &mut self,
        supply: &mut Supply<'_, M>,
        page: usize,
    ) -> Result<Frame, Error> {
        if let Backing::Pager(_) = self.backing {
            return Err(Error::PageMissing);
        }
        if let Backing::Contiguous(stale) = &mut self.backing {
            *stale = stale.saturating_sub(1);
            let frame = self.entry(supply.machine, page).frame().ok_or(Error::BadRange)?;
            supply.machine.zero(frame);
            self.put(supply, page, Entry::new(frame))?;
            return Ok(frame);
        }
        let frame = supply.zeroed(self.quota)?;
        let quota = self.quota;
        self.put(supply, page, Entry::new(frame)).inspect_err(|_| supply.release(frame, quota))?;
        Ok(frame)
    }

    /// Returns the frame of a page that nobody else shares, copied first where somebody does, and
    /// whether it was: mappings of the page still show the old one then.
    ///
    /// # Errors
    /// As for [`Memory::frame_for_read`].
    pub fn frame_for_write<M: Machine>(
        &mut self,
        supply: &mut Supply<'_, M>,
        page: usize,
    ) -> Result<(Frame, bool), Error> {
        let old = self.frame_for_read(supply, page)?;
        if self.backing.fixed().is_some() || supply.frames.shares(old) == 1 {
            return Ok((old, false));
        }
        let new = supply.frames.allocate().ok_or(Error::OutOfMemory)?;
        supply.machine.copy(old, 0, new, 0, kamen_abi::PAGE_SIZE);
        supply.steps.note(steps::FRAME);
        supply.frames.release(old);
        self.put(supply, page, Entry::new(new))?;
        Ok((new, true))
    }

    /// Fills an empty contiguous object with adjacent frames, charged already, that nobody has
    /// zeroed.
    ///
    /// # Errors
    /// QuotaExhausted or OutOfMemory for the node, which comes first: nothing was filled then.
    pub fn set_aside<M: Machine>(
        &mut self,
        supply: &mut Supply<'_, M>,
        first: Frame,
    ) -> Result<(), Error> {
        let stale = |page| Entry(Entry::new(Frame(first.0 + page as u32)).0 | Entry::STALE);
        if self.depth == 0 {
            self.root = stale(0);
            return Ok(());
        }
        let node = supply.zeroed(self.quota)?;
        self.root = Entry::new(node);
        for page in 0..self.pages.min(FANOUT) {
            supply.machine.store(node, page, stale(page).0);
        }
        Ok(())
    }

    /// Adds a share of another object's frame in the place of a page that misses.
    ///
    /// # Errors
    /// QuotaExhausted or OutOfMemory.
    pub fn adopt<M: Machine>(
        &mut self,
        supply: &mut Supply<'_, M>,
        page: usize,
        frame: Frame,
    ) -> Result<(), Error> {
        let quota = self.quota;
        let frame = supply.share(frame, quota)?;
        self.put(supply, page, Entry::new(frame)).inspect_err(|_| supply.release(frame, quota))
    }

    /// Gives up a page's share of its frame, if it has one; it is mapped nowhere any more.
    pub fn release_page<M: Machine>(&mut self, supply: &mut Supply<'_, M>, page: usize) {
        let entry = self.entry(supply.machine, page);
        if entry.frame().is_some() {
            self.clear(supply, page, entry);
        }
    }

    /// Gives an empty object a tree as deep as another's, whose pages it is to share.
    pub fn match_depth(&mut self, other: &Memory) {
        self.depth = other.depth;
    }

    /// Fills an empty object of the same size with shares of this object's pages.
    ///
    /// # Errors
    /// QuotaExhausted or OutOfMemory; the target is to be cleared then.
    pub fn share_with<M: Machine>(
        &self,
        target: &mut Memory,
        supply: &mut Supply<'_, M>,
    ) -> Result<(), Error> {
        let mut page = 0;
        while let Some((at, entry)) = self.next_present(supply.machine, page) {
            let quota = target.quota;
            let frame = supply.share(entry.frame().ok_or(Error::BadRange)?, quota)?;
            let put = target.put(supply, at, Entry::new(frame));
            put.inspect_err(|_| supply.release(frame, quota))?;
            page = at + 1;
        }
        Ok(())
    }

    /// Releases all pages from `first` on; their mappings are gone already.
    pub fn truncate<M: Machine>(&mut self, supply: &mut Supply<'_, M>, first: usize) {
        if self.backing.fixed().is_some() {
            return;
        }
        let mut page = first;
        while let Some((at, entry)) = self.next_present(supply.machine, page) {
            self.clear(supply, at, entry);
            page = at + 1;
        }
        if first == 0 {
            self.release_nodes(supply, self.root, self.depth);
            self.root = Entry::default();
        }
    }

    /// Changes the size; growing needs room in the tree, shrinking wants `truncate` first.
    ///
    /// # Errors
    /// InvalidArgument past [`MAX_PAGES`], QuotaExhausted or OutOfMemory for a new root.
    pub fn resize<M: Machine>(
        &mut self,
        supply: &mut Supply<'_, M>,
        pages: usize,
    ) -> Result<(), Error> {
        if pages > MAX_PAGES || !self.backing.is_paged() {
            return Err(Error::InvalidArgument);
        }
        while pages > FANOUT.pow(self.depth as u32) {
            if self.root.frame().is_some() {
                let node = supply.zeroed(self.quota)?;
                supply.machine.store(node, 0, self.root.0);
                self.root = Entry::new(node);
            }
            self.depth += 1;
        }
        self.pages = pages;
        Ok(())
    }

    fn entry<M: Machine>(&self, machine: &M, page: usize) -> Entry {
        let mut entry = self.root;
        for level in (0..self.depth as u32).rev() {
            let Some(node) = entry.frame() else { return Entry::default() };
            entry = Entry(machine.load(node, page / FANOUT.pow(level) % FANOUT));
        }
        entry
    }

    /// Sets a page's entry; missing nodes are added and charged.
    fn put<M: Machine>(
        &mut self,
        supply: &mut Supply<'_, M>,
        page: usize,
        new: Entry,
    ) -> Result<(), Error> {
        if self.depth == 0 {
            self.root = new;
            return Ok(());
        }
        if self.root.frame().is_none() {
            self.root = Entry::new(supply.zeroed(self.quota)?);
        }
        let mut entry = self.root;
        for level in (0..self.depth as u32).rev() {
            let node = entry.frame().ok_or(Error::BadRange)?;
            let index = page / FANOUT.pow(level) % FANOUT;
            if level == 0 {
                supply.machine.store(node, index, new.0);
                break;
            }
            entry = Entry(supply.machine.load(node, index));
            if entry.frame().is_none() {
                entry = Entry::new(supply.zeroed(self.quota)?);
                supply.machine.store(node, index, entry.0);
            }
        }
        Ok(())
    }

    fn clear<M: Machine>(&mut self, supply: &mut Supply<'_, M>, page: usize, entry: Entry) {
        if let Some(frame) = entry.frame() {
            supply.release(frame, self.quota);
        }
        // The path exists, because the entry was present: nothing is allocated.
        let _ = self.put(supply, page, Entry::default());
    }

    /// Returns the first touched page at or after `page`, skipping missing nodes.
    fn next_present<M: Machine>(&self, machine: &M, page: usize) -> Option<(usize, Entry)> {
        let mut page = page;
        'page: while page < FANOUT.pow(self.depth as u32) {
            let mut entry = self.root;
            for level in (0..=self.depth as u32).rev() {
                let Some(node) = entry.frame() else {
                    let span = FANOUT.pow(level);
                    page = (page / span + 1) * span;
                    continue 'page;
                };
                if level > 0 {
                    entry = Entry(machine.load(node, page / FANOUT.pow(level - 1) % FANOUT));
                }
            }
            return Some((page, entry));
        }
        None
    }

    fn release_nodes<M: Machine>(&self, supply: &mut Supply<'_, M>, entry: Entry, level: u8) {
        let Some(node) = entry.frame() else { return };
        if level == 0 {
            return;
        }
        if level > 1 {
            for index in 0..FANOUT {
                let child = Entry(supply.machine.load(node, index));
                self.release_nodes(supply, child, level - 1);
            }
        }
        supply.release(node, self.quota);
    }
}

#[cfg(test)]
impl Memory {
    /// Returns the frames of the object's pages and of the tree's nodes.
    pub fn frames<M: Machine>(&self, machine: &M) -> std::vec::Vec<Frame> {
        let mut found = std::vec::Vec::new();
        let mut entries = std::vec![(self.root, self.depth)];
        while let Some((entry, level)) = entries.pop() {
            let Some(frame) = entry.frame() else { continue };
            found.push(frame);
            if level > 0 {
                let children = (0..FANOUT).map(|index| Entry(machine.load(frame, index)));
                entries.extend(children.map(|child| (child, level - 1)));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests;
