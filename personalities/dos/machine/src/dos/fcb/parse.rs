//! FCBs: a file name in a text becomes the beginning of an FCB (AH=29).

use alloc::vec::Vec;

use crate::dos::Call;
use crate::dos::country::upper_case;
use crate::host::Host;
use crate::session::Session;

/// Separators that end a name (RBIL INT 21/AH=29).
const SEPARATORS: &[u8] = b".:;,=+ \t/\"[]<>|\r\n";

/// Parses a file name as AH=29 does with its control byte 1; returns the FCB's first 16 bytes and
/// how many characters were used.
pub(in crate::dos) fn parse_name(text: &[u8]) -> ([u8; 16], usize) {
    let skipped = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let mut rest = &text[skipped..];
    let mut fcb = [0; 16];
    fcb[1..12].fill(b' ');
    if let [letter, b':', after @ ..] = rest {
        fcb[0] = letter.to_ascii_uppercase().wrapping_sub(b'A').wrapping_add(1);
        rest = after;
    }
    rest = parse_part(rest, &mut fcb[1..9]);
    if let [b'.', after @ ..] = rest {
        rest = parse_part(after, &mut fcb[9..12]);
    }
    (fcb, text.len() - rest.len())
}

fn parse_part<'a>(text: &'a [u8], field: &mut [u8]) -> &'a [u8] {
    let is_name = |byte: &u8| !SEPARATORS.contains(byte) && *byte > b' ';
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
        let skip = text.first().is_some_and(|byte| control & 1 != 0 && b":;,=+.".contains(byte));
        let (parsed, used) = parse_name(&text[skip as usize..]);
        let to = self.es_di();
        if control & 2 == 0 || parsed[0] != 0 {
            self.bus.write8(to, parsed[0]);
        }
        for (bit, part) in [(4, 1..9u16), (8, 9..12)] {
            let blank = parsed[part.start as usize] == b' ';
            if control & bit == 0 || !blank {
                let bytes = &parsed[part.start as usize..part.end as usize];
                self.bus.write(to.add(part.start), bytes);
            }
        }
        self.bus.write(to.add(12), &[0; 4]);
        let drive_known = self.drive_argument(parsed[0]).is_ok();
        let wild = parsed[1..12].contains(&b'?');
        self.set_al(if !drive_known { 0xff } else { wild as u8 });
        self.set_si(from.offset.wrapping_add(used as u16 + skip as u16));
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
    }
}
