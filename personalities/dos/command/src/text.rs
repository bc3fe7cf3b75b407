//! Bytes as texts: numbers, trimming, comparing without case.

use alloc::vec::Vec;

/// Returns whether a byte separates words (MS-DOS 5.0 User's Guide: space, tab, comma, semicolon,
/// equals sign).
pub fn is_delimiter(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b',' | b';' | b'=')
}

/// Returns a text without leading separators.
pub fn skip_delimiters(text: &[u8]) -> &[u8] {
    let from = text.iter().position(|byte| !is_delimiter(*byte)).unwrap_or(text.len());
    &text[from..]
}

/// Returns a text without blanks around it.
pub fn trim(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

/// Returns the first word and what follows it.
pub fn first_word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = skip_delimiters(text);
    let len = text.iter().position(|byte| is_delimiter(*byte)).unwrap_or(text.len());
    text.split_at(len)
}

/// Returns all words.
pub fn words(text: &[u8]) -> Vec<Vec<u8>> {
    let words = text.split(|byte| is_delimiter(*byte)).filter(|word| !word.is_empty());
    words.map(<[u8]>::to_vec).collect()
}

/// Returns a number right-aligned in so many columns.
pub fn right(number: u64, columns: usize) -> Vec<u8> {
    let digits = decimal(number);
    let mut text = alloc::vec![b' '; columns.saturating_sub(digits.len())];
    text.extend(digits);
    text
}

/// Returns a number of two digits at least.
pub fn two(number: u8) -> Vec<u8> {
    let mut digits = decimal(number.into());
    if digits.len() < 2 {
        digits.insert(0, b'0');
    }
    digits
}

/// Returns a number's decimal digits.
pub fn decimal(number: u64) -> Vec<u8> {
    alloc::format!("{number}").into_bytes()
}

/// Returns the number that a text is.
pub fn parse_number(text: &[u8]) -> Option<u32> {
    core::str::from_utf8(text).ok()?.parse().ok()
}
