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

use crate::arena::{Arena, Id, NONE};
use crate::backing::Backing;
use crate::frames::Frames;
use crate::machine::{Frame, Machine};
use crate::quota::{self, Quota};
use crate::steps::{self, Steps};
use crate::sweep::Sweep;

/// Entries of a node of the tree.
pub const FANOUT: usize = 512;
/// Entries of a node that are looked at in one go.
const LOOK: usize = 64;
/// Bits of a page's number that one level of the tree decodes.
const LEVEL_BITS: u32 = FANOUT.ilog2();
/// Most pages that an object can have.
pub const MAX_PAGES: usize = FANOUT * FANOUT * FANOUT;

/// No mapping.
pub const NO_MAPPING: u32 = NONE;

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
    /// The change of its mappings that is under way.
    pub(crate) sweep: Option<Sweep>,
    /// The long operation on its pages that is under way.
    pub(crate) work: Work,
}

/// A long operation on the pages of an object, and the page that it comes to next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Work {
    /// None.
    Done,
    /// Pages past the object's end are given back; there are none from the second one on.
    Releasing(usize, usize),
    /// The object is made, as a clone of that one.
    Cloning(Id<Memory>, usize),
}

/// What is at a page or after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The first page that has a frame.
    Page(usize, Frame),
    /// No page with a frame before this one.
    Nothing(usize),
}

impl Place {
    /// Returns the estimated instructions of having looked.
    pub fn cost(self) -> u32 {
        match self {
            Place::Page(..) => LOOK as u32,
            Place::Nothing(_) => 4 * LOOK as u32,
        }
    }
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

