//! Pipes: a bounded buffer with counted ends.
//!
//! Reads and writes move what can be moved now; who has to wait is parked by the caller on the
//! pipe's [`Channel`], and every change of the pipe wakes that channel.

use alloc::collections::VecDeque;
use alloc::rc::{Rc, Weak};
use core::cell::{Cell, RefCell};

use crate::Errno;
use crate::wake::{Channel, Wakes};

/// Bytes that a pipe holds (Linux pipe(7): 16 pages).
pub const CAPACITY: usize = 65_536;
/// Bytes that are written in one piece or not at all (POSIX `PIPE_BUF`, Linux value).
pub const ATOMIC: usize = 4096;

/// The most that a pipe can be made to hold (`/proc/sys/fs/pipe-max-size`, pipe(7)).
pub const MAX_CAPACITY: usize = 1 << 20;
/// Most bytes that all pipes together may hold beyond [`CAPACITY`] each.
pub const MAX_EXTRA: usize = 16 << 20;

/// Most pipes: what they hold is this server's memory.
pub const MAX_PIPES: usize = 256;

/// The pipes that exist, to count them.
#[derive(Clone, Default, Debug)]
pub struct Pipes {
    count: Rc<()>,
    /// What they may hold beyond [`CAPACITY`] each.
    extra: Rc<Cell<usize>>,
}

impl Pipes {
    /// Returns how many there are.
    pub fn count(&self) -> usize {
        Rc::strong_count(&self.count) - 1
    }

    /// Returns whether there may be one more.
    pub fn has_room(&self) -> bool {
        Rc::strong_count(&self.count) <= MAX_PIPES
    }
}

/// A pipe; its ends share it.
#[derive(Debug)]
pub struct Pipe {
    id: u64,
    bytes: VecDeque<u8>,
    capacity: usize,
    readers: usize,
    writers: usize,
    /// How many ends to write there ever were.
    had_writers: u64,
    wakes: Wakes,
    /// Counts the pipe for as long as it lives.
    counted: Pipes,
}

/// One end of a pipe; dropping it closes it.
#[derive(Debug)]
pub struct End {
    pipe: Rc<RefCell<Pipe>>,
    direction: Direction,
    /// How many ends to write there had been when it was opened without one: until there is
    /// another, nobody has hung up (fifo(7); `f_version`, fs/pipe.c).
    opened_after: Option<u64>,
}

/// Which end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// The end that is read.
    Read,
    /// The end that is written.
    Write,
    /// Both in one (fifo(7), "opening a FIFO for read and write").
    Both,
}

impl Direction {
    /// Returns whether it is read.
    pub fn reads(self) -> bool {
        self != Direction::Write
    }

    /// Returns whether it is written.
    pub fn writes(self) -> bool {
        self != Direction::Read
    }
}

/// What moving bytes came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moved {
    /// So many bytes were moved; 0 from a read is the end.
    Bytes(usize),
    /// Nothing can be moved now.
    Nothing,
    /// Nobody will ever read what is written.
    Broken,
}

/// Returns the two ends, read and write, of a new pipe.
pub fn pipe(id: u64, wakes: &Wakes, pipes: &Pipes) -> (End, End) {
    let pipe = Pipe::new(id, wakes, pipes);
    let write = End::open(&pipe, Direction::Write);
    (End::open(&pipe, Direction::Read), write)
}

/// Returns an end of a new pipe whose other end nobody has yet.
pub fn named(id: u64, wakes: &Wakes, pipes: &Pipes, direction: Direction) -> End {
    End::open(&Pipe::new(id, wakes, pipes), direction)
}

/// A pipe that lives as long as one of its ends.
#[derive(Clone, Debug)]
pub struct WeakPipe(Weak<RefCell<Pipe>>);

impl WeakPipe {
    /// Returns whether it has an end.
    pub fn is_alive(&self) -> bool {
        self.0.strong_count() != 0
    }

    /// Returns one more end, while it has any; whoever waits for it is woken.
    pub fn end(&self, direction: Direction) -> Option<End> {
        Some(End::open(&self.0.upgrade()?, direction))
    }
}

