//! Kinds of memory objects, and what bounds the operations on their pages.

/// Pages that one [`Commit`](crate::Operation::Commit), [`Decommit`](crate::Operation::Decommit) or
/// [`Supply`](crate::Operation::Supply) deals with, at most, so that no entry into the kernel is
/// long; it may do fewer, and says how many. libipc repeats it.
pub const PAGES_MAX: usize = 64;

/// Pages of a contiguous memory object, at most: 2 MiB.
pub const CONTIGUOUS_MAX: usize = 512;

/// Where the pages of a memory object come from.
///
/// ```text
///                copied by   cloned,   committed   decommitted   its pages before
///                the kernel  resized                             the first touch
///   Anonymous    yes         yes       yes         yes           zero
///   Contiguous   yes         no        yes         no            zero
///   Pager        yes         yes       no          yes           missing: the pager is asked
///   Device       no          no        no          no            the device's registers
///   Archive      yes         no        no          no            what boot filled
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum MemoryKind {
    /// Free frames, zero-filled at the first touch.
    Anonymous = 0,
    /// Physically adjacent frames, set aside when the object is created and zeroed at the first
    /// touch or by Commit; at most [`CONTIGUOUS_MAX`]. OutOfMemory where not as many adjacent
    /// frames are free. Once all are zeroed, Inspect tells where they are, for a device that
    /// reads or writes them: before, a later touch could wipe out what the device wrote.
    Contiguous = 1,
    /// Whatever the server of the endpoint `w3` (SEND) supplies: the pager. The badge of that
    /// capability tells it which object is meant.
    Pager = 2,
    /// The registers of a device: physical memory that is not RAM, from frame `w4` of the
    /// capability to physical memory `w3` (CONTROL) on. Mapped uncached, and never to be
    /// executed; never zeroed, copied by the kernel, or freed.
    Device = 3,
    /// What boot filled, the boot archive and the rings of the trace; not created.
    Archive = 4,
}

impl MemoryKind {
    /// Returns the kind of a number, if it names one.
    pub const fn from_number(number: u64) -> Option<MemoryKind> {
        Some(match number {
            0 => MemoryKind::Anonymous,
            1 => MemoryKind::Contiguous,
            2 => MemoryKind::Pager,
            3 => MemoryKind::Device,
            4 => MemoryKind::Archive,
            _ => return None,
        })
    }
}
