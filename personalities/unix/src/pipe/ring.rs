//! What pipes hold, in kept memory: a row of numbers and a ring of bytes each.
//!
//! ```text
//!   row:    id · start << 32 | length of what it holds · capacity · writers it ever had · node ·
//!           page of the pool where its ring is · owner's user | group << 32
//!   pool:   bytes, in pages (`pool`)
//! ```
//!
//! Bytes are put where nothing is, and one word says that they are there; the same word takes them
//! out. So they are there or not, whenever a life ends. What was taken out is overwritten by
//! later transactions only. A pipe that becomes empty begins at its ring's beginning, so that
//! small messages touch one page.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use crate::Errno;
use crate::kept::{Kept, Row, Table};
use crate::path::Node;
use crate::pipe::pool::{PAGE, Pool};
use crate::pipe::{CAPACITY, Direction, End, MAX_PIPES, Owner, SCARCE_CAPACITY, WeakPipe};
use crate::wake::{Channel, Wakes};

/// Fields of a pipe's row.
pub(crate) mod fields {
    /// Its number.
    pub const ID: usize = 0;
    /// Where what it holds begins, and how long that is.
    pub const SPAN: usize = 1;
    /// How much it may hold.
    pub const CAPACITY: usize = 2;
    /// How many ends to write there ever were.
    pub const HAD_WRITERS: usize = 3;
    /// The node of a named pipe; 0: none.
    pub const NODE: usize = 4;
    /// The page where its ring begins.
    pub const PLACE: usize = 5;
    /// Whom an unnamed pipe belongs to.
    pub const OWNER: usize = 6;
    /// How many there are.
    pub const COUNT: usize = 7;
}

/// How many ends a pipe has.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Ends {
    pub readers: u32,
    pub writers: u32,
}

/// Where what a pipe holds lies, in the memory of all pipes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ring {
    /// The ring's first byte.
    pub place: usize,
    /// Its length.
    pub capacity: usize,
    /// Where in it what it holds begins.
    pub start: usize,
    /// How much it holds.
    pub len: usize,
}

impl Ring {
    /// Returns how much more it can hold.
    pub fn room(&self) -> usize {
        self.capacity - self.len
    }
}

/// All pipes; a handle that is copied to each end.
#[derive(Clone, Debug)]
pub struct Pipes(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    table: Table,
    rings: RefCell<&'static mut [u8]>,
    pool: RefCell<Pool>,
    ends: [Cell<Ends>; MAX_PIPES],
    wakes: Wakes,
}

impl Pipes {
    /// Returns the pipes that are kept, none of which has an end yet.
    pub fn new(kept: &mut Kept, wakes: &Wakes) -> Self {
        let rings = core::mem::take(&mut kept.rings);
        let mut pool = Pool::new(rings.len());
        for row in kept.tables.pipes.rows() {
            let field = |field| kept.tables.pipes.get(row, field) as usize;
            pool.mark(field(fields::PLACE), field(fields::CAPACITY));
        }
        let (rings, pool) = (RefCell::new(rings), RefCell::new(pool));
        let ends = [const { Cell::new(Ends { readers: 0, writers: 0 }) }; MAX_PIPES];
        Pipes(Rc::new(Inner { table: kept.tables.pipes, rings, pool, ends, wakes: wakes.clone() }))
    }

    /// Returns how many there are.
    pub fn count(&self) -> usize {
        self.0.table.len()
    }

    /// Returns whether three quarters of what there may be are in use, of pipes or their bytes.
    pub fn are_scarce(&self) -> bool {
        self.count() >= MAX_PIPES - MAX_PIPES / 4 || self.0.pool.borrow().is_nearly_used()
    }

    /// Returns whether there may be one more.
    pub fn has_room(&self) -> bool {
        self.count() < MAX_PIPES
    }

    pub(super) fn make(&self, id: u64, node: Option<Node>, owner: Owner) -> Result<Row, Errno> {
        let mut pool = self.0.pool.borrow_mut();
        // What Linux does to users who have many (pipe(7), "pipe-user-pages-soft").
        let capacity = if pool.is_scarce() { SCARCE_CAPACITY } else { CAPACITY };
        let row = self.0.table.take().ok_or(Errno::ENFILE)?;
        let Ok(place) = pool.take(capacity) else {
            self.0.table.free(row);
            return Err(Errno::ENFILE);
        };
        let node = node.map_or(0, |node| node.0);
        let owner = u64::from(owner.gid) << 32 | u64::from(owner.uid);
        self.0.table.put_all(row, 0, &[id, 0, capacity as u64, 0, node, place as u64, owner]);
        self.slot(row).set(Ends::default());
        Ok(row)
    }

