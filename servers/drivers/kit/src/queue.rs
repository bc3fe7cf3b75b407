//! A device's queues with buffers of their own, which the device reads or fills.
//!
//! ```text
//!            ┌─────────── free ───────────┐
//!   send, post                   reclaim, receive
//!            └──> in flight: the device's ┘
//! ```
//!
//! A buffer is either the driver's or the device's. Descriptor chains have one buffer each, so that
//! a token is a descriptor's number; what the device says is checked against what it was given.

use alloc::vec::Vec;
use core::ptr::NonNull;
use core::slice;
use core::sync::atomic::{Ordering, fence};

use libipc::abi::PAGE_SIZE;
use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::Transport;

use crate::arena::{self, Access};

/// Why a queue does not go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QueueError {
    /// All buffers are in flight.
    Full,
    /// The data are longer than a buffer, or there are none.
    Length,
    /// The arena has not as many pages, or the device not as many places.
    NoRoom,
    /// The device gave back what it did not have: it is to be reset.
    Broken,
}

/// A queue of which the device takes what is to be sent.
#[derive(Debug)]
pub struct Outgoing<const SIZE: usize>(Queue<SIZE>);

/// A queue that the device fills with what it has received.
#[derive(Debug)]
pub struct Incoming<const SIZE: usize>(Queue<SIZE>);

impl<const SIZE: usize> Outgoing<SIZE> {
    /// Makes queue `index` of the device, with `SIZE` buffers of `len` bytes.
    ///
    /// # Errors
    /// NoRoom.
    pub fn new(
        transport: &mut impl Transport,
        index: u16,
        len: usize,
        options: Options,
    ) -> Result<Self, QueueError> {
        Queue::new(transport, index, len, options).map(Outgoing)
    }

    /// Sends `len` bytes that `fill` writes.
    ///
    /// # Errors
    /// Full: after the device's next interrupt there is room; Length; Broken.
    pub fn send(
        &mut self,
        transport: &mut impl Transport,
        len: usize,
        fill: impl FnOnce(&mut [u8]),
    ) -> Result<(), QueueError> {
        if !(1..=self.0.len).contains(&len) {
            return Err(QueueError::Length);
        }
        if self.0.free.is_empty() {
            self.reclaim()?;
        }
        let buffer = self.0.free.pop().ok_or(QueueError::Full)?;
        fill(self.0.bytes(buffer, len));
        self.0.add(buffer, len, Way::ToDevice)?;
        self.0.notify(transport);
        Ok(())
    }

    /// Takes back the buffers that the device has sent. That is done only where none is free, as it
    /// has the device interrupt for the next one, where event indices were agreed.
    fn reclaim(&mut self) -> Result<(), QueueError> {
        for _ in 0..SIZE {
            let Some((buffer, _)) = self.0.take(Way::ToDevice)? else { break };
            self.0.free.push(buffer);
        }
        Ok(())
    }
}

impl<const SIZE: usize> Incoming<SIZE> {
    /// Makes queue `index` of the device, with `SIZE` buffers of `len` bytes, all the driver's.
    ///
    /// # Errors
    /// NoRoom.
    pub fn new(
        transport: &mut impl Transport,
        index: u16,
        len: usize,
        options: Options,
    ) -> Result<Self, QueueError> {
        Queue::new(transport, index, len, options).map(Incoming)
    }

    /// Gives the device all buffers that are the driver's.
    ///
    /// # Errors
    /// Broken.
    pub fn post(&mut self, transport: &mut impl Transport) -> Result<(), QueueError> {
        if self.0.free.is_empty() {
            return Ok(());
        }
        while let Some(buffer) = self.0.free.pop() {
            self.0.add(buffer, self.0.len, Way::FromDevice)?;
        }
        self.0.notify(transport);
        Ok(())
    }

    /// Has `take` read what was received next, if there is anything. [`Incoming::post`] lets the
    /// device use the buffer again.
    ///
    /// # Errors
    /// Broken.
    pub fn receive<R>(&mut self, take: impl FnOnce(&[u8]) -> R) -> Result<Option<R>, QueueError> {
        let Some((buffer, len)) = self.0.take(Way::FromDevice)? else { return Ok(None) };
        let result = take(self.0.bytes(buffer, len));
        self.0.free.push(buffer);
        Ok(Some(result))
    }

    /// Returns whether the device has filled a buffer.
    pub fn is_ready(&self) -> bool {
        self.0.next().is_some()
    }
}

