//! ATTRIB: shows or changes attributes of files.
//!
//! ```text
//!   ATTRIB [+R|-R] [+A|-A] [+S|-S] [+H|-H] [[drive:][path]filename] [/S]
//! ```

use alloc::vec::Vec;

use crate::files::is_directory;
use crate::options::{Arguments, invalid_switch};
use crate::shell::Shell;
use crate::system::{Found, System, attribute};
use crate::walk::{self, DEPTH_MAX};
use crate::wildcard;

const FAILED: u8 = 1;
/// What keeps a file's attributes unless it is named, too (MS-DOS 5.0 User's Guide, "attrib").
const KEEPING: [(u8, &[u8]); 2] = [
    (attribute::HIDDEN, b"Not resetting hidden file "),
    (attribute::SYSTEM, b"Not resetting system file "),
];

/// What is to be changed.
#[derive(Default)]
struct Change {
    set: u8,
    clear: u8,
}

impl Change {
    fn is_none(&self) -> bool {
        self.set | self.clear == 0
    }

    /// Takes `+R` and the like; returns whether it was that.
    fn take(&mut self, word: &[u8]) -> bool {
        let [sign @ (b'+' | b'-'), letter] = word else { return false };
        let bit = match letter.to_ascii_uppercase() {
            b'R' => attribute::READ_ONLY,
            b'A' => attribute::ARCHIVE,
            b'S' => attribute::SYSTEM,
            b'H' => attribute::HIDDEN,
            _ => return false,
        };
        *(if *sign == b'+' { &mut self.set } else { &mut self.clear }) |= bit;
        true
    }
}

impl Shell {
    pub(super) fn attrib<S: System>(&mut self, system: &mut S, tail: &[u8]) {
        let mut given = Arguments::parse(tail);
        let mut change = Change::default();
        given.words.retain(|word| !change.take(word));
        if let Some(switch) = given.unknown(&[b"S"]) {
            return self.fail_tool(system, FAILED, &invalid_switch(switch));
        }
        let paths = &given.words;
        let malformed = paths.iter().find(|word| word.starts_with(b"+") || word.starts_with(b"-"));
        if let Some(word) = malformed.or(paths.get(1)) {
            let text = [b"Parameter format not correct - ", &word[..]].concat();
            return self.fail_tool(system, FAILED, &text);
        }
        let path = paths.first().map(Vec::as_slice).unwrap_or_default();
        if self.change_below(system, path, given.has(b"S"), &change) == 0 {
            let name = if path.is_empty() { &b"*.*"[..] } else { path };
            let text = [b"File not found - ", &name.to_ascii_uppercase()[..]].concat();
            self.fail_tool(system, FAILED, &text);
        }
    }

    /// Goes through the files that a path means; returns how many there were.
    fn change_below<S: System>(
        &mut self,
        system: &mut S,
        path: &[u8],
        is_deep: bool,
        change: &Change,
    ) -> usize {
        // A directory is meant itself, unless it is a drive's or has no name.
        let (parent, name) = wildcard::split(path);
        let is_named = !matches!(name, b"" | b"." | b"..") && !wildcard::is_pattern(path);
        let is_itself = is_named && is_directory(system, path);
        let (directory, pattern) = match is_itself {
            true => (parent.to_vec(), name.to_vec()),
            false => walk::place(system, path),
        };
        let Some(full) = walk::full_path(system, &directory) else { return 0 };
        let hidden = attribute::HIDDEN | attribute::SYSTEM;
        let (mut places, mut count) = (alloc::vec![(full, 0)], 0);
        while let Some((directory, depth)) = places.pop() {
            let found = match is_itself {
                true => {
                    let wanted = hidden | attribute::DIRECTORY;
                    system.find(&wildcard::join(&directory, &pattern), wanted).unwrap_or_default()
                }
                false => walk::files(system, &directory, &pattern, hidden).unwrap_or_default(),
            };
            count += found.len();
            for entry in found {
                if self.is_stopped(system) {
                    return count;
                }
                self.change_one(system, &directory, &entry, change);
            }
            if is_deep && depth < DEPTH_MAX {
                let below = walk::subdirectories(system, &directory, hidden)
                    .unwrap_or_default()
                    .into_iter()
                    .rev();
                let path = |entry: Found| wildcard::join(&directory, &entry.name);
                places.extend(below.map(|entry| (path(entry), depth + 1)));
            }
        }
        count
    }

    fn change_one<S: System>(
        &mut self,
        system: &mut S,
        directory: &[u8],
        entry: &Found,
        change: &Change,
    ) {
        let path = wildcard::join(directory, &entry.name);
        if change.is_none() {
            return self.say(system, &line(entry.attributes, &path));
        }
        let touched = change.set | change.clear;
        let is_kept = |(bit, _): &&(u8, &[u8])| entry.attributes & bit != 0 && touched & bit == 0;
        if let Some((_, text)) = KEEPING.iter().find(is_kept) {
            return self.say(system, &[text, &path[..], b"\r\n"].concat());
        }
        let bits = entry.attributes & !change.clear | change.set;
        if system.set_attributes(&path, bits & !attribute::DIRECTORY).is_err() {
            self.fail_tool(system, FAILED, &[b"Access denied - ", &path[..]].concat());
        }
    }
}

/// Returns `  A  SHR     C:\NAME`.
fn line(bits: u8, path: &[u8]) -> Vec<u8> {
    let letter = |bit: u8, letter: u8| if bits & bit != 0 { letter } else { b' ' };
    let [archive, system, hidden, read_only] = [
        letter(attribute::ARCHIVE, b'A'),
        letter(attribute::SYSTEM, b'S'),
        letter(attribute::HIDDEN, b'H'),
        letter(attribute::READ_ONLY, b'R'),
    ];
    let columns = [b' ', b' ', archive, b' ', b' ', system, hidden, read_only];
    [&columns, &b"     "[..], path, b"\r\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn lines_have_the_columns_of_dos_6() {
        assert_eq!(line(0x27, b"C:\\IO.SYS"), b"  A  SHR     C:\\IO.SYS\r\n");
        assert_eq!(line(0x20, b"C:\\A"), b"  A          C:\\A\r\n");
    }
}
