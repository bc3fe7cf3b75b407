//! Tables of records in kept memory: rows of words under numbers, without pointers.
//!
//! ```text
//!   word 0   rows that were ever used    1   1 + first free row, 0: none    2   rows in use
//!   row:     generation << 32 | (IN_USE, or the next free row as in word 1)    fields …
//! ```
//!
//! A row that is given back gets another generation, so that an old [`Row`] is not taken for its
//! successor. Rows that were never used are not touched: a large table costs what is in it.

use crate::kept::store::{Guard, Living, Store};

const FRESH: usize = 0;
const FREE: usize = 1;
/// Not undone with a transaction: each life counts anew.
const USED: usize = 2;
/// Words of a table besides its rows.
const HEADER: usize = 3;
/// In place of the next free row.
const IN_USE: u64 = u32::MAX as u64;

/// Names a row for as long as it is in use.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Row {
    /// Its place.
    pub index: u32,
    /// How often the place was given back before.
    pub generation: u32,
}

impl Row {
    /// Returns the row as a word other than 0.
    pub const fn to_word(self) -> u64 {
        (self.generation as u64) << 32 | (self.index as u64 + 1)
    }

    /// Returns the row of a word; nothing for 0.
    pub const fn from_word(word: u64) -> Option<Row> {
        match word as u32 {
            0 => None,
            next => Some(Row { index: next - 1, generation: (word >> 32) as u32 }),
        }
    }
}

/// A table of rows of so many fields each.
#[derive(Debug)]
pub struct Table<G = Living> {
    store: Store<G>,
    base: usize,
    rows: u32,
    fields: usize,
}

impl<G> Clone for Table<G> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<G> Copy for Table<G> {}

/// Returns how many words a table takes.
pub const fn words(rows: u32, fields: usize) -> usize {
    HEADER + rows as usize * (1 + fields)
}

impl<G: Guard> Table<G> {
    /// Returns the table that begins at a word of the store.
    pub const fn new(store: Store<G>, base: usize, rows: u32, fields: usize) -> Self {
        Table { store, base, rows, fields }
    }

    /// Returns the word after the table.
    pub const fn end(&self) -> usize {
        self.base + words(self.rows, self.fields)
    }

    /// Takes a free row; its fields are whatever they were. Nothing where all are in use.
    pub fn take(&self) -> Option<Row> {
        let index = match self.store.get(self.base + FREE) {
            0 => {
                let fresh = self.store.get(self.base + FRESH);
                if fresh >= u64::from(self.rows) {
                    return None;
                }
                self.store.put(self.base + FRESH, fresh + 1);
                fresh as u32
            }
            next => {
                let index = next as u32 - 1;
                self.store.put(self.base + FREE, self.head(index) & IN_USE);
                index
            }
        };
        let generation = self.head(index) >> 32;
        self.store.put(self.place(index), generation << 32 | IN_USE);
        self.store.set(self.base + USED, self.len() as u64 + 1);
        Some(Row { index, generation: generation as u32 })
    }

    /// Gives a row back.
    pub fn free(&self, row: Row) {
        if !self.has(row) {
            return;
        }
        let next = self.store.get(self.base + FREE);
        let generation = u64::from(row.generation.wrapping_add(1));
        self.store.put(self.place(row.index), generation << 32 | next);
        self.store.put(self.base + FREE, u64::from(row.index) + 1);
        self.store.set(self.base + USED, (self.len() as u64).saturating_sub(1));
    }

    /// Gives all rows back, whatever is in them.
    pub fn clear(&self) {
        for word in [FRESH, FREE] {
            self.store.put(self.base + word, 0);
        }
        self.store.set(self.base + USED, 0);
    }

    /// Counts the rows in use, when a life begins.
    pub fn recount(&self) {
        self.store.set(self.base + USED, self.rows().count() as u64);
    }

    /// Returns whether a row is in use.
    pub fn has(&self, row: Row) -> bool {
        row.index < self.rows && self.head(row.index) == u64::from(row.generation) << 32 | IN_USE
    }

    /// Returns a field of a row, whether it is in use or not.
    #[inline(always)]
    pub fn get(&self, row: Row, field: usize) -> u64 {
        self.store.get(self.field(row, field))
    }

    /// Changes a field of a row, within a transaction.
    #[inline]
    pub fn put(&self, row: Row, field: usize, value: u64) {
        self.store.put(self.field(row, field), value);
    }

    /// Changes fields from one on.
    pub fn put_all(&self, row: Row, from: usize, values: &[u64]) {
        debug_assert!(from + values.len() <= self.fields);
        self.store.put_all(self.field(row, from), values);
    }

    /// Returns the word in the store at which a field of a row lies.
    #[inline(always)]
    pub fn field(&self, row: Row, field: usize) -> usize {
        debug_assert!(field < self.fields && row.index < self.rows);
        self.place(row.index) + 1 + field
    }

    /// Returns the number of rows in use, as it was counted since [`Table::recount`].
    #[inline]
    pub fn len(&self) -> usize {
        self.store.get(self.base + USED) as usize
    }

    /// Returns how many words the transaction has changed, of all tables.
    #[inline]
    pub fn changes(&self) -> usize {
        self.store.entries()
    }

    /// Returns whether no row is in use.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the rows in use.
    pub fn rows(&self) -> impl Iterator<Item = Row> + use<'_, G> {
        let fresh = self.store.get(self.base + FRESH).min(self.rows.into());
        let head = |index: u32| (index, self.head(index));
        let used = (0..fresh as u32).map(head).filter(|(_, head)| head & IN_USE == IN_USE);
        used.map(|(index, head)| Row { index, generation: (head >> 32) as u32 })
    }

    /// Returns whether the table agrees with itself: each row that was ever used is in use or in
    /// the list of free ones, once.
    pub fn is_sound(&self) -> bool {
        let fresh = self.store.get(self.base + FRESH);
        let (mut next, mut free) = (self.store.get(self.base + FREE), 0);
        while next != 0 {
            let index = next - 1;
            if index >= fresh || free > fresh || self.head(index as u32) & IN_USE == IN_USE {
                return false;
            }
            next = self.head(index as u32) & IN_USE;
            free += 1;
        }
        let used = self.rows().count();
        fresh <= u64::from(self.rows) && used == self.len() && used as u64 + free == fresh
    }

    fn place(&self, index: u32) -> usize {
        self.base + HEADER + index as usize * (1 + self.fields)
    }

    fn head(&self, index: u32) -> u64 {
        self.store.get(self.place(index))
    }
}
