//! Keys of a US keyboard: characters to scan codes, scan codes to what the BIOS gives programs.
//!
//! ```text
//!   terminal ─► Stroke (key and modifiers) ─► Fingers ─► scan codes ─► INT 9 ─► code in the ring buffer
//! ```
//!
//! Source: IBM PC AT Technical Reference (1986), "Keyboard Encoding and Usage"; RBIL KEYBOARD
//! scan code tables of INT 16.

/// Characters of the keys with scan codes 0 to 39h.
const PLAIN: &[u8; 0x3a] =
    b"\0\x1b1234567890-=\x08\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
/// The same with shift; Tab has a code of its own.
const SHIFTED: &[u8; 0x3a] =
    b"\0\x1b!@#$%^&*()_+\x08\0QWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";
/// Digits of the key pad, scan codes 47 to 53.
const PAD: &[u8; 13] = b"789-456+1230.";
/// Codes of the key pad's keys with Ctrl, scan codes 47 to 53.
const PAD_CONTROL: [u8; 13] =
    [0x77, 0x8d, 0x84, 0x8e, 0x73, 0x8f, 0x74, 0x90, 0x75, 0x91, 0x76, 0x92, 0x93];

/// Scan codes of modifiers.
pub(crate) const CONTROL: u8 = 0x1d;
pub(crate) const LEFT_SHIFT: u8 = 0x2a;
pub(crate) const RIGHT_SHIFT: u8 = 0x36;
pub(crate) const ALT: u8 = 0x38;
/// Before the scan codes of keys that the first keyboards had not.
pub(crate) const EXTENDED: u8 = 0xe0;
/// Added to a scan code when its key is released.
pub(crate) const RELEASED: u8 = 0x80;

/// Which modifiers are held.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Modifiers {
    pub(crate) shift: bool,
    pub(crate) control: bool,
    pub(crate) alt: bool,
}

/// A key that is pressed and released.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Stroke {
    /// A key by its scan code.
    Key {
        scan: u8,
        /// Whether it is one of the keys beside the key pad.
        extended: bool,
        with: Modifiers,
    },
    /// A character that no key has: typed with Alt and its number.
    Number(u8),
}

impl Stroke {
    /// Returns a key of its own, such as F1.
    pub(crate) fn function(scan: u8, with: Modifiers) -> Stroke {
        let extended = (0x47..=0x53).contains(&scan);
        Stroke::Key { scan, extended, with }
    }

    /// Returns the stroke that gives a character of the code page, 0 for Ctrl-@.
    pub(crate) fn character(byte: u8) -> Stroke {
        let with = Modifiers::default();
        let byte = match byte {
            b'\n' => b'\r',
            0x7f => 8,
            byte => byte,
        };
        let plain = |byte| PLAIN.iter().position(|known| *known == byte && byte != 0);
        let shifted = |byte| SHIFTED.iter().position(|known| *known == byte && byte != 0);
        let key = |scan: usize, with| Stroke::Key { scan: scan as u8, extended: false, with };
        if let Some(scan) = plain(byte) {
            return key(scan, with);
        }
        if let Some(scan) = shifted(byte) {
            return key(scan, Modifiers { shift: true, ..with });
        }
        let with = Modifiers { control: true, ..with };
        match byte {
            // Ctrl-2, Ctrl-6, Ctrl--.
            0 => key(3, with),
            0x1e => key(7, with),
            0x1f => key(12, with),
            1..=0x1a => plain(byte + 0x60).map_or(Stroke::Number(byte), |scan| key(scan, with)),
            0x1c | 0x1d => plain(byte + 0x40).map_or(Stroke::Number(byte), |scan| key(scan, with)),
            _ => Stroke::Number(byte),
        }
    }

    /// Returns the same with Alt held.
    pub(crate) fn with_alt(self) -> Stroke {
        match self {
            Stroke::Key { scan, extended, with } => {
                Stroke::Key { scan, extended, with: Modifiers { alt: true, ..with } }
            }
            number => number,
        }
    }

    /// Returns the modifiers that it is typed with.
    pub(crate) fn modifiers(self) -> Modifiers {
        match self {
            Stroke::Key { with, .. } => with,
            Stroke::Number(_) => Modifiers { alt: true, ..Modifiers::default() },
        }
    }
}

/// Returns the digit of a key of the key pad.
pub(crate) fn pad_digit(scan: u8) -> Option<u8> {
    let character = PAD.get(scan.checked_sub(0x47)? as usize)?;
    character.is_ascii_digit().then(|| character - b'0')
}

/// Returns the scan code of a digit's key on the key pad.
pub(crate) fn pad_scan(digit: u8) -> u8 {
    let place = PAD.iter().position(|known| *known == b'0' + digit);
    0x47 + place.unwrap_or(0) as u8
}

/// What modifiers and locks choose among a key's codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Level {
    Plain,
    Shift,
    Control,
    Alt,
}

/// Returns what the BIOS stores for a key: the scan code above the character, or nothing.
pub(crate) fn code(scan: u8, level: Level) -> Option<u16> {
    match scan {
        0x01..=0x39 => character_code(scan, level),
        0x3b..=0x44 => {
            let first = match level {
                Level::Plain => 0x3b,
                Level::Shift => 0x54,
                Level::Control => 0x5e,
                Level::Alt => 0x68,
            };
            Some(word(scan - 0x3b + first, 0))
        }
        0x47..=0x53 => pad_code(scan, level),
        0x57 | 0x58 => {
            let first = match level {
                Level::Plain => 0x85,
                Level::Shift => 0x87,
                Level::Control => 0x89,
                Level::Alt => 0x8b,
            };
            Some(word(scan - 0x57 + first, 0))
        }
        _ => None,
    }
}

