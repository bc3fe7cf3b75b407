//! EMS 4.0: the page frame, and INT 67h by AH.
//!
//! Four pages of 16 KiB are seen at D000. A page is copied into the frame when it is mapped and
//! out when it is not any more. One that is mapped in two places is one: the bus brings what is stored
//! in one of them to the other.
//!
//! Source: Lotus, Intel, Microsoft: Expanded Memory Specification 4.0 (1987); RBIL INT 67.

mod call;
mod exchange;
mod state;
mod system;

use alloc::vec::Vec;

use super::Extended;
use crate::cpu::HOST_SEGMENT;
use crate::host::Host;
use crate::session::Session;
use crate::{Bus, FarPointer};

/// Segment of the page frame.
pub(super) const FRAME: u16 = 0xd000;
/// Physical pages in it.
pub(super) const SLOTS: usize = 4;
/// Bytes of a page.
pub(super) const PAGE: usize = 0x4000;
const PAGE_KIB: usize = PAGE / super::KIB;
const PAGES: usize = super::POOL_KIB / PAGE_KIB;
const HANDLES: usize = 64;
/// A logical page that unmaps.
const NO_PAGE: u16 = 0xffff;
/// The device's header, by whose name programs know the driver.
const DEVICE: FarPointer = FarPointer::new(0xf600, 0);
const VECTOR: u8 = 0x67;

/// Errors, in AH.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum EmsError {
    Handle = 0x83,
    NoFunction = 0x84,
    NoHandles = 0x85,
    StateSaved = 0x86,
    TooManyPages = 0x87,
    NoPages = 0x88,
    ZeroPages = 0x89,
    LogicalPage = 0x8a,
    PhysicalPage = 0x8b,
    AlreadySaved = 0x8d,
    NotSaved = 0x8e,
    NoSubfunction = 0x8f,
    NotVolatile = 0x91,
    MovesOverlap = 0x92,
    PastBlock = 0x93,
    PastPage = 0x95,
    TooLong = 0x96,
    ExchangesOverlap = 0x97,
    MemoryType = 0x98,
    RegisterSet = 0x9c,
    NoName = 0xa0,
    /// The name is another handle's, or none.
    NameTaken = 0xa1,
    PastMemory = 0xa2,
    BadState = 0xa3,
    Denied = 0xa4,
}

type Answer = Result<(), EmsError>;

/// Which page is in each slot of the frame: handle and logical page.
type Map = [Option<(u16, u16)>; SLOTS];

#[derive(Default)]
struct Block {
    pages: Vec<Vec<u8>>,
    name: [u8; 8],
    saved: Option<Map>,
}

/// The driver's state.
#[derive(Default)]
pub(super) struct Ems {
    blocks: Vec<Option<Block>>,
    map: Map,
    system: system::System,
}

impl Ems {
    fn block(&mut self, handle: u16) -> Result<&mut Block, EmsError> {
        let block = self.blocks.get_mut(usize::from(handle)).and_then(Option::as_mut);
        block.ok_or(EmsError::Handle)
    }

    fn page(&mut self, handle: u16, page: u16) -> Result<&mut Vec<u8>, EmsError> {
        let pages = &mut self.block(handle)?.pages;
        pages.get_mut(usize::from(page)).ok_or(EmsError::LogicalPage)
    }

    /// Returns what a slot shows of a handle: a logical page, or with FFFF nothing.
    fn shown(&mut self, handle: u16, page: u16) -> Result<Option<(u16, u16)>, EmsError> {
        if page == NO_PAGE {
            return Ok(None);
        }
        self.page(handle, page)?;
        Ok(Some((handle, page)))
    }

    fn open_handles(&self) -> usize {
        self.blocks.iter().flatten().count()
    }
}

impl Extended {
    fn free_pages(&self) -> usize {
        self.free_kib / PAGE_KIB
    }

    fn allocate_pages(&mut self, count: usize) -> Result<Vec<Vec<u8>>, EmsError> {
        if count > PAGES {
            return Err(EmsError::TooManyPages);
        }
        let mut pages = Vec::new();
        for _ in 0..count {
            let Some(page) = self.allocate(PAGE_KIB) else {
                pages.into_iter().for_each(|page| self.release(page));
                return Err(EmsError::NoPages);
            };
            pages.push(page);
        }
        Ok(pages)
    }
}

