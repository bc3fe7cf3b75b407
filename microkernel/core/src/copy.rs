//! Copying between own memory, memory objects and callers: the only way data crosses spaces.

use kamen_abi::{
    COPY_MAX, Error, Lease, MAX_LEASES, MessagePage, OpenCall, PAGE_SIZE, PORT_WRITE_MAX, Place,
    Rights,
};

use crate::arena::Id;
use crate::backing::MissingPage;
use crate::kernel::Kernel;
use crate::machine::{FaultAccess, Frame, Machine};
use crate::memory::Memory;
use crate::space::Space;

/// Estimated instructions of finding a chunk's two frames where they are, and of making one.
const CHUNK: u32 = 150;
const MAKING: u32 = 150;

/// A place in memory, checked except for what is mapped there.
#[derive(Clone, Copy)]
enum Cursor {
    Space(Id<Space>, u64),
    Memory(Id<Memory>, u64),
    /// The extended state of a thread, whose frame it is, at a byte offset.
    Extended(Frame, u64),
}

impl Cursor {
    /// Returns the place behind `by` bytes that have been copied, so that they exist.
    fn advanced(self, by: u64) -> Cursor {
        match self {
            Cursor::Space(space, at) => Cursor::Space(space, at + by),
            Cursor::Memory(memory, at) => Cursor::Memory(memory, at + by),
            Cursor::Extended(frame, at) => Cursor::Extended(frame, at + by),
        }
    }

    fn offset(self) -> usize {
        let (Cursor::Space(_, at) | Cursor::Memory(_, at) | Cursor::Extended(_, at)) = self;
        at as usize % PAGE_SIZE
    }
}

/// Which way a place is used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    From,
    To,
}

/// The frames of the last chunk.
#[derive(Clone, Copy, Default)]
struct Found {
    source: Option<Frame>,
    target: Option<Frame>,
}

