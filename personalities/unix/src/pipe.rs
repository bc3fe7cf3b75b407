//! Pipes: a bounded buffer with counted ends.
//!
//! Reads and writes move what can be moved now; who has to wait is parked by the caller on the
//! pipe's [`Channel`], and every change of the pipe wakes that channel. What a pipe holds lies in
//! kept memory (`ring`); how many ends it has is counted anew by each life, from the descriptions.

mod pool;
mod ring;
#[cfg(test)]
mod tests;

use crate::Errno;
use crate::kept::Row;
use crate::linux::flags::open;
use crate::path::Node;
use crate::wake::Channel;

pub use ring::Pipes;
pub(crate) use ring::fields;

/// Bytes that a pipe holds (Linux pipe(7): 16 pages).
pub const CAPACITY: usize = 65_536;
/// Bytes that are written in one piece or not at all (POSIX `PIPE_BUF`, Linux value).
pub const ATOMIC: usize = 4096;

/// The most that a pipe can be made to hold (`/proc/sys/fs/pipe-max-size`, pipe(7)).
pub const MAX_CAPACITY: usize = 1 << 20;
/// Bytes that a pipe holds which is made when half of the [`POOL`] is in use (two pages, as Linux
/// gives those whose user has many; pipe(7), "pipe-user-pages-soft").
pub const SCARCE_CAPACITY: usize = 8192;
/// Bytes that all pipes together may hold.
pub const POOL: usize = 8 << 20;

/// Most pipes: what they hold is this server's memory.
pub const MAX_PIPES: usize = 256;

/// One end of a pipe; dropping it closes it.
#[derive(Debug)]
pub struct End {
    pipes: Pipes,
    row: Row,
    direction: Direction,
    /// How many ends to write there had been when it was opened without one: until there is
    /// another, nobody has hung up (fifo(7); `f_version`, fs/pipe.c).
    opened_after: Option<u64>,
}

/// Whom an unnamed pipe belongs to: the ids for files of who made it (`get_pipe_inode`, fs/pipe.c).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
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
    /// Returns the direction that the flags of open(2) ask for.
    pub fn from_flags(bits: u32) -> Direction {
        match bits & open::ACCESS {
            0 => Direction::Read,
            open::WRITE_ONLY => Direction::Write,
            _ => Direction::Both,
        }
    }

    /// Returns whether it is read.
    pub fn reads(self) -> bool {
        self != Direction::Write
    }

    /// Returns whether it is written.
    pub fn writes(self) -> bool {
        self != Direction::Read
    }
}

/// What poll(2) asks of an end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    /// The pipe's number.
    pub id: u64,
    /// Whether no bytes are in the pipe.
    pub is_empty: bool,
    /// Whether a small write finds room.
    pub has_page: bool,
    /// Whether the other end is closed.
    pub is_hung_up: bool,
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

/// A pipe that lives as long as one of its ends.
#[derive(Clone, Debug)]
pub struct WeakPipe {
    pipes: Pipes,
    row: Row,
}

impl WeakPipe {
    /// Returns whether it has an end.
    pub fn is_alive(&self) -> bool {
        self.pipes.has(self.row)
    }

    /// Returns the node that the pipe is found by, if it is a named one.
    pub fn node(&self) -> Option<Node> {
        self.pipes.node(self.row)
    }

    /// Returns one more end, while it has any; whoever waits for it is woken.
    pub fn end(&self, direction: Direction) -> Option<End> {
        self.is_alive().then(|| End::open(&self.pipes, self.row, direction))
    }
}

impl Pipes {
    /// Returns the two ends, read and write, of a new pipe of an owner.
    ///
    /// # Errors
    /// ENFILE: there are [`MAX_PIPES`], or nothing is left of the [`POOL`].
    pub fn pipe(&self, id: u64, owner: Owner) -> Result<(End, End), Errno> {
        let row = self.make(id, None, owner)?;
        let write = End::open(self, row, Direction::Write);
        Ok((End::open(self, row, Direction::Read), write))
    }

    /// Returns an end of a new pipe that is found by its node, whose other end nobody has yet.
    ///
    /// # Errors
    /// ENFILE: there are [`MAX_PIPES`], or nothing is left of the [`POOL`].
    pub fn named(&self, id: u64, node: Node, direction: Direction) -> Result<End, Errno> {
        Ok(End::open(self, self.make(id, Some(node), Owner::default())?, direction))
    }
}

impl End {
    fn open(pipes: &Pipes, row: Row, direction: Direction) -> End {
        let opened_after = pipes.join(row, direction);
        End { pipes: pipes.clone(), row, direction, opened_after }
    }

    /// Returns an end that an earlier life had open.
    fn again(pipes: &Pipes, row: Row, direction: Direction, opened_after: Option<u64>) -> End {
        pipes.count_one(row, direction);
        End { pipes: pipes.clone(), row, direction, opened_after }
    }

    /// Returns the pipe's row.
    pub fn row(&self) -> Row {
        self.row
    }

    /// Returns how many ends to write there had been when it was opened without one.
    pub fn opened_after(&self) -> Option<u64> {
        self.opened_after
    }

    /// Returns the pipe, without keeping it alive.
    pub fn downgrade(&self) -> WeakPipe {
        WeakPipe { pipes: self.pipes.clone(), row: self.row }
    }

    /// Returns whom the pipe belongs to: the superuser if it is a named one.
    pub fn owner(&self) -> Owner {
        self.pipes.owner(self.row)
    }

