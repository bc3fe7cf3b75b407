//! The data area of a ring: bytes that either side may read and write at any moment.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::Buffer;

/// Words that are moved between two looks at the loop's condition.
const STRIDE: usize = 8;

/// The data area, seen by one side.
///
/// Whatever is read was written by the peer, may change while it is read, and means nothing until
/// it has been checked: copies are handed out, never references. A buffer begins at a multiple of
/// 8; writing fills its last word up with zeros, which no other buffer can begin in.
///
/// ```
/// use libipc::ring::{Buffer, Client, Shape};
/// use libipc::loopback;
/// let shape = Shape::new(8, 4096).expect("8 is a power of two");
/// let (memory, bell) = (loopback::memory(shape.pages()), loopback::notification());
/// let client = Client::create(memory, bell, shape)?;
/// let buffer = Buffer::new(64, 5);
/// assert_eq!(client.area().write(buffer, b"hello, world"), 5);
/// let mut bytes = [0; 8];
/// assert_eq!(client.area().read(buffer, &mut bytes), 5);
/// assert_eq!(&bytes, b"hello\0\0\0");
/// # Ok::<(), libipc::ring::RingError>(())
/// ```
///
/// ```
/// use libipc::ring::{Buffer, Client, Shape};
/// use libipc::loopback;
/// let shape = Shape::new(8, 4096).expect("8 is a power of two");
/// let (memory, bell) = (loopback::memory(shape.pages()), loopback::notification());
/// let client = Client::create(memory, bell, shape)?;
/// let (area, header) = (client.area(), Buffer::new(0, 16));
/// assert!(area.contains(header) && !area.contains(Buffer::new(4096, 1)));
/// assert!(area.store(header, [1, 2]) && !area.is_empty() && area.len() == 4096);
/// assert_eq!(area.load(header), Some([1, 2]));
/// assert_eq!(area.buffers(512).count(), 8);
/// # Ok::<(), libipc::ring::RingError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Area<'a> {
    words: &'a [AtomicU64],
}

impl<'a> Area<'a> {
    #[inline(always)]
    pub(super) const fn new(words: &'a [AtomicU64]) -> Self {
        Area { words }
    }

    /// Returns its length in bytes.
    #[inline(always)]
    pub const fn len(&self) -> usize {
        self.words.len() * 8
    }

    /// Returns whether it has no bytes: a ring may do without.
    pub const fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Returns whether a buffer lies in it and begins at a multiple of 8.
    #[inline(always)]
    pub fn contains(&self, buffer: Buffer) -> bool {
        let end = u64::from(buffer.at()) + u64::from(buffer.len());
        buffer.at().is_multiple_of(8) && end <= self.len() as u64
    }

    /// Returns the buffers of `len` bytes that it can be divided into, each at a multiple of 8;
    /// none for a length of 0.
    pub fn buffers(&self, len: u32) -> impl Iterator<Item = Buffer> + use<> {
        let stride = len.checked_next_multiple_of(8).filter(|&stride| stride != 0);
        let count = stride.map_or(0, |stride| self.len() / stride as usize);
        (0..count).map(move |index| Buffer::new(index as u32 * stride.unwrap_or(0), len))
    }

    /// Copies from a buffer; returns how many bytes: as many as all of buffer, area and `into`
    /// have.
    pub fn read(&self, buffer: Buffer, into: &mut [u8]) -> usize {
        let words = self.words(buffer);
        let len = into.len().min(buffer.len() as usize).min(words.len() * 8);
        let (strides, rest) = into[..len].as_chunks_mut::<{ STRIDE * 8 }>();
        let (from, last) = words.split_at(strides.len() * STRIDE);
        for (into, from) in strides.iter_mut().zip(from.as_chunks::<STRIDE>().0) {
            copy_out(into, from);
        }
        copy_out(rest, last);
        len
    }

    /// Copies to a buffer; returns how many bytes: as many as all of buffer, area and `bytes`
    /// have.
    pub fn write(&self, buffer: Buffer, bytes: &[u8]) -> usize {
        let words = self.words(buffer);
        let len = bytes.len().min(buffer.len() as usize).min(words.len() * 8);
        let (strides, rest) = bytes[..len].as_chunks::<{ STRIDE * 8 }>();
        let (into, last) = words.split_at(strides.len() * STRIDE);
        for (from, into) in strides.iter().zip(into.as_chunks::<STRIDE>().0) {
            copy_in(into, from);
        }
        copy_in(last, rest);
        len
    }

    /// Returns the first words of a buffer, unless it has fewer.
    #[inline(always)]
    pub fn load<const N: usize>(&self, buffer: Buffer) -> Option<[u64; N]> {
        let words = self.first(buffer)?;
        Some(words.each_ref().map(|word| word.load(Relaxed)))
    }

    /// Sets the first words of a buffer; returns whether it has as many.
    #[inline(always)]
    pub fn store<const N: usize>(&self, buffer: Buffer, words: [u64; N]) -> bool {
        let Some(into) = self.first::<N>(buffer) else { return false };
        into.iter().zip(words).for_each(|(into, word)| into.store(word, Relaxed));
        true
    }

    #[inline(always)]
    fn first<const N: usize>(&self, buffer: Buffer) -> Option<&'a [AtomicU64; N]> {
        let words = self.words.get(buffer.at() as usize / 8..)?;
        words.first_chunk().filter(|_| buffer.len() as usize >= N * 8)
    }

    /// Returns the words of a buffer, its last one whole: as far as they lie in the area.
    #[inline(always)]
    fn words(&self, buffer: Buffer) -> &'a [AtomicU64] {
        let first = buffer.at() as usize / 8;
        let len = (buffer.len() as usize).div_ceil(8);
        self.words.get(first..first + len).unwrap_or_else(|| clamped(self.words, first))
    }
}

/// Returns what the area has of a buffer that goes beyond its end.
#[cold]
fn clamped(words: &[AtomicU64], first: usize) -> &[AtomicU64] {
    words.get(first..).unwrap_or(&[])
}

/// Copies words to bytes, of which there are at most as many.
#[inline(always)]
fn copy_out(into: &mut [u8], from: &[AtomicU64]) {
    let (whole, rest) = into.as_chunks_mut();
    for (into, from) in whole.iter_mut().zip(from) {
        *into = from.load(Relaxed).to_le_bytes();
    }
    if let Some(from) = from.get(whole.len()) {
        let bytes = from.load(Relaxed).to_le_bytes();
        rest.iter_mut().zip(bytes).for_each(|(into, byte)| *into = byte);
    }
}

/// Copies bytes to words, of which there are at least as many; the last one is filled up.
#[inline(always)]
fn copy_in(into: &[AtomicU64], from: &[u8]) {
    let (whole, rest) = from.as_chunks();
    for (into, from) in into.iter().zip(whole) {
        into.store(u64::from_le_bytes(*from), Relaxed);
    }
    if let (Some(into), false) = (into.get(whole.len()), rest.is_empty()) {
        let mut bytes = [0; 8];
        bytes.iter_mut().zip(rest).for_each(|(into, byte)| *into = *byte);
        into.store(u64::from_le_bytes(bytes), Relaxed);
    }
}
