//! XMS 3.0: the driver's entry and its functions, by AH.
//!
//! Source: Microsoft, Intel, Lotus, AST: eXtended Memory Specification 3.0 (1991); RBIL INT
//! 2F/AX=4310.

use alloc::vec::Vec;

use super::{KIB, POOL_KIB};
use crate::calls::EXTENDED_MEMORY;
use crate::cpu::register::{AX, BX, CX, DX};
use crate::cpu::{HOST_SEGMENT, register};
use crate::host::Host;
use crate::session::Session;
use crate::{Bus, FarPointer, MEMORY_BYTES};

/// The entry: a short jump over five bytes, as the specification has it for programs that hook it.
const XMS_ENTRY: FarPointer = FarPointer::new(HOST_SEGMENT, 0xe100);
const ENTRY_CODE: [u8; 8] = [0xeb, 0x03, 0x90, 0x90, 0x90, 0x0f, EXTENDED_MEMORY, 0xcb];
/// Interface 3.00 and driver 3.00.
const VERSION: u16 = 0x0300;
const HANDLES: usize = 32;
/// Where locked blocks seem to begin: above the HMA.
const LOCKED_AT: usize = 0x11_0000;
/// Upper memory: paragraphs from here on.
const UPPER_START: u16 = 0xe000;
const UPPER_PARAGRAPHS: u16 = 0x1000;

/// Errors, in BL.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum XmsError {
    NoFunction = 0x80,
    HmaInUse = 0x91,
    HmaNotAllocated = 0x93,
    NoMemory = 0xa0,
    NoHandles = 0xa1,
    Handle = 0xa2,
    SourceHandle = 0xa3,
    SourceOffset = 0xa4,
    TargetHandle = 0xa5,
    TargetOffset = 0xa6,
    Length = 0xa7,
    NotLocked = 0xaa,
    Locked = 0xab,
    SmallerBlock = 0xb0,
    NoUpperMemory = 0xb1,
    UpperSegment = 0xb2,
}

type Answer = Result<(), XmsError>;

/// A block of extended memory.
struct Block {
    bytes: Vec<u8>,
    locks: u8,
}

/// A block of upper memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Upper {
    start: u16,
    paragraphs: u16,
}

/// The driver's state.
#[derive(Default)]
pub(super) struct Xms {
    blocks: Vec<Option<Block>>,
    upper: Vec<Upper>,
    has_hma_owner: bool,
    /// Local enables of A20 that were not undone.
    enables: u16,
}

impl Xms {
    fn block(&mut self, handle: u16) -> Option<&mut Block> {
        self.blocks.get_mut(usize::from(handle).checked_sub(1)?)?.as_mut()
    }

    fn free_handles(&self) -> usize {
        HANDLES - self.blocks.iter().filter(|block| block.is_some()).count()
    }

    /// Returns the first gap in upper memory of that many paragraphs, or the size of the largest.
    fn upper_gap(&self, paragraphs: u16) -> Result<u16, u16> {
        let (mut start, mut largest) = (UPPER_START, 0);
        let end = Upper { start: UPPER_START + UPPER_PARAGRAPHS, paragraphs: 0 };
        for block in self.upper.iter().chain([&end]) {
            let gap = block.start - start;
            if gap >= paragraphs && gap > 0 {
                return Ok(start);
            }
            largest = largest.max(gap);
            start = block.start + block.paragraphs;
        }
        Err(largest)
    }
}

/// Writes the entry.
pub(super) fn install(bus: &mut Bus) {
    bus.write(XMS_ENTRY, &ENTRY_CODE);
}

/// One side of a move.
struct Side {
    handle: u16,
    offset: u32,
}

impl<H: Host> Session<H> {
    /// INT 2Fh/43: whether there is a driver, and where its entry is.
    pub(crate) fn extended_memory_driver(&mut self) {
        match self.al() {
            0x00 => self.set_al(0x80),
            0x10 => {
                self.set_es(XMS_ENTRY.segment);
                self.set_bx(XMS_ENTRY.offset);
            }
            _ => {}
        }
    }

    /// A call of the driver's entry.
    pub(crate) fn extended_memory_call(&mut self) {
        let function = self.ah();
        let answer = match function {
            0x00 => return self.xms_version(),
            0x01 => self.request_hma(),
            0x02 => self.release_hma(),
            0x03 | 0x04 => self.enable_a20(function == 0x03),
            0x05 | 0x06 => self.enable_a20_locally(function == 0x05),
            0x07 => return self.query_a20(),
            0x08 | 0x88 => return self.query_free(function == 0x88),
            0x09 => self.allocate_block(self.dx().into()),
            0x89 => self.allocate_block(self.cpu.wide_register(DX)),
            0x0a => self.free_block(),
            0x0b => self.move_block(),
            0x0c => return self.lock_block(),
            0x0d => self.unlock_block(),
            0x0e | 0x8e => self.block_information(function == 0x8e),
            0x0f => self.resize_block(self.bx().into()),
            0x8f => self.resize_block(self.cpu.wide_register(BX)),
            0x10 => self.request_upper(),
            0x11 => self.release_upper(),
            0x12 => self.resize_upper(),
            _ => Err(XmsError::NoFunction),
        };
        self.set_ax(answer.is_ok().into());
        if let Err(error) = answer {
            self.set_bl(error as u8);
        }
    }

