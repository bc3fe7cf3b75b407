//! Copies of a few pages for which nothing has to be made first: the quick way of Operation Copy.
//!
//! All frames are found before the first byte is copied. Where one is not at hand, lies in the
//! page tables as another than what is wanted, or is both read and written, nothing has happened
//! and the slow path begins anew (`crate::quick`).

use kamen_abi::{Handle, PAGE_SIZE, Place, Rights};

use super::{Cursor, Direction};
use crate::kernel::Kernel;
use crate::machine::{FaultAccess, Frame, Machine};

/// Longest copy, in bytes: it is made with interrupts off.
const MOST: u64 = 2 * PAGE_SIZE as u64;
/// Pieces that it is made in, each of which lies in one frame on either side: two pages that begin
/// anywhere lie in three, and the borders of both sides are four places to cut.
const PIECES: usize = 5;

/// Bytes that lie in one frame on either side.
#[derive(Clone, Copy)]
struct Piece {
    source: Frame,
    at: usize,
    target: Frame,
    to_at: usize,
    len: usize,
}

impl Piece {
    const NONE: Piece = Piece { source: Frame(0), at: 0, target: Frame(0), to_at: 0, len: 0 };
}

impl<M: Machine> Kernel<M> {
    /// Copies where that is at once possible; returns the number of bytes.
    #[inline(never)]
    pub(crate) fn quick_copy(&mut self) -> Option<u64> {
        let words = self.threads.at(self.cpu.current)?.registers.words();
        let [kinds, from_id, from_at, to_id, to_at, len] = words;
        let from = self.quick_cursor(kinds & 0xff, from_id, from_at, len, Direction::From)?;
        let to = self.quick_cursor(kinds >> 8, to_id, to_at, len, Direction::To)?;
        let (at, to_at) = (from.offset(), to.offset());
        if at.max(to_at) as u64 + len > PAGE_SIZE as u64 {
            return self.quick_pieces(from, to, len);
        }
        let source = self.quick_frame(from, FaultAccess::Read)?;
        let target = self.quick_frame(to, FaultAccess::Write)?;
        if source == target {
            return None;
        }
        self.vm.machine.copy(source, at, target, to_at, len as usize);
        Some(len)
    }

    #[inline(never)]
    fn quick_pieces(&mut self, from: Cursor, to: Cursor, len: u64) -> Option<u64> {
        if len > MOST {
            return None;
        }
        let mut pieces = [Piece::NONE; PIECES];
        let (mut count, mut done) = (0, 0);
        let mut last = Piece::NONE;
        while done < len {
            let (from, to) = (from.advanced(done), to.advanced(done));
            let (at, to_at) = (from.offset(), to.offset());
            let is_new = |offset| done == 0 || offset == 0;
            let source = match is_new(at) {
                true => self.quick_frame(from, FaultAccess::Read)?,
                false => last.source,
            };
            let target = match is_new(to_at) {
                true => self.quick_frame(to, FaultAccess::Write)?,
                false => last.target,
            };
            let len = ((len - done) as usize).min(PAGE_SIZE - at.max(to_at));
            last = Piece { source, at, target, to_at, len };
            *pieces.get_mut(count)? = last;
            (count, done) = (count + 1, done + len as u64);
        }
        let pieces = pieces.get(..count)?;
        let is_written = |frame| pieces.iter().any(|piece| piece.target == frame);
        if pieces.iter().any(|piece| is_written(piece.source)) {
            return None;
        }
        for &Piece { source, at, target, to_at, len } in pieces {
            self.vm.machine.copy(source, at, target, to_at, len);
        }
        Some(len)
    }

    #[inline(always)]
    fn quick_cursor(
        &self,
        kind: u64,
        id: u64,
        at: u64,
        len: u64,
        direction: Direction,
    ) -> Option<Cursor> {
        let (end, place) = (at.checked_add(len)?, Place::from_number(kind)?);
        if place == Place::Memory {
            let handle = Handle(u16::try_from(id).ok()?);
            let table = self.tables.get(self.threads.at(self.cpu.current)?.table?)?;
            let memory = table.memory(&self.vm.machine, handle, Rights::READ)?;
            return (direction == Direction::From).then_some(Cursor::Memory(memory, at));
        }
        let (space, at) = self.place_in_space(place, id, at, end, direction).ok()?;
        Some(Cursor::Space(space, at))
    }

    /// Returns the frame that a cursor points into, if the page tables show it so, or the object has
    /// it.
    #[inline(always)]
    fn quick_frame(&self, cursor: Cursor, access: FaultAccess) -> Option<Frame> {
        match cursor {
            Cursor::Space(space, address) => self.vm.mapped(space, address as usize, access),
            Cursor::Memory(memory, at) => self.vm.readable(memory, at as usize / PAGE_SIZE),
            Cursor::Extended(..) => None,
        }
    }
}
