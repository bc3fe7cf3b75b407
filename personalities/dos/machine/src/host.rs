//! What the machine needs from the system around it: streams, files, time, requests to stop.
//!
//! The session implements [`Host`] with the system's protocols, tests with files in memory. All
//! that DOS adds to files (drives, short names, handles, positions) is the machine's.

use alloc::vec::Vec;
use core::ops::Range;

/// Why the host refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostError {
    /// Nothing has that name, or the node is gone.
    NotFound,
    /// The name exists already.
    Exists,
    /// A directory was needed.
    NotDirectory,
    /// A directory cannot be used so.
    IsDirectory,
    /// The directory has entries.
    NotEmpty,
    /// The name is not allowed.
    InvalidName,
    /// The file system is full, or the file too large.
    NoSpace,
    /// Permissions or a read-only file system forbid it.
    Denied,
    /// Another session has the file open in a way that excludes this.
    Sharing,
    /// Some of the bytes are locked.
    Locked,
    /// The stream's other end is closed.
    Broken,
    /// Nothing can be read now.
    WouldBlock,
    /// A request to stop ended the wait; [`Host::request`] tells which.
    Interrupted,
    /// The device or its server failed.
    Device,
}

/// A file or directory, as the host names it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Node(pub u64);

/// What a node is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NodeKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// Anything else: DOS does not show it.
    Other,
}

/// What DOS wants to know about a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attributes {
    /// The node.
    pub node: Node,
    /// What it is.
    pub kind: NodeKind,
    /// Length in bytes.
    pub size: u64,
    /// Time of the last change, ns since 1970.
    pub modified: u64,
    /// Its DOS attributes: bits of [`flag`].
    pub flags: u8,
}

impl Attributes {
    /// Returns whether nobody may write it.
    pub fn is_read_only(&self) -> bool {
        self.flags & flag::READ_ONLY != 0
    }
}

/// Attribute bits that a host keeps of a node (RBIL table 01420).
pub mod flag {
    /// Read-only.
    pub const READ_ONLY: u8 = 0x01;
    /// Hidden.
    pub const HIDDEN: u8 = 0x02;
    /// System.
    pub const SYSTEM: u8 = 0x04;
    /// Changed since the last backup.
    pub const ARCHIVE: u8 = 0x20;
    /// All of them.
    pub const ALL: u8 = READ_ONLY | HIDDEN | SYSTEM | ARCHIVE;
}

/// An entry of a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its name.
    pub name: Vec<u8>,
    /// Its node.
    pub node: Node,
}

/// A program's standard streams.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream {
    /// Standard input.
    Input,
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// Whether a read may wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    /// Answer at once.
    Never,
    /// Wait until there is something, or the end.
    Forever,
}

/// What somebody asks of the whole session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StopRequest {
    /// Ctrl-C was typed.
    Interrupt,
    /// End.
    Terminate,
}

/// How full a file system is, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Space {
    /// All.
    pub total: u64,
    /// Free.
    pub free: u64,
}

/// How a file is opened (RBIL INT 21/AH=3D, bits 0-2 and 4-6 of AL).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenMode {
    /// 0 read, 1 write, 2 both.
    pub access: u8,
    /// 0 compatibility, 1 deny all, 2 deny write, 3 deny read, 4 deny none.
    pub sharing: u8,
}

/// A program of the system around the machine, to be run to its end.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Foreign {
    /// Its absolute path.
    pub path: Vec<u8>,
    /// Its arguments, without its name.
    pub arguments: Vec<Vec<u8>>,
    /// Its environment, `NAME=value`.
    pub environment: Vec<Vec<u8>>,
    /// Its working directory.
    pub directory: Vec<u8>,
    /// Absolute path of the file that is its standard input; nothing: the machine's.
    pub input: Option<Vec<u8>>,
    /// Absolute path of the file that takes its standard output; nothing: the machine's.
    pub output: Option<Vec<u8>>,
    /// Absolute path of the file that takes its standard error; nothing: the machine's.
    pub error: Option<Vec<u8>>,
}

/// A drive letter and the directory that is its root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Drive {
    /// 0 is A.
    pub number: u8,
    /// The root directory.
    pub root: Node,
    /// The root's absolute path in the host's form.
    pub path: Vec<u8>,
}