    fn xms_version(&mut self) {
        self.set_ax(VERSION);
        self.set_bx(VERSION);
        self.set_dx(1);
    }

    fn request_hma(&mut self) -> Answer {
        let xms = &mut self.extended.xms;
        if core::mem::replace(&mut xms.has_hma_owner, true) {
            Err(XmsError::HmaInUse)
        } else {
            Ok(())
        }
    }

    fn release_hma(&mut self) -> Answer {
        let had_owner = core::mem::take(&mut self.extended.xms.has_hma_owner);
        if had_owner { Ok(()) } else { Err(XmsError::HmaNotAllocated) }
    }

    fn enable_a20(&mut self, on: bool) -> Answer {
        self.bus.devices.keyboard.set_a20(on);
        Ok(())
    }

    fn enable_a20_locally(&mut self, on: bool) -> Answer {
        let enables = &mut self.extended.xms.enables;
        *enables = if on { enables.saturating_add(1) } else { enables.saturating_sub(1) };
        let on = *enables > 0;
        self.enable_a20(on)
    }

    fn query_a20(&mut self) {
        let on = self.bus.devices.keyboard.a20();
        self.set_ax(on.into());
        self.set_bl(0);
    }

    fn query_free(&mut self, is_wide: bool) {
        let free = self.extended.free_kib as u32;
        let error = if free == 0 { XmsError::NoMemory as u8 } else { 0 };
        if is_wide {
            self.cpu.set_wide_register(AX, free);
            self.cpu.set_wide_register(DX, free);
            let highest = LOCKED_AT + POOL_KIB * KIB - 1;
            self.cpu.set_wide_register(CX, highest as u32);
        } else {
            self.set_ax(free as u16);
            self.set_dx(free as u16);
        }
        self.set_bl(error);
    }

    fn allocate_block(&mut self, kib: u32) -> Answer {
        self.set_dx(0);
        if self.extended.xms.free_handles() == 0 {
            return Err(XmsError::NoHandles);
        }
        let bytes = self.extended.allocate(kib as usize).ok_or(XmsError::NoMemory)?;
        let blocks = &mut self.extended.xms.blocks;
        let place = blocks.iter().position(Option::is_none).unwrap_or(blocks.len());
        if place == blocks.len() {
            blocks.push(None);
        }
        blocks[place] = Some(Block { bytes, locks: 0 });
        self.set_dx(place as u16 + 1);
        Ok(())
    }

    fn free_block(&mut self) -> Answer {
        let handle = self.dx();
        let block = self.extended.xms.block(handle).ok_or(XmsError::Handle)?;
        if block.locks > 0 {
            return Err(XmsError::Locked);
        }
        let bytes = core::mem::take(&mut block.bytes);
        self.extended.xms.blocks[usize::from(handle) - 1] = None;
        self.extended.release(bytes);
        Ok(())
    }

    fn resize_block(&mut self, kib: u32) -> Answer {
        let handle = self.dx();
        let block = self.extended.xms.block(handle).ok_or(XmsError::Handle)?;
        if block.locks > 0 {
            return Err(XmsError::Locked);
        }
        let old = core::mem::take(&mut block.bytes);
        self.extended.free_kib += old.len() / KIB;
        let Some(mut bytes) = self.extended.allocate(kib as usize) else {
            self.extended.free_kib -= old.len() / KIB;
            if let Some(block) = self.extended.xms.block(handle) {
                block.bytes = old;
            }
            return Err(XmsError::NoMemory);
        };
        let kept = old.len().min(bytes.len());
        bytes[..kept].copy_from_slice(&old[..kept]);
        if let Some(block) = self.extended.xms.block(handle) {
            block.bytes = bytes;
        }
        Ok(())
    }

