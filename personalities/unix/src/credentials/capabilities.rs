//! Capabilities: what of the superuser's rights a process has (capabilities(7)).
//!
//! What no process here can do is in nobody's bounding set, as in a container: mounting, tracing,
//! modules, ports. Transitions are those of capabilities(7), "Effect of user ID changes on
//! capabilities" and "Transformation of capabilities during execve()".

use crate::credentials::Ids;

/// A capability that there is here; the numbers are Linux's (linux/capability.h).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the names are Linux's, explained in its manual")]
#[repr(u8)]
pub enum Capability {
    Chown = 0,
    DacOverride = 1,
    DacReadSearch = 2,
    FileOwner = 3,
    FileSetId = 4,
    Kill = 5,
    SetGid = 6,
    SetUid = 7,
    SetCapabilities = 8,
    BindService = 10,
    LockMemory = 14,
    Chroot = 18,
    Boot = 22,
    Nice = 23,
    Resource = 24,
    Time = 25,
    MakeNode = 27,
}

/// The highest capability that Linux 6.1 knows (`CAP_LAST_CAP`, checkpoint_restore).
pub const LAST: u32 = 40;

/// All capabilities that a process can have.
const ALL: u64 = {
    use Capability as C;
    let each = [
        C::Chown,
        C::DacOverride,
        C::DacReadSearch,
        C::FileOwner,
        C::FileSetId,
        C::Kill,
        C::SetGid,
        C::SetUid,
        C::SetCapabilities,
        C::BindService,
        C::LockMemory,
        C::Chroot,
        C::Boot,
        C::Nice,
        C::Resource,
        C::Time,
        C::MakeNode,
    ];
    let (mut set, mut at) = (0, 0);
    while at < each.len() {
        set |= 1 << each[at] as u8;
        at += 1;
    }
    set
};

/// Those about files, which follow the id for files.
const OF_FILES: u64 = 0b1_1111;

/// Bits of the secure bits (linux/securebits.h).
#[derive(Clone, Copy, Debug)]
pub struct Secure;

impl Secure {
    /// `SECBIT_NOROOT`: the superuser's programs get no capabilities.
    pub const NO_ROOT: u32 = 1;
    /// `SECBIT_NO_SETUID_FIXUP`: changes of ids leave capabilities.
    pub const NO_FIXUP: u32 = 4;
    /// `SECBIT_KEEP_CAPS`: what is permitted stays when the last id 0 goes.
    pub const KEEP: u32 = 16;
    /// `SECBIT_NO_CAP_AMBIENT_RAISE`.
    pub const NO_AMBIENT: u32 = 64;
    /// All bits that there are; each second one locks the one below it.
    pub const ALL: u32 = 0xff;
}

/// The capability sets of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capabilities {
    /// Those that count.
    pub effective: u64,
    /// Those that may be put into effect.
    pub permitted: u64,
    /// Those that are kept by programs that allow it.
    pub inheritable: u64,
    /// Those that a program can get at all.
    pub bounding: u64,
    /// Those that are kept by programs that know nothing of capabilities.
    pub ambient: u64,
    /// The secure bits ([`Secure`]).
    pub secure: u32,
}

impl Capabilities {
    /// Returns the sets as words.
    pub fn to_words(self) -> [u64; 6] {
        let Capabilities { effective, permitted, inheritable, bounding, ambient, secure } = self;
        [effective, permitted, inheritable, bounding, ambient, secure.into()]
    }

    /// Returns the sets of words.
    pub fn from_words(words: [u64; 6]) -> Self {
        let [effective, permitted, inheritable, bounding, ambient, secure] = words;
        let secure = secure as u32;
        Capabilities { effective, permitted, inheritable, bounding, ambient, secure }
    }
}

impl Default for Capabilities {
    /// Returns those of the superuser.
    fn default() -> Self {
        Capabilities {
            effective: ALL,
            permitted: ALL,
            inheritable: 0,
            bounding: ALL,
            ambient: 0,
            secure: 0,
        }
    }
}

impl Capabilities {
    /// Returns whether a capability is in effect.
    pub const fn has(&self, capability: Capability) -> bool {
        self.effective & 1 << capability as u8 != 0
    }

    /// Goes with a change of user ids.
    pub fn follow(&mut self, before: &Ids, after: &Ids) {
        if self.secure & Secure::NO_FIXUP != 0 {
            return;
        }
        if before.has_root() && !after.has_root() {
            if self.secure & Secure::KEEP == 0 {
                (self.permitted, self.effective) = (0, 0);
            }
            self.ambient = 0;
        }
        match (before.effective == 0, after.effective == 0) {
            (true, false) => self.effective = 0,
            (false, true) => self.effective = self.permitted,
            (true, true) | (false, false) => {}
        }
        self.follow_files(before.files, after.files);
    }

    /// Goes with a change of the id for files.
    pub fn follow_files(&mut self, before: u32, after: u32) {
        if self.secure & Secure::NO_FIXUP != 0 {
            return;
        }
        match (before == 0, after == 0) {
            (true, false) => self.effective &= !OF_FILES,
            (false, true) => self.effective |= self.permitted & OF_FILES,
            (true, true) | (false, false) => {}
        }
    }

    /// Goes through an execve with the ids after it; `changed`: a set-id bit changed an id.
    pub fn execute(&mut self, user: &Ids, changed: bool) {
        let is_root = user.effective == 0 || user.real == 0;
        let of_root = self.secure & Secure::NO_ROOT == 0 && is_root;
        if changed || of_root && user.effective != user.real {
            self.ambient = 0;
        }
        let file = if of_root { self.bounding | self.inheritable } else { 0 };
        self.permitted = file | self.ambient;
        let effective_bit = of_root && user.effective == 0;
        self.effective = if effective_bit { self.permitted } else { self.ambient };
        self.secure &= !Secure::KEEP;
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, Capabilities, Capability, Secure};
    use crate::credentials::Ids;

    #[test]
    fn kept_capabilities_are_permitted_and_not_in_effect() {
        let mut sets = Capabilities { secure: Secure::KEEP, ..Capabilities::default() };
        sets.follow(&Ids::all(0), &Ids::all(5));
        assert_eq!((sets.effective, sets.permitted), (0, ALL));
        sets.execute(&Ids::all(5), false);
        assert_eq!((sets.permitted, sets.secure), (0, 0));
    }

    #[test]
    fn ambient_ones_outlive_an_execve_of_an_ordinary_user() {
        let kill = 1 << Capability::Kill as u8;
        let mut sets = Capabilities { ambient: kill, ..Capabilities::default() };
        sets.execute(&Ids::all(5), false);
        assert_eq!((sets.effective, sets.permitted), (kill, kill));
        sets.execute(&Ids::all(5), true);
        assert_eq!(sets.permitted, 0);
    }

    #[test]
    fn files_capabilities_follow_the_id_for_files() {
        let mut sets = Capabilities::default();
        sets.follow_files(0, 5);
        assert!(!sets.has(Capability::Chown) && sets.has(Capability::Kill));
        sets.follow_files(5, 0);
        assert!(sets.has(Capability::Chown));
    }
}
