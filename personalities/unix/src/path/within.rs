//! What a walk may lead through: `how.resolve` of openat2(2).

use crate::Errno;
use crate::path::VNode;
use crate::proc::Entry;

const NO_CROSSING: u64 = 0x01;
const NO_MAGIC_LINKS: u64 = 0x02;
const NO_LINKS: u64 = 0x04;
const BENEATH: u64 = 0x08;
const IN_ROOT: u64 = 0x10;
const CACHED: u64 = 0x20;
/// No flag of openat2's: the walk is one of a process with a root of its own.
const CHANGED_ROOT: u64 = 1 << 63;

/// The bounds of a walk; by default none (linux/openat2.h, `RESOLVE_*`).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Within(u64);

impl Within {
    /// Returns the bounds that `how.resolve` asks for.
    ///
    /// # Errors
    /// EINVAL: unknown ones; both of those that say where the walk stays.
    pub fn from_bits(bits: u64) -> Result<Within, Errno> {
        let known = NO_CROSSING | NO_MAGIC_LINKS | NO_LINKS | BENEATH | IN_ROOT | CACHED;
        let both = BENEATH | IN_ROOT;
        if bits & !known != 0 || bits & both == both {
            return Err(Errno::EINVAL);
        }
        Ok(Within(bits))
    }

    fn has(self, bit: u64) -> bool {
        self.0 & bit != 0
    }

    /// Returns whether the walk may use nothing but what is in caches (`RESOLVE_CACHED`).
    pub fn is_cached(self) -> bool {
        self.has(CACHED)
    }

    /// Returns the bounds of a walk that stays below the process's root (chroot(2)).
    pub fn below_root(self) -> Within {
        Within(self.0 | CHANGED_ROOT)
    }

    /// Returns whether the bounds say themselves where the walk stays.
    pub fn has_top(self) -> bool {
        self.has(BENEATH) || self.has(IN_ROOT)
    }

    /// Returns whether "/" is the walk's top (`RESOLVE_IN_ROOT`).
    pub fn is_rooted(self) -> bool {
        self.has(IN_ROOT) || self.has(CHANGED_ROOT)
    }

    /// Checks a step to the root, or above the directory where the walk began.
    ///
    /// # Errors
    /// EXDEV: it must stay beneath (`RESOLVE_BENEATH`).
    pub fn may_leave(self) -> Result<(), Errno> {
        if self.has(BENEATH) { Err(Errno::EXDEV) } else { Ok(()) }
    }

    /// Checks a step from one node to another.
    ///
    /// # Errors
    /// EXDEV: they are of different file systems (`RESOLVE_NO_XDEV`).
    pub fn may_step(self, from: VNode, to: VNode) -> Result<(), Errno> {
        let is_proc = |node: VNode| matches!(node, VNode::Proc(_));
        let crosses = is_proc(from) != is_proc(to);
        if crosses && self.has(NO_CROSSING) { Err(Errno::EXDEV) } else { Ok(()) }
    }

    /// Checks that a link may be followed.
    ///
    /// # Errors
    /// ELOOP: no link, or none that leads where its text does not say (proc(5), magic links);
    /// EXDEV: such a link leads elsewhere.
    pub fn may_follow(self, link: VNode) -> Result<(), Errno> {
        let is_magic = matches!(link, VNode::Proc(Entry::Descriptor(..) | Entry::ProcessLink(..)));
        if self.has(NO_LINKS) || is_magic && self.has(NO_MAGIC_LINKS) {
            return Err(Errno::ELOOP);
        }
        let stays = self.has(BENEATH) || self.has(IN_ROOT) || self.has(NO_CROSSING);
        if is_magic && stays { Err(Errno::EXDEV) } else { Ok(()) }
    }
}
