//! Paths and patterns: directory and name, and what a pattern makes of a name.

use alloc::vec::Vec;

/// Returns whether a path has `*` or `?`.
pub fn is_pattern(path: &[u8]) -> bool {
    path.iter().any(|byte| matches!(byte, b'*' | b'?'))
}

/// Returns a path's directory, with its last `\`, `/` or `:`, and the name behind it.
pub fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let at = path.iter().rposition(|byte| matches!(byte, b'\\' | b'/' | b':'));
    path.split_at(at.map_or(0, |at| at + 1))
}

/// Returns a directory's path with a name behind it.
pub fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let separated = matches!(directory.last(), None | Some(b'\\' | b'/' | b':'));
    let separator: &[u8] = if separated { b"" } else { b"\\" };
    [directory, separator, name].concat()
}

/// Returns name and extension.
pub fn extension(name: &[u8]) -> (&[u8], &[u8]) {
    match name.iter().rposition(|byte| *byte == b'.') {
        Some(at) if at > 0 => (&name[..at], &name[at + 1..]),
        _ => (name, b""),
    }
}

/// Returns the name that a pattern makes of another: `*` takes the rest, `?` one character.
pub fn apply(pattern: &[u8], name: &[u8]) -> Vec<u8> {
    let (pattern_base, pattern_extension) = extension(pattern);
    let (base, ending) = extension(name);
    let mut made = merge(pattern_base, base, 8);
    let ending = merge(pattern_extension, ending, 3);
    if !ending.is_empty() {
        made.push(b'.');
        made.extend(ending);
    }
    made
}

fn merge(pattern: &[u8], name: &[u8], most: usize) -> Vec<u8> {
    let mut made = Vec::new();
    for (place, byte) in pattern.iter().enumerate() {
        match byte {
            b'*' => {
                made.extend(name.get(place..).unwrap_or_default());
                break;
            }
            b'?' => made.extend(name.get(place)),
            byte => made.push(*byte),
        }
    }
    made.truncate(most.max(name.len()));
    made
}

/// Returns whether a path's last part names a device, in whatever directory.
pub fn is_device(path: &[u8]) -> bool {
    const NAMES: [&[u8]; 9] =
        [b"CON", b"NUL", b"AUX", b"PRN", b"CLOCK$", b"COM1", b"COM2", b"LPT1", b"LPT2"];
    let (_, name) = split(path);
    let (base, _) = extension(name);
    NAMES.iter().any(|device| base.eq_ignore_ascii_case(device))
}

#[cfg(test)]
mod tests {
    use super::{apply, is_device, split};

    #[test]
    fn patterns_make_names() {
        assert_eq!(apply(b"*.bak", b"A.TXT"), b"A.bak");
        assert_eq!(apply(b"x*.*", b"ABC.TXT"), b"xBC.TXT");
        assert_eq!(apply(b"?b?.t", b"ABC.TXT"), b"AbC.t");
        assert_eq!(apply(b"*.", b"ABC.TXT"), b"ABC");
    }

    #[test]
    fn paths_are_split() {
        assert_eq!(split(b"c:\\a\\b.c"), (&b"c:\\a\\"[..], &b"b.c"[..]));
        assert_eq!(split(b"c:b"), (&b"c:"[..], &b"b"[..]));
        assert!(is_device(b"c:\\dos\\nul"));
        assert!(!is_device(b"null"));
    }
}
