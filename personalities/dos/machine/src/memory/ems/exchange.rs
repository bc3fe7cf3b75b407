//! EMS: memory moved and exchanged between pages and the processor's memory (AH=57).

use alloc::vec::Vec;

use super::{Answer, EmsError, PAGE, SLOTS};
use crate::FarPointer;
use crate::host::Host;
use crate::session::Session;

/// Most bytes of one move: 1 MiB.
const MOST: usize = 1 << 20;

/// One side of a move.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    /// A linear address.
    Memory(usize),
    /// A handle, and an offset from its first page on.
    Pages(u16, usize),
}

impl<H: Host> Session<H> {
    /// AH=57: DS:SI points at the length and two sides: kind, handle, offset, page or segment.
    pub(super) fn exchange_memory(&mut self) -> Answer {
        let (at, function) = (self.ds_si(), self.al());
        if function > 1 {
            return Err(EmsError::NoSubfunction);
        }
        let len = self.bus.read32(at) as usize;
        if len > MOST {
            return Err(EmsError::TooLong);
        }
        self.write_frame_back();
        let source = self.side(at.add(4))?;
        let target = self.side(at.add(11))?;
        let moved = self.read_side(source, len)?;
        let old = self.read_side(target, len)?;
        let overlap = overlap(source, target, len);
        if overlap && function == 1 {
            return Err(EmsError::ExchangesOverlap);
        }
        self.write_side(target, &moved)?;
        if function == 1 {
            self.write_side(source, &old)?;
        }
        self.reload_frame();
        if overlap { Err(EmsError::MovesOverlap) } else { Ok(()) }
    }

    fn side(&mut self, at: FarPointer) -> Result<Side, EmsError> {
        let (kind, handle) = (self.bus.read8(at), self.bus.read16(at.add(1)));
        let offset = usize::from(self.bus.read16(at.add(3)));
        let page = usize::from(self.bus.read16(at.add(5)));
        match kind {
            0 => return Ok(Side::Memory(page * 16 + offset)),
            1 => {}
            _ => return Err(EmsError::MemoryType),
        }
        self.extended.ems.page(handle, page as u16)?;
        if offset >= PAGE {
            return Err(EmsError::PastPage);
        }
        Ok(Side::Pages(handle, page * PAGE + offset))
    }

    fn read_side(&mut self, side: Side, len: usize) -> Result<Vec<u8>, EmsError> {
        let mut bytes = Vec::new();
        match side {
            Side::Memory(start) => {
                let found = self.bus.flat(start, len).ok_or(EmsError::PastMemory)?;
                bytes.extend_from_slice(found);
            }
            Side::Pages(handle, mut start) => {
                let pages = &self.extended.ems.block(handle)?.pages;
                while bytes.len() < len {
                    let page = pages.get(start / PAGE).ok_or(EmsError::PastBlock)?;
                    let rest = &page[start % PAGE..];
                    let count = rest.len().min(len - bytes.len());
                    bytes.extend_from_slice(&rest[..count]);
                    start += count;
                }
            }
        }
        Ok(bytes)
    }

    fn write_side(&mut self, side: Side, bytes: &[u8]) -> Answer {
        match side {
            Side::Memory(start) => {
                let place = self.bus.flat_mut(start, bytes.len()).ok_or(EmsError::PastMemory)?;
                place.copy_from_slice(bytes);
                // What was stored to the frame is in its pages as well.
                self.write_frame_back();
            }
            Side::Pages(handle, mut start) => {
                let pages = &mut self.extended.ems.block(handle)?.pages;
                let mut rest = bytes;
                while !rest.is_empty() {
                    let page = pages.get_mut(start / PAGE).ok_or(EmsError::PastBlock)?;
                    let place = &mut page[start % PAGE..];
                    let count = place.len().min(rest.len());
                    place[..count].copy_from_slice(&rest[..count]);
                    (start, rest) = (start + count, &rest[count..]);
                }
                self.reload_frame();
            }
        }
        Ok(())
    }

    /// Shows the pages in the frame as they are now.
    fn reload_frame(&mut self) {
        for index in 0..SLOTS {
            let shown = self.extended.ems.map[index].take();
            if shown.is_some() {
                self.load_slot(index, shown);
            }
        }
    }
}

fn overlap(one: Side, other: Side, len: usize) -> bool {
    let (first, second) = match (one, other) {
        (Side::Memory(first), Side::Memory(second)) => (first, second),
        (Side::Pages(a, first), Side::Pages(b, second)) if a == b => (first, second),
        _ => return false,
    };
    first.abs_diff(second) < len
}
