//! Texts of any length in kept memory: chains of rows.
//!
//! ```text
//!   row:  next row as a word, 0: none · 63 words of text
//! ```

use alloc::vec::Vec;

use crate::Errno;
use crate::kept::{CHUNK, Row, Table};

/// Bytes of a text in one row.
const BYTES: usize = (CHUNK - 1) * 8;
/// Most words that a transaction has changed when the last text is put: what goes at once needs
/// the rest of the journal.
pub const MOST_CHANGES: usize = 8192;
/// Words that change with a row: all of it, its head, and what the table knows of free rows.
const ROW_CHANGES: usize = CHUNK + 3;

/// Keeps a text; returns the word that names it, 0 for an empty one.
///
/// # Errors
/// ENOMEM: there is no room, or the transaction has changed too much; nothing is kept.
pub fn put(chunks: &Table, text: &[u8]) -> Result<u64, Errno> {
    let changes = text.len().div_ceil(BYTES) * ROW_CHANGES;
    if chunks.changes() + changes > MOST_CHANGES {
        return Err(Errno::ENOMEM);
    }
    let mut next = 0;
    for piece in text.chunks(BYTES).rev() {
        let Some(row) = chunks.take() else {
            free(chunks, next);
            return Err(Errno::ENOMEM);
        };
        chunks.put(row, 0, next);
        put_words(chunks, row, 1, piece);
        next = row.to_word();
    }
    Ok(next)
}

/// Returns a text of `len` bytes.
pub fn get(chunks: &Table, name: u64, len: usize) -> Vec<u8> {
    let mut text = Vec::new();
    let mut next = name;
    while let Some(row) = Row::from_word(next).filter(|_| text.len() < len) {
        text.extend(words(chunks, row, 1, BYTES.min(len - text.len())));
        next = chunks.get(row, 0);
    }
    text
}

/// Gives a text up.
pub fn free(chunks: &Table, name: u64) {
    let mut next = name;
    while let Some(row) = Row::from_word(next).filter(|&row| chunks.has(row)) {
        next = chunks.get(row, 0);
        chunks.free(row);
    }
}

/// Puts bytes into fields of a row, from one on.
pub fn put_words(table: &Table, row: Row, from: usize, bytes: &[u8]) {
    let (whole, rest) = bytes.as_chunks::<8>();
    for (index, word) in whole.iter().enumerate() {
        table.put(row, from + index, u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        let word = rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        table.put(row, from + whole.len(), word);
    }
}

/// Returns bytes from fields of a row.
pub fn words(table: &Table, row: Row, from: usize, len: usize) -> impl Iterator<Item = u8> {
    (0..len).map(move |at| table.get(row, from + at / 8).to_le_bytes()[at % 8])
}
