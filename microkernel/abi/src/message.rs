//! Messages: a tag, six words in registers, and the message page for more.

use crate::Handle;

/// Words of a message that travel in registers: rdi, rsi, rdx, r10, r8, r9.
pub const WORDS: usize = 6;
/// Capabilities that one message can carry.
pub const MAX_CAPS: usize = 4;
/// Ranges of memory that one call can lend.
pub const MAX_LEASES: usize = 4;
/// Bytes that one message can carry in the message page.
pub const MAX_BYTES: usize = crate::PAGE_SIZE - 128;

/// What a message is; the kernel sets it, so that a receiver can trust it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// A call or send made through libipc; the label is the protocol's.
    Message = 0,
    /// A foreign thread executed `syscall`: the label is eax, the words are the six arguments.
    SystemCall = 1,
    /// A foreign thread executed `int n`: the label is n, the words as for a system call.
    Interrupt = 2,
    /// A thread met an exception: the label is the vector; the words are error code, faulting
    /// address (cr2), instruction pointer, stack pointer, flags, 0.
    Exception = 3,
    /// A foreign thread was recalled; its registers tell where it was.
    Recall = 4,
    /// The bound notification was signalled: word 0 holds its bits; nothing is to be answered.
    Notification = 5,
    /// The open call in word 0, which was received at this endpoint, ended before it was answered:
    /// its caller died, was stopped, or its deadline passed; the badge is the call's. Nothing is to
    /// be answered. Comes before whatever else can be received. Word 0 is 0, and the badge, in
    /// the rare case that the caller's thread slot has another notice on its way: then the server
    /// finds out which by using its open calls (StaleCall).
    Cancelled = 6,
    /// A thread, native or foreign, touched a page that the pager of its memory object has to
    /// supply: the badge is the object's, the label the access (0 read, 1 write, 2 execute), word 0
    /// the page, word 1 the access again. Whatever the reply says, the thread tries again, and asks
    /// again where the page still misses. The call gives no access to the thread: neither to its
    /// registers nor to its memory. A thread whose page is asked for can be recalled.
    Page = 7,
}

/// The head of a message.
///
/// ```text
///   63    61 60       59..56  55..51  50..48  47..45  44..32       31..0
///   0        replayed kind    0       leases  caps    bytes        label
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(transparent)]
pub struct Tag(pub u64);

impl Tag {
    const BYTES_SHIFT: u32 = 32;
    const CAPS_SHIFT: u32 = 45;
    const LEASES_SHIFT: u32 = 48;
    const KIND_SHIFT: u32 = 56;
    const REPLAYED: u64 = 1 << 60;
    /// Where any bit is set, the message page is involved.
    const LONG: u64 = 0x0007_ffff << Self::BYTES_SHIFT;

    /// Returns the tag of a short message: words only.
    pub const fn short(label: u32) -> Self {
        Tag(label as u64)
    }

    /// Returns the tag of a message with `bytes` of the message page, `caps` capabilities and
    /// `leases` leases; none of them may exceed its bound ([`Tag::is_valid`] tells).
    pub const fn long(label: u32, bytes: usize, caps: usize, leases: usize) -> Self {
        Tag(label as u64
            | (bytes as u64 & 0x1fff) << Self::BYTES_SHIFT
            | (caps as u64 & 7) << Self::CAPS_SHIFT
            | (leases as u64 & 7) << Self::LEASES_SHIFT)
    }

    /// Returns the tag with another kind; only the kernel's word counts.
    pub const fn with_kind(self, kind: Kind) -> Self {
        Tag(self.0 & !(0xf << Self::KIND_SHIFT) | (kind as u64) << Self::KIND_SHIFT)
    }

    /// Returns the tag marked as replayed: a call that an earlier life of the server received.
    pub const fn with_replayed(self) -> Self {
        Tag(self.0 | Self::REPLAYED)
    }

    /// Returns what user space may set: the label and the counts.
    pub const fn sanitized(self) -> Self {
        Tag(self.0 & (Self::LONG | 0xffff_ffff))
    }

    /// Returns the operation of a request, or the protocol's status of a reply.
    pub const fn label(self) -> u32 {
        self.0 as u32
    }