    /// Returns an end of a pipe that an earlier life had open.
    pub(crate) fn end_of(
        &self,
        row: Row,
        direction: Direction,
        opened_after: Option<u64>,
    ) -> Option<End> {
        self.has(row).then(|| End::again(self, row, direction, opened_after))
    }

    /// Returns the pipes that an earlier life kept; those without ends are gone.
    pub(crate) fn take_up(&self) -> Vec<Row> {
        let rows: Vec<Row> = self.0.table.rows().collect();
        for &row in &rows {
            let Ends { readers, writers } = self.ends(row);
            if readers == 0 && writers == 0 {
                self.give_up(row);
            }
        }
        rows
    }

    /// Returns a pipe, without keeping it alive.
    pub(crate) fn weak(&self, row: Row) -> Option<WeakPipe> {
        self.has(row).then(|| WeakPipe { pipes: self.clone(), row })
    }

    /// Returns the memory of what pipes hold, for the next life of a test.
    #[cfg(test)]
    pub(crate) fn take_rings(&self) -> &'static mut [u8] {
        core::mem::take(&mut *self.0.rings.borrow_mut())
    }

    pub(super) fn has(&self, row: Row) -> bool {
        self.0.table.has(row)
    }

    #[inline]
    pub(super) fn ends(&self, row: Row) -> Ends {
        self.slot(row).get()
    }

    pub(super) fn wakes(&self) -> &Wakes {
        &self.0.wakes
    }

    pub(super) fn id(&self, row: Row) -> u64 {
        self.0.table.get(row, fields::ID)
    }

    pub(super) fn len(&self, row: Row) -> usize {
        self.span(row).1
    }

    pub(super) fn capacity(&self, row: Row) -> usize {
        self.0.table.get(row, fields::CAPACITY) as usize
    }

    pub(super) fn had_writers(&self, row: Row) -> u64 {
        self.0.table.get(row, fields::HAD_WRITERS)
    }

    pub(super) fn owner(&self, row: Row) -> Owner {
        let word = self.0.table.get(row, fields::OWNER);
        Owner { uid: word as u32, gid: (word >> 32) as u32 }
    }

    pub(super) fn node(&self, row: Row) -> Option<Node> {
        Some(Node(self.0.table.get(row, fields::NODE))).filter(|node| node.0 != 0)
    }

    /// Returns whether what is kept agrees with itself: a pipe holds no more than it may, and
    /// no page is two pipes'.
    pub fn is_sound(&self) -> bool {
        let table = &self.0.table;
        let mut places: Vec<_> =
            table.rows().map(|row| (self.place(row), self.capacity(row))).collect();
        places.sort_unstable();
        let apart = places.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0);
        let end = self.0.rings.borrow().len();
        let within = places.last().is_none_or(|last| last.0 + last.1 <= end);
        let fits = |row| {
            let (start, len) = self.span(row);
            start < self.capacity(row) && len <= self.capacity(row)
        };
        table.is_sound() && apart && within && table.rows().all(fits)
    }

    /// Counts an end that is opened, wakes whoever waits for it, and returns how many ends to write
    /// there had been if there is none now.
    pub(super) fn join(&self, row: Row, direction: Direction) -> Option<u64> {
        let before = self.had_writers(row);
        let opened_after = (self.ends(row).writers == 0).then_some(before);
        self.count_one(row, direction);
        if direction.reads() {
            self.0.wakes.add(Channel::PipeOut(self.id(row)));
        }
        if direction.writes() {
            self.0.table.put(row, fields::HAD_WRITERS, before + 1);
            self.0.wakes.add(Channel::PipeIn(self.id(row)));
        }
        opened_after
    }

    /// Counts one more end.
    pub(super) fn count_one(&self, row: Row, direction: Direction) {
        let Ends { readers, writers } = self.ends(row);
        let readers = readers + u32::from(direction.reads());
        let writers = writers + u32::from(direction.writes());
        self.slot(row).set(Ends { readers, writers });
    }

    /// Counts one end less; the last one takes the pipe along.
    pub(super) fn leave(&self, row: Row, direction: Direction) {
        let Ends { readers, writers } = self.ends(row);
        let readers = readers.saturating_sub(u32::from(direction.reads()));
        let writers = writers.saturating_sub(u32::from(direction.writes()));
        self.slot(row).set(Ends { readers, writers });
        if direction.reads() && readers == 0 {
            self.0.wakes.add(Channel::PipeOut(self.id(row)));
        }
        if direction.writes() && writers == 0 {
            self.0.wakes.add(Channel::PipeIn(self.id(row)));
        }
        if readers == 0 && writers == 0 {
            self.give_up(row);
        }
    }

    fn give_up(&self, row: Row) {
        let (place, capacity) = (self.place(row) / PAGE, self.capacity(row));
        self.0.pool.borrow_mut().free(place, capacity);
        self.0.table.free(row);
    }

    /// Returns where what a pipe holds lies.
    #[inline]
    pub(super) fn ring(&self, row: Row) -> Ring {
        let table = &self.0.table;
        let span = table.get(row, fields::SPAN);
        Ring {
            place: table.get(row, fields::PLACE) as usize * PAGE,
            capacity: table.get(row, fields::CAPACITY) as usize,
            start: (span >> 32) as usize,
            len: span as u32 as usize,
        }
    }

    /// Copies the first bytes of a ring, which holds so many.
    pub(super) fn copy_out(&self, ring: &Ring, into: &mut [u8]) {
        let rings = self.0.rings.borrow();
        let bytes = &rings[ring.place..][..ring.capacity];
        let first = into.len().min(ring.capacity - ring.start);
        let (before, after) = into.split_at_mut(first);
        before.copy_from_slice(&bytes[ring.start..ring.start + first]);
        after.copy_from_slice(&bytes[..after.len()]);
    }

    /// Takes the first bytes out of a pipe, which holds so many.
    pub(super) fn take(&self, row: Row, ring: &Ring, count: usize) {
        // Capacities are powers of two.
        let next = (ring.start + count) & (ring.capacity - 1);
        let start = if count == ring.len { 0 } else { next };
        self.set_span(row, start, ring.len - count);
    }

    /// Adds bytes to a pipe, which has room for them.
    pub(super) fn add(&self, row: Row, ring: &Ring, bytes: &[u8]) {
        let mut rings = self.0.rings.borrow_mut();
        let place = &mut rings[ring.place..][..ring.capacity];
        let end = (ring.start + ring.len) & (ring.capacity - 1);
        let first = bytes.len().min(ring.capacity - end);
        let (before, after) = bytes.split_at(first);
        place[end..end + first].copy_from_slice(before);
        place[..after.len()].copy_from_slice(after);
        drop(rings);
        self.set_span(row, ring.start, ring.len + bytes.len());
    }

    /// Has a pipe hold up to so many bytes, a power of two of pages of which it holds no more.
    ///
    /// # Errors
    /// EPERM: the pool has not so many.
    pub(super) fn resize(&self, row: Row, capacity: usize) -> Result<(), Errno> {
        let (from, before) = (self.place(row) / PAGE, self.capacity(row));
        if capacity == before {
            return Ok(());
        }
        // What it holds is there until the transaction ends: it goes to where nothing is.
        let to = self.0.pool.borrow_mut().take(capacity)?;
        let mut bytes = alloc::vec![0; self.len(row)];
        self.copy_out(&self.ring(row), &mut bytes);
        self.0.rings.borrow_mut()[to * PAGE..][..bytes.len()].copy_from_slice(&bytes);
        self.0.table.put(row, fields::PLACE, to as u64);
        self.0.table.put(row, fields::CAPACITY, capacity as u64);
        self.set_span(row, 0, bytes.len());
        self.0.pool.borrow_mut().free(from, before);
        Ok(())
    }

    fn span(&self, row: Row) -> (usize, usize) {
        let span = self.0.table.get(row, fields::SPAN);
        ((span >> 32) as usize, span as u32 as usize)
    }

    fn set_span(&self, row: Row, start: usize, len: usize) {
        self.0.table.put(row, fields::SPAN, (start as u64) << 32 | len as u64);
    }

    fn place(&self, row: Row) -> usize {
        self.0.table.get(row, fields::PLACE) as usize * PAGE
    }

    fn slot(&self, row: Row) -> &Cell<Ends> {
        &self.0.ends[row.index as usize]
    }
}
