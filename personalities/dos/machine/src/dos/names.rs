//! Short names (8.3): from what a program says, from what a directory holds, and patterns.
//!
//! A host name that fits is its own short name in capitals. Any other becomes `NAME~xyz.EXT`, made
//! of the name alone, so that programs and batch files find it again. Names are compared without
//! case.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::country::upper_case;
use crate::host::Entry;

/// Characters besides letters, digits and 80 to FF that a short name may have (MS-DOS
/// Programmer's Reference, "File and directory names").
const PUNCTUATION: &[u8] = b"!#$%&'()-@^_`{}~";

/// Digits of the number in a short name that stands for a long one.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKLMNPQRSTUVWX";
const NUMBERS: u32 = 1 << 15;

/// A short name as directories and FCBs hold it: 8 + 3 bytes, padded with blanks; `?` in a
/// pattern.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ShortName(pub [u8; 11]);

impl ShortName {
    /// The name ".".
    pub const SELF: ShortName = ShortName(*b".          ");
    /// The name "..".
    pub const PARENT: ShortName = ShortName(*b"..         ");

    /// Returns the name or pattern that a program means: in capitals, cut to 8.3, `*` spread.
    pub fn parse(component: &[u8]) -> ShortName {
        match component {
            b"." => return ShortName::SELF,
            b".." => return ShortName::PARENT,
            _ => {}
        }
        let dot = component.iter().position(|byte| *byte == b'.').unwrap_or(component.len());
        let mut name = [b' '; 11];
        fill(&mut name[..8], &component[..dot]);
        fill(&mut name[8..], component.get(dot + 1..).unwrap_or_default());
        ShortName(name)
    }

    /// Returns the short name of a host name that fits 8.3 as it is.
    pub fn fitting(host: &[u8]) -> Option<ShortName> {
        let dot = host.iter().rposition(|byte| *byte == b'.');
        let (name, extension) = match dot {
            Some(dot) => (&host[..dot], &host[dot + 1..]),
            None => (host, &host[..0]),
        };
        let empty_extension = dot.is_some() && extension.is_empty();
        let fits = (1..=8).contains(&name.len()) && extension.len() <= 3 && !empty_extension;
        let allowed = |part: &[u8]| part.iter().all(|byte| is_allowed(*byte));
        let fits = fits && !is_foreign(host);
        (fits && allowed(name) && allowed(extension)).then(|| ShortName::parse(host))
    }

    /// Returns whether the name has wildcards.
    pub fn is_pattern(&self) -> bool {
        self.0.contains(&b'?')
    }

    /// Returns whether a name matches this pattern.
    pub fn matches(&self, name: &ShortName) -> bool {
        self.0.iter().zip(&name.0).all(|(pattern, byte)| *pattern == b'?' || pattern == byte)
    }

    /// Returns the name as programs write it: `NAME.EXT`.
    pub fn text(&self) -> Vec<u8> {
        let trimmed = |part: &[u8]| {
            let len = part.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
            part[..len].to_vec()
        };
        let mut text = trimmed(&self.0[..8]);
        let extension = trimmed(&self.0[8..]);
        if !extension.is_empty() {
            text.push(b'.');
            text.extend(extension);
        }
        text
    }

    /// Returns the name as a volume label is written: with a dot behind the eighth character.
    pub fn label_text(&self) -> Vec<u8> {
        let len = self.0.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
        let mut text = self.0[..len].to_vec();
        if len > 8 {
            text.insert(8, b'.');
        }
        text
    }

    /// Returns this name with the places that are `?` in `pattern` taken from `old`, as RENAME
    /// with wildcards does.
    pub fn substitute(pattern: &ShortName, old: &ShortName) -> ShortName {
        let mut name = pattern.0;
        for (byte, old) in name.iter_mut().zip(old.0) {
            if *byte == b'?' {
                *byte = old;
            }
        }
        ShortName(name)
    }
}

/// Returns the short names of a directory's entries, in their order.
pub fn assign(entries: Vec<Entry>) -> Vec<(ShortName, Entry)> {
    // Of names that differ in case, the one comes first that a path in capitals finds first (`paths`);
    // otherwise the order is that of names, so that it does not matter how the host lists them.
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|index| {
        let name = &entries[*index].name;
        let is_capital = !name.iter().any(u8::is_ascii_lowercase);
        let is_small = !name.iter().any(u8::is_ascii_uppercase);
        (!is_capital, !is_small, name)
    });
    let mut taken = BTreeSet::new();
    let mut names = alloc::vec![None; entries.len()];
    for index in &order {
        names[*index] =
            ShortName::fitting(&entries[*index].name).filter(|name| taken.insert(*name));
    }
    for index in order {
        if names[index].is_none() {
            names[index] = Some(mangle(&entries[index].name, &mut taken));
        }
    }
    names.into_iter().flatten().zip(entries).collect()
}

