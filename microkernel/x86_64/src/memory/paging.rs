//! Page tables of user space: map, unmap, look up, take down (Intel SDM 3A 4.5).
//!
//! Pure over [`Tables`], so that it runs in host tests; flushing the TLB is the caller's.
//! Levels count from the leaf: 0 is the page table, 3 the root (PML4).

use kamen_abi::PAGE_SIZE;
use kamen_core::{Access, FaultAccess, Frame, NoFrame};

/// Memory that holds page tables: frames of 512 words.
pub(crate) trait Tables {
    /// Returns word `index` of a frame.
    fn load(&self, frame: Frame, index: usize) -> u64;
    /// Sets word `index` of a frame.
    fn store(&mut self, frame: Frame, index: usize, value: u64);
    /// Fills a frame with zeros.
    fn zero(&mut self, frame: Frame);
}

/// Bits of a page-table entry (Intel SDM 3A tables 4-15 to 4-20).
pub(crate) mod bits {
    pub(crate) const PRESENT: u64 = 1;
    pub(crate) const WRITE: u64 = 1 << 1;
    pub(crate) const USER: u64 = 1 << 2;
    pub(crate) const UNCACHED: u64 = 1 << 3 | 1 << 4;
    pub(crate) const LARGE: u64 = 1 << 7;
    pub(crate) const GLOBAL: u64 = 1 << 8;
    pub(crate) const NO_EXECUTE: u64 = 1 << 63;
    pub(crate) const ADDRESS: u64 = 0x000f_ffff_ffff_f000;
    /// One more table that the table refers to, in an entry of the upper two levels, where the
    /// processor ignores bits 52 to 62.
    pub(crate) const CHILD: u64 = 1 << 52;
    pub(crate) const CHILDREN: u64 = 0x3ff * CHILD;
}

const ENTRIES: usize = 512;
/// Entries of the root that belong to user space.
const USER_ENTRIES: usize = 256;
const ROOT_LEVEL: u32 = 3;

/// Returns the bytes that one entry of a level covers.
pub(crate) const fn span(level: u32) -> usize {
    PAGE_SIZE << (9 * level)
}

/// Returns the index of an address in its table of a level.
#[inline(always)]
pub(crate) const fn index(address: usize, level: u32) -> usize {
    address >> (12 + 9 * level) & (ENTRIES - 1)
}

#[inline(always)]
fn frame_of(entry: u64) -> Frame {
    Frame(((entry & bits::ADDRESS) >> 12) as u32)
}

#[inline(always)]
fn is_present(entry: u64) -> bool {
    entry & bits::PRESENT != 0
}

/// Returns the entry that refers to a frame.
#[inline(always)]
pub(crate) fn entry(frame: Frame, flags: u64) -> u64 {
    u64::from(frame.0) << 12 | flags
}

fn flags(access: Access) -> u64 {
    bits::PRESENT
        | bits::USER
        | match access {
            Access::Read => bits::NO_EXECUTE,
            Access::Write => bits::WRITE | bits::NO_EXECUTE,
            Access::Execute => 0,
        }
}

fn access(entry: u64) -> Access {
    if entry & bits::WRITE != 0 {
        Access::Write
    } else if entry & bits::NO_EXECUTE == 0 {
        Access::Execute
    } else {
        Access::Read
    }
}

/// Returns the table of level `to` that covers an address, if there is one.
#[inline]
fn descend(tables: &impl Tables, root: Frame, address: usize, to: u32) -> Option<Frame> {
    let mut table = root;
    for level in (to + 1..=ROOT_LEVEL).rev() {
        let entry = tables.load(table, index(address, level));
        if !is_present(entry) {
            return None;
        }
        table = frame_of(entry);
    }
    Some(table)
}

/// Returns the table of level `to` that covers an address, adding those that miss with `flags`
/// in the entries that refer to them.
pub(crate) fn descend_or_add(
    tables: &mut impl Tables,
    root: Frame,
    address: usize,
    to: u32,
    flags: u64,
    allocate: &mut dyn FnMut() -> Option<Frame>,
) -> Result<Frame, NoFrame> {
    let mut table = root;
    let mut parent = None;
    for level in (to + 1..=ROOT_LEVEL).rev() {
        let place = (table, index(address, level));
        let old = tables.load(place.0, place.1);
        table = if is_present(old) {
            frame_of(old)
        } else {
            let new = allocate().ok_or(NoFrame)?;
            tables.zero(new);
            tables.store(place.0, place.1, entry(new, flags));
            count_child(tables, parent, bits::CHILD);
            new
        };
        parent = Some(place);
    }
    Ok(table)
}

/// Adds to the number of children in the entry that refers to a table; the root has none.
fn count_child(tables: &mut impl Tables, place: Option<(Frame, usize)>, added: u64) {
    if let Some((table, index)) = place {
        let entry = tables.load(table, index);
        tables.store(table, index, entry.wrapping_add(added));
    }
}

/// Maps a page of user space and returns whether the TLB may hold an older mapping of it.
pub(crate) fn map(
    tables: &mut impl Tables,
    root: Frame,
    address: usize,
    frame: Frame,
    access: Access,
    allocate: &mut dyn FnMut() -> Option<Frame>,
) -> Result<bool, NoFrame> {
    map_entry(tables, root, address, entry(frame, flags(access)), allocate)
}

/// Maps a page of a device's registers as [`map`] does memory: uncached, never executed.
pub(crate) fn map_device(
    tables: &mut impl Tables,
    root: Frame,
    address: usize,
    frame: Frame,
    access: Access,
    allocate: &mut dyn FnMut() -> Option<Frame>,
) -> Result<bool, NoFrame> {
    let flags = flags(access) | bits::UNCACHED | bits::NO_EXECUTE;
    map_entry(tables, root, address, entry(frame, flags), allocate)
}

