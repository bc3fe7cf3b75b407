//! The chain of memory control blocks: allocate, free, resize.
//!
//! The chain lies in guest memory and is believed only as far as it makes sense, since programs
//! write over it. A block's control paragraph (RBIL INT 21/AH=52, table 01628):
//!
//! ```text
//!   0: 'M' or 'Z' (last)   1: owner (PSP segment, 0 free)   3: paragraphs   8: owner's name
//!   next control paragraph = this segment + paragraphs + 1
//! ```
//!
//! Upper memory is a chain of its own, from a block of DOS's that covers what lies between. Linked
//! (INT 21/AX=5803), the last block below 640 KiB is no last one any more.

use super::DosError;
use super::layout::{SYSTEM_OWNER, UPPER_END, UPPER_FIRST, UPPER_LINK};
use crate::{Bus, FarPointer};

/// Owner of a free block.
const FREE: u16 = 0;
const MORE: u8 = b'M';
const LAST: u8 = b'Z';

/// Which free block an allocation takes (RBIL INT 21/AX=5801).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Strategy {
    /// The first that fits.
    #[default]
    First,
    /// The smallest that fits.
    Best,
    /// The highest that fits, from its upper end.
    Last,
}

/// Where an allocation looks first, if upper memory is linked (bits 6 and 7 of the strategy).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Preference {
    /// From the lowest block on.
    #[default]
    None,
    /// In upper memory, then below.
    Upper,
    /// In upper memory only.
    UpperOnly,
}

/// Whether upper memory is part of the chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    /// It is.
    Linked,
    /// It has its own chain only.
    Apart,
}

/// The arena, by the segment of its first control block.
#[derive(Clone, Copy)]
pub struct Arena {
    first: u16,
}

#[derive(Clone, Copy)]
struct Block {
    control: u16,
    last: bool,
    owner: u16,
    paragraphs: u16,
}

impl Block {
    fn next(self) -> u16 {
        self.control + self.paragraphs + 1
    }
}

impl Arena {
    /// Makes one free block of the paragraphs from `first` to `end`.
    pub fn create(bus: &mut Bus, first: u16, end: u16) -> Arena {
        write(bus, Block { control: first, last: true, owner: FREE, paragraphs: end - first - 1 });
        Arena { first }
    }

    /// Makes the chain of upper memory, not linked; the arena must end where that begins.
    pub fn create_upper(self, bus: &mut Bus) {
        let paragraphs = UPPER_FIRST - UPPER_LINK - 1;
        let (control, owner) = (UPPER_LINK, SYSTEM_OWNER);
        write(bus, Block { control, last: false, owner, paragraphs });
        bus.write(FarPointer::new(UPPER_LINK, 8), b"SC\0\0\0\0\0\0");
        let paragraphs = UPPER_END - UPPER_FIRST - 1;
        write(bus, Block { control: UPPER_FIRST, last: true, owner: FREE, paragraphs });
    }

    /// Returns whether upper memory is part of the chain.
    ///
    /// # Errors
    /// `ArenaDestroyed`.
    pub fn is_linked(self, bus: &Bus) -> Result<bool, DosError> {
        Ok(!self.last_below(bus)?.last)
    }

    /// Makes upper memory part of the chain, or not.
    ///
    /// # Errors
    /// `ArenaDestroyed`.
    pub fn link(self, bus: &mut Bus, link: Link) -> Result<(), DosError> {
        let block = self.last_below(bus)?;
        write(bus, Block { last: link == Link::Apart, ..block });
        Ok(())
    }

    /// Returns the last block below 640 KiB.
    fn last_below(self, bus: &Bus) -> Result<Block, DosError> {
        let mut control = self.first;
        loop {
            let block = read(bus, control).ok_or(DosError::ArenaDestroyed)?;
            match block.next() {
                UPPER_LINK => return Ok(block),
                next if block.last || next <= control => return Err(DosError::ArenaDestroyed),
                next => control = next,
            }
        }
    }

    /// Returns the segment of a new block where it is preferred.
    ///
    /// # Errors
    /// As [`Arena::allocate`].
    pub fn allocate_where(
        self,
        bus: &mut Bus,
        paragraphs: u16,
        owner: u16,
        strategy: Strategy,
        preference: Preference,
    ) -> Result<u16, (DosError, u16)> {
        let linked = preference != Preference::None && self.is_linked(bus).unwrap_or(false);
        if linked {
            let upper = Arena { first: UPPER_LINK };
            match upper.allocate(bus, paragraphs, owner, strategy) {
                Err(_) if preference == Preference::Upper => {}
                allocated => return allocated,
            }
        }
        self.allocate(bus, paragraphs, owner, strategy)
    }

