//! The service whose structures are compared: reads record k of a table, its checksum verified.
//!
//! ```text
//!   record, 64 bytes:   | word 0 | … | word 6 | checksum of 0 to 6 |
//!   call, branch, ipc, ring: a slice ──┐
//!   trap: the client's pages ──────────┴─ Table ── read() ── the record, or why not
//! ```
//! One generic function serves all five; a structure brings only its way to the table's words and
//! its way to the caller.
#![no_std]
#![deny(unsafe_code)]

/// Words of a record; the last one is the checksum of the others.
pub const WORDS: usize = 8;
/// Bytes of a record.
pub const BYTES: usize = WORDS * size_of::<u64>();

/// Number of the system call that reads a record in the benchmark's own kernel, far from those of
/// the ABI: `w0` number of the record, `w1` address of the table, `w2` its records, `w3` address
/// that the record goes to. Both addresses are multiples of [`BYTES`].
pub const OPERATION: u64 = 0x5245_4144;

/// A record.
pub type Record = [u64; WORDS];

/// Where records come from.
pub trait Table {
    /// Returns how many records there are.
    fn records(&self) -> u64;

    /// Returns a record below that number as it is stored, unless it can't be reached.
    fn load(&mut self, number: u64) -> Option<Record>;
}

/// Why a record can't be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Fault {
    /// The table has fewer.
    NoSuchRecord = 1,
    /// The table's memory is not there.
    Unreachable = 2,
    /// Its checksum is another.
    Damaged = 3,
}

/// Returns record `number` of a table.
///
/// # Errors
/// As the type says.
#[inline(always)]
pub fn read(table: &mut impl Table, number: u64) -> Result<Record, Fault> {
    if number >= table.records() {
        return Err(Fault::NoSuchRecord);
    }
    let record = table.load(number).ok_or(Fault::Unreachable)?;
    let [words @ .., stored] = &record;
    if checksum(words) == *stored { Ok(record) } else { Err(Fault::Damaged) }
}

/// Returns the record of a number in the table that the comparison reads: its number, and words
/// that depend on it.
pub fn made(number: u64) -> Record {
    let mut record = [0; WORDS];
    let [words @ .., sum] = &mut record;
    for (place, word) in words.iter_mut().enumerate() {
        *word = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(place as u32 * 9);
    }
    words[0] = number;
    *sum = checksum(words);
    record
}

#[inline(always)]
fn checksum(words: &[u64; WORDS - 1]) -> u64 {
    words.iter().fold(0, |sum: u64, word| sum.rotate_left(7) ^ word)
}

impl Table for &[Record] {
    fn records(&self) -> u64 {
        self.len() as u64
    }

    #[inline(always)]
    fn load(&mut self, number: u64) -> Option<Record> {
        self.get(number as usize).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Record, Table, made, read};

    struct Missing;

    impl Table for Missing {
        fn records(&self) -> u64 {
            1
        }

        fn load(&mut self, _: u64) -> Option<Record> {
            None
        }
    }

    #[test]
    fn records_are_read_by_their_number() {
        let table = [made(0), made(1)];
        assert_eq!(read(&mut &table[..], 1), Ok(made(1)));
        assert_ne!(made(0), made(1));
        assert_eq!(made(1)[0], 1);
    }

    #[test]
    fn what_is_not_there_is_no_record() {
        assert_eq!(read(&mut &[made(0)][..], 1), Err(Fault::NoSuchRecord));
        assert_eq!(read(&mut &[made(0)][..], u64::MAX), Err(Fault::NoSuchRecord));
        assert_eq!(read(&mut Missing, 0), Err(Fault::Unreachable));
    }

    #[test]
    fn each_word_is_under_the_checksum() {
        for word in 0..super::WORDS {
            let mut record = made(7);
            record[word] ^= 1 << 63;
            assert_eq!(read(&mut &[record][..], 0), Err(Fault::Damaged), "{word}");
        }
    }
}
