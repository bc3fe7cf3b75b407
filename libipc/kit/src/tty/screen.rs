//! Output: processing of what programs write and of the echo, and the cursor's column.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::Modes;
use super::flags::{local, output};

/// Most bytes that [`Tty::output`](super::Tty::output) makes of one: a tab in spaces.
pub const OUTPUT_MAX: usize = 8;

/// Where output goes; what has no room is lost, as on a real line.
pub trait Sink {
    /// Takes a byte.
    fn put(&mut self, byte: u8);
}

impl Sink for Vec<u8> {
    fn put(&mut self, byte: u8) {
        self.push(byte);
    }
}

impl Sink for VecDeque<u8> {
    fn put(&mut self, byte: u8) {
        self.push_back(byte);
    }
}

/// The cursor's column, as far as it can be known from the bytes that went by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Column(pub usize);

impl Column {
    /// Puts a byte as `modes.output` says.
    pub fn put(&mut self, modes: &Modes, byte: u8, sink: &mut impl Sink) {
        if modes.output & output::OPOST == 0 {
            self.advance(byte);
            sink.put(byte);
            return;
        }
        match byte {
            b'\n' => self.put_newline(modes, sink),
            b'\r' => self.put_return(modes, sink),
            b'\t' if modes.output & output::XTABS == output::XTABS => {
                for _ in 0..8 - self.0 % 8 {
                    sink.put(b' ');
                }
                self.advance(b'\t');
            }
            _ => {
                self.advance(byte);
                sink.put(byte);
            }
        }
    }

    fn put_newline(&mut self, modes: &Modes, sink: &mut impl Sink) {
        if modes.output & output::ONLCR != 0 {
            sink.put(b'\r');
        }
        if modes.output & (output::ONLCR | output::ONLRET) != 0 {
            self.0 = 0;
        }
        sink.put(b'\n');
    }

    fn put_return(&mut self, modes: &Modes, sink: &mut impl Sink) {
        if modes.output & output::ONOCR != 0 && self.0 == 0 {
            return;
        }
        if modes.output & output::OCRNL != 0 {
            return self.put_newline(modes, sink);
        }
        self.0 = 0;
        sink.put(b'\r');
    }

    /// Moves by what a byte does to a cursor.
    pub fn advance(&mut self, byte: u8) {
        match byte {
            b'\r' => self.0 = 0,
            b'\t' => self.0 = (self.0 / 8 + 1) * 8,
            0x08 => self.0 = self.0.saturating_sub(1),
            0..=0x1f | 0x7f => {}
            // Continuation bytes of UTF-8 belong to the character before.
            0x80..=0xbf => {}
            _ => self.0 += 1,
        }
    }

    /// Echoes a byte: control characters as ^X with ECHOCTL.
    pub fn echo(&mut self, modes: &Modes, byte: u8, sink: &mut impl Sink) {
        if is_shown_as_two(modes, byte) {
            self.put(modes, b'^', sink);
            self.put(modes, byte ^ 0x40, sink);
        } else {
            self.put(modes, byte, sink);
        }
    }

    /// Moves by what the echo of a byte does to a cursor.
    pub fn advance_by_echo(&mut self, modes: &Modes, byte: u8) {
        if is_shown_as_two(modes, byte) { self.0 += 2 } else { self.advance(byte) }
    }

    /// Wipes the columns from `from` up to the cursor.
    pub fn wipe(&mut self, from: Column, is_blank: bool, sink: &mut impl Sink) {
        for _ in from.0..self.0 {
            sink.put(0x08);
            if !is_blank {
                sink.put(b' ');
                sink.put(0x08);
            }
        }
        self.0 = self.0.min(from.0);
    }
}

fn is_shown_as_two(modes: &Modes, byte: u8) -> bool {
    let is_control = (byte < 0x20 && byte != b'\t' && byte != b'\n') || byte == 0x7f;
    is_control && modes.local & local::ECHOCTL != 0
}