/// Returns what the BIOS stores for a key that the first keyboards had not.
pub(crate) fn extended_code(scan: u8, level: Level) -> Option<u16> {
    match (scan, level) {
        // Enter and the slash of the key pad.
        (0x1c, Level::Alt) => Some(0xa600),
        (0x1c, Level::Control) => Some(0xe00a),
        (0x1c, _) => Some(0xe00d),
        (0x35, Level::Alt) => Some(0xa400),
        (0x35, Level::Control) => Some(0x9500),
        (0x35, _) => Some(0xe02f),
        (0x47..=0x53, Level::Alt) => Some(word(scan + 0x50, 0)),
        (0x47..=0x53, Level::Control) => Some(word(PAD_CONTROL[(scan - 0x47) as usize], EXTENDED)),
        (0x47..=0x53, _) => Some(word(scan, EXTENDED)),
        _ => None,
    }
}

fn character_code(scan: u8, level: Level) -> Option<u16> {
    let plain = PLAIN[scan as usize];
    match (level, scan) {
        (_, 0x39) => Some(word(scan, b' ')),
        (Level::Plain, _) => (plain != 0).then(|| word(scan, plain)),
        (Level::Shift, 0x0f) => Some(word(scan, 0)),
        (Level::Shift, _) => (plain != 0).then(|| word(scan, SHIFTED[scan as usize])),
        (Level::Control, 0x01) => Some(word(scan, 0x1b)),
        (Level::Control, 0x03) => Some(word(scan, 0)),
        (Level::Control, 0x07) => Some(word(scan, 0x1e)),
        (Level::Control, 0x0c) => Some(word(scan, 0x1f)),
        (Level::Control, 0x0e) => Some(word(scan, 0x7f)),
        (Level::Control, 0x0f) => Some(0x9400),
        (Level::Control, 0x1c) => Some(word(scan, b'\n')),
        (Level::Control, 0x37) => Some(0x9600),
        (Level::Control, _) => {
            let has_one = plain.is_ascii_lowercase() || matches!(plain, b'[' | b'\\' | b']');
            has_one.then(|| word(scan, plain & 0x1f))
        }
        (Level::Alt, 0x02..=0x0d) => Some(word(scan + 0x76, 0)),
        (Level::Alt, 0x0f) => Some(0xa500),
        (Level::Alt, _) => (plain != 0).then(|| word(scan, 0)),
    }
}

fn pad_code(scan: u8, level: Level) -> Option<u16> {
    let place = (scan - 0x47) as usize;
    let character = PAD[place];
    let is_sign = matches!(character, b'+' | b'-');
    match level {
        Level::Plain if is_sign => Some(word(scan, character)),
        Level::Plain => Some(word(scan, 0)),
        Level::Shift => Some(word(scan, character)),
        Level::Control => Some(word(PAD_CONTROL[place], 0)),
        Level::Alt => is_sign.then(|| word(scan, 0)),
    }
}

fn word(scan: u8, character: u8) -> u16 {
    u16::from_be_bytes([scan, character])
}

#[cfg(test)]
mod tests {
    use super::{Level, code, extended_code};

    #[test]
    fn codes_are_those_of_the_technical_reference() {
        let table = [
            (0x1e, [Some(0x1e61), Some(0x1e41), Some(0x1e01), Some(0x1e00)]),
            (0x02, [Some(0x0231), Some(0x0221), None, Some(0x7800)]),
            (0x03, [Some(0x0332), Some(0x0340), Some(0x0300), Some(0x7900)]),
            (0x0d, [Some(0x0d3d), Some(0x0d2b), None, Some(0x8300)]),
            (0x0e, [Some(0x0e08), Some(0x0e08), Some(0x0e7f), Some(0x0e00)]),
            (0x0f, [Some(0x0f09), Some(0x0f00), Some(0x9400), Some(0xa500)]),
            (0x1a, [Some(0x1a5b), Some(0x1a7b), Some(0x1a1b), Some(0x1a00)]),
            (0x27, [Some(0x273b), Some(0x273a), None, Some(0x2700)]),
            (0x39, [Some(0x3920), Some(0x3920), Some(0x3920), Some(0x3920)]),
            (0x3b, [Some(0x3b00), Some(0x5400), Some(0x5e00), Some(0x6800)]),
            (0x44, [Some(0x4400), Some(0x5d00), Some(0x6700), Some(0x7100)]),
            (0x58, [Some(0x8600), Some(0x8800), Some(0x8a00), Some(0x8c00)]),
            (0x48, [Some(0x4800), Some(0x4838), Some(0x8d00), None]),
            (0x4e, [Some(0x4e2b), Some(0x4e2b), Some(0x9000), Some(0x4e00)]),
        ];
        for (scan, codes) in table {
            let levels = [Level::Plain, Level::Shift, Level::Control, Level::Alt];
            // Control shows no code for 27: ';' is none of the letters.
            assert_eq!(levels.map(|level| code(scan, level)), codes, "{scan:#x}");
        }
        assert_eq!(extended_code(0x4b, Level::Plain), Some(0x4be0));
        assert_eq!(extended_code(0x4b, Level::Control), Some(0x73e0));
        assert_eq!(extended_code(0x4b, Level::Alt), Some(0x9b00));
    }
}
