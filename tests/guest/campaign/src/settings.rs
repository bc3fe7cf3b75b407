//! What a program is started with: words of the form `key=value`.

use kamen_kit::Arguments;

/// Returns the number of a key among a program's arguments, if it is there and is one.
pub fn number(arguments: &Arguments, key: &str) -> Option<u64> {
    text(arguments, key)?.parse().ok()
}

/// Returns the text of a key among a program's arguments, if it is there.
pub fn text<'a>(arguments: &'a Arguments, key: &str) -> Option<&'a str> {
    arguments
        .argv
        .iter()
        .find_map(|word| core::str::from_utf8(word).ok()?.strip_prefix(key)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::{number, text};
    use kamen_kit::Arguments;

    #[test]
    fn numbers_are_found_by_their_whole_key() {
        let arguments = Arguments::new(b"/", &[b"campaign", b"seed=7", b"kills=x"], &[]);
        assert_eq!(number(&arguments, "seed"), Some(7));
        assert_eq!(number(&arguments, "see"), None);
        assert_eq!(number(&arguments, "kills"), None);
        assert_eq!(text(&arguments, "kills"), Some("x"));
    }
}
