//! What outlives the server: its tables as bytes, and the capabilities in them.
//!
//! ```text
//!   table: count u16, then for each entry: length u16, name, owner u64, 1 where it is there: u8
//!                                                                            (little endian)
//! ```
//!
//! An entry's capability is kept by init at the entry's place: services first, then mounts. An entry
//! that is gone is stored as that before its place gets a new capability, so that no death in
//! between has the next life find the new one under the old name.

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

/// An entry without its capability.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry<'e> {
    /// The service's name, or the path of the mount.
    pub name: &'e [u8],
    /// Whose it is.
    pub owner: u64,
    /// Whether the place has a capability.
    pub is_there: bool,
}

/// Appends a table.
pub fn emit<'e>(entries: impl ExactSizeIterator<Item = Entry<'e>>, into: &mut Vec<u8>) {
    into.extend((entries.len() as u16).to_le_bytes());
    for Entry { name, owner, is_there } in entries {
        into.extend((name.len() as u16).to_le_bytes());
        into.extend_from_slice(name);
        into.extend(owner.to_le_bytes());
        into.push(is_there.into());
    }
}

/// Takes a table from the front of bytes, unless they are malformed.
pub fn take<'b>(bytes: &mut &'b [u8]) -> Option<Vec<Entry<'b>>> {
    let count = u16::from_le_bytes(*bytes.split_off(..2)?.first_chunk()?);
    let mut entries = Vec::new();
    for _ in 0..count {
        let len = u16::from_le_bytes(*bytes.split_off(..2)?.first_chunk()?);
        let name = bytes.split_off(..usize::from(len))?;
        let owner = u64::from_le_bytes(*bytes.split_off(..8)?.first_chunk()?);
        let is_there = bytes.split_off(..1)? == [1];
        entries.push(Entry { name, owner, is_there });
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::{Entry, emit, take};
    use alloc::vec::Vec;

    #[test]
    fn tables_come_back_and_truncated_ones_do_not() {
        let mut bytes = Vec::new();
        let entries = [
            Entry { name: b"disk", owner: 7, is_there: true },
            Entry { name: b"", owner: u64::MAX, is_there: false },
        ];
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