impl<M: Machine> Kernel<M> {
    /// Operation Copy.
    #[inline(never)]
    pub(crate) fn copy(&mut self, words: [u64; 6]) -> Result<(), Error> {
        let [kinds, from_id, from_at, to_id, to_at, len] = words;
        let current = self.cpu.current;
        self.threads[current].registers.rdi = 0;
        let len = len.min(COPY_MAX as u64);
        let from = self.cursor(kinds & 0xff, from_id, from_at, len, Direction::From)?;
        let to = self.cursor(kinds >> 8, to_id, to_at, len, Direction::To)?;
        let (mut done, mut found) = (0, Found::default());
        let result = loop {
            if done == len {
                break Ok(());
            }
            let (from, to) = (from.advanced(done), to.advanced(done));
            match self.copy_chunk(from, to, len - done, &mut found) {
                Ok(copied) => done += copied,
                // What was copied counts; the caller repeats the rest.
                Err(_) if done > 0 && self.vm.steps.are_refused() => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        if result.is_err() && self.vm.steps.are_refused() {
            // Nothing was copied, and the arguments are to be found again.
            self.threads[current].registers.rdi = kinds;
            return result;
        }
        if let Cursor::Extended(frame, _) = to {
            self.vm.machine.sanitize_extended(frame);
        }
        self.threads[current].registers.rdi = done;
        if result == Err(Error::PageMissing) {
            let missing = self.missing_under(to.advanced(done));
            self.tell_missing(missing.or(self.missing_under(from.advanced(done))));
        }
        result
    }

    /// Returns what is to be asked for, where the page that a cursor points into misses.
    fn missing_under(&self, cursor: Cursor) -> Option<MissingPage> {
        match cursor {
            Cursor::Space(space, address) => self.vm.missing_at(space, address as usize),
            Cursor::Memory(memory, at) => self.vm.missing(memory, at as usize / PAGE_SIZE),
            Cursor::Extended(..) => None,
        }
    }

    /// Copies up to the next page boundary of either side. The frames that it found are those of the
    /// next chunk as well, where that begins within their pages.
    fn copy_chunk(
        &mut self,
        from: Cursor,
        to: Cursor,
        len: u64,
        found: &mut Found,
    ) -> Result<u64, Error> {
        self.vm.steps.spend(CHUNK)?;
        let (at, to_at) = (from.offset(), to.offset());
        // The destination first: if both are one page, the copy for writing is what is read.
        let target = match found.target.filter(|_| to_at != 0) {
            Some(target) => target,
            None => self.target_at(to, found)?,
        };
        let source = match found.source.filter(|_| at != 0) {
            Some(source) => source,
            None => self.source_at(from)?,
        };
        *found = Found { source: Some(source), target: Some(target) };
        let len = (len as usize).min(PAGE_SIZE - at).min(PAGE_SIZE - to_at);
        self.vm.steps.note(len as u32 / 8);
        if source == target && at.abs_diff(to_at) < len {
            return Err(Error::InvalidArgument);
        }
        self.vm.machine.copy(source, at, target, to_at, len);
        Ok(len as u64)
    }

    fn target_at(&mut self, to: Cursor, found: &mut Found) -> Result<Frame, Error> {
        if let Cursor::Space(space, address) = to
            && let Some(frame) = self.vm.mapped(space, address as usize, FaultAccess::Write)
        {
            return Ok(frame);
        }
        // What is made here may take the place of the page that is read.
        found.source = None;
        self.vm.steps.note(MAKING);
        self.frame_at(to, FaultAccess::Write)
    }

    fn source_at(&mut self, from: Cursor) -> Result<Frame, Error> {
        let at_hand = match from {
            Cursor::Space(space, address) => {
                self.vm.mapped(space, address as usize, FaultAccess::Read)
            }
            Cursor::Memory(memory, at) => self.vm.readable(memory, at as usize / PAGE_SIZE),
            Cursor::Extended(frame, _) => Some(frame),
        };
        if let Some(frame) = at_hand {
            return Ok(frame);
        }
        self.vm.steps.note(MAKING);
        self.frame_at(from, FaultAccess::Read)
    }

    #[inline(never)]
    fn frame_at(&mut self, cursor: Cursor, access: FaultAccess) -> Result<Frame, Error> {
        match cursor {
            Cursor::Space(space, address) => self.vm.resolve(space, address as usize, access),
            Cursor::Memory(memory, at) => {
                let page = at as usize / PAGE_SIZE;
                self.vm.frame(memory, page, access == FaultAccess::Write)
            }
            Cursor::Extended(frame, _) => Ok(frame),
        }
    }

    /// Decodes a place and checks everything but the mappings.
    fn cursor(
        &mut self,
        kind: u64,
        id: u64,
        at: u64,
        len: u64,
        direction: Direction,
    ) -> Result<Cursor, Error> {
        let end = at.checked_add(len).ok_or(Error::InvalidArgument)?;
        let place = Place::from_number(kind).ok_or(Error::InvalidArgument)?;
        match place {
            Place::Memory => {
                let rights = match direction {
                    Direction::From => Rights::READ,
                    Direction::To => Rights::WRITE,
                };
                Ok(Cursor::Memory(self.memory(id, rights)?, at))
            }
            Place::Own
            | Place::Caller
            | Place::Lease0
            | Place::Lease1
            | Place::Lease2
            | Place::Lease3 => {
                let (space, at) = self.place_in_space(place, id, at, end, direction)?;
                Ok(Cursor::Space(space, at))
            }
            Place::Extended => {
                if end > PAGE_SIZE as u64 {
                    return Err(Error::InvalidArgument);
                }
                let rights = Rights::READ.union(Rights::CONTROL);
                let thread = self.register_target(id, rights)?;
                if self.threads[thread].extended.is_none() {
                    self.give_extended(thread)?;
                }
                self.store_extended(thread);
                let frame = self.threads[thread].extended.ok_or(Error::BadAddress)?;
                Ok(Cursor::Extended(frame, at))
            }
        }
    }

    /// Finds a place in the own or a caller's memory: in which space, and at what address.
    #[inline(always)]
    fn place_in_space(
        &self,
        place: Place,
        id: u64,
        at: u64,
        end: u64,
        direction: Direction,
    ) -> Result<(Id<Space>, u64), Error> {
        match place {
            Place::Own => {
                let space = self.threads[self.cpu.current].space.ok_or(Error::BadAddress)?;
                Ok((space, at))
            }
            Place::Caller => {
                let caller = self.open_call(OpenCall(id))?;
                if !self.threads[caller].is_controlled() {
                    return Err(Error::NoRights);
                }
                let space = self.threads[caller].space.ok_or(Error::BadAddress)?;
                Ok((space, at))
            }
            Place::Lease0 => self.lease(id, 0, at, end, direction),
            Place::Lease1 => self.lease(id, 1, at, end, direction),
            Place::Lease2 => self.lease(id, 2, at, end, direction),
            Place::Lease3 => self.lease(id, 3, at, end, direction),
            Place::Memory | Place::Extended => Err(Error::InvalidArgument),
        }
    }

    /// Finds where a range of a lease is, in its lender's memory. The descriptor is read anew at
    /// each use: its lender can only change what of its own memory it lends.
    fn lease(
        &self,
        call: u64,
        index: usize,
        at: u64,
        end: u64,
        direction: Direction,
    ) -> Result<(Id<Space>, u64), Error> {
        let caller = &self.threads[self.open_call(OpenCall(call))?];
        if index >= caller.tag.leases().min(MAX_LEASES) {
            return Err(Error::InvalidArgument);
        }
        let page = caller.message_page.ok_or(Error::BadAddress)?;
        let space = caller.space.ok_or(Error::BadAddress)?;
        let word = MessagePage::LEASES_AT / 8 + 2 * index;
        let lease = Lease {
            address: self.vm.machine.load(page, word),
            len_and_access: self.vm.machine.load(page, word + 1),
        };
        if end > lease.len() {
            return Err(Error::InvalidArgument);
        }
        if lease.is_writable() != (direction == Direction::To) {
            return Err(Error::NoRights);
        }
        let address = lease.address.checked_add(at).ok_or(Error::BadAddress)?;
        Ok((space, address))
    }

    /// Operation CompareExchange.
    pub(crate) fn compare_exchange(&mut self, call: u64, words: [u64; 3]) -> Result<(), Error> {
        let [address, expected, new] = words;
        if !address.is_multiple_of(4) {
            return Err(Error::InvalidArgument);
        }
        let Cursor::Space(space, _) =
            self.cursor(Place::Caller as u64, call, address, 4, Direction::To)?
        else {
            return Err(Error::BadAddress);
        };
        let resolved = self.vm.resolve(space, address as usize, FaultAccess::Write);
        if resolved == Err(Error::PageMissing) {
            self.tell_missing(self.vm.missing_at(space, address as usize));
        }
        let frame = resolved?;
        let offset = address as usize % PAGE_SIZE;
        let was = self.vm.machine.compare_exchange(frame, offset, expected as u32, new as u32);
        let current = self.cpu.current;
        self.threads[current].registers.rdi = was as u64;
        Ok(())
    }

    /// Operation PortWrite.
    pub(crate) fn port_write(&mut self, port: u16, address: u64, len: u64) -> Result<(), Error> {
        let current = self.cpu.current;
        let space = self.threads[current].space.ok_or(Error::BadAddress)?;
        let len = len.min(PORT_WRITE_MAX as u64);
        if len == 0 {
            self.threads[current].registers.rdi = 0;
            return Ok(());
        }
        let end = address.checked_add(len).ok_or(Error::BadAddress)?;
        // Both pages before the first byte: what is written cannot be taken back.
        let frame = self.vm.resolve(space, address as usize, FaultAccess::Read)?;
        let last = self.vm.resolve(space, end as usize - 1, FaultAccess::Read)?;
        for at in address..end {
            let is_first = at / PAGE_SIZE as u64 == address / PAGE_SIZE as u64;
            let word = if is_first { frame } else { last };
            let word = self.vm.machine.load(word, at as usize % PAGE_SIZE / 8);
            let byte = (word >> (at % 8 * 8)) as u8;
            self.vm.machine.port_out(port, kamen_abi::PortWidth::Byte, byte as u32);
        }
        self.threads[current].registers.rdi = len;
        Ok(())
    }
}

mod quick;
#[cfg(test)]
mod tests;
