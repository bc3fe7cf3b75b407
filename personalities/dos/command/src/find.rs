//! FIND: lines that contain a string.
//!
//! ```text
//!   FIND [/V] [/C] [/N] [/I] "string" [[drive:][path]filename …]
//! ```

use alloc::format;
use alloc::vec::Vec;

use crate::filter::{CHUNK, Text};
use crate::shell::Shell;
use crate::system::{Outcome, Refused, System};
use crate::text::is_delimiter;

const FORMAT: &[u8] = b"FIND: Parameter format not correct";

/// Exit codes (MS-DOS 6 Help, "find"; 5.0 names none).
const FOUND: u8 = 0;
const NOT_FOUND: u8 = 1;
const FAILED: u8 = 2;

/// What is looked for, and where.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Search {
    string: Vec<u8>,
    /// /V: lines without the string.
    inverts: bool,
    /// /C: only how many there are.
    counts: bool,
    /// /N: with their numbers.
    numbers: bool,
    /// /I: capital or not.
    folds: bool,
    paths: Vec<Vec<u8>>,
}

impl Search {
    /// Takes the command's tail apart.
    pub(crate) fn parse(tail: &[u8]) -> Result<Search, &'static [u8]> {
        let mut search = Search::default();
        let mut string = None;
        let mut rest = tail;
        while let [first, after @ ..] = rest {
            match first {
                b'/' => {
                    let (switch, after) = after.split_first().ok_or(FORMAT)?;
                    search.switch(*switch)?;
                    rest = after;
                }
                b'"' if string.is_none() => {
                    let (text, after) = quoted(after).ok_or(FORMAT)?;
                    string = Some(text);
                    rest = after;
                }
                byte if is_delimiter(*byte) => rest = after,
                _ if string.is_none() => return Err(FORMAT),
                _ => {
                    let ends = |byte: &u8| is_delimiter(*byte) || matches!(byte, b'/' | b'"');
                    let len = rest.iter().position(ends).unwrap_or(rest.len());
                    if len == 0 {
                        return Err(FORMAT);
                    }
                    search.paths.push(rest[..len].to_ascii_uppercase());
                    rest = &rest[len..];
                }
            }
        }
        search.string = string.ok_or(&b"FIND: Required parameter missing"[..])?;
        Ok(search)
    }

    fn switch(&mut self, switch: u8) -> Result<(), &'static [u8]> {
        match switch.to_ascii_uppercase() {
            b'V' => self.inverts = true,
            b'C' => self.counts = true,
            b'N' => self.numbers = true,
            b'I' => self.folds = true,
            _ => return Err(b"FIND: Invalid switch"),
        }
        Ok(())
    }

    /// Returns whether it looks at files, not at standard input.
    pub(crate) fn has_files(&self) -> bool {
        !self.paths.is_empty()
    }

    fn matches(&self, line: &[u8]) -> bool {
        let is_it = |part: &[u8]| match self.folds {
            true => part.eq_ignore_ascii_case(&self.string),
            false => part == self.string,
        };
        // The empty string is in no line.
        let contains = !self.string.is_empty() && line.windows(self.string.len()).any(is_it);
        contains != self.inverts
    }
}

/// Returns the string up to the quotation mark that ends it, and the rest; two stand for one.
fn quoted(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut string = Vec::new();
    let mut rest = text;
    loop {
        match rest {
            [b'"', b'"', after @ ..] => {
                string.push(b'"');
                rest = after;
            }
            [b'"', after @ ..] => return Some((string, after)),
            [byte, after @ ..] => {
                string.push(*byte);
                rest = after;
            }
            [] => return None,
        }
    }
}

impl Shell {
    /// Shows the lines of a text, or of the files, that match.
    pub(crate) fn find_lines<S: System>(
        &mut self,
        system: &mut S,
        search: &Search,
        input: Text,
    ) -> Outcome<()> {
        let mut found = 0;
        let mut failed = false;
        if !search.has_files() {
            found = self.find_in(system, search, input, None)?;
        }
        for path in &search.paths {
            let Ok(handle) = system.open(path, 0) else {
                failed = true;
                self.complain(system, &[b"File not found - ", &path[..]].concat());
                continue;
            };
            let counted = self.find_in(system, search, Text::of(handle), Some(path));
            system.close(handle);
            found += counted?;
        }
        self.errorlevel = match found {
            _ if failed => FAILED,
            0 => NOT_FOUND,
            _ => FOUND,
        };
        Ok(())
    }

    /// Shows the lines of a text; returns how many there were.
    fn find_in<S: System>(
        &mut self,
        system: &mut S,
        search: &Search,
        mut text: Text,
        name: Option<&[u8]>,
    ) -> Outcome<u64> {
        let mut out = Vec::new();
        if let Some(name) = name {
            out.extend([b"\r\n---------- ", name].concat());
            out.extend(if search.counts { &b": "[..] } else { b"\r\n" });
        }
        let (mut number, mut found) = (0u64, 0u64);
        while let Some(line) = text.line(system)? {
            number += 1;
            if !search.matches(&line) {
                continue;
            }
            found += 1;
            if !search.counts {
                if search.numbers {
                    out.extend(format!("[{number}]").into_bytes());
                }
                out.extend([&line[..], b"\r\n"].concat());
            }
            if out.len() >= CHUNK {
                self.say(system, &core::mem::take(&mut out));
                if self.is_stopped(system) {
                    return Err(Refused::Break);
                }
            }
        }
        if search.counts {
            out.extend(format!("{found}\r\n").into_bytes());
        }
        self.say(system, &out);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::Search;

    #[test]
    fn arguments_come_in_any_order() {
        let found = Search::parse(b" /v/N \"a \"\"b\"\"/\" c:\\x.txt,y /i").unwrap();
        let paths = [&b"C:\\X.TXT"[..], b"Y"].map(<[u8]>::to_vec).to_vec();
        let string = b"a \"b\"/".to_vec();
        let expected =
            Search { string, inverts: true, counts: false, numbers: true, folds: true, paths };
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_no_search_is_refused() {
        for (tail, text) in [
            (&b""[..], &b"FIND: Required parameter missing"[..]),
            (b" word", b"FIND: Parameter format not correct"),
            (b" \"open", b"FIND: Parameter format not correct"),
            (b" \"a\" /", b"FIND: Parameter format not correct"),
            (b" \"a\" \"b\"", b"FIND: Parameter format not correct"),
            (b" /x \"a\"", b"FIND: Invalid switch"),
        ] {
            assert_eq!(Search::parse(tail), Err(text));
        }
    }
}