    /// Returns the segment of a new block of that many paragraphs.
    ///
    /// # Errors
    /// `InsufficientMemory` with the largest block that could be had; `ArenaDestroyed`.
    pub fn allocate(
        self,
        bus: &mut Bus,
        paragraphs: u16,
        owner: u16,
        strategy: Strategy,
    ) -> Result<u16, (DosError, u16)> {
        let mut chosen: Option<Block> = None;
        let mut largest = 0;
        for block in self.free_blocks(bus).map_err(|error| (error, 0))? {
            largest = largest.max(block.paragraphs);
            let better = match (strategy, chosen) {
                (_, None) | (Strategy::Last, _) => true,
                (Strategy::First, Some(_)) => false,
                (Strategy::Best, Some(chosen)) => block.paragraphs < chosen.paragraphs,
            };
            if block.paragraphs >= paragraphs && better {
                chosen = Some(block);
            }
        }
        let block = chosen.ok_or((DosError::InsufficientMemory, largest))?;
        let block = match strategy {
            Strategy::Last => split_upper(bus, block, paragraphs),
            Strategy::First | Strategy::Best => split(bus, block, paragraphs),
        };
        write(bus, Block { owner, ..block });
        Ok(block.control + 1)
    }

    /// Frees a block: whatever has a control block before it, in the chain or not (MS-DOS 4.0,
    /// ALLOC.ASM `$DEALLOC`); programs have chains of their own.
    ///
    /// # Errors
    /// `InvalidBlock`.
    pub fn free(self, bus: &mut Bus, segment: u16) -> Result<(), DosError> {
        let block = read(bus, segment.wrapping_sub(1)).ok_or(DosError::InvalidBlock)?;
        write(bus, Block { owner: FREE, ..block });
        Ok(())
    }

    /// Frees all blocks of an owner.
    ///
    /// # Errors
    /// `ArenaDestroyed`.
    pub fn free_all(self, bus: &mut Bus, owner: u16) -> Result<(), DosError> {
        let free = |bus: &mut Bus, block: Block| {
            if block.owner == owner {
                write(bus, Block { owner: FREE, ..block });
            }
        };
        self.walk(bus, free)?;
        Arena { first: UPPER_LINK }.walk(bus, free)
    }

    /// Changes the length of a block, in the chain or not, which becomes `owner`'s (MS-DOS 4.0,
    /// ALLOC.ASM `$SETBLOCK`).
    ///
    /// # Errors
    /// `InsufficientMemory` with the largest length possible; `ArenaDestroyed`.
    pub fn resize(
        self,
        bus: &mut Bus,
        segment: u16,
        paragraphs: u16,
        owner: u16,
    ) -> Result<(), (DosError, u16)> {
        const DESTROYED: (DosError, u16) = (DosError::ArenaDestroyed, 0);
        let mut block = read(bus, segment.wrapping_sub(1)).ok_or(DESTROYED)?;
        while !block.last {
            let next = read(bus, block.next()).ok_or(DESTROYED)?;
            if next.owner != FREE {
                break;
            }
            let paragraphs = block.paragraphs + next.paragraphs + 1;
            block = Block { paragraphs, last: next.last, ..block };
        }
        if paragraphs > block.paragraphs {
            // DOS grows the block as far as it can, and then says that it was not enough.
            write(bus, block);
            return Err((DosError::InsufficientMemory, block.paragraphs));
        }
        split(bus, Block { owner, ..block }, paragraphs);
        Ok(())
    }

    /// Returns the largest free block's paragraphs.
    ///
    /// # Errors
    /// `ArenaDestroyed`.
    pub fn largest(self, bus: &mut Bus) -> Result<u16, DosError> {
        Ok(self.free_blocks(bus)?.iter().map(|block| block.paragraphs).max().unwrap_or(0))
    }

    /// Returns the largest free block's paragraphs where it is preferred: in upper memory, if that
    /// has `needed` of them.
    ///
    /// # Errors
    /// `ArenaDestroyed`.
    pub fn largest_where(
        self,
        bus: &mut Bus,
        needed: u16,
        preference: Preference,
    ) -> Result<u16, DosError> {
        if preference != Preference::None && self.is_linked(bus)? {
            let upper = Arena { first: UPPER_LINK }.largest(bus)?;
            if upper >= needed || preference == Preference::UpperOnly {
                return Ok(upper);
            }
        }
        self.largest(bus)
    }

    /// Gives a block an owner and the owner's name.
    ///
    /// # Errors
    /// `InvalidBlock`.
    pub fn set_owner(
        self,
        bus: &mut Bus,
        segment: u16,
        owner: u16,
        name: &[u8; 8],
    ) -> Result<(), DosError> {
        let block = read(bus, segment.wrapping_sub(1)).ok_or(DosError::InvalidBlock)?;
        write(bus, Block { owner, ..block });
        bus.write(FarPointer::new(block.control, 8), name);
        Ok(())
    }

