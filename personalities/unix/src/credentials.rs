//! Who a process acts for, and what that allows.

mod capabilities;

use alloc::vec::Vec;

use protocols::file::{Attributes, mode};

use crate::linux::flags::permission::{GROUP_EXECUTE, SET_GID, SET_UID};

pub use capabilities::{Capabilities, Capability, LAST, Secure};

/// Permission bits of one class, as in `access()`.
pub mod want {
    /// Execute, or search a directory.
    pub const EXECUTE: u32 = 1;
    /// Write.
    pub const WRITE: u32 = 2;
    /// Read.
    pub const READ: u32 = 4;
}

/// Real, effective and saved ids (credentials(7)), and the one for files.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Ids {
    /// Whose process it is.
    pub real: u32,
    /// For whom it acts.
    pub effective: u32,
    /// For whom it may act again.
    pub saved: u32,
    /// For whom it uses files; follows the effective one (setfsuid(2)).
    pub files: u32,
}

impl Ids {
    /// Returns the same id in every place.
    pub fn all(id: u32) -> Ids {
        Ids { real: id, effective: id, saved: id, files: id }
    }

    /// Returns whether an unprivileged process may take an id.
    pub fn has(&self, id: u32) -> bool {
        id == self.real || id == self.effective || id == self.saved
    }

    fn has_root(&self) -> bool {
        self.has(0)
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
    /// What it may do beyond that.
    pub capabilities: Capabilities,
}

impl Credentials {
    /// Returns whether the process has a capability in effect.
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.has(capability)
    }

    /// Returns whether the process acts for the superuser.
    pub fn is_root(&self) -> bool {
        self.user.effective == 0
    }

    /// Returns whether something with these attributes may be used as `wanted` ([`want`]) says.
    pub fn allows(&self, attributes: &Attributes, wanted: u32) -> bool {
        let bits = attributes.mode;
        let is_directory = bits & mode::TYPE == mode::DIRECTORY;
        let class = if self.user.files == attributes.uid {
            bits >> 6
        } else if self.is_member(attributes.gid) {
            bits >> 3
        } else {
            bits
        };
        if class & wanted == wanted {
            return true;
        }
        // capabilities(7), CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH.
        if self.can(Capability::DacOverride) {
            return wanted & want::EXECUTE == 0 || is_directory || bits & 0o111 != 0;
        }
        let reads = if is_directory { want::READ | want::EXECUTE } else { want::READ };
        self.can(Capability::DacReadSearch) && wanted & !reads == 0
    }

    /// Returns whether the process may change attributes of what `uid` owns.
    pub fn owns(&self, uid: u32) -> bool {
        self.user.files == uid || self.can(Capability::FileOwner)
    }

    /// Returns whether a process may look into one of `other` (ptrace(2), "Ptrace access mode
    /// checking", with the real IDs): all IDs of that one are its own, and it can as much.
    pub fn may_trace(&self, other: &Credentials) -> bool {
        let can = self.capabilities.permitted;
        other.are_all(self.user.real, self.group.real) && other.capabilities.permitted & !can == 0
    }

    /// Returns whether the process may read what `/proc` shows of one of `other` (as
    /// [`Credentials::may_trace`], with the ids for files).
    pub fn may_look(&self, other: &Credentials) -> bool {
        let can = self.capabilities.effective;
        other.are_all(self.user.files, self.group.files) && other.capabilities.permitted & !can == 0
    }

    /// Returns whether the process may read all files, and with them what `/proc` shows of others:
    /// `CAP_SYS_PTRACE`, which Linux asks for, is nobody's here.
    pub fn reads_all(&self) -> bool {
        self.can(Capability::DacReadSearch) || self.can(Capability::DacOverride)
    }

    fn are_all(&self, user: u32, group: u32) -> bool {
        let of = |ids: &Ids, id| [ids.real, ids.effective, ids.saved].iter().all(|&one| one == id);
        of(&self.user, user) && of(&self.group, group)
    }

