//! Who a process acts for, and what that allows.

use alloc::vec::Vec;

use protocols::file::{Attributes, mode};

/// Permission bits of one class, as in `access()`.
pub mod want {
    /// Execute, or search a directory.
    pub const EXECUTE: u32 = 1;
    /// Write.
    pub const WRITE: u32 = 2;
    /// Read.
    pub const READ: u32 = 4;
}

/// Real, effective and saved ids (credentials(7)).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Ids {
    /// Whose process it is.
    pub real: u32,
    /// For whom it acts.
    pub effective: u32,
    /// For whom it may act again.
    pub saved: u32,
}

impl Ids {
    /// Returns whether an unprivileged process may take an id.
    pub fn has(&self, id: u32) -> bool {
        id == self.real || id == self.effective || id == self.saved
    }
}

/// Who a process acts for.
#[derive(Clone, Default, Debug)]
pub struct Credentials {
    /// User ids.
    pub user: Ids,
    /// Group ids.
    pub group: Ids,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

impl Credentials {
    /// Returns whether the process acts for the superuser.
    pub fn is_root(&self) -> bool {
        self.user.effective == 0
    }

    /// Returns whether something with these attributes may be used as `wanted` ([`want`]) says.
    pub fn allows(&self, attributes: &Attributes, wanted: u32) -> bool {
        let bits = attributes.mode;
        if self.is_root() {
            let is_directory = bits & mode::TYPE == mode::DIRECTORY;
            return wanted & want::EXECUTE == 0 || is_directory || bits & 0o111 != 0;
        }
        let class = if self.user.effective == attributes.uid {
            bits >> 6
        } else if self.is_member(attributes.gid) {
            bits >> 3
        } else {
            bits
        };
        class & wanted == wanted
    }

    /// Returns whether the process may change attributes of what `uid` owns.
    pub fn owns(&self, uid: u32) -> bool {
        self.is_root() || self.user.effective == uid
    }

    /// Returns whether the process acts for a group.
    pub fn is_member(&self, gid: u32) -> bool {
        self.group.effective == gid || self.groups.contains(&gid)
    }
}