/// Writes the device's header, and the vector to what follows it.
pub(super) fn install(bus: &mut Bus) {
    bus.write(DEVICE, &[0xff, 0xff, 0xff, 0xff, 0x00, 0xc0, 0x1a, 0x00, 0x1a, 0x00]);
    bus.write(DEVICE.add(0x0a), b"EMMXXXX0");
    let [low, high] = HOST_SEGMENT.to_le_bytes();
    // jmp far to the interrupt's stub; retf for DOS, should it call the device.
    bus.write(DEVICE.add(0x12), &[0xea, 0x9c, 0x01, low, high, 0x90, 0x90, 0x90, 0xcb]);
    bus.write_far(FarPointer::new(0, u16::from(VECTOR) * 4), DEVICE.add(0x12));
}

fn slot(index: usize) -> FarPointer {
    FarPointer::new(FRAME + (index * PAGE / 16) as u16, 0)
}

impl<H: Host> Session<H> {
    /// INT 67h.
    pub(crate) fn expanded_memory(&mut self) {
        self.bus.reflect();
        let answer = match self.ah() {
            0x40 => Ok(()),
            0x41 => {
                self.set_bx(FRAME);
                Ok(())
            }
            0x42 => self.count_pages(),
            0x43 => self.allocate_ems(self.bx().into(), Least::One),
            0x44 => self.map_page(usize::from(self.al()), self.bx(), self.dx()),
            0x45 => self.free_ems(),
            0x46 => {
                self.set_al(0x40);
                Ok(())
            }
            0x47 => self.save_map(),
            0x48 => self.restore_map(),
            0x4b => {
                let count = self.extended.ems.open_handles() as u16;
                self.set_bx(count);
                Ok(())
            }
            0x4c => self.count_pages_of_handle(),
            0x4d => self.list_handles(),
            0x4e => self.page_map(),
            0x4f => self.partial_map(),
            0x50 => self.map_pages(),
            0x51 => self.resize_ems(),
            0x52 => self.handle_attribute(),
            0x53 => self.handle_name(),
            0x54 => self.handle_directory(),
            0x55 => self.map_and_jump(),
            0x56 => self.map_and_call(),
            0x57 => self.exchange_memory(),
            0x58 => self.list_slots(),
            0x59 => self.hardware_information(),
            0x5a if self.al() <= 1 => self.allocate_ems(self.bx().into(), Least::None),
            0x5a => Err(EmsError::NoSubfunction),
            0x5b => self.register_sets(),
            0x5c => Ok(()),
            0x5d => self.system_functions(),
            _ => Err(EmsError::NoFunction),
        };
        self.answer_ems(answer);
        self.mirror_frame();
    }

    /// Says which slots show the same page.
    pub(super) fn mirror_frame(&mut self) {
        let map = self.extended.ems.map;
        let places = |page: &Option<(u16, u16)>| -> Vec<usize> {
            let same = (0..SLOTS).filter(|index| page.is_some() && map[*index] == *page);
            same.map(|index| slot(index).linear()).collect()
        };
        let firsts = (0..SLOTS).filter(|index| !map[..*index].contains(&map[*index]));
        let groups = firsts.map(|index| places(&map[index])).filter(|group| group.len() > 1);
        self.bus.mirror(groups.collect(), PAGE);
    }

    /// Tells in AH how a function ended.
    fn answer_ems(&mut self, answer: Answer) {
        let status = answer.err().map_or(0, |error| error as u16);
        self.set_ax(self.ax() & 0xff | status << 8);
    }

    fn count_pages(&mut self) -> Answer {
        let free = self.extended.free_pages() as u16;
        self.set_bx(free);
        self.set_dx(PAGES as u16);
        Ok(())
    }

