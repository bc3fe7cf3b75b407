//! What the keys at a terminal mean.

/// What a person wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key {
    /// Leave.
    Quit,
    /// Choose the row before.
    Up,
    /// Choose the row behind.
    Down,
    /// End the chosen process.
    Kill,
    /// Restart the chosen server.
    Restart,
}

/// Takes bytes as they are typed. Arrow keys are three: ESC [ A and ESC [ B (ECMA-48 8.3.22, as
/// terminals send them).
#[derive(Default)]
pub struct Keys {
    /// How many bytes of an arrow key have come.
    of_arrow: u8,
}

impl Keys {
    /// Returns what a byte means, where it means something.
    pub fn feed(&mut self, byte: u8) -> Option<Key> {
        let before = core::mem::take(&mut self.of_arrow);
        match (before, byte) {
            (_, 0x1b) => self.of_arrow = 1,
            (1, b'[') => self.of_arrow = 2,
            (2, b'A') => return Some(Key::Up),
            (2, b'B') => return Some(Key::Down),
            // Ctrl-C arrives as a byte in the modes that are set.
            (_, b'q' | 0x03 | 0x04) => return Some(Key::Quit),
            (_, b'k') => return Some(Key::Kill),
            (_, b'r') => return Some(Key::Restart),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn keys_are_understood_and_others_are_not() {
        let mut keys = Keys::default();
        let found: Vec<Key> =
            b"x\x1b[A\x1b[B\x1b[Ck[Ar\x03q".iter().filter_map(|byte| keys.feed(*byte)).collect();
        let quit = Key::Quit;
        assert_eq!(found, [Key::Up, Key::Down, Key::Kill, Key::Restart, quit, quit]);
    }
}
