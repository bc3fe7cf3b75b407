//! EMS: maps that are saved and restored, and what is told about handles and slots.

use super::{Answer, EmsError, FRAME, HANDLES, Map, NO_PAGE, PAGE, PAGES, SLOTS};
use crate::FarPointer;
use crate::host::Host;
use crate::session::Session;

/// Bytes of a map in a program's memory: handle and page of each slot, a sum over them.
pub(super) const MAP_BYTES: usize = SLOTS * 4 + 2;

/// The handle of a slot that a partial map leaves as it is.
const NOT_KEPT: u16 = 0xfffe;

/// What a program keeps of a map: nothing of some slots.
type Kept = [Option<Option<(u16, u16)>>; SLOTS];

/// Returns a map as programs keep it.
fn to_bytes(kept: &Kept) -> [u8; MAP_BYTES] {
    let mut bytes = [0; MAP_BYTES];
    for (place, entry) in bytes.chunks_exact_mut(4).zip(kept) {
        let entry = entry.map(|shown| shown.unwrap_or((NO_PAGE, NO_PAGE)));
        let (handle, page) = entry.unwrap_or((NOT_KEPT, NO_PAGE));
        place[..2].copy_from_slice(&handle.to_le_bytes());
        place[2..].copy_from_slice(&page.to_le_bytes());
    }
    let sum = sum(&bytes[..SLOTS * 4]);
    bytes[SLOTS * 4..].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// Returns the map that a program kept, unless it is none.
fn from_bytes(bytes: &[u8; MAP_BYTES]) -> Result<Kept, EmsError> {
    let word = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    if sum(&bytes[..SLOTS * 4]) != word(SLOTS * 4) {
        return Err(EmsError::BadState);
    }
    let mut kept = Kept::default();
    for (index, place) in kept.iter_mut().enumerate() {
        let (handle, page) = (word(index * 4), word(index * 4 + 2));
        *place = (handle != NOT_KEPT).then_some((page != NO_PAGE).then_some((handle, page)));
    }
    Ok(kept)
}

fn sum(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0x4d45, |sum: u16, byte| sum.rotate_left(1) ^ u16::from(*byte))
}

impl<H: Host> Session<H> {
    pub(super) fn save_map(&mut self) -> Answer {
        let (handle, map) = (self.dx(), self.extended.ems.map);
        let block = self.extended.ems.block(handle)?;
        if block.saved.is_some() {
            return Err(EmsError::AlreadySaved);
        }
        block.saved = Some(map);
        Ok(())
    }

    pub(super) fn restore_map(&mut self) -> Answer {
        let handle = self.dx();
        let map = self.extended.ems.block(handle)?.saved.take().ok_or(EmsError::NotSaved)?;
        self.load_map(map);
        Ok(())
    }

    /// AH=4D: handle and pages of each at ES:DI.
    pub(super) fn list_handles(&mut self) -> Answer {
        let at = self.es_di();
        let mut count = 0;
        for handle in 0..=HANDLES as u16 {
            let Ok(block) = self.extended.ems.block(handle) else { continue };
            let pages = block.pages.len() as u16;
            self.bus.write16(at.add(count * 4), handle);
            self.bus.write16(at.add(count * 4 + 2), pages);
            count += 1;
        }
        self.set_bx(count);
        Ok(())
    }

    /// AH=4E: the map to ES:DI, from DS:SI, both, or its size.
    pub(super) fn page_map(&mut self) -> Answer {
        let (function, from, to) = (self.al(), self.ds_si(), self.es_di());
        if function > 3 {
            return Err(EmsError::NoSubfunction);
        }
        if function == 3 {
            self.set_al(MAP_BYTES as u8);
            return Ok(());
        }
        let new = if function >= 1 { Some(self.read_map(from)?) } else { None };
        if function != 1 {
            let bytes = to_bytes(&self.extended.ems.map.map(Some));
            self.bus.write(to, &bytes);
        }
        if let Some(map) = new {
            self.load_map(map);
        }
        Ok(())
    }

    /// AH=4F: the same of some slots, whose segments DS:SI lists; the others stay.
    pub(super) fn partial_map(&mut self) -> Answer {
        match self.al() {
            0 => {
                let (list, to) = (self.ds_si(), self.es_di());
                let count = self.bus.read16(list);
                if usize::from(count) > SLOTS {
                    return Err(EmsError::BadState);
                }
                let mut kept = Kept::default();
                for place in 0..count {
                    let index = slot_of(self.bus.read16(list.add(2 + place * 2)))?;
                    kept[index] = Some(self.extended.ems.map[index]);
                }
                self.bus.write(to, &to_bytes(&kept));
                Ok(())
            }
            1 => {
                let map = self.read_map(self.ds_si())?;
                self.load_map(map);
                Ok(())
            }
            2 if usize::from(self.bx()) > SLOTS => Err(EmsError::PhysicalPage),
            2 => {
                self.set_al(MAP_BYTES as u8);
                Ok(())
            }
            _ => Err(EmsError::NoSubfunction),
        }
    }

    /// Returns the map as it is with what a program kept of one.
    pub(super) fn read_map(&mut self, at: FarPointer) -> Result<Map, EmsError> {
        let mut bytes = [0; MAP_BYTES];
        self.bus.read(at, &mut bytes);
        let mut map = self.extended.ems.map;
        for (slot, kept) in map.iter_mut().zip(from_bytes(&bytes)?) {
            *slot = kept.unwrap_or(*slot);
        }
        Ok(map)
    }

    /// AH=50: CX pairs of logical page and slot, by number or segment, at DS:SI.
    pub(super) fn map_pages(&mut self) -> Answer {
        if self.al() > 1 {
            return Err(EmsError::NoSubfunction);
        }
        self.map_pairs(self.ds_si(), self.cx(), self.al(), self.dx())
    }