    fn allocate_ems(&mut self, count: usize, least: Least) -> Answer {
        if count == 0 && least == Least::One {
            return Err(EmsError::ZeroPages);
        }
        if self.extended.ems.open_handles() == HANDLES {
            return Err(EmsError::NoHandles);
        }
        let pages = self.extended.allocate_pages(count)?;
        let blocks = &mut self.extended.ems.blocks;
        if blocks.is_empty() {
            // Handle 0 is the system's; there are no pages of its own.
            blocks.push(Some(Block::default()));
        }
        let place = blocks.iter().position(Option::is_none).unwrap_or(blocks.len());
        if place == blocks.len() {
            blocks.push(None);
        }
        blocks[place] = Some(Block { pages, ..Block::default() });
        self.set_dx(place as u16);
        Ok(())
    }

    fn free_ems(&mut self) -> Answer {
        let handle = self.dx();
        if self.extended.ems.block(handle)?.saved.is_some() {
            return Err(EmsError::StateSaved);
        }
        self.unmap_handle(handle);
        let pages = core::mem::take(&mut self.extended.ems.block(handle)?.pages);
        pages.into_iter().for_each(|page| self.extended.release(page));
        if handle != 0 {
            self.extended.ems.blocks[usize::from(handle)] = None;
        }
        Ok(())
    }

    fn resize_ems(&mut self) -> Answer {
        let (handle, count) = (self.dx(), usize::from(self.bx()));
        self.write_frame_back();
        let had = self.extended.ems.block(handle)?.pages.len();
        if count > had {
            self.set_bx(had as u16);
            let more = self.extended.allocate_pages(count - had)?;
            self.set_bx(count as u16);
            self.extended.ems.block(handle)?.pages.extend(more);
        } else {
            let gone = self.extended.ems.block(handle)?.pages.split_off(count);
            gone.into_iter().for_each(|page| self.extended.release(page));
            for place in &mut self.extended.ems.map {
                if place.is_some_and(|(of, page)| of == handle && usize::from(page) >= count) {
                    *place = None;
                }
            }
        }
        Ok(())
    }

    fn count_pages_of_handle(&mut self) -> Answer {
        let handle = self.dx();
        let count = self.extended.ems.block(handle)?.pages.len() as u16;
        self.set_bx(count);
        Ok(())
    }

    /// Puts a logical page into a slot, or with FFFF nothing.
    fn map_page(&mut self, index: usize, page: u16, handle: u16) -> Answer {
        self.extended.ems.block(handle)?;
        if index >= SLOTS {
            return Err(EmsError::PhysicalPage);
        }
        let new = self.extended.ems.shown(handle, page)?;
        self.load_slot(index, new);
        Ok(())
    }

    /// Writes a slot's page back and shows another one there.
    fn load_slot(&mut self, index: usize, new: Option<(u16, u16)>) {
        // What another slot shows of the page is newer than the page.
        for other in 0..SLOTS {
            if other == index || new.is_some() && self.extended.ems.map[other] == new {
                self.write_slot_back(other);
            }
        }
        self.extended.ems.map[index] = new;
        let Some(bytes) = self.bus.slice_mut(slot(index), PAGE) else { return };
        match new.map(|(handle, page)| self.extended.ems.page(handle, page)) {
            Some(Ok(page)) => bytes.copy_from_slice(page),
            Some(Err(_)) | None => bytes.fill(0xff),
        }
    }

    fn write_slot_back(&mut self, index: usize) {
        if let Some((handle, page)) = self.extended.ems.map[index]
            && let Ok(page) = self.extended.ems.page(handle, page)
            && let Some(bytes) = self.bus.slice(slot(index), PAGE)
        {
            page.copy_from_slice(bytes);
        }
    }

    /// Brings the pages that are in the frame up to date.
    fn write_frame_back(&mut self) {
        (0..SLOTS).for_each(|index| self.write_slot_back(index));
    }

    fn load_map(&mut self, map: Map) {
        for (index, new) in map.into_iter().enumerate() {
            if self.extended.ems.map[index] != new {
                self.load_slot(index, new);
            }
        }
    }

    fn unmap_handle(&mut self, handle: u16) {
        for place in &mut self.extended.ems.map {
            if place.is_some_and(|(of, _)| of == handle) {
                *place = None;
            }
        }
    }
}

/// Fewest pages of an allocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Least {
    None,
    One,
}
