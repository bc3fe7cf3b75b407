//! ANSI.SYS: escape sequences in what DOS prints, for the text memory.
//!
//! A terminal understands them by itself while the screen is a stream; a page has only characters.
//!
//! Source: Microsoft MS-DOS Programmer's Reference (version 5), "ANSI.SYS"; RBIL INT 29.

use alloc::vec::Vec;

const ESCAPE: u8 = 0x1b;
/// Most numbers of a sequence.
const MOST: usize = 16;
/// Light grey on black.
const PLAIN: u8 = 0x07;
/// The display's numbers of ANSI's colours black, red, green, yellow, blue, magenta, cyan, white.
const COLOURS: [u8; 8] = [0, 4, 2, 6, 1, 5, 3, 7];

/// Where in a sequence the last byte was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum State {
    #[default]
    Text,
    Escape,
    Numbers,
}

/// What a byte means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Meaning {
    /// A character.
    Character(u8),
    /// Part of a sequence.
    Nothing,
    /// To a row and column from 0.
    Move(u8, u8),
    /// By rows and columns.
    MoveBy(i16, i16),
    /// Clear the page, the cursor to its corner.
    Clear,
    /// Clear the rest of the row.
    ClearRow,
    /// Remember the cursor.
    Save,
    /// Back to where it was remembered.
    Restore,
    /// Type where the cursor is.
    Report,
}

/// The driver's state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ansi {
    state: State,
    numbers: Vec<u8>,
    /// The attribute that a sequence chose.
    attribute: Option<u8>,
    /// The cursor that was remembered, row and column.
    pub(crate) saved: (u8, u8),
}

impl Ansi {
    /// Returns the attribute of what is printed; nothing: the cells' own.
    pub(crate) fn attribute(&self) -> Option<u8> {
        self.attribute
    }

    /// Takes a byte and returns what it means.
    pub(crate) fn push(&mut self, byte: u8) -> Meaning {
        match (self.state, byte) {
            (State::Text, ESCAPE) => self.state = State::Escape,
            (State::Text, _) => return Meaning::Character(byte),
            (State::Escape, b'[') => {
                self.state = State::Numbers;
                self.numbers.clear();
                self.numbers.push(0);
            }
            (State::Escape, _) => {
                self.state = State::Text;
                return Meaning::Character(byte);
            }
            (State::Numbers, b'0'..=b'9') => {
                if let Some(last) = self.numbers.last_mut() {
                    *last = last.saturating_mul(10).saturating_add(byte - b'0');
                }
            }
            (State::Numbers, b';') if self.numbers.len() < MOST => self.numbers.push(0),
            (State::Numbers, b'=' | b'?' | b';') => {}
            (State::Numbers, _) => {
                self.state = State::Text;
                return self.control(byte);
            }
        }
        Meaning::Nothing
    }

    fn control(&mut self, last: u8) -> Meaning {
        let number = |place: usize| self.numbers.get(place).copied().unwrap_or(0).max(1);
        let steps = i16::from(number(0));
        match last {
            b'H' | b'f' => Meaning::Move(number(0) - 1, number(1) - 1),
            b'A' => Meaning::MoveBy(-steps, 0),
            b'B' => Meaning::MoveBy(steps, 0),
            b'C' => Meaning::MoveBy(0, steps),
            b'D' => Meaning::MoveBy(0, -steps),
            b'J' => Meaning::Clear,
            b'K' => Meaning::ClearRow,
            b's' => Meaning::Save,
            b'u' => Meaning::Restore,
            b'n' if number(0) == 6 => Meaning::Report,
            b'm' => {
                let before = self.attribute.unwrap_or(PLAIN);
                self.attribute = Some(self.numbers.iter().copied().fold(before, rendition));
                Meaning::Nothing
            }
            _ => Meaning::Nothing,
        }
    }
}

/// Returns an attribute after one number of a graphics rendition.
fn rendition(attribute: u8, number: u8) -> u8 {
    match number {
        0 => PLAIN,
        1 => attribute | 0x08,
        5 => attribute | 0x80,
        7 => attribute & 0x88 | attribute >> 4 & 7 | (attribute & 7) << 4,
        8 => attribute & 0xf0 | attribute >> 4 & 7,
        30..=37 => attribute & 0xf8 | COLOURS[usize::from(number - 30)],
        40..=47 => attribute & 0x8f | COLOURS[usize::from(number - 40)] << 4,
        _ => attribute,
    }
}

#[cfg(test)]
mod tests {
    use super::{Ansi, Meaning};
    use alloc::vec::Vec;

    fn meanings(ansi: &mut Ansi, text: &str) -> Vec<Meaning> {
        let all = text.bytes().map(|byte| ansi.push(byte));
        all.filter(|meaning| *meaning != Meaning::Nothing).collect()
    }

    #[test]
    fn sequences_are_told_from_text() {
        let mut ansi = Ansi::default();
        let found =
            meanings(&mut ansi, "a\x1b[2J\x1b[5;10H\x1b[3C\x1b[Kb\x1b[s\x1b[H\x1b[u\x1b[=3h\x1bx");
        let expected = [
            Meaning::Character(b'a'),
            Meaning::Clear,
            Meaning::Move(4, 9),
            Meaning::MoveBy(0, 3),
            Meaning::ClearRow,
            Meaning::Character(b'b'),
            Meaning::Save,
            Meaning::Move(0, 0),
            Meaning::Restore,
            Meaning::Character(b'x'),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn renditions_become_attributes() {
        let mut ansi = Ansi::default();
        assert_eq!(ansi.attribute(), None);
        for (text, attribute) in [
            ("\x1b[1;33;44m", 0x1e),
            ("\x1b[5m", 0x9e),
            ("\x1b[0;7m", 0x70),
            ("\x1b[m", 0x07),
            ("\x1b[31m", 0x04),
        ] {
            meanings(&mut ansi, text);
            assert_eq!(ansi.attribute(), Some(attribute), "{text:?}");
        }
    }

    #[test]
    fn numbers_are_bounded() {
        let mut ansi = Ansi::default();
        let long = ["\x1b[", &"9;".repeat(1000), "99999999H"].concat();
        assert_eq!(meanings(&mut ansi, &long), [Meaning::Move(8, 8)]);
        assert_eq!(meanings(&mut ansi, "\x1b[999;999H"), [Meaning::Move(254, 254)]);
    }
}
