//! What a capability allows its holder to do.

/// A set of rights; which of them an operation needs stands at the [`Operation`](crate::Operation).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(transparent)]
pub struct Rights(pub u16);

impl Rights {
    /// Nothing.
    pub const NONE: Rights = Rights(0);
    /// Call or send to an endpoint, signal a notification.
    pub const SEND: Rights = Rights(1);
    /// Receive from an endpoint, wait for a notification.
    pub const RECEIVE: Rights = Rights(2);
    /// Read memory, ports, a thread's registers.
    pub const READ: Rights = Rights(4);
    /// Write memory, ports.
    pub const WRITE: Rights = Rights(8);
    /// Execute memory.
    pub const EXECUTE: Rights = Rights(16);
    /// Change the object: map into a space, configure and start a thread, set a timer, bind an
    /// interrupt, draw on a quota, change a table.
    pub const CONTROL: Rights = Rights(32);
    /// Copy the capability to others.
    pub const GRANT: Rights = Rights(64);
    /// Destroy the object.
    pub const DESTROY: Rights = Rights(128);
    /// Everything, as the creator of an object has it.
    pub const ALL: Rights = Rights(255);

    /// Returns the rights in either set.
    pub const fn union(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }

    /// Returns the rights in both sets.
    pub const fn intersection(self, other: Rights) -> Rights {
        Rights(self.0 & other.0)
    }

    /// Returns whether every right of `other` is in this set.
    pub const fn contains(self, other: Rights) -> bool {
        self.0 & other.0 == other.0
    }
}