    fn free_blocks(self, bus: &mut Bus) -> Result<alloc::vec::Vec<Block>, DosError> {
        self.merge_free(bus)?;
        let mut blocks = alloc::vec::Vec::new();
        self.walk(bus, |_, block| {
            if block.owner == FREE {
                blocks.push(block);
            }
        })?;
        Ok(blocks)
    }

    /// Joins neighbouring free blocks.
    fn merge_free(self, bus: &mut Bus) -> Result<(), DosError> {
        let mut open: Option<Block> = None;
        self.walk(bus, |bus, block| {
            open = match open {
                _ if block.owner != FREE => None,
                Some(start) => {
                    let paragraphs = start.paragraphs + block.paragraphs + 1;
                    let joined = Block { paragraphs, last: block.last, ..start };
                    write(bus, joined);
                    Some(joined)
                }
                None => Some(block),
            };
        })
    }

    /// Returns every block, up to where the chain is destroyed: segment, paragraphs and owner.
    pub fn blocks(self, bus: &mut Bus) -> alloc::vec::Vec<(u16, u16, u16)> {
        let mut blocks = alloc::vec::Vec::new();
        // What was found before a destroyed block counts.
        let _ = self.walk(bus, |_, block| {
            blocks.push((block.control + 1, block.paragraphs, block.owner));
        });
        blocks
    }

    /// Calls `visit` for each block; every step goes upwards, so the walk ends.
    fn walk(self, bus: &mut Bus, mut visit: impl FnMut(&mut Bus, Block)) -> Result<(), DosError> {
        let mut control = self.first;
        loop {
            let block = read(bus, control).ok_or(DosError::ArenaDestroyed)?;
            let next = block.next();
            visit(bus, block);
            if block.last {
                return Ok(());
            }
            if next <= control {
                return Err(DosError::ArenaDestroyed);
            }
            control = next;
        }
    }
}

/// Reads a control block; one whose end lies beyond the last segment is none, so that no sum of
/// lengths and segments overflows.
fn read(bus: &Bus, control: u16) -> Option<Block> {
    let at = FarPointer::new(control, 0);
    let last = match bus.read8(at) {
        MORE => false,
        LAST => true,
        _ => return None,
    };
    let (owner, paragraphs) = (bus.read16(at.add(1)), bus.read16(at.add(3)));
    control.checked_add(paragraphs)?.checked_add(1)?;
    Some(Block { control, last, owner, paragraphs })
}

fn write(bus: &mut Bus, block: Block) {
    let at = FarPointer::new(block.control, 0);
    bus.write8(at, if block.last { LAST } else { MORE });
    bus.write16(at.add(1), block.owner);
    bus.write16(at.add(3), block.paragraphs);
    if block.owner == FREE {
        bus.write(at.add(8), &[0; 8]);
    }
}

/// Cuts a block to its first paragraphs; the rest becomes a free block.
fn split(bus: &mut Bus, block: Block, paragraphs: u16) -> Block {
    if block.paragraphs <= paragraphs {
        write(bus, block);
        return block;
    }
    let lower = Block { paragraphs, last: false, ..block };
    let rest = block.paragraphs - paragraphs - 1;
    write(bus, lower);
    write(bus, Block { control: lower.next(), last: block.last, owner: FREE, paragraphs: rest });
    lower
}

/// Cuts a block to its last paragraphs; the beginning stays free.
fn split_upper(bus: &mut Bus, block: Block, paragraphs: u16) -> Block {
    if block.paragraphs <= paragraphs {
        return block;
    }
    let rest = block.paragraphs - paragraphs - 1;
    let lower = Block { paragraphs: rest, last: false, ..block };
    let upper = Block { control: lower.next(), last: block.last, owner: FREE, paragraphs };
    write(bus, lower);
    write(bus, upper);
    upper
}

#[cfg(test)]
mod tests {
    use super::{Arena, Link, Preference, Strategy};
    use crate::dos::DosError;
    use crate::{Bus, FarPointer};

    #[test]
    fn blocks_are_split_and_merged_again() {
        let mut bus = Bus::new();
        let arena = Arena::create(&mut bus, 0x100, 0x9fff);
        arena.create_upper(&mut bus);
        let a = arena.allocate(&mut bus, 0x10, 7, Strategy::First).unwrap();
        let b = arena.allocate(&mut bus, 0x20, 7, Strategy::First).unwrap();
        assert_eq!((a, b), (0x101, 0x112));
        let high = arena.allocate(&mut bus, 0x10, 8, Strategy::Last).unwrap();
        assert_eq!(high, 0x9fef);
        arena.free_all(&mut bus, 7).unwrap();
        arena.free(&mut bus, high).unwrap();
        assert_eq!(arena.largest(&mut bus).unwrap(), 0x9efe);
    }

