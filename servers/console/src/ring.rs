//! Output that the line has not taken yet.

use alloc::collections::VecDeque;

use kamen_kit::tty::Sink;

/// Most bytes that wait for the line.
pub const RING_BYTES: usize = 16 * 1024;

/// A bounded queue of bytes; what exceeds it is lost, which concerns only the echo, because
/// programs' output is taken only where there is room.
#[derive(Debug, Default)]
pub struct Ring {
    bytes: VecDeque<u8>,
}

impl Ring {
    /// Returns how many bytes have room.
    pub fn room(&self) -> usize {
        RING_BYTES - self.bytes.len()
    }

    /// Returns whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Returns the bytes to go next, as many as lie in one piece.
    pub fn front(&self) -> &[u8] {
        self.bytes.as_slices().0
    }

    /// Drops bytes that are gone.
    pub fn consume(&mut self, count: usize) {
        self.bytes.drain(..count.min(self.bytes.len()));
    }
}

impl Sink for Ring {
    fn put(&mut self, byte: u8) {
        if self.room() > 0 {
            self.bytes.push_back(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_out_in_order_and_the_ring_is_bounded() {
        let mut ring = Ring::default();
        for number in 0..RING_BYTES + 10 {
            ring.put(number as u8);
        }
        assert_eq!(ring.room(), 0);
        let mut out = 0;
        while !ring.is_empty() {
            assert_eq!(ring.front()[0], out as u8);
            ring.consume(7);
            out += 7;
        }
        assert_eq!(ring.room(), RING_BYTES);
        assert!(out >= RING_BYTES);
    }
}
