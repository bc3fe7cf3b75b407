//! Files and directories: restartable, because the server keeps no open files, and because what
//! may happen once only has a ticket.

use core::sync::atomic::{AtomicU64, Ordering};

use libipc::{Memory, Time, interface, now};

/// Why a file operation was refused.
#[derive(libipc::ProtocolError, Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum FileError {
    /// No such file or directory.
    NotFound = 1,
    /// The name exists already.
    Exists = 2,
    /// A directory was needed.
    NotDirectory = 3,
    /// A directory cannot be used so.
    IsDirectory = 4,
    /// The directory has entries.
    NotEmpty = 5,
    /// The node's generation is gone.
    Stale = 6,
    /// The name is empty, too long, or holds a NUL or slash.
    InvalidName = 7,
    /// No space or no inode is left.
    NoSpace = 8,
    /// The operation would make a directory its own ancestor, or the argument makes no sense.
    Invalid = 9,
    /// The file system is read-only.
    ReadOnly = 10,
    /// The file would become larger than the file system allows.
    TooLarge = 11,
}

/// A file or directory: inode number in the low half, its generation in the high half.
#[derive(libipc::Word, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Node(pub u64);

/// What makes an operation happen once: a client repeats a request with the ticket that it had,
/// and a server whose earlier life did it answers without doing it again.
///
/// A server remembers the last operations, by the badge of the client and its ticket, in memory that
/// outlives it. A ticket is good for all of the life that follows the one which did the operation;
/// after further deaths as long as no more operations came than the server remembers (128 in the
/// file server). So a client repeats when it is told `Restarted`, and not any time later.
#[derive(libipc::Word, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Ticket(pub u64);

/// By how many bits the kernel's time is shifted to the first number of a program: so far from each
/// other are programs that began at different nanoseconds, for five hours (44 bits of ns); then the
/// numbers start over, and meet only those of one that began just then.
const APART: u32 = 20;

impl Ticket {
    /// No ticket: a repeated request may be done twice.
    pub const NONE: Ticket = Ticket(0);

    /// Returns a ticket that no program has used yet. Several share a badge where one hands out its
    /// capability, as the name server does; so each begins its numbers at the time of its first
    /// ticket, and has a million before those of a program that began a nanosecond later.
    ///
    /// ```
    /// use protocols::file::Ticket;
    /// assert_ne!(Ticket::next(), Ticket::next());
    /// assert_ne!(Ticket::next(), Ticket::NONE);
    /// ```
    pub fn next() -> Ticket {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Ticket::after(&LAST, now)
    }

    /// Returns the ticket after the last one, or the first one: `last` is 0 then.
    fn after(last: &AtomicU64, now: impl Fn() -> Time) -> Ticket {
        loop {
            if last.load(Ordering::Relaxed) == Ticket::NONE.0 {
                let first = now().0 << APART | 1;
                // Whoever was quicker has begun.
                let _ = last.compare_exchange(0, first, Ordering::Relaxed, Ordering::Relaxed);
            }
            let ticket = Ticket(last.fetch_add(1, Ordering::Relaxed).wrapping_add(1));
            if ticket != Ticket::NONE {
                return ticket;
            }
        }
    }
}

/// What is known about a node.
#[derive(libipc::Words, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attributes {
    /// The node.
    pub node: Node,
    /// Type and permission bits, as in POSIX `st_mode` (Linux values).
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Number of names.
    pub links: u32,
    /// Length in bytes; for device nodes, the device number.
    pub size: u64,
    /// Time of the last change of contents, ns since 1970.
    pub modified: u64,
    /// Time of the last change of attributes, ns since 1970.
    pub changed: u64,
}

/// Bits of the type in [`Attributes::mode`] (POSIX sys/stat.h, Linux values).
pub mod mode {
    /// Mask of the type.
    pub const TYPE: u32 = 0o170000;
    /// Directory.
    pub const DIRECTORY: u32 = 0o040000;
    /// Regular file.
    pub const FILE: u32 = 0o100000;
    /// Symbolic link.
    pub const SYMLINK: u32 = 0o120000;
    /// Character device.
    pub const CHARACTER: u32 = 0o020000;
    /// Named pipe.
    pub const FIFO: u32 = 0o010000;
    /// Socket.
    pub const SOCKET: u32 = 0o140000;
}