impl End {
    fn open(pipe: &Rc<RefCell<Pipe>>, direction: Direction) -> End {
        let mut inner = pipe.borrow_mut();
        let opened_after = (inner.writers == 0).then_some(inner.had_writers);
        inner.count(direction);
        drop(inner);
        End { pipe: pipe.clone(), direction, opened_after }
    }

    /// Returns the pipe, without keeping it alive.
    pub fn downgrade(&self) -> WeakPipe {
        WeakPipe(Rc::downgrade(&self.pipe))
    }

    /// Returns which end it is.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Returns the channel that tells of bytes, or of the end.
    pub fn channel_in(&self) -> Channel {
        Channel::PipeIn(self.pipe.borrow().id)
    }

    /// Returns the channel that tells of room, or that nobody reads any more.
    pub fn channel_out(&self) -> Channel {
        Channel::PipeOut(self.pipe.borrow().id)
    }

    /// Returns the pipe's number.
    pub fn id(&self) -> u64 {
        self.pipe.borrow().id
    }

    /// Returns how many ends to read and to write the pipe has.
    pub fn counts(&self) -> (usize, usize) {
        let pipe = self.pipe.borrow();
        (pipe.readers, pipe.writers)
    }

    /// Returns the number of bytes in the pipe.
    pub fn len(&self) -> usize {
        self.pipe.borrow().bytes.len()
    }

    /// Returns whether no bytes are in the pipe.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many bytes can be written at once.
    pub fn room(&self) -> usize {
        self.pipe.borrow().room()
    }

    /// Returns whether a small write finds room.
    pub fn has_page(&self) -> bool {
        self.pipe.borrow().has_page()
    }

    /// Returns how many bytes the pipe can hold.
    pub fn capacity(&self) -> usize {
        self.pipe.borrow().capacity
    }

    /// Has the pipe hold so many bytes, or a power of two of pages more (fcntl(2),
    /// `F_SETPIPE_SZ`); returns how many.
    ///
    /// # Errors
    /// EINVAL; EBUSY: it holds more now; EPERM: beyond [`MAX_CAPACITY`] or [`MAX_EXTRA`].
    pub fn set_capacity(&self, bytes: usize) -> Result<usize, Errno> {
        let capacity = bytes.max(ATOMIC).checked_next_power_of_two().ok_or(Errno::EINVAL)?;
        let mut pipe = self.pipe.borrow_mut();
        let extra = &pipe.counted.extra;
        let before = pipe.capacity.saturating_sub(CAPACITY);
        let total = extra.get() - before + capacity.saturating_sub(CAPACITY);
        if capacity > MAX_CAPACITY || total > MAX_EXTRA {
            return Err(Errno::EPERM);
        }
        if capacity < pipe.bytes.len() {
            return Err(Errno::EBUSY);
        }
        extra.set(total);
        pipe.capacity = capacity;
        pipe.wakes.add(Channel::PipeOut(pipe.id));
        Ok(capacity)
    }

    /// Returns whether the other end is closed.
    pub fn is_hung_up(&self) -> bool {
        let pipe = self.pipe.borrow();
        match self.direction {
            Direction::Read => pipe.writers == 0 && self.opened_after != Some(pipe.had_writers),
            Direction::Write => pipe.readers == 0,
            Direction::Both => false,
        }
    }

    /// Returns whether the other end is open.
    pub fn has_other(&self) -> bool {
        let pipe = self.pipe.borrow();
        match self.direction {
            Direction::Read => pipe.writers != 0,
            Direction::Write => pipe.readers != 0,
            Direction::Both => true,
        }
    }

    /// Takes bytes out of the pipe.
    pub fn read(&self, into: &mut [u8]) -> Moved {
        let mut pipe = self.pipe.borrow_mut();
        if pipe.bytes.is_empty() && !into.is_empty() {
            return if pipe.writers == 0 { Moved::Bytes(0) } else { Moved::Nothing };
        }
        let count = into.len().min(pipe.bytes.len());
        let (first, second) = pipe.bytes.as_slices();
        let from_first = count.min(first.len());
        into[..from_first].copy_from_slice(&first[..from_first]);
        into[from_first..count].copy_from_slice(&second[..count - from_first]);
        // Nobody waits for room while there is a page of it.
        let was_full = !pipe.has_page();
        pipe.bytes.drain(..count);
        if was_full {
            pipe.wakes.add(Channel::PipeOut(pipe.id));
        }
        Moved::Bytes(count)
    }

