//! The file descriptors of a process.

use alloc::vec::Vec;

use crate::Errno;
use crate::kept::{CHUNK, Row, Tables, process as process_row};
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

impl Slot {
    /// Returns the slot as it is kept: the description's row, and in bit 31 whether exec closes it.
    fn word(&self) -> u64 {
        self.file.borrow().row().to_word() | u64::from(self.close_on_exec) << 31
    }
}

/// The descriptors of a process.
#[derive(Debug)]
pub struct Descriptors {
    kept: Words,
    slots: Vec<Option<Slot>>,
    /// One more than the highest number that may be taken (`RLIMIT_NOFILE`).
    limit: usize,
}

/// The descriptions of a process, by descriptor.
#[derive(Debug)]
pub struct Lent(Vec<Option<Slot>>);

impl Lent {
    /// Returns the description of a descriptor.
    #[inline]
    pub fn file(&self, number: u32) -> Option<&Description> {
        Some(&self.0.get(number as usize)?.as_ref()?.file)
    }
}

/// Descriptors that a process may have unless it asks for more (`INR_OPEN_CUR`).
pub const USUAL_DESCRIPTORS: usize = 1024;

impl Descriptors {
    /// Returns no descriptors, of the process in a row.
    pub fn new(tables: &'static Tables, process: Row) -> Self {
        let kept = Words { tables, process: Some(process), present: 0 };
        Descriptors { kept, slots: Vec::new(), limit: USUAL_DESCRIPTORS }
    }

    /// Returns the descriptors that an earlier life kept of a process, of whose descriptions
    /// `file` has those that could be kept.
    pub fn take_up(
        tables: &'static Tables,
        process: Row,
        file: impl Fn(Row) -> Option<Description>,
    ) -> Self {
        let mut all = Descriptors::new(tables, process);
        all.kept.find();
        for index in 0..MAX_DESCRIPTORS {
            let word = all.kept.get(index);
            let close_on_exec = word & CLOSES != 0;
            let slot = Row::from_word(word & !CLOSES).and_then(&file);
            if let Some(file) = slot {
                all.slots.resize(index + 1, None);
                all.slots[index] = Some(Slot { file, close_on_exec });
            } else if word != 0 {
                // There is a row for it.
                let _ = all.kept.put(index, 0);
            }
        }
        all
    }

    /// Returns the same descriptors for a child in another row.
    ///
    /// # Errors
    /// ENOMEM: there is no room in kept memory.
    pub fn of_child(&self, process: Row) -> Result<Self, Errno> {
        let mut child = Descriptors::new(self.kept.tables, process);
        child.limit = self.limit;
        for (number, slot) in self.iter() {
            child.kept.put(number as usize, slot.word())?;
        }
        child.slots.clone_from(&self.slots);
        Ok(child)
    }

    /// Sets what bounds new numbers; those above it that are in use stay.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit.min(MAX_DESCRIPTORS);
    }

    /// Lends all descriptions, for a look at many; until they are given back there are none.
    pub fn lend(&mut self) -> Lent {
        Lent(core::mem::take(&mut self.slots))
    }

    /// Takes the descriptions back.
    pub fn give_back(&mut self, lent: Lent) {
        self.slots = lent.0;
    }

    /// Returns one more than the highest number that may be taken.
    pub fn limit(&self) -> usize {
        self.limit
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

    /// Sets whether exec closes a descriptor.
    ///
    /// # Errors
    /// EBADF.
    pub fn set_close_on_exec(&mut self, number: u64, closes: bool) -> Result<(), Errno> {
        let index = usize::try_from(number as u32).map_err(|_| Errno::EBADF)?;
        let slot = self.slots.get_mut(index).and_then(Option::as_mut).ok_or(Errno::EBADF)?;
        slot.close_on_exec = closes;
        let word = slot.word();
        self.kept.put(index, word)
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
        self.kept.put(index, slot.word())?;
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
        let slot = self.slots.get_mut(index).and_then(Option::take).ok_or(Errno::EBADF)?;
        self.kept.put(index, 0)?;
        Ok(slot)
    }

    /// Takes out what exec closes.
    pub fn close_on_exec(&mut self) -> Vec<Slot> {
        let closing = self.iter().filter(|(_, slot)| slot.close_on_exec);
        let closing: Vec<u64> = closing.map(|(number, _)| number).collect();
        closing.into_iter().filter_map(|number| self.remove(number).ok()).collect()
    }

    /// Closes everything.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.kept.clear();
    }

    /// Closes everything, for good.
    pub fn give_up(&mut self) {
        self.clear();
        self.kept.process = None;
    }

    /// Returns the numbers in use with what they name.
    pub fn iter(&self) -> impl Iterator<Item = (u64, &Slot)> {
        self.slots
            .iter()
            .enumerate()
            .filter_map(|(number, slot)| Some((number as u64, slot.as_ref()?)))
    }

    /// Returns whether what is kept is what there is.
    pub fn is_kept(&self) -> bool {
        (0..MAX_DESCRIPTORS).all(|index| {
            let slot = self.slots.get(index).and_then(Option::as_ref);
            self.kept.get(index) == slot.map_or(0, Slot::word)
        })
    }
}

