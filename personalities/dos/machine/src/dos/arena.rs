//! The chain of memory control blocks: allocate, free, resize.
//!
//! The chain lies in guest memory and is believed only as far as it makes sense, since programs
//! write over it. A block's control paragraph (RBIL INT 21/AH=52, table 01628):
//!
//! ```text
//!   0: 'M' or 'Z' (last)   1: owner (PSP segment, 0 free)   3: paragraphs   8: owner's name
//!   next control paragraph = this segment + paragraphs + 1
//! ```

use super::DosError;
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
        self.control.wrapping_add(self.paragraphs).wrapping_add(1)
    }
}

impl Arena {
    /// Makes one free block of the paragraphs from `first` to `end`.
    pub fn create(bus: &mut Bus, first: u16, end: u16) -> Arena {
        write(bus, Block { control: first, last: true, owner: FREE, paragraphs: end - first - 1 });
        Arena { first }
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

    /// Frees a block.
    ///
    /// # Errors
    /// `InvalidBlock`, `ArenaDestroyed`.
    pub fn free(self, bus: &mut Bus, segment: u16) -> Result<(), DosError> {
        let block = self.find(bus, segment)?;
        write(bus, Block { owner: FREE, ..block });
        Ok(())
    }

    /// Frees all blocks of an owner.
    ///
    /// # Errors
    /// `ArenaDestroyed`.
    pub fn free_all(self, bus: &mut Bus, owner: u16) -> Result<(), DosError> {
        self.walk(bus, |bus, block| {
            if block.owner == owner {
                write(bus, Block { owner: FREE, ..block });
            }
        })
    }

    /// Changes a block's length.
    ///
    /// # Errors
    /// `InsufficientMemory` with the largest length possible; `InvalidBlock`, `ArenaDestroyed`.
    pub fn resize(
        self,
        bus: &mut Bus,
        segment: u16,
        paragraphs: u16,
    ) -> Result<(), (DosError, u16)> {
        self.merge_free(bus).map_err(|error| (error, 0))?;
        let block = self.find(bus, segment).map_err(|error| (error, 0))?;
        let following = (!block.last).then(|| read(bus, block.next())).flatten();
        let mut joined = block;
        if let Some(free) = following.filter(|following| following.owner == FREE) {
            joined.paragraphs = block.paragraphs + free.paragraphs + 1;
            joined.last = free.last;
        }
        if paragraphs <= block.paragraphs {
            split(bus, block, paragraphs);
        } else if paragraphs <= joined.paragraphs {
            split(bus, joined, paragraphs);
        } else {
            // DOS grows the block as far as it can, and then says that it was not enough.
            write(bus, joined);
            return Err((DosError::InsufficientMemory, joined.paragraphs));
        }
        self.merge_free(bus).map_err(|error| (error, 0))
    }

    /// Returns the largest free block's paragraphs.
    ///
    /// # Errors
    /// `ArenaDestroyed`.
    pub fn largest(self, bus: &mut Bus) -> Result<u16, DosError> {
        Ok(self.free_blocks(bus)?.iter().map(|block| block.paragraphs).max().unwrap_or(0))
    }

    /// Gives a block an owner and the owner's name.
    ///
    /// # Errors
    /// `InvalidBlock`, `ArenaDestroyed`.
    pub fn set_owner(
        self,
        bus: &mut Bus,
        segment: u16,
        owner: u16,
        name: &[u8; 8],
    ) -> Result<(), DosError> {
        let block = self.find(bus, segment)?;
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

    fn find(self, bus: &mut Bus, segment: u16) -> Result<Block, DosError> {
        let mut found = None;
        self.walk(bus, |_, block| {
            if block.control.wrapping_add(1) == segment {
                found = Some(block);
            }
        })?;
        found.ok_or(DosError::InvalidBlock)
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

fn read(bus: &Bus, control: u16) -> Option<Block> {
    let at = FarPointer::new(control, 0);
    let last = match bus.read8(at) {
        MORE => false,
        LAST => true,
        _ => return None,
    };
    let (owner, paragraphs) = (bus.read16(at.add(1)), bus.read16(at.add(3)));
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
    use super::{Arena, Strategy};
    use crate::dos::DosError;
    use crate::{Bus, FarPointer};

    #[test]
    fn blocks_are_split_and_merged_again() {
        let mut bus = Bus::new();
        let arena = Arena::create(&mut bus, 0x100, 0xa000);
        let a = arena.allocate(&mut bus, 0x10, 7, Strategy::First).unwrap();
        let b = arena.allocate(&mut bus, 0x20, 7, Strategy::First).unwrap();
        assert_eq!((a, b), (0x101, 0x112));
        let high = arena.allocate(&mut bus, 0x10, 8, Strategy::Last).unwrap();
        assert_eq!(high, 0x9ff0);
        arena.free_all(&mut bus, 7).unwrap();
        arena.free(&mut bus, high).unwrap();
        assert_eq!(arena.largest(&mut bus).unwrap(), 0x9eff);
    }

    #[test]
    fn resize_tells_the_largest_possible() {
        let mut bus = Bus::new();
        let arena = Arena::create(&mut bus, 0x100, 0x200);
        let block = arena.allocate(&mut bus, 0xff, 7, Strategy::First).unwrap();
        assert_eq!(arena.resize(&mut bus, block, 0x100), Err((DosError::InsufficientMemory, 0xff)));
        arena.resize(&mut bus, block, 0x10).unwrap();
        assert_eq!(arena.largest(&mut bus).unwrap(), 0xee);
        arena.resize(&mut bus, block, 0x20).unwrap();
        assert_eq!(arena.free(&mut bus, block + 1), Err(DosError::InvalidBlock));
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
}