    /// Maps pairs of logical page and slot, all of them or none.
    pub(super) fn map_pairs(
        &mut self,
        at: FarPointer,
        count: u16,
        function: u8,
        handle: u16,
    ) -> Answer {
        self.extended.ems.block(handle)?;
        let mut map = self.extended.ems.map;
        for place in 0..count {
            let pair = at.add(place.wrapping_mul(4));
            let (page, slot) = (self.bus.read16(pair), self.bus.read16(pair.add(2)));
            let index = if function == 0 { slot.into() } else { slot_of(slot)? };
            let shown = map.get_mut(index).ok_or(EmsError::PhysicalPage)?;
            *shown = self.extended.ems.shown(handle, page)?;
        }
        self.load_map(map);
        Ok(())
    }

    /// AH=52: no handle survives a restart.
    pub(super) fn handle_attribute(&mut self) -> Answer {
        let handle = self.dx();
        match self.al() {
            0 => {
                self.extended.ems.block(handle)?;
                self.set_al(0);
                Ok(())
            }
            1 if self.bl() == 0 => self.extended.ems.block(handle).map(drop),
            1 => Err(EmsError::NotVolatile),
            2 => {
                self.set_al(0);
                Ok(())
            }
            _ => Err(EmsError::NoSubfunction),
        }
    }

    /// AH=53: a handle's name to ES:DI or from DS:SI.
    pub(super) fn handle_name(&mut self) -> Answer {
        let handle = self.dx();
        match self.al() {
            0 => {
                let name = self.extended.ems.block(handle)?.name;
                let at = self.es_di();
                self.bus.write(at, &name);
                Ok(())
            }
            1 => {
                let mut name = [0; 8];
                self.bus.read(self.ds_si(), &mut name);
                self.extended.ems.block(handle)?;
                let taken = self.handle_of(&name).is_some_and(|other| other != handle);
                if name != [0; 8] && taken {
                    return Err(EmsError::NameTaken);
                }
                self.extended.ems.block(handle)?.name = name;
                Ok(())
            }
            _ => Err(EmsError::NoSubfunction),
        }
    }

    /// AH=54: all handles and names to ES:DI, the handle of a name, how many there can be.
    pub(super) fn handle_directory(&mut self) -> Answer {
        match self.al() {
            0 => {
                let at = self.es_di();
                let mut count = 0;
                for handle in 0..=HANDLES as u16 {
                    let Ok(block) = self.extended.ems.block(handle) else { continue };
                    let name = block.name;
                    self.bus.write16(at.add(count * 10), handle);
                    self.bus.write(at.add(count * 10 + 2), &name);
                    count += 1;
                }
                self.set_al(count as u8);
                Ok(())
            }
            1 => {
                let mut name = [0; 8];
                self.bus.read(self.ds_si(), &mut name);
                if name == [0; 8] {
                    return Err(EmsError::NameTaken);
                }
                let handle = self.handle_of(&name).ok_or(EmsError::NoName)?;
                self.set_dx(handle);
                Ok(())
            }
            2 => {
                self.set_bx(HANDLES as u16);
                Ok(())
            }
            _ => Err(EmsError::NoSubfunction),
        }
    }

    fn handle_of(&mut self, name: &[u8; 8]) -> Option<u16> {
        let blocks = &self.extended.ems.blocks;
        let place = blocks.iter().position(|block| {
            block.as_ref().is_some_and(|block| block.name == *name && *name != [0; 8])
        });
        place.map(|place| place as u16)
    }

    /// AH=58: segment and number of each slot at ES:DI.
    pub(super) fn list_slots(&mut self) -> Answer {
        let at = self.es_di();
        if self.al() > 1 {
            return Err(EmsError::NoSubfunction);
        }
        if self.al() == 0 {
            for index in 0..SLOTS as u16 {
                self.bus.write16(at.add(index * 4), FRAME + index * (PAGE / 16) as u16);
                self.bus.write16(at.add(index * 4 + 2), index);
            }
        }
        self.set_cx(SLOTS as u16);
        Ok(())
    }

    /// AH=59: raw pages are pages; there are no other sets of registers.
    pub(super) fn hardware_information(&mut self) -> Answer {
        match self.al() {
            0 => {
                self.check_system_functions()?;
                let at = self.es_di();
                let words = [(PAGE / 16) as u16, 0, MAP_BYTES as u16, 0, 0];
                for (place, word) in (0..).zip(words) {
                    self.bus.write16(at.add(place * 2), word);
                }
                Ok(())
            }
            1 => {
                let free = self.extended.free_pages() as u16;
                self.set_bx(free);
                self.set_dx(PAGES as u16);
                Ok(())
            }
            _ => Err(EmsError::NoSubfunction),
        }
    }
}

fn slot_of(segment: u16) -> Result<usize, EmsError> {
    let distance = usize::from(segment.wrapping_sub(FRAME)) * 16;
    let index = distance / PAGE;
    if distance % PAGE == 0 && index < SLOTS { Ok(index) } else { Err(EmsError::PhysicalPage) }
}

#[cfg(test)]
mod tests {
    use super::{from_bytes, to_bytes};

    #[test]
    fn a_kept_map_is_known_and_a_spoilt_one_refused() {
        let kept = [Some(Some((1, 2))), Some(None), None, Some(Some((3, 0)))];
        let mut bytes = to_bytes(&kept);
        assert_eq!(from_bytes(&bytes), Ok(kept));
        bytes[0] ^= 1;
        assert!(from_bytes(&bytes).is_err());
    }
}