/// What was agreed with the device about all its queues.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Each side says from which entry on it wants to hear (VIRTIO_F_EVENT_IDX, virtio 1.2 2.7.7).
    pub event_index: bool,
}

/// Which way a queue's buffers go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    ToDevice,
    FromDevice,
}

#[derive(Debug)]
struct Queue<const SIZE: usize> {
    queue: VirtQueue<Access, SIZE>,
    index: u16,
    /// `SIZE` buffers, `stride` bytes from one to the next.
    buffers: NonNull<u8>,
    stride: usize,
    /// Bytes of a buffer.
    len: usize,
    /// Buffers that are the driver's.
    free: Vec<u16>,
    /// Buffers that are the device's, by token, with the length it was told.
    in_flight: [Option<(u16, usize)>; SIZE],
}

impl<const SIZE: usize> Queue<SIZE> {
    fn new(
        transport: &mut impl Transport,
        index: u16,
        len: usize,
        options: Options,
    ) -> Result<Self, QueueError> {
        let stride = len.next_multiple_of(16);
        let pages = (stride * SIZE).div_ceil(PAGE_SIZE);
        let buffers = arena::take(pages).ok_or(QueueError::NoRoom)?;
        let queue = VirtQueue::new(transport, index, false, options.event_index);
        Ok(Queue {
            queue: queue.map_err(|_| QueueError::NoRoom)?,
            index,
            buffers,
            stride,
            len,
            free: (0..SIZE as u16).rev().collect(),
            in_flight: [None; SIZE],
        })
    }

    /// Returns the first bytes of a buffer that is the driver's.
    fn bytes(&mut self, buffer: u16, len: usize) -> &mut [u8] {
        let at = usize::from(buffer) * self.stride;
        // SAFETY: the range lies within the pages (`buffer` is below SIZE, `len` at most that of a
        // buffer), which are initialised and used by nobody else: the buffer is not in flight, so
        // that the device leaves it alone, and the borrow of `self` keeps others away.
        unsafe { slice::from_raw_parts_mut(self.buffers.add(at).as_ptr(), len) }
    }

    /// Gives the device a buffer.
    fn add(&mut self, buffer: u16, len: usize, way: Way) -> Result<(), QueueError> {
        let start: NonNull<u8> = NonNull::from(self.bytes(buffer, len)).cast();
        // SAFETY: as in `bytes`; from here on the buffer is in flight, and is not looked at until
        // `take` has it back. Pages of the arena are there for good.
        let added = unsafe {
            let bytes = slice::from_raw_parts_mut(start.as_ptr(), len);
            match way {
                Way::ToDevice => self.queue.add(&[bytes], &mut []),
                Way::FromDevice => self.queue.add(&[], &mut [bytes]),
            }
        };
        let token = added.map_err(|_| QueueError::Broken)?;
        *self.in_flight.get_mut(usize::from(token)).ok_or(QueueError::Broken)? =
            Some((buffer, len));
        Ok(())
    }

    /// Rings the device, where it wants to be rung.
    fn notify(&mut self, transport: &mut impl Transport) {
        // What was published must be seen before what the device asks for is read: else both sides
        // may see the other's old state, and nobody goes on.
        fence(Ordering::SeqCst);
        if self.queue.should_notify() {
            transport.notify(self.index);
        }
    }

    /// Returns the token that the device has given back next.
    fn next(&self) -> Option<u16> {
        // As in `notify`: what the driver waits for was published before.
        fence(Ordering::SeqCst);
        self.queue.peek_used()
    }

    /// Takes a buffer back that the device is done with; returns it and how much it has filled.
    fn take(&mut self, way: Way) -> Result<Option<(u16, usize)>, QueueError> {
        let Some(token) = self.next() else { return Ok(None) };
        let place = self.in_flight.get_mut(usize::from(token)).ok_or(QueueError::Broken)?;
        let (buffer, len) = place.take().ok_or(QueueError::Broken)?;
        let start: NonNull<u8> = NonNull::from(self.bytes(buffer, len)).cast();
        // SAFETY: the same buffer as was added with this token, which the device has given back.
        let popped = unsafe {
            let bytes = slice::from_raw_parts_mut(start.as_ptr(), len);
            match way {
                Way::ToDevice => self.queue.pop_used(token, &[bytes], &mut []),
                Way::FromDevice => self.queue.pop_used(token, &[], &mut [bytes]),
            }
        };
        let filled = popped.map_err(|_| QueueError::Broken)?;
        Ok(Some((buffer, len.min(filled as usize))))
    }
}