/// Returns `NAME~xyz.EXT`, where xyz is made of the whole name: it stays the same whatever else is
/// in the directory, but for two names in 32,768.
fn mangle(host: &[u8], taken: &mut BTreeSet<ShortName>) -> ShortName {
    let stripped = host.iter().position(|byte| *byte != b'.').map_or(&host[..0], |at| &host[at..]);
    let dot = stripped.iter().rposition(|byte| *byte == b'.').unwrap_or(stripped.len());
    let clean = |part: &[u8], most: usize| -> Vec<u8> {
        let kept = part.iter().filter(|byte| **byte != b' ' && **byte != b'.');
        let is_kept = |byte: u8| is_allowed(byte) && (byte.is_ascii() || !is_foreign(host));
        kept.take(most).map(|byte| if is_kept(*byte) { *byte } else { b'_' }).collect()
    };
    let base = clean(&stripped[..dot], 4);
    let extension = clean(stripped.get(dot + 1..).unwrap_or_default(), 3);
    // FNV-1a.
    let hash = host
        .iter()
        .fold(0x811c_9dc5, |hash: u32, byte| (hash ^ *byte as u32).wrapping_mul(0x0100_0193));
    for attempt in 0..NUMBERS {
        let number = (hash ^ hash >> 15).wrapping_add(attempt);
        let mut text = base.clone();
        text.push(b'~');
        text.extend([10, 5, 0].map(|shift| DIGITS[(number >> shift & 31) as usize]));
        text.push(b'.');
        text.extend(&extension);
        let name = ShortName::parse(&text);
        if taken.insert(name) {
            return name;
        }
    }
    // More names than numbers in one directory: the last ones can't be told apart.
    ShortName::parse(&base)
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || PUNCTUATION.contains(&byte)
}

/// Returns whether a name has characters that the code page lacks: it is as the host has it (`tree`).
fn is_foreign(name: &[u8]) -> bool {
    !name.is_ascii() && core::str::from_utf8(name).is_ok()
}

fn fill(field: &mut [u8], from: &[u8]) {
    let mut from = from.iter();
    for place in field.iter_mut() {
        match from.next() {
            Some(b'*') => {
                *place = b'?';
                from = [b'*'; 1].iter();
            }
            Some(byte) => *place = upper_case(*byte),
            None => break,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ShortName, assign};
    use crate::host::{Entry, Node};
    use alloc::vec::Vec;

    fn short_names(names: &[&str]) -> Vec<Vec<u8>> {
        let entry = |name: &&str| Entry { name: name.as_bytes().to_vec(), node: Node(0) };
        assign(names.iter().map(entry).collect()).iter().map(|(name, _)| name.text()).collect()
    }

    #[test]
    fn a_long_names_short_name_does_not_depend_on_others() {
        let all = short_names(&["longfilename.text", "readme.txt", "longfilenames.text", ".prof"]);
        assert_eq!(all[1], b"README.TXT");
        assert!(all[0].starts_with(b"LONG~") && all[0].ends_with(b".TEX"));
        assert!(all[2].starts_with(b"LONG~") && all[2].ends_with(b".TEX"));
        assert!(all[3].starts_with(b"PROF~"));
        assert_ne!(all[0], all[2]);
        assert_eq!(short_names(&["longfilenames.text"])[0], all[2]);
        for name in all {
            assert!(ShortName::fitting(&name).is_some());
        }
    }

    #[test]
    fn characters_of_the_code_page_are_those_of_names_and_others_are_not() {
        let entry = |name: &[u8]| Entry { name: name.to_vec(), node: Node(0) };
        let names = assign([entry(b"caf\x82"), entry("\u{65e5}".as_bytes())].into());
        assert_eq!(names[0].0.text(), b"CAF\x90");
        assert!(names[1].0.text().starts_with(b"___~"));
    }

    #[test]
    fn names_that_differ_in_case_stay_apart() {
        for [first, second] in [["make", "Make"], ["MAKE", "make"], ["MAKE", "Make"]] {
            let names = short_names(&[second, first]);
            assert_eq!(names[1], b"MAKE");
            assert!(names[0].starts_with(b"MAKE~"));
        }
    }

    #[test]
    fn patterns_match_as_in_dos() {
        let all = ShortName::parse(b"*.*");
        let com = ShortName::parse(b"s*.com");
        assert!(all.matches(&ShortName::parse(b"noext")));
        assert!(com.matches(&ShortName::parse(b"SORTER.COM")));
        assert!(!com.matches(&ShortName::parse(b"SORTER.EXE")));
        assert!(!com.matches(&ShortName::parse(b"hello.com")));
    }

    #[test]
    fn a_parsed_name_is_its_own_text() {
        for text in [&b"A.B"[..], b"NAME", b"EIGHTLET.EXT", b"."] {
            assert_eq!(ShortName::parse(text).text(), text);
        }
        assert_eq!(ShortName::parse(b"longfilename.text").text(), b"LONGFILE.TEX");
    }
}