    /// Copies bytes out of the pipe, which keeps them; returns how many.
    pub fn peek(&self, into: &mut [u8]) -> usize {
        let pipe = self.pipe.borrow();
        let count = into.len().min(pipe.bytes.len());
        for (place, &byte) in into.iter_mut().zip(&pipe.bytes) {
            *place = byte;
        }
        count
    }

    /// Puts bytes into the pipe: all of them if they are at most [`ATOMIC`], as many as fit
    /// otherwise.
    pub fn write(&self, bytes: &[u8]) -> Moved {
        let mut pipe = self.pipe.borrow_mut();
        if pipe.readers == 0 {
            return Moved::Broken;
        }
        let room = pipe.room();
        if room == 0 || (bytes.len() <= ATOMIC && bytes.len() > room) {
            return Moved::Nothing;
        }
        let count = bytes.len().min(room);
        pipe.bytes.extend(&bytes[..count]);
        pipe.wakes.add(Channel::PipeIn(pipe.id));
        Moved::Bytes(count)
    }
}

impl Pipe {
    fn new(id: u64, wakes: &Wakes, pipes: &Pipes) -> Rc<RefCell<Pipe>> {
        Rc::new(RefCell::new(Pipe {
            id,
            bytes: VecDeque::new(),
            capacity: CAPACITY,
            readers: 0,
            writers: 0,
            had_writers: 0,
            wakes: wakes.clone(),
            counted: pipes.clone(),
        }))
    }

    fn room(&self) -> usize {
        self.capacity - self.bytes.len()
    }

    /// Returns whether a small write finds room: only then may "it can be written" be said (POSIX
    /// write(), [`ATOMIC`]; `pipe_full`, fs/pipe.c).
    fn has_page(&self) -> bool {
        self.room() >= ATOMIC
    }

    /// Counts one more end; whoever waits for it is woken.
    fn count(&mut self, direction: Direction) {
        if direction.reads() {
            self.readers += 1;
            self.wakes.add(Channel::PipeOut(self.id));
        }
        if direction.writes() {
            self.writers += 1;
            self.had_writers += 1;
            self.wakes.add(Channel::PipeIn(self.id));
        }
    }
}