/// Bits of `which` in [`File::set_attributes`].
pub mod set {
    /// Permission bits of the mode.
    pub const MODE: u32 = 1;
    /// Owner.
    pub const UID: u32 = 2;
    /// Group.
    pub const GID: u32 = 4;
    /// Modification time.
    pub const MODIFIED: u32 = 8;
}

/// Header of an entry that [`File::list`] writes; `name_len` bytes of name follow, then padding
/// to a multiple of 8. All little endian:
///
/// ```text
///   0: node u64   8: cookie u64 (pass it to go on after this entry)   16: mode u32
///   20: name_len u16   22: record length u16   24: name
/// ```
pub const LIST_HEADER: usize = 24;

/// Longest name in bytes.
pub const NAME_MAX: usize = 255;

/// A file system. Names are single components; walking paths, permission checks and open files
/// are the client's. The RAM file system starts with the boot archive's contents.
#[interface(number = 3, error = FileError)]
pub trait File {
    /// Returns the root directory's attributes.
    #[operation(1, idempotent)]
    fn root(&mut self) -> Result<Attributes, FileError>;
    /// Finds a name in a directory ("." and ".." included); does not follow symbolic links.
    #[operation(2, idempotent)]
    fn lookup(
        &mut self,
        directory: Node,
        #[at_most(NAME_MAX, InvalidName)] name: &[u8],
    ) -> Result<Attributes, FileError>;
    /// Returns a node's attributes.
    #[operation(3, idempotent)]
    fn attributes(&mut self, node: Node) -> Result<Attributes, FileError>;
    /// Reads from a file; returns how many bytes, fewer only at its end.
    #[operation(4, idempotent)]
    fn read(&mut self, node: Node, offset: u64, into: &mut [u8]) -> Result<u64, FileError>;
    /// Writes to a file, growing it; returns how many bytes, fewer only when space ran out.
    #[operation(5, idempotent)]
    fn write(&mut self, node: Node, offset: u64, #[lend] data: &[u8]) -> Result<u64, FileError>;
    /// Creates a node of the type in `mode` (not a symbolic link); `device` for device nodes.
    #[operation(6, idempotent)]
    fn create(
        &mut self,
        ticket: Ticket,
        directory: Node,
        mode: u32,
        uid: u32,
        gid: u32,
        device: u32,
        #[at_most(NAME_MAX, InvalidName)] name: &[u8],
    ) -> Result<Attributes, FileError>;
    /// Creates a symbolic link.
    #[operation(7, idempotent)]
    fn symlink(
        &mut self,
        ticket: Ticket,
        directory: Node,
        uid: u32,
        gid: u32,
        #[at_most(NAME_MAX, InvalidName)] name: &[u8],
        target: &[u8],
    ) -> Result<Attributes, FileError>;
    /// Reads a symbolic link's target.
    #[operation(8, idempotent)]
    fn read_link(&mut self, node: Node, into: &mut [u8]) -> Result<u64, FileError>;
    /// Gives a file another name, or its first one ([`File::create_unnamed`]).
    #[operation(9, idempotent)]
    fn link(
        &mut self,
        ticket: Ticket,
        node: Node,
        directory: Node,
        #[at_most(NAME_MAX, InvalidName)] name: &[u8],
    ) -> Result<(), FileError>;
    /// Removes a name of something that is not a directory.
    #[operation(10, idempotent)]
    fn unlink(
        &mut self,
        ticket: Ticket,
        directory: Node,
        #[at_most(NAME_MAX, InvalidName)] name: &[u8],
    ) -> Result<(), FileError>;
    /// Removes an empty directory.
    #[operation(11, idempotent)]
    fn remove_directory(
        &mut self,
        ticket: Ticket,
        directory: Node,
        #[at_most(NAME_MAX, InvalidName)] name: &[u8],
    ) -> Result<(), FileError>;
    /// Renames; what has the new name is replaced as rename() of POSIX says. With `keep` = 1 an
    /// existing new name is [`FileError::Exists`]; with `keep` = 2 both names must exist and are
    /// exchanged.
    #[operation(12, idempotent)]
    fn rename(
        &mut self,
        ticket: Ticket,
        from: Node,
        to: Node,
        keep: u32,
        #[at_most(NAME_MAX, InvalidName)] from_name: &[u8],
        #[at_most(NAME_MAX, InvalidName)] to_name: &[u8],
    ) -> Result<(), FileError>;
    /// Sets a file's length.
    #[operation(13, idempotent)]
    fn resize(&mut self, node: Node, size: u64) -> Result<(), FileError>;
    /// Sets the attributes that `which` names (bits of [`set`]).
    #[operation(14, idempotent)]
    fn set_attributes(
        &mut self,
        node: Node,
        which: u32,
        mode: u32,
        uid: u32,
        gid: u32,
        modified: u64,
    ) -> Result<Attributes, FileError>;
    /// Lists a directory after `cookie` (0: from the beginning) in records of [`LIST_HEADER`];
    /// returns how many bytes, 0 at the end.
    #[operation(15, idempotent)]
    fn list(&mut self, directory: Node, cookie: u64, into: &mut [u8]) -> Result<u64, FileError>;
    /// Keeps a node alive although its last name may go, until released as often as held.
    #[operation(16, idempotent)]
    fn hold(&mut self, ticket: Ticket, node: Node) -> Result<(), FileError>;
    /// Undoes one hold.
    #[operation(17, idempotent)]
    fn release(&mut self, ticket: Ticket, node: Node) -> Result<(), FileError>;
    /// Returns total and free blocks, total and free inodes; blocks are of 4 KiB.
    #[operation(18, idempotent)]
    fn statistics(&mut self) -> Result<Statistics, FileError>;
    /// Creates a regular file that has no name and is held once: without a name it is gone when it
    /// is released.
    #[operation(19, idempotent)]
    fn create_unnamed(
        &mut self,
        ticket: Ticket,
        mode: u32,
        uid: u32,
        gid: u32,
    ) -> Result<Attributes, FileError>;
    /// Returns when a node was last read, ns since 1970. Reading notes the time only where the last
    /// one is older than the last change or a day (mount(8), relatime).
    #[operation(20, idempotent)]
    fn accessed(&mut self, node: Node) -> Result<u64, FileError>;
    /// Sets when a node was last read, ns since 1970.
    #[operation(21, idempotent)]
    fn set_accessed(&mut self, node: Node, accessed: u64) -> Result<(), FileError>;
    /// Returns the memory that the file server publishes, to be read, and where in it
    /// [`Generations`] are; Invalid where it publishes none.
    #[operation(22, idempotent)]
    fn publish(&mut self) -> Result<(Generations, Memory), FileError>;
    /// Returns the memory of [`place::ARCHIVE`], to be read; Invalid where there is none.
    #[operation(23, idempotent)]
    fn publish_archive(&mut self) -> Result<Memory, FileError>;
    /// Returns where bytes of a file lie in what is published; none at its end. Counts as
    /// reading the file.
    #[operation(24, idempotent)]
    fn extent(&mut self, node: Node, offset: u64) -> Result<Extent, FileError>;
}

/// Words of 64 bits by which a client sees whether what it knows of a node still holds: that of a
/// node is the one of its number (the low half) modulo their number.
///
/// A word is odd while something that it stands for changes, and another even number afterwards.
/// What was asked while it was the same even number holds until it is another one. Words survive
/// the server: what changed by its death is odd until its next life serves.
#[derive(libipc::Words, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Generations {
    /// Byte offset of the first in the memory that is published; a multiple of the page size.
    pub at: u64,
    /// How many there are, a power of two. One more word follows them that is another one after
    /// any change.
    pub slots: u64,
}

/// Bytes of a file that lie side by side.
#[derive(libipc::Words, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// In which memory ([`place`]).
    pub place: u64,
    /// Byte offset there.
    pub at: u64,
    /// How many bytes.
    pub len: u64,
    /// The node's generation when it was asked for: the extent holds while that is the node's.
    pub generation: u64,
}

/// Values of [`Extent::place`].
pub mod place {
    /// Nowhere: zeros.
    pub const HOLE: u64 = 0;
    /// The memory of `File::publish`.
    pub const REGION: u64 = 1;
    /// The memory of `File::publish_archive`.
    pub const ARCHIVE: u64 = 2;
}

/// How full the file system is.
#[derive(libipc::Words, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statistics {
    /// Blocks of 4 KiB.
    pub blocks: u64,
    /// Blocks that are free.
    pub free_blocks: u64,
    /// Inodes.
    pub inodes: u64,
    /// Inodes that are free.
    pub free_inodes: u64,
}

#[cfg(test)]
mod tests;
