//! The file descriptors of a process.

use alloc::vec::Vec;

use crate::Errno;
use crate::open::Description;

/// Most descriptors of a process, whatever its limit: what a table of them may cost this server
/// (Linux: `INR_OPEN_MAX`, 4096, as the hard limit of its first process).
pub const MAX_DESCRIPTORS: usize = 4096;

/// One descriptor.
#[derive(Clone, Debug)]
pub struct Slot {
    /// What it names.
    pub file: Description,
    /// Whether exec closes it.
    pub close_on_exec: bool,
}

/// The descriptors of a process.
#[derive(Clone, Debug)]
pub struct Descriptors {
    slots: Vec<Option<Slot>>,
    /// One more than the highest number that may be taken (`RLIMIT_NOFILE`).
    limit: usize,
}

/// Descriptors that a process may have unless it asks for more (`INR_OPEN_CUR`).
pub const USUAL_DESCRIPTORS: usize = 1024;

impl Default for Descriptors {
    fn default() -> Self {
        Descriptors { slots: Vec::new(), limit: USUAL_DESCRIPTORS }
    }
}

impl Descriptors {
    /// Sets what bounds new numbers; those above it that are in use stay.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit.min(MAX_DESCRIPTORS);
    }

    /// Returns the description of a descriptor.
    ///
    /// # Errors
    /// EBADF.
    pub fn file(&self, number: u64) -> Result<Description, Errno> {
        Ok(self.slot(number)?.file.clone())
    }

    /// Returns a descriptor's slot.
    ///
    /// # Errors
    /// EBADF.
    pub fn slot(&self, number: u64) -> Result<&Slot, Errno> {
        let index = usize::try_from(number as u32).map_err(|_| Errno::EBADF)?;
        self.slots.get(index).and_then(Option::as_ref).ok_or(Errno::EBADF)
    }

    /// Returns a descriptor's slot, to be changed.
    ///
    /// # Errors
    /// EBADF.
    pub fn slot_mut(&mut self, number: u64) -> Result<&mut Slot, Errno> {
        let index = usize::try_from(number as u32).map_err(|_| Errno::EBADF)?;
        self.slots.get_mut(index).and_then(Option::as_mut).ok_or(Errno::EBADF)
    }

    /// Puts a description into the lowest free slot from `least` on; returns its number.
    ///
    /// # Errors
    /// EMFILE; EINVAL: `least` is beyond the table.
    pub fn add(&mut self, least: u64, slot: Slot) -> Result<u64, Errno> {
        if least >= self.limit as u64 {
            return Err(Errno::EINVAL);
        }
        let least = least as usize;
        let free = (least..self.slots.len()).find(|&index| self.slots[index].is_none());
        let index = free.unwrap_or(self.slots.len().max(least));
        self.put(index as u64, slot)?;
        Ok(index as u64)
    }

    /// Returns whether one more descriptor fits.
    pub fn has_room(&self) -> bool {
        self.slots.len() < self.limit || self.slots.iter().take(self.limit).any(Option::is_none)
    }

    /// Puts a description into a slot and returns what was there.
    ///
    /// # Errors
    /// EMFILE.
    pub fn put(&mut self, number: u64, slot: Slot) -> Result<Option<Slot>, Errno> {
        if number >= self.limit as u64 {
            return Err(Errno::EMFILE);
        }
        let index = number as usize;
        if self.slots.len() <= index {
            self.slots.resize(index + 1, None);
        }
        Ok(self.slots[index].replace(slot))
    }

    /// Empties a slot and returns what was in it.
    ///
    /// # Errors
    /// EBADF.
    pub fn remove(&mut self, number: u64) -> Result<Slot, Errno> {
        let index = usize::try_from(number as u32).map_err(|_| Errno::EBADF)?;
        self.slots.get_mut(index).and_then(Option::take).ok_or(Errno::EBADF)
    }

    /// Takes out what exec closes.
    pub fn close_on_exec(&mut self) -> Vec<Slot> {
        let closes = |slot: &mut Option<Slot>| slot.take_if(|slot| slot.close_on_exec);
        self.slots.iter_mut().filter_map(closes).collect()
    }

    /// Closes everything.
    pub fn clear(&mut self) {
        self.slots.clear();
    }

    /// Returns the numbers in use with what they name.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Slot)> {
        self.slots
            .iter()
            .enumerate()
            .filter_map(|(number, slot)| Some((number as u64, slot.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open::{Device, Object, OpenFile};

    fn slot() -> Slot {
        let file = OpenFile::new(Object::Device(Device::Null, None), 0, Vec::new());
        Slot { file, close_on_exec: false }
    }

    #[test]
    fn the_lowest_free_number_is_taken() {
        let mut table = Descriptors::default();
        assert_eq!(table.add(0, slot()), Ok(0));
        assert_eq!(table.add(0, slot()), Ok(1));
        assert_eq!(table.add(10, slot()), Ok(10));
        table.remove(0).unwrap();
        assert_eq!(table.add(0, slot()), Ok(0));
        assert_eq!(table.add(0, slot()), Ok(2));
    }

    #[test]
    fn bad_numbers_are_refused() {
        let mut table = Descriptors::default();
        assert_eq!(table.file(0).unwrap_err(), Errno::EBADF);
        assert_eq!(table.file(u64::MAX).unwrap_err(), Errno::EBADF);
        assert_eq!(table.remove(3).unwrap_err(), Errno::EBADF);
        assert_eq!(table.put(USUAL_DESCRIPTORS as u64, slot()).unwrap_err(), Errno::EMFILE);
        assert_eq!(table.add(u64::MAX, slot()), Err(Errno::EINVAL));
    }

    #[test]
    fn a_full_table_refuses() {
        let mut table = Descriptors::default();
        for _ in 0..USUAL_DESCRIPTORS {
            table.add(0, slot()).unwrap();
        }
        assert_eq!(table.add(0, slot()), Err(Errno::EMFILE));
    }

    #[test]
    fn exec_closes_what_asked_for_it() {
        let mut table = Descriptors::default();
        table.add(0, slot()).unwrap();
        table.add(0, Slot { close_on_exec: true, ..slot() }).unwrap();
        table.close_on_exec();
        assert!(table.slot(0).is_ok() && table.slot(1).is_err());
    }

    #[test]
    fn a_lower_limit_keeps_what_is_above_it() {
        let mut table = Descriptors::default();
        table.put(9, slot()).unwrap();
        table.set_limit(2);
        assert!(table.slot(9).is_ok());
        assert_eq!(table.add(0, slot()), Ok(0));
        assert_eq!(table.add(0, slot()), Ok(1));
        assert_eq!(table.add(0, slot()), Err(Errno::EMFILE));
    }
}
