//! Adler-32, the sum of zlib (RFC 1950 8.2).

/// The largest prime below 65,536 (RFC 1950 9).
const BASE: u32 = 65_521;

/// A sum that grows.
#[derive(Clone, Copy, Debug)]
pub struct Adler {
    one: u32,
    two: u32,
}

impl Default for Adler {
    fn default() -> Self {
        Adler { one: 1, two: 0 }
    }
}

impl Adler {
    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.one = (self.one + u32::from(byte)) % BASE;
            self.two = (self.two + self.one) % BASE;
        }
    }

    /// Returns the sum of all bytes so far.
    pub fn value(self) -> u32 {
        self.two << 16 | self.one
    }
}
