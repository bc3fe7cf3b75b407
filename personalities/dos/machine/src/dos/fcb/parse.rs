//! FCBs: a file name in a text becomes the beginning of an FCB (AH=29).

use alloc::vec::Vec;

use crate::dos::Call;
use crate::dos::country::upper_case;
use crate::host::Host;
use crate::session::Session;

/// One of these is skipped before a name if bit 0 of AL says so; the period is none, as it begins
/// an extension (MS-DOS 4.0's source, FCB.ASM, CharType).
const DELIMITERS: &[u8] = b":;,=+<>|";
/// What ends a name, beside control characters (there, and RBIL INT 21/AH=29).
const SEPARATORS: &[u8] = b".:;,=+ /\\\"[]<>|";

/// What may stand before a name, beside blanks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Leading {
    Nothing,
    Delimiter,
}

/// Parses a file name as AH=29 does with its control byte 1; returns the FCB's first 16 bytes and
/// how many characters were used.
pub(in crate::dos) fn parse_name(text: &[u8]) -> ([u8; 16], usize) {
    let Parsed { fcb, used, .. } = parse(text, Leading::Delimiter);
    (fcb, used)
}

/// A name that was parsed: the FCB's beginning, whether there was a period, how many characters were used.
struct Parsed {
    fcb: [u8; 16],
    has_period: bool,
    used: usize,
}

fn parse(text: &[u8], leading: Leading) -> Parsed {
    let mut rest = skip_blanks(text);
    if let [first, after @ ..] = rest
        && leading == Leading::Delimiter
        && DELIMITERS.contains(first)
    {
        rest = skip_blanks(after);
    }
    let mut fcb = [0; 16];
    fcb[1..12].fill(b' ');
    if let [letter, b':', after @ ..] = rest
        && is_name(letter)
    {
        fcb[0] = letter.to_ascii_uppercase().wrapping_sub(b'A').wrapping_add(1);
        rest = after;
    }
    rest = parse_part(rest, &mut fcb[1..9]);
    let has_period = rest.first() == Some(&b'.');
    if has_period {
        rest = parse_part(&rest[1..], &mut fcb[9..12]);
    }
    Parsed { fcb, has_period, used: text.len() - rest.len() }
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &text[blanks..]
}

fn is_name(byte: &u8) -> bool {
    !SEPARATORS.contains(byte) && *byte > b' '
}

fn parse_part<'a>(text: &'a [u8], field: &mut [u8]) -> &'a [u8] {
    let len = text.iter().take_while(|byte| is_name(byte)).count();
    let (part, rest) = text.split_at(len);
    for (place, byte) in part.iter().enumerate().take(field.len()) {
        if *byte == b'*' {
            field[place..].fill(b'?');
            break;
        }
        field[place] = upper_case(*byte);
    }
    rest
}

impl<H: Host> Session<H> {
    /// AH=29.
    pub(in crate::dos) fn fcb_parse(&mut self) -> Call {
        let control = self.al();
        let from = self.ds_si();
        let mut text = Vec::new();
        while text.len() < 128 {
            match self.bus.read8(from.add(text.len() as u16)) {
                0 | b'\r' => break,
                byte => text.push(byte),
            }
        }
        let leading = if control & 1 != 0 { Leading::Delimiter } else { Leading::Nothing };
        let Parsed { fcb: parsed, has_period, used } = parse(&text, leading);
        let to = self.es_di();
        if control & 2 == 0 || parsed[0] != 0 {
            self.bus.write8(to, parsed[0]);
        }
        // A period without an extension behind it is an empty extension.
        for (bit, part, is_given) in [(4, 1..9u16, parsed[1] != b' '), (8, 9..12, has_period)] {
            if control & bit == 0 || is_given {
                let bytes = &parsed[part.start as usize..part.end as usize];
                self.bus.write(to.add(part.start), bytes);
            }
        }
        self.bus.write(to.add(12), &[0; 4]);
        let drive_known = self.drive_argument(parsed[0]).is_ok();
        let wild = parsed[1..12].contains(&b'?');
        self.set_al(if !drive_known { 0xff } else { wild as u8 });
        self.set_si(from.offset.wrapping_add(used as u16));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::parse_name;

    #[test]
    fn names_are_parsed_as_command_com_does() {
        let (fcb, used) = parse_name(b" b:foo.c* rest");
        assert_eq!(&fcb[..12], b"\x02FOO     C??");
        assert_eq!(used, 9);
        let (fcb, used) = parse_name(b"");
        assert_eq!((&fcb[..12], used), (&b"\0           "[..], 0));
        assert_eq!(&parse_name(b"/switch").0[1..9], b"        ");
        assert_eq!(&parse_name(b"c:\\dir\\file").0[..9], b"\x03        ");
    }
}