impl Drive {
    /// Returns what of an absolute path of the host lies below the drive's root.
    pub fn below<'p>(&self, path: &'p [u8]) -> Option<&'p [u8]> {
        let root = self.path.strip_suffix(b"/").unwrap_or(&self.path);
        let rest = path.strip_prefix(root)?;
        (rest.is_empty() || rest.starts_with(b"/")).then_some(rest)
    }

    /// Returns an absolute path of the host as DOS spells it, by the drive that is nearest to it.
    ///
    /// ```
    /// use dos_machine::host::{Drive, Node};
    /// let drive = |number, path: &[u8]| Drive { number, root: Node(0), path: path.to_vec() };
    /// let drives = [drive(2, b"/dos"), drive(3, b"/")];
    /// assert_eq!(Drive::spell(&drives, b"/dos/a.com").as_deref(), Some(&b"C:\\a.com"[..]));
    /// assert_eq!(Drive::spell(&drives, b"/bin").as_deref(), Some(&b"D:\\bin"[..]));
    /// assert_eq!(Drive::spell(&drives[..1], b"/bin"), None);
    /// ```
    pub fn spell(drives: &[Drive], path: &[u8]) -> Option<Vec<u8>> {
        let places = drives.iter().filter_map(|drive| Some((drive, drive.below(path)?)));
        let (drive, rest) = places.min_by_key(|(_, rest)| rest.len())?;
        let mut spelled = alloc::vec![b'A' + drive.number, b':'];
        if rest.is_empty() {
            spelled.push(b'\\');
        }
        spelled.extend(rest.iter().map(|byte| if *byte == b'/' { b'\\' } else { *byte }));
        Some(spelled)
    }
}

/// The system around the machine.
pub trait Host {
    /// Its files.
    type Files: FileTree;

    /// Returns whether a stream is a terminal; for input, one that gives keys.
    fn is_terminal(&mut self, stream: Stream) -> bool;
    /// Returns whether standard input is a terminal that edits and echoes lines itself, and so
    /// gives lines instead of keys.
    fn echoes_input(&mut self) -> bool;
    /// Returns columns and rows of the terminal on standard output, if it tells them.
    fn terminal_size(&mut self) -> Option<(u16, u16)> {
        None
    }
    /// Reads standard input; 0 bytes are its end. A terminal gives keys: raw, not echoed.
    ///
    /// # Errors
    /// `WouldBlock` (with [`Wait::Never`]), `Interrupted`, `Device`.
    fn read_input(&mut self, wait: Wait, into: &mut [u8]) -> Result<usize, HostError>;
    /// Writes to a stream; returns how many bytes were taken, at least one.
    ///
    /// # Errors
    /// `Broken`, `Interrupted`, `Device`.
    fn write_output(&mut self, stream: Stream, bytes: &[u8]) -> Result<usize, HostError>;
    /// Waits for input, a request to stop, or that many nanoseconds.
    fn idle(&mut self, nanoseconds: u64);
    /// Returns and forgets what somebody asked of the session.
    fn request(&mut self) -> Option<StopRequest>;
    /// Returns nanoseconds since some time in the past.
    fn monotonic(&mut self) -> u64;
    /// Returns the local time in ns since 1970.
    fn time(&mut self) -> u64;

    /// Returns the directory of temporary files, and its absolute path.
    ///
    /// # Errors
    /// `NotFound` where there is none, `Device`.
    fn temporary(&mut self) -> Result<(Node, Vec<u8>), HostError> {
        Err(HostError::NotFound)
    }
    /// Runs a program of the system around the machine, waits for its end and returns its exit code;
    /// 128 + n where signal n ended it.
    ///
    /// # Errors
    /// `NotFound` where it is no such program, `Device` where it cannot be run.
    fn run_foreign(&mut self, _program: &Foreign) -> Result<u8, HostError> {
        Err(HostError::NotFound)
    }

    /// Returns its files.
    fn files(&mut self) -> &mut Self::Files;
}

