//! Where a memory object's pages come from, and what may be done with them therefore.

use kamen_abi::MemoryKind;

use crate::arena::Id;
use crate::endpoint::Endpoint;
use crate::machine::Frame;

/// Whom to ask for the missing pages of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pager {
    /// Where requests go.
    pub endpoint: Id<Endpoint>,
    /// The badge that they bring: which object is meant.
    pub badge: u64,
}

/// A page that a kernel operation met and that its pager has not supplied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MissingPage {
    /// Who can supply it.
    pub pager: Pager,
    /// The page of the pager's object.
    pub page: usize,
}

/// Where a memory object's pages come from; see [`MemoryKind`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backing {
    /// Free frames, when they are touched.
    Anonymous,
    /// Adjacent frames, all in the tree from the beginning; that many are not zeroed yet.
    Contiguous(usize),
    /// A server.
    Pager(Pager),
    /// Adjacent frames from this one on that are no memory; there is no tree.
    Device(Frame),
    /// Adjacent frames from this one on that boot filled; there is no tree.
    Archive(Frame),
}

impl Backing {
    /// Returns the kind as user space knows it.
    pub fn kind(self) -> MemoryKind {
        match self {
            Backing::Anonymous => MemoryKind::Anonymous,
            Backing::Contiguous(_) => MemoryKind::Contiguous,
            Backing::Pager(_) => MemoryKind::Pager,
            Backing::Device(_) => MemoryKind::Device,
            Backing::Archive(_) => MemoryKind::Archive,
        }
    }

    /// Returns the first of the frames that are the object's for ever, where there is no tree.
    pub fn fixed(self) -> Option<Frame> {
        match self {
            Backing::Device(first) | Backing::Archive(first) => Some(first),
            Backing::Anonymous | Backing::Contiguous(_) | Backing::Pager(_) => None,
        }
    }

    /// Returns whether pages come and go one by one, so that the object can be cloned, resized and
    /// decommitted.
    pub fn is_paged(self) -> bool {
        match self {
            Backing::Anonymous | Backing::Pager(_) => true,
            Backing::Contiguous(_) | Backing::Device(_) | Backing::Archive(_) => false,
        }
    }
}
