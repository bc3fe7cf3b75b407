//! A command line taken apart: pipes, redirections, the command's name.
//!
//! Between quotation marks `|`, `<` and `>` are ordinary characters.

use alloc::vec::Vec;

use crate::text::{is_delimiter, skip_delimiters};

/// Where a command's streams lead.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Redirections {
    /// The file after `<`.
    pub input: Option<Vec<u8>>,
    /// The file after `>` or `>>`.
    pub output: Option<Vec<u8>>,
    /// Whether it was `>>`.
    pub appends: bool,
}

/// Tells for each byte of a line, in order, whether it stands between quotation marks; a last one
/// without a partner is none (MS-DOS 4.0, TMISC1.ASM, PRESCAN).
struct Quotes {
    left: usize,
    is_open: bool,
}

impl Quotes {
    fn of(line: &[u8]) -> Quotes {
        Quotes { left: line.iter().filter(|byte| **byte == b'"').count(), is_open: false }
    }

    fn keeps(&mut self, byte: u8) -> bool {
        if byte == b'"' {
            self.left -= 1;
            self.is_open = !self.is_open && self.left > 0;
        }
        self.is_open
    }
}

/// Returns the commands of a pipe.
pub fn stages(line: &[u8]) -> Vec<Vec<u8>> {
    let mut stages = Vec::new();
    let (mut stage, mut quotes) = (Vec::new(), Quotes::of(line));
    for byte in line {
        if !quotes.keeps(*byte) && *byte == b'|' {
            stages.push(core::mem::take(&mut stage));
        } else {
            stage.push(*byte);
        }
    }
    stages.push(stage);
    stages
}

/// Returns a command without its redirections, and them; nothing where a file name is missing.
pub fn redirections(line: &[u8]) -> Option<(Vec<u8>, Redirections)> {
    let (mut text, mut found) = (Vec::new(), Redirections::default());
    let (mut rest, mut quotes) = (line, Quotes::of(line));
    while let [byte, after @ ..] = rest {
        if quotes.keeps(*byte) || !matches!(byte, b'<' | b'>') {
            text.push(*byte);
            rest = after;
            continue;
        }
        let appends = *byte == b'>' && after.first() == Some(&b'>');
        let after = if appends { &after[1..] } else { after };
        let (name, after) = file_name(after);
        if name.is_empty() {
            return None;
        }
        if *byte == b'<' {
            found.input = Some(name.to_vec());
        } else {
            found.output = Some(name.to_vec());
            found.appends = appends;
        }
        rest = after;
    }
    Some((text, found))
}

/// Returns the name at a command's begin and what follows it: up to a separator or a switch.
pub fn command_name(line: &[u8]) -> (&[u8], &[u8]) {
    let ends = |byte: &u8| is_delimiter(*byte) || matches!(byte, b'/' | b'<' | b'>' | b'|');
    line.split_at(line.iter().position(ends).unwrap_or(line.len()))
}

/// Returns the name of a redirection, without the colon that may end a device's.
fn file_name(text: &[u8]) -> (&[u8], &[u8]) {
    let text = skip_delimiters(text);
    let ends = |byte: &u8| is_delimiter(*byte) || matches!(byte, b'<' | b'>' | b'/' | b'"');
    let (name, rest) = text.split_at(text.iter().position(ends).unwrap_or(text.len()));
    let is_device = name.len() > 2 && name.ends_with(b":");
    (if is_device { &name[..name.len() - 1] } else { name }, rest)
}

#[cfg(test)]
mod tests {
    use super::{redirections, stages};

    #[test]
    fn pipes_part_commands_except_in_quotation_marks() {
        assert_eq!(stages(b"dir | sort|more"), [&b"dir "[..], b" sort", b"more"]);
        assert_eq!(stages(b"echo \"a|b\""), [b"echo \"a|b\""]);
        assert_eq!(stages(b"echo 5\"|more"), [&b"echo 5\""[..], b"more"]);
    }

    #[test]
    fn redirections_leave_the_command() {
        let (text, found) = redirections(b"sort /r < in.txt >>out.txt").unwrap();
        assert_eq!(text, b"sort /r  ");
        assert_eq!(found.input.as_deref(), Some(&b"in.txt"[..]));
        assert_eq!(found.output.as_deref(), Some(&b"out.txt"[..]));
        assert!(found.appends);
        let (text, found) = redirections(b"echo 5\" disk> nul:/x").unwrap();
        assert_eq!(
            (&text[..], found.output.as_deref()),
            (&b"echo 5\" disk/x"[..], Some(&b"nul"[..]))
        );
        let (text, found) = redirections(b"echo hello>x there").unwrap();
        assert_eq!((&text[..], found.appends), (&b"echo hello there"[..], false));
        assert!(redirections(b"echo >").is_none());
    }
}