fn map_entry(
    tables: &mut impl Tables,
    root: Frame,
    address: usize,
    entry: u64,
    allocate: &mut dyn FnMut() -> Option<Frame>,
) -> Result<bool, NoFrame> {
    let table_flags = bits::PRESENT | bits::WRITE | bits::USER;
    let table = descend_or_add(tables, root, address, 0, table_flags, allocate)?;
    let old = tables.load(table, index(address, 0));
    tables.store(table, index(address, 0), entry);
    Ok(is_present(old))
}

/// Unmaps a page and returns what was mapped there.
pub(crate) fn unmap(tables: &mut impl Tables, root: Frame, address: usize) -> Option<Frame> {
    let table = descend(tables, root, address, 0)?;
    let old = tables.load(table, index(address, 0));
    if !is_present(old) {
        return None;
    }
    tables.store(table, index(address, 0), 0);
    Some(frame_of(old))
}

/// Returns what is mapped at a page.
#[inline]
pub(crate) fn lookup(tables: &impl Tables, root: Frame, address: usize) -> Option<(Frame, Access)> {
    let table = descend(tables, root, address, 0)?;
    let entry = tables.load(table, index(address, 0));
    is_present(entry).then(|| (frame_of(entry), access(entry)))
}

/// Returns the frame of a page that is mapped cached and so that the access is allowed.
#[inline]
pub(crate) fn mapped_memory(
    tables: &impl Tables,
    root: Frame,
    address: usize,
    access: FaultAccess,
) -> Option<Frame> {
    let table = descend(tables, root, address, 0)?;
    let entry = tables.load(table, index(address, 0));
    let (needed, refused) = match access {
        FaultAccess::Read => (bits::PRESENT, bits::UNCACHED),
        FaultAccess::Write => (bits::PRESENT | bits::WRITE, bits::UNCACHED),
        FaultAccess::Execute => (bits::PRESENT, bits::UNCACHED | bits::NO_EXECUTE),
    };
    (entry & (needed | refused) == needed).then(|| frame_of(entry))
}

/// Missing tables that [`unmap_next`] passes over in one call.
const SKIPS: usize = 32;

/// Unmaps the first mapped page from `address` to `end` and returns the address behind it, and
/// that it did; or how far it looked. It looks into one page table at most and passes over
/// [`SKIPS`] missing ones, so that a call takes bounded time.
pub(crate) fn unmap_next(
    tables: &mut impl Tables,
    root: Frame,
    address: usize,
    end: usize,
) -> (usize, bool) {
    let mut at = address;
    for _ in 0..SKIPS {
        if at >= end {
            break;
        }
        match first_missing(tables, root, at) {
            Ok(table) => return unmap_next_in(tables, table, at, end),
            Err(level) => at = (at | (span(level) - 1)) + 1,
        }
    }
    (at.min(end), false)
}

/// Returns the page table of an address, or the level of the entry that misses.
fn first_missing(tables: &impl Tables, root: Frame, address: usize) -> Result<Frame, u32> {
    let mut table = root;
    for level in (1..=ROOT_LEVEL).rev() {
        let entry = tables.load(table, index(address, level));
        if !is_present(entry) {
            return Err(level);
        }
        table = frame_of(entry);
    }
    Ok(table)
}

/// As [`unmap_next`] in one page table, up to its end.
fn unmap_next_in(
    tables: &mut impl Tables,
    table: Frame,
    address: usize,
    end: usize,
) -> (usize, bool) {
    let first = index(address, 0);
    let last = ENTRIES.min(first + (end - address) / PAGE_SIZE);
    match (first..last).find(|&slot| is_present(tables.load(table, slot))) {
        Some(slot) => {
            tables.store(table, slot, 0);
            (address + (slot + 1 - first) * PAGE_SIZE, true)
        }
        None => (address + (last - first) * PAGE_SIZE, false),
    }
}

/// Entries of a table that [`take_table`] looks at in one call.
const LOOKS: usize = 64;

/// Looks from an address on for a table of user space that refers to no other, and detaches it; all
/// that refer to addresses before it are gone. Returns it, if it came to one, and where to look
/// next. A call looks at [`LOOKS`] entries of each level at most.
pub(crate) fn take_table(
    tables: &mut impl Tables,
    root: Frame,
    from: usize,
) -> (Option<Frame>, usize) {
    let (mut parent, mut table, mut at) = (None, root, from);
    for level in (1..=ROOT_LEVEL).rev() {
        let first = index(at, level);
        let count = if level == ROOT_LEVEL { USER_ENTRIES } else { ENTRIES };
        let end = count.min(first + LOOKS);
        let found = (first..end).find(|&slot| is_present(tables.load(table, slot)));
        let passed = found.unwrap_or(end) - first;
        if passed > 0 {
            at = (at & !(span(level) - 1)) + passed * span(level);
        }
        let Some(slot) = found else { break };
        let entry = tables.load(table, slot);
        if entry & bits::CHILDREN == 0 {
            tables.store(table, slot, 0);
            count_child(tables, parent, bits::CHILD.wrapping_neg());
            // Here again: the table that had it may be the next to go.
            return (Some(frame_of(entry)), at & !(span(level) - 1));
        }
        (parent, table) = (Some((table, slot)), frame_of(entry));
    }
    (None, at)
}

#[cfg(test)]
pub(super) mod tests;