    #[test]
    fn resize_tells_the_largest_possible() {
        let mut bus = Bus::new();
        let arena = Arena::create(&mut bus, 0x100, 0x200);
        let block = arena.allocate(&mut bus, 0xff, 7, Strategy::First).unwrap();
        assert_eq!(
            arena.resize(&mut bus, block, 0x100, 7),
            Err((DosError::InsufficientMemory, 0xff))
        );
        arena.resize(&mut bus, block, 0x10, 7).unwrap();
        assert_eq!(arena.largest(&mut bus).unwrap(), 0xee);
        arena.resize(&mut bus, block, 0x20, 7).unwrap();
        assert_eq!(arena.free(&mut bus, block + 1), Err(DosError::InvalidBlock));
    }

    /// MS-DOS 4.0, ALLOC.ASM: `$SETBLOCK` and `$DEALLOC` look at the signature alone, and what is
    /// resized becomes the current program's.
    #[test]
    fn blocks_of_a_program_s_own_chain_are_resized_and_freed() {
        let mut bus = Bus::new();
        let arena = Arena::create(&mut bus, 0x100, 0x200);
        let block = arena.allocate(&mut bus, 0x80, 7, Strategy::First).unwrap();
        let inner = FarPointer::new(block + 0x10, 0);
        bus.write(inner, b"Z\x09\0\x30\0");
        let told = arena.resize(&mut bus, block + 0x11, 0x31, 8);
        assert_eq!(told, Err((DosError::InsufficientMemory, 0x30)));
        assert_eq!(bus.read16(inner.add(1)), 9);
        arena.resize(&mut bus, block + 0x11, 0x10, 8).unwrap();
        assert_eq!(
            (bus.read8(inner), bus.read16(inner.add(1)), bus.read16(inner.add(3))),
            (b'M', 8, 0x10)
        );
        arena.free(&mut bus, block + 0x11).unwrap();
        assert_eq!(bus.read16(inner.add(1)), 0);
    }

    #[test]
    fn overwritten_chain_is_an_error_and_not_a_hang() {
        let mut bus = Bus::new();
        let arena = Arena::create(&mut bus, 0x100, 0x200);
        arena.allocate(&mut bus, 0x10, 7, Strategy::First).unwrap();
        bus.write16(FarPointer::new(0x111, 3), 0xffff);
        bus.write8(FarPointer::new(0x111, 0), b'M');
        assert_eq!(arena.largest(&mut bus), Err(DosError::ArenaDestroyed));
        bus.write8(FarPointer::new(0x100, 0), 0);
        assert_eq!(arena.largest(&mut bus), Err(DosError::ArenaDestroyed));
    }

    #[test]
    fn lengths_beyond_memory_are_an_error_and_not_an_overflow() {
        let mut bus = Bus::new();
        let arena = Arena::create(&mut bus, 0x100, 0x200);
        let block = arena.allocate(&mut bus, 0x10, 7, Strategy::First).unwrap();
        bus.write16(FarPointer::new(0x111, 3), 0xffff);
        let destroyed = Err((DosError::ArenaDestroyed, 0));
        assert_eq!(arena.allocate(&mut bus, 0x10, 7, Strategy::Best), destroyed.map(|()| 0));
        assert_eq!(arena.resize(&mut bus, block, 0x20, 7), destroyed);
        // What lies elsewhere does not matter for this.
        assert_eq!(arena.free(&mut bus, block), Ok(()));
    }

    #[test]
    fn upper_memory_is_had_when_linked() {
        let mut bus = Bus::new();
        let arena = Arena::create(&mut bus, 0x100, 0x9fff);
        arena.create_upper(&mut bus);
        let allocate = |bus: &mut Bus, preference| {
            arena.allocate_where(bus, 0x10, 7, Strategy::First, preference)
        };
        assert_eq!(allocate(&mut bus, Preference::UpperOnly), Ok(0x101));
        arena.link(&mut bus, Link::Linked).unwrap();
        assert_eq!(arena.is_linked(&bus), Ok(true));
        assert_eq!(allocate(&mut bus, Preference::UpperOnly), Ok(0xc801));
        assert_eq!(allocate(&mut bus, Preference::None), Ok(0x112));
        let too_much = arena.allocate_where(&mut bus, 0x900, 7, Strategy::First, Preference::Upper);
        assert_eq!(too_much, Ok(0x123));
        arena.link(&mut bus, Link::Apart).unwrap();
        arena.free_all(&mut bus, 7).unwrap();
        assert_eq!(arena.largest(&mut bus), Ok(0x9efe));
        assert_eq!(arena.resize(&mut bus, 0xc801, 0x20, 7), Ok(()));
    }
}
