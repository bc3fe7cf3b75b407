//! Input of a console that is a pipe: escaped by the host, so that its end can be told.
//!
//! ```text
//!   0x10 0x10   the byte 0x10        0x10 0x04   the end of input
//! ```

/// The byte that escapes (ASCII DLE).
pub const ESCAPE: u8 = 0x10;
/// After the escape: the end (ASCII EOT).
pub const END: u8 = 0x04;

/// What a byte on the line means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decoded {
    /// A byte of input.
    Byte(u8),
    /// The end of input.
    End,
    /// The rest of an escape has to come first.
    Incomplete,
}

/// Undoes the escaping, byte by byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Decoder {
    is_escaped: bool,
}

impl Decoder {
    /// Returns what the next byte means; an escape of anything else stands for that byte.
    pub fn decode(&mut self, byte: u8) -> Decoded {
        match (core::mem::take(&mut self.is_escaped), byte) {
            (false, ESCAPE) => {
                self.is_escaped = true;
                Decoded::Incomplete
            }
            (true, END) => Decoded::End,
            (false | true, byte) => Decoded::Byte(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn decode(bytes: &[u8]) -> Vec<Decoded> {
        let mut decoder = Decoder::default();
        let all = bytes.iter().map(|&byte| decoder.decode(byte));
        all.filter(|decoded| *decoded != Decoded::Incomplete).collect()
    }

    #[test]
    fn escapes_are_undone() {
        let expected = [Decoded::Byte(b'a'), Decoded::Byte(0x10), Decoded::Byte(4), Decoded::End];
        assert_eq!(decode(b"a\x10\x10\x04\x10\x04"), expected);
    }

    #[test]
    fn other_escapes_stand_for_their_byte() {
        assert_eq!(decode(b"\x10x"), [Decoded::Byte(b'x')]);
        assert_eq!(decode(b"\x10"), []);
    }
}