    /// Returns the length in bytes of the part in the message page.
    pub const fn bytes(self) -> usize {
        (self.0 >> Self::BYTES_SHIFT) as usize & 0x1fff
    }

    /// Returns the number of capabilities.
    pub const fn caps(self) -> usize {
        (self.0 >> Self::CAPS_SHIFT) as usize & 7
    }

    /// Returns the number of leases.
    pub const fn leases(self) -> usize {
        (self.0 >> Self::LEASES_SHIFT) as usize & 7
    }

    /// Returns what the message is; numbers that name no kind count as [`Kind::Message`].
    pub const fn kind(self) -> Kind {
        match (self.0 >> Self::KIND_SHIFT) & 0xf {
            1 => Kind::SystemCall,
            2 => Kind::Interrupt,
            3 => Kind::Exception,
            4 => Kind::Recall,
            5 => Kind::Notification,
            6 => Kind::Cancelled,
            7 => Kind::Page,
            _ => Kind::Message,
        }
    }

    /// Returns whether a tag that the kernel made is of kind [`Kind::Message`].
    pub const fn is_message(self) -> bool {
        (self.0 >> Self::KIND_SHIFT) & 0xf == 0
    }

    /// Returns whether an earlier life of the server received this call already.
    pub const fn is_replayed(self) -> bool {
        self.0 & Self::REPLAYED != 0
    }

    /// Returns whether the message is words only.
    pub const fn is_short(self) -> bool {
        self.0 & Self::LONG == 0
    }

    /// Returns whether every count is within its bound.
    pub const fn is_valid(self) -> bool {
        self.bytes() <= MAX_BYTES && self.caps() <= MAX_CAPS && self.leases() <= MAX_LEASES
    }
}

/// A range of the caller's memory, lent for the length of one call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct Lease {
    /// First byte, in the caller's address space.
    pub address: u64,
    /// Length in bytes; the highest bit is set where the server may write instead of read.
    pub len_and_access: u64,
}

impl Lease {
    const WRITE: u64 = 1 << 63;

    /// Returns a range that the server may read.
    pub const fn read(address: u64, len: u64) -> Self {
        Lease { address, len_and_access: len & !Self::WRITE }
    }

    /// Returns a range that the server may write.
    pub const fn write(address: u64, len: u64) -> Self {
        Lease { address, len_and_access: len | Self::WRITE }
    }

    /// Returns the length in bytes.
    pub const fn len(self) -> u64 {
        self.len_and_access & !Self::WRITE
    }

    /// Returns whether the range is empty.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Returns whether the server may write (and not read).
    pub const fn is_writable(self) -> bool {
        self.len_and_access & Self::WRITE != 0
    }
}

/// The page through which a thread sends and receives what does not fit in registers.
///
/// On a call the kernel copies `bytes` up to the tag's length, installs the capabilities that
/// `caps` names in the receiver's table and writes their new handles into the receiver's `caps`,
/// and copies the lease descriptors. Leases are checked again, in the caller's page, at each use.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(4096))]
pub struct MessagePage {
    /// Handles of the capabilities sent or received.
    pub caps: [Handle; MAX_CAPS],
    reserved: [u64; 7],
    /// Ranges lent by this thread's call, or lent to it by the one that it received.
    pub leases: [Lease; MAX_LEASES],
    /// Bytes sent or received.
    pub bytes: [u8; MAX_BYTES],
}

impl MessagePage {
    /// Byte offset of [`MessagePage::caps`].
    pub const CAPS_AT: usize = 0;
    /// Byte offset of [`MessagePage::leases`].
    pub const LEASES_AT: usize = 64;
    /// Byte offset of [`MessagePage::bytes`].
    pub const BYTES_AT: usize = 128;
}

const _: () = assert!(size_of::<MessagePage>() == crate::PAGE_SIZE);
const _: () = assert!(core::mem::offset_of!(MessagePage, leases) == MessagePage::LEASES_AT);
const _: () = assert!(core::mem::offset_of!(MessagePage, bytes) == MessagePage::BYTES_AT);
