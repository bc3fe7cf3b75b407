//! The table of open files, and whether another open fits beside them.
//!
//! The rules are SHARE.EXE's (RBIL INT 21/AH=3D, table 01404), with one difference: compatibility
//! mode excludes nobody, because programs on other personalities are not asked either.

use alloc::vec::Vec;

use protocols::dos::{Access, DosError, Sharing};
use protocols::file::Node;

/// Most open files of all sessions together.
pub const OPEN_MAX: usize = 4096;

/// A file that a session has open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Open {
    /// The session.
    pub session: u64,
    /// The file.
    pub file: Node,
    /// What the session does with it.
    pub access: Access,
    /// What it allows others.
    pub sharing: Sharing,
}

impl Open {
    fn excludes(&self, other: &Open) -> bool {
        let (reads, writes) = match other.access {
            Access::Read => (true, false),
            Access::Write => (false, true),
            Access::Both => (true, true),
        };
        match self.sharing {
            Sharing::Compatible | Sharing::DenyNone => false,
            Sharing::DenyAll => true,
            Sharing::DenyWrite => writes,
            Sharing::DenyRead => reads,
        }
    }
}

/// All open files.
#[derive(Debug, Default)]
pub struct SharingTable {
    open: Vec<Open>,
}

impl SharingTable {
    /// Returns the sessions that have the file open in a way that excludes `new`: also its own, as
    /// two programs of a session may open one file.
    pub fn against(&self, new: &Open) -> Vec<u64> {
        let others = self.open.iter().filter(|open| open.file == new.file);
        let knows_sharing = |open: &Open| open.sharing != Sharing::Compatible;
        let others = others.filter(|open| {
            open.session != new.session || knows_sharing(open) && knows_sharing(new)
        });
        others
            .filter(|open| open.excludes(new) || new.excludes(open))
            .map(|open| open.session)
            .collect()
    }

    /// Adds an open file.
    ///
    /// # Errors
    /// Sharing: somebody else's open excludes it; NoResources: the table is full.
    pub fn add(&mut self, new: Open) -> Result<(), DosError> {
        if !self.against(&new).is_empty() {
            return Err(DosError::Sharing);
        }
        if self.open.len() >= OPEN_MAX {
            return Err(DosError::NoResources);
        }
        self.open.push(new);
        Ok(())
    }

    /// Removes one open file like this.
    ///
    /// # Errors
    /// NotFound: there is none.
    pub fn remove(&mut self, open: &Open) -> Result<(), DosError> {
        let index = self.open.iter().position(|known| known == open).ok_or(DosError::NotFound)?;
        self.open.swap_remove(index);
        Ok(())
    }

    /// Returns whether a session has a file open.
    pub fn has_open(&self, session: u64, file: Node) -> bool {
        self.open.iter().any(|open| open.session == session && open.file == file)
    }

    /// Removes all of a session's open files, and returns them.
    pub fn forget(&mut self, session: u64) -> Vec<Node> {
        let forgotten = self.open.extract_if(.., |open| open.session == session);
        forgotten.map(|open| open.file).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{OPEN_MAX, Open, SharingTable};
    use protocols::dos::{Access, DosError, Sharing};
    use protocols::file::Node;

    fn open(session: u64, access: Access, sharing: Sharing) -> Open {
        Open { session, file: Node(7), access, sharing }
    }

    #[test]
    fn deny_modes_exclude_other_sessions_both_ways() {
        let mut table = SharingTable::default();
        table.add(open(1, Access::Read, Sharing::DenyWrite)).unwrap();
        table.add(open(1, Access::Write, Sharing::Compatible)).unwrap();
        assert_eq!(table.add(open(2, Access::Both, Sharing::DenyNone)), Err(DosError::Sharing));
        assert_eq!(table.add(open(2, Access::Read, Sharing::DenyWrite)), Err(DosError::Sharing));
        table.add(open(2, Access::Read, Sharing::DenyNone)).unwrap();
        table.forget(1);
        table.add(open(3, Access::Both, Sharing::DenyNone)).unwrap();
    }

    #[test]
    fn deny_modes_hold_within_a_session_between_those_that_know_them() {
        let mut table = SharingTable::default();
        table.add(open(1, Access::Both, Sharing::DenyAll)).unwrap();
        assert_eq!(table.add(open(1, Access::Read, Sharing::DenyNone)), Err(DosError::Sharing));
        table.add(open(1, Access::Read, Sharing::Compatible)).unwrap();
    }

    #[test]
    fn only_what_is_open_can_be_closed() {
        let mut table = SharingTable::default();
        let file = open(1, Access::Read, Sharing::DenyNone);
        table.add(file).unwrap();
        assert_eq!(table.remove(&file), Ok(()));
        assert_eq!(table.remove(&file), Err(DosError::NotFound));
    }

    #[test]
    fn the_table_has_a_bound() {
        let mut table = SharingTable::default();
        for _ in 0..OPEN_MAX {
            table.add(open(1, Access::Read, Sharing::DenyNone)).unwrap();
        }
        assert_eq!(table.add(open(1, Access::Read, Sharing::DenyNone)), Err(DosError::NoResources));
    }
}
