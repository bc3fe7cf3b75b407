//! Splits a line into words: blanks separate, quotes and backslash protect, `#` begins a comment.
//!
//! As in POSIX 2.2 (Quoting), without expansions: 'all literal', "all but \" and \\ literal", \x.
//! What the shell does not have (pipes, redirections, lists) is an error and not a word, so that
//! nobody mistakes it for working.

use alloc::vec::Vec;

/// Most words of a line.
pub const MAX_WORDS: usize = 256;

/// Why a line cannot be split.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WordsError {
    /// A quote is not closed.
    OpenQuote(u8),
    /// The line ends in a backslash.
    OpenBackslash,
    /// An operator that this shell does not have.
    Operator(u8),
    /// There are more words than [`MAX_WORDS`].
    TooMany,
}

/// Returns the words of a line; none where it is blank or a comment.
///
/// # Errors
/// `OpenQuote` and `OpenBackslash` for an unfinished line, `Operator` for an unquoted operator,
/// `TooMany` for too many words.
pub fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, WordsError> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut rest = line.iter().copied();
    while let Some(byte) = rest.next() {
        match byte {
            b' ' | b'\t' => words.extend(word.take()),
            b'#' if word.is_none() => break,
            b'\'' => literal(&mut rest, word.get_or_insert_default())?,
            b'"' => quoted(&mut rest, word.get_or_insert_default())?,
            b'\\' => {
                let escaped = rest.next().ok_or(WordsError::OpenBackslash)?;
                word.get_or_insert_default().push(escaped);
            }
            b'|' | b'<' | b'>' | b'&' | b';' => return Err(WordsError::Operator(byte)),
            _ => word.get_or_insert_default().push(byte),
        }
        if words.len() >= MAX_WORDS {
            return Err(WordsError::TooMany);
        }
    }
    words.extend(word);
    if words.len() > MAX_WORDS { Err(WordsError::TooMany) } else { Ok(words) }
}

fn literal(rest: &mut impl Iterator<Item = u8>, word: &mut Vec<u8>) -> Result<(), WordsError> {
    loop {
        match rest.next().ok_or(WordsError::OpenQuote(b'\''))? {
            b'\'' => return Ok(()),
            byte => word.push(byte),
        }
    }
}

fn quoted(rest: &mut impl Iterator<Item = u8>, word: &mut Vec<u8>) -> Result<(), WordsError> {
    let open = WordsError::OpenQuote(b'"');
    loop {
        match rest.next().ok_or(open)? {
            b'"' => return Ok(()),
            b'\\' => {
                let escaped = rest.next().ok_or(open)?;
                if !matches!(escaped, b'"' | b'\\') {
                    word.push(b'\\');
                }
                word.push(escaped);
            }
            byte => word.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn words(line: &str) -> Vec<Vec<u8>> {
        split(line.as_bytes()).unwrap()
    }

    #[test]
    fn blanks_separate_and_quotes_protect() {
        assert_eq!(words("  ls  -l\t/bin "), [&b"ls"[..], b"-l", b"/bin"]);
        assert_eq!(
            words(r#"sh -c 'a | b' "c \" d" e\ f"#),
            [&b"sh"[..], b"-c", b"a | b", b"c \" d", b"e f"]
        );
        assert_eq!(words(r#"a'b'"c"d '' "\n""#), [&b"abcd"[..], b"", b"\\n"]);
    }

    #[test]
    fn comments_and_blank_lines_are_nothing() {
        assert!(words("").is_empty() && words(" \t").is_empty() && words("# a 'b").is_empty());
        assert_eq!(words("a#b # c"), [b"a#b"]);
    }

    #[test]
    fn what_is_not_there_is_refused() {
        assert_eq!(split(b"a | b"), Err(WordsError::Operator(b'|')));
        assert_eq!(split(b"a 'b"), Err(WordsError::OpenQuote(b'\'')));
        assert_eq!(split(b"a \"b\\"), Err(WordsError::OpenQuote(b'"')));
        assert_eq!(split(b"a\\"), Err(WordsError::OpenBackslash));
        let many = vec!["a"; MAX_WORDS + 1].join(" ");
        assert_eq!(split(many.as_bytes()), Err(WordsError::TooMany));
    }

    proptest! {
        #[test]
        fn single_quotes_carry_anything(text in "[^']{0,40}") {
            let line = alloc::format!("'{text}'");
            prop_assert_eq!(split(line.as_bytes()), Ok(vec![text.into_bytes()]));
        }

        #[test]
        fn any_line_is_no_panic(line in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = split(&line);
        }
    }
}
