//! What outlives the server: its tables as bytes, and the capabilities in them.
//!
//! ```text
//!   table: count u16, then for each entry: length u16, name, owner u64       (little endian)
//! ```
//!
//! An entry's capability is kept by init at the entry's place: services first, then mounts.

use alloc::vec::Vec;

use kamen_kit::kept::{Kept, Region};
use libipc::{Endpoint, Transport, log};
use protocols::keep::KeepClient;

/// Who keeps the tables for the next life.
pub trait Keeper {
    /// Keeps the capability of a place.
    fn keep(&mut self, place: u32, endpoint: Endpoint);
    /// Keeps the tables.
    fn store(&mut self, tables: &[u8]);
}

/// Memory that init keeps, and init itself.
#[derive(Debug)]
pub struct Supervised<R, T> {
    /// The memory.
    pub tables: Kept<R>,
    /// init.
    pub supervisor: KeepClient<T>,
}

impl<R: Region, T: Transport> Keeper for Supervised<R, T> {
    fn keep(&mut self, place: u32, endpoint: Endpoint) {
        if let Err(failure) = self.supervisor.keep_endpoint(place, endpoint) {
            log!("place {place} is not kept beyond this life: {failure:?}");
        }
    }

    fn store(&mut self, tables: &[u8]) {
        if self.tables.store(tables).is_err() {
            log!("the memory \"tables\" is too small: new names end with this life");
        }
    }
}

/// Appends a table: the names and owners of its entries.
pub fn emit<'e>(entries: impl ExactSizeIterator<Item = (&'e [u8], u64)>, into: &mut Vec<u8>) {
    into.extend((entries.len() as u16).to_le_bytes());
    for (name, owner) in entries {
        into.extend((name.len() as u16).to_le_bytes());
        into.extend_from_slice(name);
        into.extend(owner.to_le_bytes());
    }
}

/// Takes a table's names and owners from the front of bytes, unless they are malformed.
pub fn take<'b>(bytes: &mut &'b [u8]) -> Option<Vec<(&'b [u8], u64)>> {
    let count = u16::from_le_bytes(*bytes.split_off(..2)?.first_chunk()?);
    let mut entries = Vec::new();
    for _ in 0..count {
        let len = u16::from_le_bytes(*bytes.split_off(..2)?.first_chunk()?);
        let name = bytes.split_off(..usize::from(len))?;
        let owner = u64::from_le_bytes(*bytes.split_off(..8)?.first_chunk()?);
        entries.push((name, owner));
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::{emit, take};
    use alloc::vec::Vec;

    #[test]
    fn tables_come_back_and_truncated_ones_do_not() {
        let mut bytes = Vec::new();
        let entries = [(&b"disk"[..], 7), (b"", u64::MAX)];
        emit(entries.into_iter(), &mut bytes);
        emit([].into_iter(), &mut bytes);
        let mut rest = &bytes[..];
        assert_eq!(take(&mut rest), Some(entries.to_vec()));
        assert_eq!((take(&mut rest), rest.len()), (Some(Vec::new()), 0));
        for len in 0..bytes.len() - 2 {
            assert_eq!(take(&mut &bytes[..len]), None, "{len} bytes");
        }
    }
}
