//! Code page 437 and UTF-8, for terminals; files and pipes carry bytes as they are.
//!
//! Source: IBM code page 437 as in Unicode's VENDORS/MICSFT/PC/CP437.TXT.

use alloc::vec::Vec;

/// The characters 80 to FF.
const UPPER: [char; 128] = [
    'Ç', 'ü', 'é', 'â', 'ä', 'à', 'å', 'ç', 'ê', 'ë', 'è', 'ï', 'î', 'ì', 'Ä', 'Å', 'É', 'æ', 'Æ',
    'ô', 'ö', 'ò', 'û', 'ù', 'ÿ', 'Ö', 'Ü', '¢', '£', '¥', '₧', 'ƒ', 'á', 'í', 'ó', 'ú', 'ñ', 'Ñ',
    'ª', 'º', '¿', '⌐', '¬', '½', '¼', '¡', '«', '»', '░', '▒', '▓', '│', '┤', '╡', '╢', '╖', '╕',
    '╣', '║', '╗', '╝', '╜', '╛', '┐', '└', '┴', '┬', '├', '─', '┼', '╞', '╟', '╚', '╔', '╩', '╦',
    '╠', '═', '╬', '╧', '╨', '╤', '╥', '╙', '╘', '╒', '╓', '╫', '╪', '┘', '┌', '█', '▄', '▌', '▐',
    '▀', 'α', 'ß', 'Γ', 'π', 'Σ', 'σ', 'µ', 'τ', 'Φ', 'Θ', 'Ω', 'δ', '∞', 'φ', 'ε', '∩', '≡', '±',
    '≥', '≤', '⌠', '⌡', '÷', '≈', '°', '∙', '·', '√', 'ⁿ', '²', '■', '\u{a0}',
];

/// What a screen shows for the characters 00 to 1F.
const LOWER: [char; 32] = [
    ' ', '☺', '☻', '♥', '♦', '♣', '♠', '•', '◘', '○', '◙', '♂', '♀', '♪', '♫', '☼', '►', '◄', '↕',
    '‼', '¶', '§', '▬', '↨', '↑', '↓', '→', '←', '∟', '↔', '▲', '▼',
];

/// Returns what a screen shows for a character.
pub(crate) fn glyph(byte: u8) -> char {
    match byte {
        0..=0x1f => LOWER[byte as usize],
        0x7f => '⌂',
        // A blank that does not break is a blank on a screen.
        0xff => ' ',
        0x80.. => UPPER[(byte - 0x80) as usize],
        _ => byte as char,
    }
}

/// What stands for a character that the code page lacks.
const UNKNOWN: u8 = b'?';

/// Appends a text as UTF-8.
pub fn decode(bytes: &[u8], into: &mut Vec<u8>) {
    for byte in bytes {
        let character = match byte.checked_sub(0x80) {
            None => *byte as char,
            Some(index) => UPPER[usize::from(index)],
        };
        into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Appends what a program prints as UTF-8: DOS's console obeys some control characters and shows the
/// others (MS-DOS 4.0 sources, v4.0/src/BIOS/MSCON.ASM, by INT 10h/0E).
pub fn show(bytes: &[u8], into: &mut Vec<u8>) {
    for byte in bytes {
        let shown = match *byte {
            0x07..=0x0a | 0x0d | 0x1b | 0x20..=0x7e => *byte as char,
            0x80.. => UPPER[usize::from(*byte - 0x80)],
            byte => glyph(byte),
        };
        into.extend_from_slice(shown.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Assembles UTF-8 from a terminal, byte by byte, into bytes of the code page.
#[derive(Clone, Default, Debug)]
pub struct Encoder {
    pending: Vec<u8>,
}

impl Encoder {
    /// Takes a byte; returns a byte of the code page when a character is complete.
    pub fn push(&mut self, byte: u8) -> Option<u8> {
        if self.pending.is_empty() && byte < 0x80 {
            return Some(byte);
        }
        self.pending.push(byte);
        match core::str::from_utf8(&self.pending) {
            Ok(text) => {
                let found = text.chars().next().map(encode);
                self.pending.clear();
                found
            }
            Err(error) if error.error_len().is_none() && self.pending.len() < 4 => None,
            Err(_) => {
                self.pending.clear();
                Some(UNKNOWN)
            }
        }
    }
}

fn encode(character: char) -> u8 {
    if (character as u32) < 0x80 {
        return character as u8;
    }
    UPPER.iter().position(|known| *known == character).map_or(UNKNOWN, |at| at as u8 + 0x80)
}

#[cfg(test)]
mod tests {
    use super::{Encoder, decode, show};
    use alloc::vec::Vec;

    #[test]
    fn every_character_survives_both_ways() {
        let bytes: Vec<u8> = (0..=255).collect();
        let mut text = Vec::new();
        decode(&bytes, &mut text);
        let mut encoder = Encoder::default();
        let back: Vec<u8> = text.iter().filter_map(|byte| encoder.push(*byte)).collect();
        assert_eq!(back, bytes);
    }

    #[test]
    fn control_characters_are_obeyed_or_shown() {
        let mut text = Vec::new();
        show(b"\0\x01\x07\x08\t\n\x0b\x0c\r\x0e\x1a\x1b[m\x7f", &mut text);
        assert_eq!(text, " ☺\x07\x08\t\n♂♀\r♫→\x1b[m⌂".as_bytes());
    }

    #[test]
    fn unknown_and_broken_characters_become_question_marks() {
        let mut encoder = Encoder::default();
        let found: Vec<u8> =
            "€x".bytes().chain([0xff, b'y']).filter_map(|byte| encoder.push(byte)).collect();
        assert_eq!(found, b"?x?y");
    }
}