/// Drives and what is on them. Names are single components and bytes.
pub trait FileTree {
    /// Returns the drives, in the order of their letters.
    fn drives(&mut self) -> Vec<Drive>;
    /// Returns how full the file system is.
    fn space(&mut self) -> Space;
    /// Finds a name in a directory, following symbolic links.
    ///
    /// # Errors
    /// `NotFound`, `NotDirectory`, `Denied`, `Device`.
    fn lookup(&mut self, directory: Node, name: &[u8]) -> Result<Attributes, HostError>;
    /// Returns a node's attributes.
    ///
    /// # Errors
    /// `NotFound`, `Device`.
    fn attributes(&mut self, node: Node) -> Result<Attributes, HostError>;
    /// Lists a directory without "." and "..".
    ///
    /// # Errors
    /// `NotFound`, `NotDirectory`, `Denied`, `Device`.
    fn list(&mut self, directory: Node) -> Result<Vec<Entry>, HostError>;
    /// Reads from a file; fewer bytes than asked for only at its end.
    ///
    /// # Errors
    /// `NotFound`, `IsDirectory`, `Device`.
    fn read(&mut self, node: Node, offset: u64, into: &mut [u8]) -> Result<usize, HostError>;
    /// Writes to a file, growing it; fewer bytes than asked for only when space ran out.
    ///
    /// # Errors
    /// `NotFound`, `IsDirectory`, `NoSpace`, `Denied`, `Device`.
    fn write(&mut self, node: Node, offset: u64, bytes: &[u8]) -> Result<usize, HostError>;
    /// Sets a file's length.
    ///
    /// # Errors
    /// As [`FileTree::write`].
    fn resize(&mut self, node: Node, size: u64) -> Result<(), HostError>;
    /// Creates an empty file or directory.
    ///
    /// # Errors
    /// `Exists`, `NotFound`, `InvalidName`, `NoSpace`, `Denied`, `Device`.
    fn create(
        &mut self,
        directory: Node,
        name: &[u8],
        kind: NodeKind,
    ) -> Result<Attributes, HostError>;
    /// Removes a file's name.
    ///
    /// # Errors
    /// `NotFound`, `IsDirectory`, `Denied`, `Device`.
    fn unlink(&mut self, directory: Node, name: &[u8]) -> Result<(), HostError>;
    /// Removes an empty directory.
    ///
    /// # Errors
    /// `NotFound`, `NotDirectory`, `NotEmpty`, `Denied`, `Device`.
    fn remove_directory(&mut self, directory: Node, name: &[u8]) -> Result<(), HostError>;
    /// Renames; an existing new name is an error.
    ///
    /// # Errors
    /// `NotFound`, `Exists`, `InvalidName`, `Denied`, `Device`.
    fn rename(
        &mut self,
        from: Node,
        from_name: &[u8],
        to: Node,
        to_name: &[u8],
    ) -> Result<(), HostError>;
    /// Sets the time of the last change, ns since 1970.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `Device`.
    fn set_modified(&mut self, node: Node, time: u64) -> Result<(), HostError>;
    /// Sets the attributes of [`flag`], as far as the host can keep them of this node.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `Device`.
    fn set_flags(&mut self, node: Node, flags: u8) -> Result<(), HostError>;
    /// Locks bytes of an open file against other sessions.
    ///
    /// # Errors
    /// `Locked`: some of them are locked; `NoSpace`: too many locks; `Device`.
    fn lock(&mut self, node: Node, bytes: Range<u64>) -> Result<(), HostError>;
    /// Undoes one `lock` of exactly these bytes.
    ///
    /// # Errors
    /// `Locked`: there is no such lock of this session; `Device`.
    fn unlock(&mut self, node: Node, bytes: Range<u64>) -> Result<(), HostError>;
    /// Returns whether no other session has locked some of these bytes.
    ///
    /// # Errors
    /// `Locked`, `Device`.
    fn check_locks(&mut self, node: Node, bytes: Range<u64>) -> Result<(), HostError>;
    /// Registers that a file is open, so that it stays although its name may go.
    ///
    /// # Errors
    /// `Sharing`, `Denied`, `NotFound`, `Device`.
    fn opened(&mut self, node: Node, mode: OpenMode) -> Result<(), HostError>;
    /// Undoes one `opened` of the same mode.
    fn closed(&mut self, node: Node, mode: OpenMode);
}
