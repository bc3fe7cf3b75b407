//! Pipes: a bounded buffer with counted ends.
//!
//! Reads and writes move what can be moved now; who has to wait is parked by the caller on the
//! pipe's [`Channel`], and every change of the pipe wakes that channel.

use alloc::collections::VecDeque;
use alloc::rc::{Rc, Weak};
use core::cell::RefCell;

use crate::wake::{Channel, Wakes};

/// Bytes that a pipe holds (Linux pipe(7): 16 pages).
pub const CAPACITY: usize = 65_536;
/// Bytes that are written in one piece or not at all (POSIX `PIPE_BUF`, Linux value).
pub const ATOMIC: usize = 4096;

/// Most pipes: what they hold is this server's memory.
pub const MAX_PIPES: usize = 256;

/// The pipes that exist, to count them.
#[derive(Clone, Default, Debug)]
pub struct Pipes(Rc<()>);

impl Pipes {
    /// Returns whether there may be one more.
    pub fn has_room(&self) -> bool {
        Rc::strong_count(&self.0) <= MAX_PIPES
    }
}

/// A pipe; its ends share it.
#[derive(Debug)]
pub struct Pipe {
    id: u64,
    bytes: VecDeque<u8>,
    readers: usize,
    writers: usize,
    wakes: Wakes,
    /// Counts the pipe for as long as it lives.
    _counted: Pipes,
}

/// One end of a pipe; dropping it closes it.
#[derive(Debug)]
pub struct End {
    pipe: Rc<RefCell<Pipe>>,
    direction: Direction,
}

/// Which end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// The end that is read.
    Read,
    /// The end that is written.
    Write,
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
    let (wakes, _counted) = (wakes.clone(), pipes.clone());
    let pipe = Pipe { id, bytes: VecDeque::new(), readers: 1, writers: 1, wakes, _counted };
    let pipe = Rc::new(RefCell::new(pipe));
    let read = End { pipe: pipe.clone(), direction: Direction::Read };
    (read, End { pipe, direction: Direction::Write })
}

/// Returns an end of a new pipe whose other end nobody has yet.
pub fn named(id: u64, wakes: &Wakes, pipes: &Pipes, direction: Direction) -> End {
    let (read, write) = pipe(id, wakes, pipes);
    match direction {
        Direction::Read => read,
        Direction::Write => write,
    }
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
        let pipe = self.0.upgrade()?;
        let mut inner = pipe.borrow_mut();
        match direction {
            Direction::Read => inner.readers += 1,
            Direction::Write => inner.writers += 1,
        }
        inner.changed();
        drop(inner);
        Some(End { pipe, direction })
    }
}

impl End {
    /// Returns the pipe, without keeping it alive.
    pub fn downgrade(&self) -> WeakPipe {
        WeakPipe(Rc::downgrade(&self.pipe))
    }

    /// Returns which end it is.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Returns the channel that wakes whoever waits for the pipe.
    pub fn channel(&self) -> Channel {
        Channel::Pipe(self.pipe.borrow().id)
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
        CAPACITY - self.len()
    }

    /// Returns whether the other end is closed.
    pub fn is_hung_up(&self) -> bool {
        let pipe = self.pipe.borrow();
        match self.direction {
            Direction::Read => pipe.writers == 0,
            Direction::Write => pipe.readers == 0,
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
        pipe.bytes.drain(..count);
        pipe.changed();
        Moved::Bytes(count)
    }

    /// Puts bytes into the pipe: all of them if they are at most [`ATOMIC`], as many as fit
    /// otherwise.
    pub fn write(&self, bytes: &[u8]) -> Moved {
        let mut pipe = self.pipe.borrow_mut();
        if pipe.readers == 0 {
            return Moved::Broken;
        }
        let room = CAPACITY - pipe.bytes.len();
        if room == 0 || (bytes.len() <= ATOMIC && bytes.len() > room) {
            return Moved::Nothing;
        }
        let count = bytes.len().min(room);
        pipe.bytes.extend(&bytes[..count]);
        pipe.changed();
        Moved::Bytes(count)
    }
}

impl Pipe {
    fn changed(&self) {
        self.wakes.add(Channel::Pipe(self.id));
    }
}

impl Clone for End {
    fn clone(&self) -> Self {
        let mut pipe = self.pipe.borrow_mut();
        match self.direction {
            Direction::Read => pipe.readers += 1,
            Direction::Write => pipe.writers += 1,
        }
        drop(pipe);
        End { pipe: self.pipe.clone(), direction: self.direction }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut pipe = self.pipe.borrow_mut();
        let count = match self.direction {
            Direction::Read => &mut pipe.readers,
            Direction::Write => &mut pipe.writers,
        };
        *count -= 1;
        if *count == 0 {
            pipe.changed();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends() -> (End, End, Wakes) {
        let wakes = Wakes::default();
        let (read, write) = pipe(1, &wakes, &Pipes::default());
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
        assert_eq!(wakes.take(), [Channel::Pipe(1)]);
        assert_eq!(write.write(b"x"), Moved::Broken);
        assert!(write.is_hung_up());
    }
}
