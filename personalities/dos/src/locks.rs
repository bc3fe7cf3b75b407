//! The table of locked bytes.
//!
//! The rules are SHARE.EXE's (RBIL INT 21/AH=5C): a lock excludes every other lock, and what other
//! sessions read and write; it ends where it is undone as it was made, or its session closes the
//! file for the last time.

use alloc::vec::Vec;
use core::ops::Range;

use protocols::dos::DosError;
use protocols::file::Node;

/// Most locks of all sessions together.
pub const LOCKS_MAX: usize = 2048;

/// Locked bytes of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lock {
    /// The session.
    pub session: u64,
    /// The file.
    pub file: Node,
    /// The bytes.
    pub bytes: Range<u64>,
}

/// All locks.
#[derive(Debug, Default)]
pub struct LockTable {
    locks: Vec<Lock>,
}

impl LockTable {
    /// Adds a lock.
    ///
    /// # Errors
    /// Locked: it meets another one; NoResources: the table is full.
    pub fn add(&mut self, new: Lock) -> Result<(), DosError> {
        if self.meeting(new.file, &new.bytes).next().is_some() {
            return Err(DosError::Locked);
        }
        if self.locks.len() >= LOCKS_MAX {
            return Err(DosError::NoResources);
        }
        self.locks.push(new);
        Ok(())
    }

    /// Removes a lock like this.
    ///
    /// # Errors
    /// Locked: there is none.
    pub fn remove(&mut self, lock: &Lock) -> Result<(), DosError> {
        let index = self.locks.iter().position(|known| known == lock).ok_or(DosError::Locked)?;
        self.locks.swap_remove(index);
        Ok(())
    }

    /// Returns whether a session may move these bytes.
    ///
    /// # Errors
    /// Locked: another session's lock meets them.
    pub fn check(&self, session: u64, file: Node, bytes: &Range<u64>) -> Result<(), DosError> {
        let mut others = self.meeting(file, bytes).filter(|lock| lock.session != session);
        if others.next().is_some() { Err(DosError::Locked) } else { Ok(()) }
    }

    /// Removes a session's locks, of one file or of all.
    pub fn forget(&mut self, session: u64, file: Option<Node>) {
        let is_meant = |lock: &Lock| file.is_none_or(|file| lock.file == file);
        self.locks.retain(|lock| lock.session != session || !is_meant(lock));
    }

    fn meeting(&self, file: Node, bytes: &Range<u64>) -> impl Iterator<Item = &Lock> {
        let bytes = bytes.clone();
        self.locks.iter().filter(move |lock| {
            lock.file == file && lock.bytes.start < bytes.end && bytes.start < lock.bytes.end
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{LOCKS_MAX, Lock, LockTable};
    use protocols::dos::DosError;
    use protocols::file::Node;

    fn lock(session: u64, start: u64, end: u64) -> Lock {
        Lock { session, file: Node(7), bytes: start..end }
    }

    #[test]
    fn locks_exclude_others_bytes_and_every_lock() {
        let mut table = LockTable::default();
        table.add(lock(1, 10, 20)).unwrap();
        assert_eq!(table.add(lock(1, 19, 30)), Err(DosError::Locked));
        assert_eq!(table.add(lock(2, 0, 11)), Err(DosError::Locked));
        table.add(lock(2, 20, 30)).unwrap();
        assert_eq!(table.check(2, Node(7), &(0..11)), Err(DosError::Locked));
        assert_eq!(table.check(1, Node(7), &(0..20)), Ok(()));
        assert_eq!(table.check(2, Node(8), &(0..11)), Ok(()));
        assert_eq!(table.remove(&lock(1, 10, 19)), Err(DosError::Locked));
        table.remove(&lock(1, 10, 20)).unwrap();
        assert_eq!(table.check(2, Node(7), &(0..11)), Ok(()));
        table.forget(2, None);
        assert_eq!(table.check(1, Node(7), &(0..99)), Ok(()));
    }

    #[test]
    fn the_table_has_a_bound() {
        let mut table = LockTable::default();
        for place in 0..LOCKS_MAX as u64 {
            table.add(lock(1, place, place + 1)).unwrap();
        }
        let further = LOCKS_MAX as u64;
        assert_eq!(table.add(lock(1, further, further + 1)), Err(DosError::NoResources));
    }
}