    /// Charges for a share of a frame and returns the frame, or a copy where it is pinned (what
    /// the kernel writes to a message page is not the sharer's to see) or shared by all too many.
    ///
    /// # Errors
    /// As for [`Supply::zeroed`].
    fn share(&mut self, frame: Frame, quota: Option<Id<Quota>>) -> Result<Frame, Error> {
        if !self.frames.may_be_shared(frame) {
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

/// Returns the pages below a node of a level, which is 4 at most.
pub(crate) const fn span(level: u32) -> usize {
    1_usize.wrapping_shl(LEVEL_BITS.wrapping_mul(level))
}

/// Returns a page's place in its node of a level.
const fn index(page: usize, level: u32) -> usize {
    page.wrapping_shr(LEVEL_BITS.wrapping_mul(level)) % FANOUT
}

impl Memory {
    /// Returns an object of untouched pages.
    pub fn new(pages: usize, quota: Option<Id<Quota>>) -> Self {
        let mut depth = 0;
        while pages > span(depth) {
            depth += 1;
        }
        Memory {
            pages,
            root: Entry::default(),
            depth: depth as u8,
            backing: Backing::Anonymous,
            mappings: NO_MAPPING,
            quota,
            sweep: None,
            work: Work::Done,
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
            supply.steps.note(steps::FRAME);
            self.put(supply, page, Entry::new(frame))?;
            return Ok(frame);
        }
        let frame = supply.zeroed(self.quota)?;
        let quota = self.quota;
        self.put(supply, page, Entry::new(frame)).inspect_err(|_| supply.release(frame, quota))?;
        Ok(frame)
    }

    /// Returns the frame of a page that nobody else shares, copied first where somebody does, and
    /// then the old one, too: mappings of the page still show it, and the object has its share and
    /// pays for both.
    ///
    /// # Errors
    /// As for [`Memory::frame_for_read`].
    pub fn frame_for_write<M: Machine>(
        &mut self,
        supply: &mut Supply<'_, M>,
        page: usize,
    ) -> Result<(Frame, Option<Frame>), Error> {
        let old = self.frame_for_read(supply, page)?;
        if self.backing.fixed().is_some() || supply.frames.shares(old) == 1 {
            return Ok((old, None));
        }
        let new = supply.frame(self.quota)?;
        supply.machine.copy(old, 0, new, 0, kamen_abi::PAGE_SIZE);
        supply.steps.note(steps::FRAME);
        self.put(supply, page, Entry::new(new))?;
        Ok((new, Some(old)))
    }

    /// Gives an empty object its only node, if it has more than one page.
    ///
    /// # Errors
    /// QuotaExhausted or OutOfMemory.
    pub fn add_node<M: Machine>(&mut self, supply: &mut Supply<'_, M>) -> Result<(), Error> {
        if self.depth > 0 {
            self.root = Entry::new(supply.zeroed(self.quota)?);
        }
        Ok(())
    }

    /// Fills an empty contiguous object, which has its node, with adjacent frames, charged already,
    /// that nobody has zeroed.
    pub fn set_aside<M: Machine>(&mut self, machine: &mut M, first: Frame) {
        let stale = |page| Entry(Entry::new(Frame(first.0 + page as u32)).0 | Entry::STALE);
        match self.root.frame() {
            None => self.root = stale(0),
            Some(node) => {
                for page in 0..self.pages.min(FANOUT) {
                    machine.store(node, page, stale(page).0);
                }
            }
        }
    }

    /// Adds a share of another object's frame in the place of a page that has none.
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

    /// Empties a page's place and returns the frame that it had, if it had one; mappings still show
    /// it, and the object has its share.
    pub fn take_page<M: Machine>(
        &mut self,
        supply: &mut Supply<'_, M>,
        page: usize,
    ) -> Option<Frame> {
        let frame = self.entry(supply.machine, page).frame()?;
        self.clear(supply, page);
        Some(frame)
    }

    /// Gives an empty object a tree as deep as another's, whose pages it is to share.
    pub fn match_depth(&mut self, other: &Memory) {
        self.depth = other.depth;
    }

    /// Makes the object larger, or leaves its size, which needs room in the tree.
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
        while pages > span(self.depth()) {
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
            entry = Entry(machine.load(node, index(page, level)));
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
            let index = index(page, level);
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

    /// Empties a page's place, which has an entry: nothing is allocated.
    pub(crate) fn clear<M: Machine>(&mut self, supply: &mut Supply<'_, M>, page: usize) {
        let _ = self.put(supply, page, Entry::default());
    }

    /// Returns the levels of nodes above the pages.
    pub(crate) fn depth(&self) -> u32 {
        self.depth as u32
    }

    /// Returns the pages that the tree has room for.
    pub(crate) fn capacity(&self) -> usize {
        span(self.depth())
    }

    /// Looks for a page that has a frame at a page or after it, but not far.
    pub(crate) fn look<M: Machine>(&self, machine: &M, page: usize) -> Place {
        let mut entry = self.root;
        for level in (0..self.depth()).rev() {
            let Some(node) = entry.frame() else {
                let span = span(level + 1);
                return Place::Nothing((page | (span - 1)) + 1);
            };
            let index = index(page, level);
            if level == 0 {
                let end = (index + LOOK).min(FANOUT);
                let mut entries = (index..end).map(|index| Entry(machine.load(node, index)));
                return match entries.position(|entry| entry.frame().is_some()) {
                    Some(skipped) => {
                        let entry = Entry(machine.load(node, index + skipped));
                        entry.frame().map_or(Place::Nothing(page + skipped + 1), |frame| {
                            Place::Page(page + skipped, frame)
                        })
                    }
                    None => Place::Nothing(page + end - index),
                };
            }
            entry = Entry(machine.load(node, index));
        }
        entry.frame().map_or(Place::Nothing(page + 1), |frame| Place::Page(page, frame))
    }

    /// Releases the node of a level that begins at a page, if there is one; it holds nothing.
    pub(crate) fn release_node<M: Machine>(
        &mut self,
        supply: &mut Supply<'_, M>,
        page: usize,
        level: u32,
    ) {
        let (mut parent, mut entry) = (None, self.root);
        for above in (level..self.depth()).rev() {
            let Some(node) = entry.frame() else { return };
            let index = index(page, above);
            parent = Some((node, index));
            entry = Entry(supply.machine.load(node, index));
        }
        let Some(node) = entry.frame() else { return };
        match parent {
            Some((parent, index)) => supply.machine.store(parent, index, Entry::default().0),
            None => self.root = Entry::default(),
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
