//! The input queue: lines that can be read, and the line that is still being edited.
//!
//! ```text
//!   | line … END | line … END | EOF | being edited |
//!   0                               complete       len
//! ```

use alloc::collections::VecDeque;

/// Most bytes that wait to be read (MAX_INPUT of Linux is 255, its buffer 4,096).
pub const QUEUE_MAX: usize = 4096;

/// A byte of input, or the mark that an end-of-file character left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Item {
    /// A byte.
    Byte(u8),
    /// The last byte of a line.
    End(u8),
    /// The end of a line that no byte of it ends.
    Eof,
}

/// The queue.
#[derive(Clone, Debug, Default)]
pub(super) struct Queue {
    items: VecDeque<Item>,
    /// How many of the items can be read by lines.
    complete: usize,
}

impl Queue {
    /// Returns how many items wait.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Returns how many bytes can be read by lines.
    pub fn complete_len(&self) -> usize {
        let complete = self.items.range(..self.complete);
        complete.filter(|item| !matches!(item, Item::Eof)).count()
    }

    /// Returns whether a line can be read.
    pub fn has_line(&self) -> bool {
        self.complete > 0
    }

    /// Returns whether a byte has room, with one place left to end the line.
    pub fn has_room(&self) -> bool {
        self.items.len() < QUEUE_MAX - 1
    }

    /// Adds an item; refused (false) where the queue is full.
    pub fn push(&mut self, item: Item) -> bool {
        let has_room = match item {
            Item::Byte(_) => self.has_room(),
            Item::End(_) | Item::Eof => self.items.len() < QUEUE_MAX,
        };
        if !has_room {
            return false;
        }
        self.items.push_back(item);
        if !matches!(item, Item::Byte(_)) {
            self.complete = self.items.len();
        }
        true
    }

    /// Returns the bytes of the line that is being edited.
    pub fn edited(&self) -> impl DoubleEndedIterator<Item = u8> + '_ {
        self.items.range(self.complete..).map(|item| match *item {
            Item::Byte(byte) | Item::End(byte) => byte,
            Item::Eof => 0,
        })
    }

    /// Drops the last `count` bytes of the line that is being edited.
    pub fn drop_edited(&mut self, count: usize) {
        let len = self.items.len().saturating_sub(count).max(self.complete);
        self.items.truncate(len);
    }

    pub fn clear(&mut self) {
        self.items.clear();
        self.complete = 0;
    }

    /// Makes everything that waits a line of its own: for the change to reading by lines.
    pub fn complete(&mut self) {
        self.join();
        if let Some(last) = self.items.back_mut()
            && let Item::Byte(byte) = *last
        {
            *last = Item::End(byte);
        }
        self.complete = self.items.len();
    }

    /// Forgets where lines end: for the change to raw reading.
    pub fn join(&mut self) {
        self.items.retain(|item| *item != Item::Eof);
        for item in &mut self.items {
            if let Item::End(byte) = *item {
                *item = Item::Byte(byte);
            }
        }
        self.complete = 0;
    }

    /// Moves a line, or as much of it as there is room for; returns the number of bytes.
    pub fn read_line(&mut self, into: &mut [u8]) -> usize {
        let mut len = 0;
        while self.complete > 0 {
            let item = self.items[0];
            if item != Item::Eof && len == into.len() {
                break;
            }
            self.items.pop_front();
            self.complete -= 1;
            match item {
                Item::Byte(byte) => into[len] = byte,
                Item::End(byte) => {
                    into[len] = byte;
                    return len + 1;
                }
                Item::Eof => return len,
            }
            len += 1;
        }
        len
    }

    /// Moves bytes, whatever lines they belong to; returns their number.
    pub fn read_raw(&mut self, into: &mut [u8]) -> usize {
        let len = into.len().min(self.items.len());
        for (place, item) in into.iter_mut().zip(self.items.drain(..len)) {
            if let Item::Byte(byte) | Item::End(byte) = item {
                *place = byte;
            }
        }
        self.complete = self.complete.saturating_sub(len);
        len
    }
}