    /// Returns which set-ID bits of a file go when the process writes to it, but for
    /// `CAP_FSETID` (`setattr_should_drop_suidgid`, fs/attr.c).
    pub fn set_id_cleared(&self, attributes: &Attributes) -> u32 {
        let bits = attributes.mode;
        if bits & mode::TYPE != mode::FILE {
            return 0;
        }
        // Without group execution the set-group-ID bit is no right.
        let stays = bits & GROUP_EXECUTE == 0 && self.is_member(attributes.gid);
        bits & if stays { SET_UID } else { SET_UID | SET_GID }
    }

    /// Returns whether the process acts for a group.
    pub fn is_member(&self, gid: u32) -> bool {
        self.group.files == gid || self.groups.contains(&gid)
    }

    /// Takes other user ids; capabilities follow where the superuser's come or go.
    pub fn set_user(&mut self, ids: Ids) {
        let before = core::mem::replace(&mut self.user, ids);
        self.capabilities.follow(&before, &ids);
    }

    /// Takes another id for files; capabilities about files follow.
    pub fn set_file_user(&mut self, id: u32) {
        let before = core::mem::replace(&mut self.user.files, id);
        self.capabilities.follow_files(before, id);
    }

    /// Returns the credentials after executing a file of `owner` and `group` with the set-id bits
    /// that count (execve(2), capabilities(7)).
    pub fn executed(&self, owner: Option<u32>, group: Option<u32>) -> Credentials {
        let mut new = self.clone();
        if let Some(uid) = owner {
            new.user.effective = uid;
        }
        if let Some(gid) = group {
            new.group.effective = gid;
        }
        (new.user.saved, new.user.files) = (new.user.effective, new.user.effective);
        (new.group.saved, new.group.files) = (new.group.effective, new.group.effective);
        let changed = owner.is_some_and(|uid| uid != self.user.effective)
            || group.is_some_and(|gid| gid != self.group.effective);
        new.capabilities.execute(&new.user, changed);
        new
    }
}

#[cfg(test)]
mod tests {
    use super::{Capability, Credentials, Ids, want};
    use protocols::file::{Attributes, Node, mode};

    fn attributes(uid: u32, gid: u32, permissions: u32) -> Attributes {
        let mode = mode::FILE | permissions;
        Attributes { node: Node(1), mode, uid, gid, links: 1, size: 0, modified: 0, changed: 0 }
    }

    fn user(id: u32) -> Credentials {
        let mut who = Credentials::default();
        who.set_user(Ids::all(id));
        who.group = Ids::all(id);
        who
    }

    #[test]
    fn the_first_class_that_fits_decides() {
        let who = user(7);
        assert!(!who.allows(&attributes(7, 9, 0o077), want::READ));
        assert!(who.allows(&attributes(9, 7, 0o040), want::READ));
        assert!(!who.allows(&attributes(9, 7, 0o604), want::READ));
        assert!(who.allows(&attributes(9, 9, 0o004), want::READ));
    }

    #[test]
    fn the_superuser_executes_only_what_somebody_may() {
        let root = Credentials::default();
        assert!(root.allows(&attributes(7, 7, 0), want::READ | want::WRITE));
        assert!(!root.allows(&attributes(7, 7, 0o644), want::EXECUTE));
        assert!(root.allows(&attributes(7, 7, 0o001), want::EXECUTE));
    }

    #[test]
    fn capabilities_go_with_the_last_root_id_and_come_back_with_the_effective_one() {
        let mut who = Credentials::default();
        assert!(who.can(Capability::Chown));
        who.set_user(Ids { real: 0, effective: 5, saved: 0, files: 5 });
        assert!(!who.can(Capability::Chown));
        who.set_user(Ids::all(0));
        assert!(who.can(Capability::Chown));
        who.set_user(Ids::all(5));
        who.set_user(Ids::all(0));
        assert!(!who.can(Capability::Chown), "what was dropped for good stays dropped");
    }

    #[test]
    fn a_set_id_program_acts_for_its_owner() {
        let who = user(5).executed(Some(0), None);
        assert_eq!((who.user.real, who.user.effective, who.user.saved), (5, 0, 0));
        assert!(who.can(Capability::Chown));
        let who = user(5).executed(None, Some(3));
        assert_eq!((who.group.real, who.group.effective), (5, 3));
        assert!(!who.can(Capability::Chown));
    }
}