    /// Returns which end it is.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Returns the channel that tells of bytes, or of the end.
    pub fn channel_in(&self) -> Channel {
        Channel::PipeIn(self.id())
    }

    /// Returns the channel that tells of room, or that nobody reads any more.
    pub fn channel_out(&self) -> Channel {
        Channel::PipeOut(self.id())
    }

    /// Returns the pipe's number.
    pub fn id(&self) -> u64 {
        self.pipes.id(self.row)
    }

    /// Returns how many ends to read and to write the pipe has.
    pub fn counts(&self) -> (usize, usize) {
        let ends = self.pipes.ends(self.row);
        (ends.readers as usize, ends.writers as usize)
    }

    /// Returns the number of bytes in the pipe.
    pub fn len(&self) -> usize {
        self.pipes.len(self.row)
    }

    /// Returns whether no bytes are in the pipe.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many bytes can be written at once.
    pub fn room(&self) -> usize {
        self.capacity() - self.len()
    }

    /// Returns whether a small write finds room: only then may "it can be written" be said (POSIX
    /// write(), [`ATOMIC`]; `pipe_full`, fs/pipe.c).
    pub fn has_page(&self) -> bool {
        self.room() >= ATOMIC
    }

    /// Returns how many bytes the pipe can hold.
    pub fn capacity(&self) -> usize {
        self.pipes.capacity(self.row)
    }

    /// Has the pipe hold so many bytes, or a power of two of pages more (fcntl(2),
    /// `F_SETPIPE_SZ`); returns how many.
    ///
    /// # Errors
    /// EINVAL; EBUSY: it holds more now; EPERM: beyond [`MAX_CAPACITY`], or what is left of the
    /// [`POOL`].
    pub fn set_capacity(&self, bytes: usize) -> Result<usize, Errno> {
        let capacity = bytes.max(ATOMIC).checked_next_power_of_two().ok_or(Errno::EINVAL)?;
        if capacity > MAX_CAPACITY {
            return Err(Errno::EPERM);
        }
        if capacity < self.len() {
            return Err(Errno::EBUSY);
        }
        self.pipes.resize(self.row, capacity)?;
        self.pipes.wakes().add(self.channel_out());
        Ok(capacity)
    }

    /// Returns whether the other end is closed.
    pub fn is_hung_up(&self) -> bool {
        let ends = self.pipes.ends(self.row);
        match self.direction {
            Direction::Read => {
                ends.writers == 0 && self.opened_after != Some(self.pipes.had_writers(self.row))
            }
            Direction::Write => ends.readers == 0,
            Direction::Both => false,
        }
    }

    /// Returns what poll(2) asks, at once.
    #[inline]
    pub fn look(&self) -> Look {
        let id = self.id();
        let (is_empty, has_page) = (self.is_empty(), self.has_page());
        Look { id, is_empty, has_page, is_hung_up: self.is_hung_up() }
    }

    /// Returns whether the other end is open.
    pub fn has_other(&self) -> bool {
        let ends = self.pipes.ends(self.row);
        match self.direction {
            Direction::Read => ends.writers != 0,
            Direction::Write => ends.readers != 0,
            Direction::Both => true,
        }
    }

    /// Returns whether the pipe is empty and can be read: somebody may wait for bytes.
    #[inline]
    pub fn may_be_awaited(&self) -> bool {
        self.is_empty() && self.pipes.ends(self.row).readers != 0
    }

    /// Takes bytes out of the pipe.
    pub fn read(&self, into: &mut [u8]) -> Moved {
        let ring = self.pipes.ring(self.row);
        if ring.len == 0 && !into.is_empty() {
            let is_end = self.pipes.ends(self.row).writers == 0;
            return if is_end { Moved::Bytes(0) } else { Moved::Nothing };
        }
        let count = into.len().min(ring.len);
        self.pipes.copy_out(&ring, &mut into[..count]);
        self.pipes.take(self.row, &ring, count);
        // Nobody waits for room while there is a page of it.
        if ring.room() < ATOMIC {
            self.pipes.wakes().add(self.channel_out());
        }
        Moved::Bytes(count)
    }

    /// Copies bytes out of the pipe, which keeps them; returns how many.
    pub fn peek(&self, into: &mut [u8]) -> usize {
        let ring = self.pipes.ring(self.row);
        let count = into.len().min(ring.len);
        self.pipes.copy_out(&ring, &mut into[..count]);
        count
    }

    /// Puts bytes into the pipe: all of them if they are at most [`ATOMIC`], as many as fit
    /// otherwise.
    pub fn write(&self, bytes: &[u8]) -> Moved {
        if self.pipes.ends(self.row).readers == 0 {
            return Moved::Broken;
        }
        let ring = self.pipes.ring(self.row);
        let room = ring.room();
        if room == 0 || (bytes.len() <= ATOMIC && bytes.len() > room) {
            return Moved::Nothing;
        }
        let count = bytes.len().min(room);
        self.pipes.add(self.row, &ring, &bytes[..count]);
        self.pipes.wakes().add(self.channel_in());
        Moved::Bytes(count)
    }
}

impl Clone for End {
    fn clone(&self) -> Self {
        self.pipes.count_one(self.row, self.direction);
        let End { row, direction, opened_after, .. } = *self;
        End { pipes: self.pipes.clone(), row, direction, opened_after }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.pipes.leave(self.row, self.direction);
    }
}
