//! What an open file description can be of.

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

use libipc::Endpoint;
use protocols::file::Node;
use protocols::stream::StreamKind;

use crate::Errno;
use crate::kept::{Row, Tables, file};
use crate::linux::flags::open;
use crate::linux::structures::device;
use crate::open::numbered::{Kind, Numbered, Watch};
use crate::open::row;
use crate::path::Directory;
use crate::pipe::End;
use crate::proc::Text;
use crate::terminal::{PtyEnd, Side};

/// An open file description, shared by the descriptors that were duplicated from one another.
pub type Description = Rc<RefCell<OpenFile>>;

/// What an open file description knows.
#[derive(Debug)]
pub struct OpenFile {
    pub(super) kept: &'static Tables,
    pub(super) row: Row,
    /// What is open.
    pub object: Object,
    pub(super) offset: u64,
    pub(super) flags: u32,
    /// The path it was opened with, for `/proc/PID/fd`.
    pub path: Vec<u8>,
    /// What its locks are held by, once it has any.
    pub locker: Option<Locker>,
    /// Under which number interest lists (epoll(7)) know it; they forget it when it is dropped.
    pub watch: Option<Watch>,
}

/// Holds the locks of an open file description, which are given back when it is closed.
#[derive(Debug)]
pub struct Locker {
    /// What names it in [`crate::locks::Owner`].
    pub number: u64,
    /// Where its end is noted.
    pub closed: Closed,
}

impl Drop for Locker {
    fn drop(&mut self) {
        self.closed.0.borrow_mut().lockers.push(self.number);
    }
}

impl OpenFile {
    /// Returns a new description, shared by nobody yet.
    ///
    /// # Errors
    /// ENFILE: there are too many.
    pub fn new(
        kept: &'static Tables,
        object: Object,
        flags: u32,
        path: Vec<u8>,
    ) -> Result<Description, Errno> {
        let flags = flags & open::STATUS;
        let row = row::keep(kept, &object, flags, &path)?;
        let (offset, locker, watch) = (0, None, None);
        let file = OpenFile { kept, row, object, offset, flags, path, locker, watch };
        Ok(Rc::new(RefCell::new(file)))
    }

    /// Returns its row in kept memory.
    pub fn row(&self) -> Row {
        self.row
    }

    /// Returns where the next read or write begins.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Sets it.
    #[inline]
    pub fn set_offset(&mut self, offset: u64) {
        self.offset = offset;
        self.kept.files.put(self.row, file::OFFSET, offset);
    }

    /// Returns the access mode and status flags ([`open`]).
    #[inline]
    pub fn flags(&self) -> u32 {
        self.flags
    }

    /// Sets them.
    pub fn set_flags(&mut self, flags: u32) {
        self.flags = flags;
        let kind = self.kept.files.get(self.row, file::KIND) as u32;
        self.kept.files.put(self.row, file::KIND, u64::from(flags) << 32 | u64::from(kind));
    }

    /// Returns whether it may be read.
    pub fn is_readable(&self) -> bool {
        self.flags & open::ACCESS != open::WRITE_ONLY && self.flags & open::PATH == 0
    }

    /// Returns whether it may be written.
    pub fn is_writable(&self) -> bool {
        self.flags & open::ACCESS != 0 && self.flags & open::PATH == 0
    }

    /// Returns whether it never waits.
    pub fn is_non_blocking(&self) -> bool {
        self.flags & open::NON_BLOCKING != 0
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        row::forget(self.kept, self.row);
    }
}

/// What is open.
#[derive(Clone, Debug)]
pub enum Object {
    /// A regular file, or anything else of the file server opened by its path only.
    File(Rc<HeldNode>),
    /// A directory.
    Directory(Directory),
    /// One end of a pipe.
    Pipe(End),
    /// A device that this server plays itself, and its node.
    Device(Device, Option<Rc<HeldNode>>),
    /// A stream of another server.
    Stream(Rc<Stream>),
    /// A side of a pseudo-terminal.
    Pty(Rc<PtyEnd>),
    /// A file of `/proc`.
    Text(Text),
    /// A socket, or a descriptor of events: what a number in a table of this server stands for.
    Numbered(Rc<Numbered>),
}

/// A device that this server plays itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Device {
    /// `/dev/null`.
    Null,
    /// `/dev/zero`.
    Zero,
    /// `/dev/full`.
    Full,
    /// `/dev/random`, `/dev/urandom`.
    Random,
}