impl Drop for Descriptors {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Bit of a kept descriptor that exec closes.
const CLOSES: u64 = 1 << 31;

/// A process's descriptors in kept memory: a word each, in rows that its own row names.
#[derive(Clone, Copy, Debug)]
struct Words {
    tables: &'static Tables,
    /// The process's row, as long as it is the process's.
    process: Option<Row>,
    /// Which of the rows there are, a bit each.
    present: u64,
}

const _: () = assert!(process_row::DESCRIPTOR_ROWS <= 64, "a bit for each row");

impl Words {
    fn chunk(&self, index: usize) -> Option<Row> {
        if self.present & 1 << (index / CHUNK) == 0 {
            return None;
        }
        let field = process_row::DESCRIPTORS + index / CHUNK;
        Row::from_word(self.tables.processes.get(self.process?, field))
    }

    fn get(&self, index: usize) -> u64 {
        self.chunk(index).map_or(0, |row| self.tables.chunks.get(row, index % CHUNK))
    }

    /// Sets a word; ENFILE where there is no room for it, which there is where it was not 0.
    fn put(&mut self, index: usize, word: u64) -> Result<(), Errno> {
        let row = match self.chunk(index) {
            Some(row) => row,
            None => self.add_chunk(index)?,
        };
        self.tables.chunks.put(row, index % CHUNK, word);
        Ok(())
    }

    fn add_chunk(&mut self, index: usize) -> Result<Row, Errno> {
        let process = self.process.ok_or(Errno::ENFILE)?;
        let row = self.tables.chunks.take().ok_or(Errno::ENFILE)?;
        self.tables.chunks.put_all(row, 0, &[0; CHUNK]);
        let field = process_row::DESCRIPTORS + index / CHUNK;
        self.tables.processes.put(process, field, row.to_word());
        self.present |= 1 << (index / CHUNK);
        Ok(row)
    }

    fn clear(&mut self) {
        let Some(process) = self.process else { return };
        while self.present != 0 {
            let index = self.present.trailing_zeros() as usize;
            if let Some(row) = self.chunk(index * CHUNK) {
                self.tables.chunks.free(row);
            }
            self.tables.processes.put(process, process_row::DESCRIPTORS + index, 0);
            self.present &= self.present - 1;
        }
    }

    /// Finds the rows that an earlier life kept.
    fn find(&mut self) {
        let Some(process) = self.process else { return };
        let field = |index| self.tables.processes.get(process, process_row::DESCRIPTORS + index);
        self.present = (0..process_row::DESCRIPTOR_ROWS)
            .filter(|&index| field(index) != 0)
            .fold(0, |present, index| present | 1 << index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kept::Kept;
    use crate::open::{Device, Object, OpenFile};

    fn table() -> Descriptors {
        let tables = Kept::in_own_memory().tables;
        let process = tables.processes.take().unwrap();
        Descriptors::new(tables, process)
    }

    fn slot(table: &Descriptors) -> Slot {
        let object = Object::Device(Device::Null, None);
        let file = OpenFile::new(table.kept.tables, object, 0, Vec::new()).unwrap();
        Slot { file, close_on_exec: false }
    }

    fn add(table: &mut Descriptors, least: u64) -> Result<u64, Errno> {
        let slot = slot(table);
        table.add(least, slot)
    }

    fn put(table: &mut Descriptors, number: u64) -> Result<Option<Slot>, Errno> {
        let slot = slot(table);
        table.put(number, slot)
    }

    #[test]
    fn the_lowest_free_number_is_taken() {
        let mut table = table();
        assert_eq!(add(&mut table, 0), Ok(0));
        assert_eq!(add(&mut table, 0), Ok(1));
        assert_eq!(add(&mut table, 10), Ok(10));
        table.remove(0).unwrap();
        assert_eq!(add(&mut table, 0), Ok(0));
        assert_eq!(add(&mut table, 0), Ok(2));
    }

    #[test]
    fn bad_numbers_are_refused() {
        let mut table = table();
        assert_eq!(table.file(0).unwrap_err(), Errno::EBADF);
        assert_eq!(table.file(u64::MAX).unwrap_err(), Errno::EBADF);
        assert_eq!(table.remove(3).unwrap_err(), Errno::EBADF);
        assert_eq!(put(&mut table, USUAL_DESCRIPTORS as u64).unwrap_err(), Errno::EMFILE);
        assert_eq!(add(&mut table, u64::MAX), Err(Errno::EINVAL));
    }

    #[test]
    fn a_full_table_refuses() {
        let mut table = table();
        for _ in 0..USUAL_DESCRIPTORS {
            add(&mut table, 0).unwrap();
        }
        assert_eq!(add(&mut table, 0), Err(Errno::EMFILE));
    }

    #[test]
    fn exec_closes_what_asked_for_it() {
        let mut table = table();
        add(&mut table, 0).unwrap();
        let closing = Slot { close_on_exec: true, file: slot(&table).file };
        table.add(0, closing).unwrap();
        assert!(table.is_kept());
        table.close_on_exec();
        assert!(table.slot(0).is_ok() && table.slot(1).is_err() && table.is_kept());
    }

    #[test]
    fn a_lower_limit_keeps_what_is_above_it() {
        let mut table = table();
        put(&mut table, 9).unwrap();
        table.set_limit(2);
        assert!(table.slot(9).is_ok());
        assert_eq!(add(&mut table, 0), Ok(0));
        assert_eq!(add(&mut table, 0), Ok(1));
        assert_eq!(add(&mut table, 0), Err(Errno::EMFILE));
    }
}
