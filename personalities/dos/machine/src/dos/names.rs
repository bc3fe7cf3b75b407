//! Short names (8.3): from what a program says, from what a directory holds, and patterns.
//!
//! A host name that fits is its own short name in capitals. Any other becomes `NAME~n.EXT`, with n
//! counted per directory in the order of its entries, so that it stays the same while the
//! directory does. Names are compared without case.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::country::upper_case;
use crate::host::Entry;

/// Characters besides letters, digits and 80 to FF that a short name may have (MS-DOS
/// Programmer's Reference, "File and directory names").
const PUNCTUATION: &[u8] = b"!#$%&'()-@^_`{}~";

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
    let mut taken = BTreeSet::new();
    let fitting: Vec<Option<ShortName>> = entries
        .iter()
        .map(|entry| ShortName::fitting(&entry.name).filter(|name| taken.insert(*name)))
        .collect();
    entries
        .into_iter()
        .zip(fitting)
        .map(|(entry, fitting)| {
            let name = fitting.unwrap_or_else(|| mangle(&entry.name, &mut taken));
            (name, entry)
        })
        .collect()
}

/// Returns `NAME~n.EXT` with the lowest n that is not taken.
fn mangle(host: &[u8], taken: &mut BTreeSet<ShortName>) -> ShortName {
    let stripped = host.iter().position(|byte| *byte != b'.').map_or(&host[..0], |at| &host[at..]);
    let dot = stripped.iter().rposition(|byte| *byte == b'.').unwrap_or(stripped.len());
    let clean = |part: &[u8], most: usize| -> Vec<u8> {
        let kept = part.iter().filter(|byte| **byte != b' ' && **byte != b'.');
        kept.take(most).map(|byte| if is_allowed(*byte) { *byte } else { b'_' }).collect()
    };
    let base = clean(&stripped[..dot], 6);
    let extension = clean(stripped.get(dot + 1..).unwrap_or_default(), 3);
    for number in 1u32.. {
        let suffix = alloc::format!("~{number}");
        let mut text = base[..base.len().min(8 - suffix.len())].to_vec();
        text.extend(suffix.as_bytes());
        text.push(b'.');
        text.extend(&extension);
        let name = ShortName::parse(&text);
        if taken.insert(name) {
            return name;
        }
    }
    ShortName::parse(&base)
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || PUNCTUATION.contains(&byte)
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
    fn long_names_are_mangled_and_counted() {
        assert_eq!(
            short_names(&["readme.txt", "longfilename.text", "longfilenames.text", ".profile"]),
            [&b"README.TXT"[..], b"LONGFI~1.TEX", b"LONGFI~2.TEX", b"PROFIL~1"]
        );
    }

    #[test]
    fn names_that_differ_in_case_stay_apart() {
        assert_eq!(short_names(&["make", "Make"]), [&b"MAKE"[..], b"MAKE~1"]);
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