impl Device {
    /// Returns the device of a number (Linux admin-guide/devices.txt).
    pub fn from_number(number: u32) -> Option<Device> {
        const NULL: u32 = device(1, 3);
        const ZERO: u32 = device(1, 5);
        const FULL: u32 = device(1, 7);
        const RANDOM: u32 = device(1, 8);
        const URANDOM: u32 = device(1, 9);
        match number {
            NULL => Some(Device::Null),
            ZERO => Some(Device::Zero),
            FULL => Some(Device::Full),
            RANDOM | URANDOM => Some(Device::Random),
            _ => None,
        }
    }
}

/// What was closed and has to be told to other servers.
#[derive(Clone, Default, Debug)]
pub struct Closed(Rc<RefCell<Lists>>);

#[derive(Default, Debug)]
struct Lists {
    nodes: Vec<Node>,
    streams: Vec<Endpoint>,
    lockers: Vec<u64>,
    numbered: Vec<(Kind, u64)>,
    watches: Vec<u64>,
    ptys: Vec<(u32, Side, u64)>,
}

impl Closed {
    /// Returns the nodes to be released and forgets them.
    pub fn take_nodes(&self) -> Vec<Node> {
        core::mem::take(&mut self.0.borrow_mut().nodes)
    }

    /// Returns the streams to be closed and forgets them.
    pub fn take_streams(&self) -> Vec<Endpoint> {
        core::mem::take(&mut self.0.borrow_mut().streams)
    }

    /// Returns the numbers of lockers that are gone and forgets them.
    pub fn take_lockers(&self) -> Vec<u64> {
        core::mem::take(&mut self.0.borrow_mut().lockers)
    }

    /// Returns the numbers to be taken out of their tables and forgets them.
    pub fn take_numbered(&self) -> Vec<(Kind, u64)> {
        core::mem::take(&mut self.0.borrow_mut().numbered)
    }

    /// Returns the numbers of watched descriptions that are gone and forgets them.
    pub fn take_watches(&self) -> Vec<u64> {
        core::mem::take(&mut self.0.borrow_mut().watches)
    }

    /// Returns whether nothing was closed.
    #[inline]
    pub fn is_empty(&self) -> bool {
        let Lists { nodes, streams, lockers, numbered, watches, ptys } = &*self.0.borrow();
        let of_others = nodes.len() | streams.len() | lockers.len();
        of_others | numbered.len() | watches.len() | ptys.len() == 0
    }

    /// Returns the sides of pseudo-terminals that were closed, by number and life, and forgets
    /// them.
    pub fn take_ptys(&self) -> Vec<(u32, Side, u64)> {
        core::mem::take(&mut self.0.borrow_mut().ptys)
    }

    /// Adds a side of a pseudo-terminal.
    pub(crate) fn add_pty(&self, number: u32, side: Side, life: u64) {
        self.0.borrow_mut().ptys.push((number, side, life));
    }

    /// Adds a number of a table.
    pub(super) fn add_numbered(&self, kind: Kind, number: u64) {
        self.0.borrow_mut().numbered.push((kind, number));
    }

    /// Adds a watched description.
    pub(super) fn add_watch(&self, number: u64) {
        self.0.borrow_mut().watches.push(number);
    }
}

/// A node that the file server keeps for us although its last name may go.
#[derive(Debug)]
pub struct HeldNode {
    node: Node,
    closed: Closed,
}

impl HeldNode {
    /// Returns a node that was held, to be released when dropped.
    pub fn new(node: Node, closed: &Closed) -> Rc<Self> {
        Rc::new(HeldNode { node, closed: closed.clone() })
    }

    /// Returns the node.
    pub fn node(&self) -> Node {
        self.node
    }
}

impl Drop for HeldNode {
    fn drop(&mut self) {
        self.closed.0.borrow_mut().nodes.push(self.node);
    }
}

/// A stream of another server, and the capability to it.
#[derive(Debug)]
pub struct Stream {
    endpoint: Endpoint,
    kind: StreamKind,
    owned: bool,
    closed: Closed,
}

impl Stream {
    /// Returns a stream whose capability is deleted when it is dropped.
    pub fn owned(endpoint: Endpoint, kind: StreamKind, closed: &Closed) -> Rc<Self> {
        Rc::new(Stream { endpoint, kind, owned: true, closed: closed.clone() })
    }

    /// Returns a stream whose capability is kept.
    pub fn kept(endpoint: Endpoint, kind: StreamKind, closed: &Closed) -> Rc<Self> {
        Rc::new(Stream { endpoint, kind, owned: false, closed: closed.clone() })
    }

    /// Returns the capability.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// Returns whether the capability is deleted with it.
    pub fn is_owned(&self) -> bool {
        self.owned
    }

    /// Returns what the stream is.
    pub fn kind(&self) -> StreamKind {
        self.kind
    }

    /// Returns whether it is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.kind == StreamKind::Terminal
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.owned {
            self.closed.0.borrow_mut().streams.push(self.endpoint);
        }
    }
}