impl Clone for End {
    fn clone(&self) -> Self {
        let mut pipe = self.pipe.borrow_mut();
        pipe.readers += usize::from(self.direction.reads());
        pipe.writers += usize::from(self.direction.writes());
        drop(pipe);
        let End { direction, opened_after, .. } = *self;
        End { pipe: self.pipe.clone(), direction, opened_after }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut pipe = self.pipe.borrow_mut();
        if self.direction.reads() {
            pipe.readers -= 1;
            if pipe.readers == 0 {
                pipe.wakes.add(Channel::PipeOut(pipe.id));
            }
        }
        if self.direction.writes() {
            pipe.writers -= 1;
            if pipe.writers == 0 {
                pipe.wakes.add(Channel::PipeIn(pipe.id));
            }
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let extra = &self.counted.extra;
        extra.set(extra.get() - self.capacity.saturating_sub(CAPACITY));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends() -> (End, End, Wakes) {
        let wakes = Wakes::default();
        let (read, write) = pipe(1, &wakes, &Pipes::default());
        wakes.take();
        (read, write, wakes)
    }

    #[test]
    fn bytes_come_out_in_order_across_the_ring() {
        let (read, write, _) = ends();
        let mut next = (0u8, 0u8);
        for size in [1usize, 4096, 60_000, 70_000, 3, 65_536] {
            let bytes: alloc::vec::Vec<u8> = (0..size).map(|_| take(&mut next.0)).collect();
            let Moved::Bytes(count) = write.write(&bytes) else { panic!("no room") };
            next.0 = bytes.get(count).copied().unwrap_or(next.0);
            let mut out = alloc::vec![0; count];
            assert_eq!(read.read(&mut out), Moved::Bytes(count));
            assert!(out.iter().all(|&byte| byte == take(&mut next.1)));
        }
    }

    fn take(counter: &mut u8) -> u8 {
        let value = *counter;
        *counter = counter.wrapping_add(1);
        value
    }

    #[test]
    fn an_empty_pipe_waits_until_the_last_writer_is_gone() {
        let (read, write, _) = ends();
        let second = write.clone();
        drop(write);
        assert_eq!(read.read(&mut [0; 4]), Moved::Nothing);
        drop(second);
        assert_eq!(read.read(&mut [0; 4]), Moved::Bytes(0));
    }

    #[test]
    fn small_writes_are_whole_or_wait_and_large_ones_are_cut() {
        let (_read, write, _) = ends();
        assert_eq!(write.write(&[0; CAPACITY - 10]), Moved::Bytes(CAPACITY - 10));
        assert_eq!(write.write(&[0; 11]), Moved::Nothing);
        assert_eq!(write.write(&[0; ATOMIC + 1]), Moved::Bytes(10));
        assert_eq!(write.write(&[0; ATOMIC + 1]), Moved::Nothing);
    }

    #[test]
    fn writing_without_readers_is_broken_and_closing_wakes() {
        let (read, write, wakes) = ends();
        drop(read);
        assert_eq!(wakes.take(), [Channel::PipeOut(1)]);
        assert_eq!(write.write(b"x"), Moved::Broken);
        assert!(write.is_hung_up());
    }

    #[test]
    fn writers_are_woken_until_a_small_write_finds_room() {
        let (read, write, wakes) = ends();
        assert_eq!(write.write(&[0; CAPACITY]), Moved::Bytes(CAPACITY));
        assert_eq!(wakes.take(), [Channel::PipeIn(1)]);
        assert_eq!(read.read(&mut [0; ATOMIC - 1]), Moved::Bytes(ATOMIC - 1));
        assert_eq!(wakes.take(), [Channel::PipeOut(1)]);
        assert!(!write.has_page());
        assert_eq!(read.read(&mut [0; 1]), Moved::Bytes(1));
        assert_eq!(wakes.take(), [Channel::PipeOut(1)]);
        assert_eq!(read.read(&mut [0; 1]), Moved::Bytes(1));
        assert!(wakes.is_empty() && write.has_page());
    }

    #[test]
    fn a_capacity_is_a_power_of_two_of_pages_that_holds_what_is_there() {
        let (_read, write, _) = ends();
        assert_eq!(write.set_capacity(5000), Ok(8192));
        assert_eq!(write.write(&[0; 10_000]), Moved::Bytes(8192));
        assert_eq!(write.set_capacity(0), Err(Errno::EBUSY));
        assert_eq!(write.set_capacity(MAX_CAPACITY + 1), Err(Errno::EPERM));
        assert_eq!(write.set_capacity(usize::MAX), Err(Errno::EINVAL));
        assert_eq!(write.set_capacity(MAX_CAPACITY), Ok(MAX_CAPACITY));
    }

    #[test]
    fn large_pipes_have_a_bound_together() {
        let (wakes, pipes) = (Wakes::default(), Pipes::default());
        let new = |id| pipe(id, &wakes, &pipes).0;
        let mut large: alloc::vec::Vec<End> = (0..17).map(new).collect();
        let grown = large.iter().filter(|end| end.set_capacity(MAX_CAPACITY).is_ok()).count();
        assert_eq!(grown, 17);
        let last = new(17);
        assert_eq!(last.set_capacity(MAX_CAPACITY), Err(Errno::EPERM));
        large.pop();
        assert_eq!(last.set_capacity(MAX_CAPACITY), Ok(MAX_CAPACITY));
    }

    #[test]
    fn a_reader_that_came_first_is_hung_up_only_after_a_writer_was_there() {
        let read = named(1, &Wakes::default(), &Pipes::default(), Direction::Read);
        assert!(!read.is_hung_up() && !read.has_other());
        let write = read.downgrade().end(Direction::Write).unwrap();
        assert!(!read.is_hung_up() && read.has_other());
        drop(write);
        assert!(read.is_hung_up());
        let both = read.downgrade().end(Direction::Both).unwrap();
        assert_eq!(both.write(b"x"), Moved::Bytes(1));
        assert_eq!(both.read(&mut [0; 4]), Moved::Bytes(1));
        assert!(!both.is_hung_up());
    }
}