    /// AH=0B: DS:SI points at length, source and target, each a handle and an offset.
    fn move_block(&mut self) -> Answer {
        let at = self.ds_si();
        let len = self.bus.read32(at) as usize;
        let side = |bus: &Bus, at: FarPointer| Side {
            handle: bus.read16(at),
            offset: bus.read32(at.add(2)),
        };
        let (source, target) = (side(&self.bus, at.add(4)), side(&self.bus, at.add(10)));
        if !len.is_multiple_of(2) {
            return Err(XmsError::Length);
        }
        self.check_side(&source, len, [XmsError::SourceHandle, XmsError::SourceOffset])?;
        self.check_side(&target, len, [XmsError::TargetHandle, XmsError::TargetOffset])?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(len).map_err(|_| XmsError::Length)?;
        if let Some(found) = self.block_side(&source, len) {
            bytes.extend_from_slice(found);
        }
        match target.handle {
            0 => {
                let start = linear(target.offset);
                if let Some(place) = self.bus.flat_mut(start, len) {
                    place.copy_from_slice(&bytes);
                }
            }
            handle => {
                let start = target.offset as usize;
                if let Some(block) = self.extended.xms.block(handle) {
                    block.bytes[start..start + len].copy_from_slice(&bytes);
                }
            }
        }
        Ok(())
    }

    fn check_side(&mut self, side: &Side, len: usize, errors: [XmsError; 2]) -> Answer {
        let [handle, offset] = errors;
        if side.handle != 0 && self.extended.xms.block(side.handle).is_none() {
            return Err(handle);
        }
        self.block_side(side, len).map(drop).ok_or(offset)
    }

    fn block_side(&mut self, side: &Side, len: usize) -> Option<&[u8]> {
        if side.handle == 0 {
            return self.bus.flat(linear(side.offset), len);
        }
        let block = self.extended.xms.block(side.handle)?;
        let start = side.offset as usize;
        block.bytes.get(start..start.checked_add(len)?)
    }

    /// AH=0C: the address in DX:BX is one at which nothing is that real mode could reach.
    fn lock_block(&mut self) {
        let handle = self.dx();
        let before = usize::from(handle).saturating_sub(1);
        let blocks = self.extended.xms.blocks.iter().take(before).flatten();
        let address = LOCKED_AT + blocks.map(|block| block.bytes.len()).sum::<usize>();
        match self.extended.xms.block(handle) {
            Some(block) => {
                block.locks = block.locks.saturating_add(1);
                self.set_dx((address >> 16) as u16);
                self.set_bx(address as u16);
                self.set_ax(1);
            }
            None => {
                self.set_ax(0);
                self.set_bl(XmsError::Handle as u8);
            }
        }
    }

    fn unlock_block(&mut self) -> Answer {
        let handle = self.dx();
        let block = self.extended.xms.block(handle).ok_or(XmsError::Handle)?;
        block.locks = block.locks.checked_sub(1).ok_or(XmsError::NotLocked)?;
        Ok(())
    }

    fn block_information(&mut self, is_wide: bool) -> Answer {
        let free = self.extended.xms.free_handles() as u16;
        let handle = self.dx();
        let block = self.extended.xms.block(handle).ok_or(XmsError::Handle)?;
        let (kib, locks) = (block.bytes.len() / KIB, block.locks);
        self.set_bh(locks);
        if is_wide {
            self.cpu.set_wide_register(DX, kib as u32);
            self.cpu.set_register(register::CX, free);
        } else {
            self.set_dx(kib as u16);
            self.set_bl(free as u8);
        }
        Ok(())
    }

    fn request_upper(&mut self) -> Answer {
        let paragraphs = self.dx();
        match self.extended.xms.upper_gap(paragraphs) {
            Ok(start) if paragraphs > 0 => {
                let upper = &mut self.extended.xms.upper;
                let place = upper.iter().take_while(|block| block.start < start).count();
                upper.insert(place, Upper { start, paragraphs });
                self.set_bx(start);
                Ok(())
            }
            Ok(_) | Err(0) => {
                self.set_dx(0);
                Err(XmsError::NoUpperMemory)
            }
            Err(largest) => {
                self.set_dx(largest);
                Err(XmsError::SmallerBlock)
            }
        }
    }

    fn release_upper(&mut self) -> Answer {
        let start = self.dx();
        let upper = &mut self.extended.xms.upper;
        let place = upper.iter().position(|block| block.start == start);
        upper.remove(place.ok_or(XmsError::UpperSegment)?);
        Ok(())
    }

    fn resize_upper(&mut self) -> Answer {
        let (start, paragraphs) = (self.dx(), self.bx());
        let upper = &mut self.extended.xms.upper;
        let place = upper.iter().position(|block| block.start == start);
        let place = place.ok_or(XmsError::UpperSegment)?;
        let end = UPPER_START + UPPER_PARAGRAPHS;
        let next = upper.get(place + 1).map_or(end, |block| block.start);
        if paragraphs > next - start {
            self.set_dx(next - start);
            return Err(XmsError::SmallerBlock);
        }
        upper[place].paragraphs = paragraphs;
        Ok(())
    }
}

/// Returns the linear address of a segment and offset, as they lie in an offset's halves.
fn linear(pointer: u32) -> usize {
    ((pointer >> 16) as usize * 16 + (pointer & 0xffff) as usize).min(MEMORY_BYTES + 0xffff)
}
