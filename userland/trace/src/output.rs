//! Text to a stream, in pieces of a few kilobytes.

use alloc::vec::Vec;
use core::fmt;

use libipc::Endpoint;
use protocols::stream::{StreamClient, Wait};

/// Bytes that are written together.
const PIECE: usize = 4096;

/// Text on its way to a stream.
pub struct Output {
    stream: StreamClient,
    waiting: Vec<u8>,
}

impl Output {
    /// Returns what writes to a stream.
    pub fn new(stream: Endpoint) -> Self {
        Output { stream: StreamClient::new(stream), waiting: Vec::with_capacity(PIECE) }
    }

    /// Adds bytes.
    pub fn put(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PIECE {
            self.flush();
        }
    }

    /// Writes what waits.
    pub fn flush(&mut self) {
        let mut rest = &self.waiting[..];
        while !rest.is_empty() {
            match self.stream.write(Wait::Yes, rest) {
                // A count of nothing, or an error: there is nobody left to show it to.
                Ok(0) | Err(_) => break,
                Ok(count) => rest = rest.get(count as usize..).unwrap_or(&[]),
            }
        }
        self.waiting.clear();
    }
}

impl fmt::Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text.as_bytes());
        Ok(())
    }
}
