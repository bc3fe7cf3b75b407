//! Names that user space has for objects and for calls it must answer.

/// A slot of a capability table. The null handle names nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Handle(pub u16);

/// Most slots that a capability table can have.
pub const MAX_SLOTS: usize = 16_384;

impl Handle {
    /// The handle that names nothing: "none", "any slot" or "my own table", as the operation says.
    pub const NULL: Handle = Handle(0);
}

/// A call that was received and not answered yet: the caller's thread in the low 16 bits, a
/// sequence number above. Valid only in the address space that received it.
///
/// Sequence numbers start at 1, so that an open call is never mistaken for a [`Handle`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct OpenCall(pub u64);

impl OpenCall {
    /// What a receive returns when no reply is expected (a send, a notification).
    pub const NONE: OpenCall = OpenCall(0);

    /// Returns the open call of a thread slot and a sequence number of at least 1.
    pub const fn new(thread: u16, sequence: u64) -> Self {
        OpenCall(sequence << 16 | thread as u64)
    }

    /// Returns the slot of the calling thread.
    pub const fn thread(self) -> u16 {
        self.0 as u16
    }

    /// Returns the sequence number; 0 for [`OpenCall::NONE`].
    pub const fn sequence(self) -> u64 {
        self.0 >> 16
    }
}

/// Handles that programs find in their table when they start.
pub mod boot {
    use super::Handle;

    /// The program's own capability table.
    pub const TABLE: Handle = Handle(1);
    /// The program's own address space.
    pub const SPACE: Handle = Handle(2);
    /// The program's first thread.
    pub const THREAD: Handle = Handle(3);
    /// The quota that what the program creates is charged to.
    pub const QUOTA: Handle = Handle(4);

    /// First task only: all I/O ports.
    pub const PORTS: Handle = Handle(5);
    /// First task only: all interrupt lines.
    pub const INTERRUPTS: Handle = Handle(6);
    /// First task only: the boot archive, a memory object that may be read.
    pub const ARCHIVE: Handle = Handle(7);
    /// First task only: all physical memory, of which devices' registers can be mapped.
    pub const PHYSICAL: Handle = Handle(8);

    /// First task only: the kernel's trace, to be controlled, and all threads seen through it.
    pub const TRACE: Handle = Handle(9);
    /// First task only: the rings of the trace, a memory object that may be read; none where the
    /// machine has too little memory.
    pub const TRACE_MEMORY: Handle = Handle(10);

    /// Address at which a program's first thread finds its message page, mapped read-write.
    pub const MESSAGE_PAGE: usize = 0x7ffe_0000_0000;
    /// Address at which the first task finds the boot archive; its length in bytes is in `rsi`.
    pub const ARCHIVE_AT: usize = 0x6000_0000_0000;
    /// First address after the stack of a program's first thread (grows down).
    pub const STACK_TOP: usize = 0x7ffd_0000_0000;
    /// Bytes of that stack, zero-filled on demand.
    pub const STACK_BYTES: usize = 256 * 1024;
}
