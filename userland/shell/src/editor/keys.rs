//! Keys from bytes: control characters and escape sequences.

/// What a key does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Key {
    Byte(u8),
    Return,
    /// Ctrl-C.
    Drop,
    /// Ctrl-D.
    EndOrDelete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    Backspace,
    Delete,
    KillToStart,
    KillToEnd,
    KillWord,
    ClearScreen,
}

/// Where in an escape sequence the input is.
#[derive(Clone, Copy, Default)]
enum State {
    #[default]
    Ground,
    /// After ESC.
    Escape,
    /// After ESC O: one final byte follows.
    Single,
    /// After ESC [ : parameters, then a final byte; the first parameter is kept.
    Sequence { parameter: u8, first: bool },
}

/// Recognizes keys in a stream of bytes.
#[derive(Default)]
pub(super) struct Keys {
    state: State,
    /// Whether the last byte was CR, whose LF (as files and some terminals send it) is dropped.
    after_return: bool,
}

impl Keys {
    /// Takes a byte; returns the key that it completes, if any.
    pub(super) fn feed(&mut self, byte: u8) -> Option<Key> {
        let after_return = core::mem::take(&mut self.after_return);
        match core::mem::take(&mut self.state) {
            State::Ground if byte == b'\n' && after_return => None,
            State::Ground => {
                self.after_return = byte == b'\r';
                self.ground(byte)
            }
            State::Escape => {
                match byte {
                    b'[' => self.state = State::Sequence { parameter: 0, first: true },
                    b'O' => self.state = State::Single,
                    0x1b => self.state = State::Escape,
                    _ => {}
                }
                None
            }
            State::Single => letter(byte),
            State::Sequence { parameter, first } => self.sequence(byte, parameter, first),
        }
    }

    fn ground(&mut self, byte: u8) -> Option<Key> {
        Some(match byte {
            b'\r' | b'\n' => Key::Return,
            0x01 => Key::Home,
            0x02 => Key::Left,
            0x03 => Key::Drop,
            0x04 => Key::EndOrDelete,
            0x05 => Key::End,
            0x06 => Key::Right,
            0x08 | 0x7f => Key::Backspace,
            0x0b => Key::KillToEnd,
            0x0c => Key::ClearScreen,
            0x0e => Key::Down,
            0x10 => Key::Up,
            0x15 => Key::KillToStart,
            0x17 => Key::KillWord,
            0x1b => {
                self.state = State::Escape;
                return None;
            }
            b'\t' => Key::Byte(b' '),
            0..=0x1f => return None,
            _ => Key::Byte(byte),
        })
    }

    fn sequence(&mut self, byte: u8, parameter: u8, first: bool) -> Option<Key> {
        match byte {
            b'0'..=b'9' if first => {
                let parameter = parameter.saturating_mul(10).saturating_add(byte - b'0');
                self.state = State::Sequence { parameter, first };
                None
            }
            // Further parameters and intermediates (ECMA-48, 5.4) change nothing here.
            0x20..=0x3f => {
                self.state = State::Sequence { parameter, first: false };
                None
            }
            b'~' => match parameter {
                1 | 7 => Some(Key::Home),
                4 | 8 => Some(Key::End),
                3 => Some(Key::Delete),
                _ => None,
            },
            _ => letter(byte),
        }
    }
}

fn letter(byte: u8) -> Option<Key> {
    match byte {
        b'A' => Some(Key::Up),
        b'B' => Some(Key::Down),
        b'C' => Some(Key::Right),
        b'D' => Some(Key::Left),
        b'H' => Some(Key::Home),
        b'F' => Some(Key::End),
        _ => None,
    }
}
