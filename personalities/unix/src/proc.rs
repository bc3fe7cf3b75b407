//! `/proc`: directories and files that this server makes up, and the tree that paths walk.
//!
//! [`View`] is the whole tree as a process sees it: the file server's, with `/proc` laid over it.
//! [`Entry`] names a node of `/proc`; `text` writes what its files say.

mod own;
mod text;

use alloc::vec::Vec;

use protocols::file::{Attributes, mode};

use crate::Errno;
use crate::linux::terminal::slave_device;
use crate::path::{Directory, Found, Node, Tree, VNode};
use crate::process::Pid;
use crate::unix::Unix;

pub use text::{TICKS, run_time, text};

/// The group `tty` of Debian's /etc/group, whom slaves of pseudo-terminals belong to.
const TTY_GROUP: u32 = 5;

/// A node of `/proc`, or of `/dev/pts`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entry {
    /// `/proc`.
    Root,
    /// A file that is not about one process.
    Global(Global),
    /// `/proc/self` or `/proc/mounts`: a link.
    Link(Link),
    /// `/proc/PID`.
    Process(Pid),
    /// A file about a process.
    File(Pid, About),
    /// `/proc/PID/exe`, `/proc/PID/cwd` or `/proc/PID/root`.
    ProcessLink(Pid, ProcessLink),
    /// `/proc/PID/fd`.
    Descriptors(Pid),
    /// `/proc/PID/fd/N`.
    Descriptor(Pid, u32),
    /// `/dev/pts`.
    Terminals,
    /// `/dev/pts/N`.
    Terminal(u32),
}

macro_rules! names {
    ($(#[$doc:meta])* $name:ident: $($variant:ident = $text:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[expect(missing_docs, reason = "each is named after its file")]
        pub enum $name { $($variant,)* }

        impl $name {
            const ALL: &[($name, &'static [u8])] = &[$(($name::$variant, $text),)*];

            fn find(name: &[u8]) -> Option<Self> {
                Self::ALL.iter().find(|(_, text)| *text == name).map(|(value, _)| *value)
            }
        }
    };
}

names! {
    /// Files in `/proc` itself (proc(5)).
    Global:
    CpuInfo = b"cpuinfo",
    FileSystems = b"filesystems",
    Kamen = b"kamen",
    LoadAverage = b"loadavg",
    MemInfo = b"meminfo",
    Stat = b"stat",
    Uptime = b"uptime",
    Version = b"version",
}

names! {
    /// Links in `/proc` itself.
    Link:
    Own = b"self",
    Mounts = b"mounts",
}

names! {
    /// Files in `/proc/PID`.
    About:
    CommandLine = b"cmdline",
    Name = b"comm",
    Maps = b"maps",
    Mounts = b"mounts",
    Stat = b"stat",
    StatM = b"statm",
    Status = b"status",
}

names! {
    /// Links in `/proc/PID`.
    ProcessLink:
    Executable = b"exe",
    Cwd = b"cwd",
    Root = b"root",
}

impl Entry {
    /// Returns a number for the node that no node of a file server has.
    fn number(self) -> u64 {
        let (kind, pid, index) = match self {
            Entry::Root => (1, 0, 0),
            Entry::Global(global) => (2, 0, global as u64),
            Entry::Link(link) => (3, 0, link as u64),
            Entry::Process(pid) => (4, pid.0, 0),
            Entry::File(pid, about) => (5, pid.0, about as u64),
            Entry::ProcessLink(pid, link) => (6, pid.0, link as u64),
            Entry::Descriptors(pid) => (7, pid.0, 0),
            Entry::Descriptor(pid, number) => (8, pid.0, u64::from(number)),
            Entry::Terminals => (9, 0, 0),
            Entry::Terminal(number) => (10, 0, u64::from(number)),
        };
        0xf000_0000 | kind << 24 | u64::from(pid) << 12 & 0xff_f000 | index & 0xfff
    }

    fn mode(self) -> u32 {
        match self {
            Entry::Root | Entry::Process(_) => mode::DIRECTORY | 0o555,
            Entry::Descriptors(_) => mode::DIRECTORY | 0o500,
            Entry::Terminals => mode::DIRECTORY | 0o755,
            // As Debian mounts devpts (mode=620,gid=5).
            Entry::Terminal(_) => mode::CHARACTER | 0o620,
            // It takes a while to make, and is about everybody.
            Entry::Global(Global::Kamen) => mode::FILE | 0o400,
            Entry::Global(_) | Entry::File(..) => mode::FILE | 0o444,
            Entry::Link(_) | Entry::ProcessLink(..) | Entry::Descriptor(..) => {
                mode::SYMLINK | 0o777
            }
        }
    }

    /// Returns the process that the node is about.
    fn process(self) -> Option<Pid> {
        match self {
            Entry::Root
            | Entry::Global(_)
            | Entry::Link(_)
            | Entry::Terminals
            | Entry::Terminal(_) => None,
            Entry::Process(pid)
            | Entry::File(pid, _)
            | Entry::ProcessLink(pid, _)
            | Entry::Descriptors(pid)
            | Entry::Descriptor(pid, _) => Some(pid),
        }
    }
}

/// Returns the attributes of a node of `/proc`.
///
/// # Errors
/// ENOENT: its process is gone.
pub fn attributes(unix: &mut Unix, entry: Entry) -> Result<Attributes, Errno> {
    let now = unix.machine.boot_time();
    let (mut uid, mut gid, mut size) = (0, 0, 0);
    if let Entry::Terminal(number) = entry {
        let pty = unix.terminals.ptys.get(&number).ok_or(Errno::ENOENT)?;
        (uid, gid, size) = (pty.owner, TTY_GROUP, slave_device(number).into());
    }
    let (uid, gid) = match entry.process() {
        None => (uid, gid),
        Some(pid) => {
            let who = &unix.processes.get(&pid).ok_or(Errno::ENOENT)?.credentials;
            (who.user.effective, who.group.effective)
        }
    };
    Ok(Attributes {
        node: Node(entry.number()),
        mode: entry.mode(),
        uid,
        gid,
        links: 1,
        size,
        modified: now,
        changed: now,
    })
}

/// Returns the names in a directory of `/proc`, with their nodes.
///
/// # Errors
/// ENOENT: its process is gone; ENOTDIR.
pub fn list(unix: &Unix, entry: Entry) -> Result<Vec<(Vec<u8>, Entry)>, Errno> {
    let named = |name: &[u8], entry: Entry| (name.to_vec(), entry);
    let number = |number: u32| alloc::format!("{number}").into_bytes();
    Ok(match entry {
        Entry::Root => {
            let globals = Global::ALL.iter().map(|&(one, name)| named(name, Entry::Global(one)));
            let links = Link::ALL.iter().map(|&(one, name)| named(name, Entry::Link(one)));
            let pids = unix.processes.keys().map(|&pid| (number(pid.0), Entry::Process(pid)));
            pids.chain(links).chain(globals).collect()
        }
        Entry::Process(pid) => {
            let files = About::ALL.iter().map(|&(one, name)| named(name, Entry::File(pid, one)));
            let links = ProcessLink::ALL.iter();
            let links = links.map(|&(one, name)| named(name, Entry::ProcessLink(pid, one)));
            files.chain(links).chain([named(b"fd", Entry::Descriptors(pid))]).collect()
        }
        Entry::Descriptors(pid) => {
            let process = unix.processes.get(&pid).ok_or(Errno::ENOENT)?;
            let numbers = process.descriptors.iter().map(|(number, _)| number as u32);
            numbers.map(|one| (number(one), Entry::Descriptor(pid, one))).collect()
        }
        Entry::Terminals => {
            let numbers = unix.terminals.ptys.keys();
            numbers.map(|&one| (number(one), Entry::Terminal(one))).collect()
        }
        Entry::Global(_)
        | Entry::Link(_)
        | Entry::File(..)
        | Entry::ProcessLink(..)
        | Entry::Descriptor(..)
        | Entry::Terminal(_) => return Err(Errno::ENOTDIR),
    })
}

/// The whole tree as a process sees it.
pub struct View<'u> {
    unix: &'u mut Unix,
    pid: Pid,
}

impl<'u> View<'u> {
    /// Returns the tree as `pid` sees it.
    pub fn new(unix: &'u mut Unix, pid: Pid) -> Self {
        View { unix, pid }
    }

    fn found(&mut self, entry: Entry) -> Result<Found, Errno> {
        let attributes = attributes(self.unix, entry)?;
        Ok(Found { node: VNode::Proc(entry), attributes })
    }

    fn lookup_entry(&mut self, directory: Entry, name: &[u8]) -> Result<Found, Errno> {
        if name == b"." {
            return self.found(directory);
        }
        if name == b".." {
            return match directory {
                Entry::Descriptors(pid) => self.found(Entry::Process(pid)),
                Entry::Process(_) => self.found(Entry::Root),
                Entry::Terminals => {
                    let root = self.unix.files.root()?.node;
                    let attributes = self.unix.files.lookup(root, b"dev")?;
                    Ok(Found { node: VNode::File(attributes.node), attributes })
                }
                Entry::Root
                | Entry::Global(_)
                | Entry::Link(_)
                | Entry::File(..)
                | Entry::ProcessLink(..)
                | Entry::Descriptor(..)
                | Entry::Terminal(_) => {
                    let attributes = self.unix.files.root()?;
                    Ok(Found { node: VNode::File(attributes.node), attributes })
                }
            };
        }
        let entry = match directory {
            Entry::Root => self.lookup_root(name),
            Entry::Process(pid) => lookup_process(pid, name),
            Entry::Descriptors(pid) => self.lookup_descriptor(pid, name),
            Entry::Terminals => parse_number(name).map(Entry::Terminal),
            Entry::Terminal(_)
            | Entry::Global(_)
            | Entry::Link(_)
            | Entry::File(..)
            | Entry::ProcessLink(..)
            | Entry::Descriptor(..) => return Err(Errno::ENOTDIR),
        };
        self.found(entry.ok_or(Errno::ENOENT)?)
    }

    fn lookup_root(&self, name: &[u8]) -> Option<Entry> {
        let global = Global::find(name).map(Entry::Global);
        let link = || Link::find(name).map(Entry::Link);
        let process = || {
            let pid = Pid(parse_number(name)?);
            self.unix.processes.contains_key(&pid).then_some(Entry::Process(pid))
        };
        global.or_else(link).or_else(process)
    }

    fn lookup_descriptor(&self, pid: Pid, name: &[u8]) -> Option<Entry> {
        let number = parse_number(name)?;
        let process = self.unix.processes.get(&pid)?;
        process.descriptors.slot(number.into()).ok()?;
        Some(Entry::Descriptor(pid, number))
    }
}

fn lookup_process(pid: Pid, name: &[u8]) -> Option<Entry> {
    if name == b"fd" {
        return Some(Entry::Descriptors(pid));
    }
    let file = About::find(name).map(|about| Entry::File(pid, about));
    file.or_else(|| ProcessLink::find(name).map(|link| Entry::ProcessLink(pid, link)))
}

fn parse_number(name: &[u8]) -> Option<u32> {
    core::str::from_utf8(name).ok()?.parse().ok()
}

impl Tree for View<'_> {
    fn root(&mut self) -> Result<VNode, Errno> {
        if let Some(root) = self.unix.root {
            return Ok(VNode::File(root));
        }
        let root = self.unix.files.root()?.node;
        self.unix.root = Some(root);
        Ok(VNode::File(root))
    }

    fn lookup(&mut self, directory: &Directory, name: &[u8]) -> Result<Found, Errno> {
        match directory.node {
            VNode::Proc(entry) => self.lookup_entry(entry, name),
            VNode::File(_) if directory.path == b"/" && name == b"proc" => self.found(Entry::Root),
            VNode::File(_) if directory.path == b"/dev" && name == b"pts" => {
                self.found(Entry::Terminals)
            }
            VNode::File(node) => {
                let attributes = self.unix.files.lookup(node, name)?;
                Ok(Found { node: VNode::File(attributes.node), attributes })
            }
        }
    }

    fn read_link(&mut self, node: VNode, is_last: bool) -> Result<Option<Vec<u8>>, Errno> {
        match node {
            VNode::File(node) => Ok(Some(self.unix.files.read_link(node)?)),
            VNode::Proc(Entry::Descriptor(..)) if is_last => Ok(None),
            VNode::Proc(entry) => Ok(Some(link_target(self.unix, self.pid, entry)?)),
        }
    }
}

/// Returns what a link of `/proc` says to a process.
///
/// # Errors
/// ENOENT: its process or file is gone; EINVAL: it is no link.
pub fn link_target(unix: &Unix, reader: Pid, entry: Entry) -> Result<Vec<u8>, Errno> {
    let process = |pid: Pid| unix.processes.get(&pid).ok_or(Errno::ENOENT);
    Ok(match entry {
        Entry::Link(Link::Own) => alloc::format!("{}", reader.0).into_bytes(),
        Entry::Link(Link::Mounts) => b"self/mounts".to_vec(),
        Entry::ProcessLink(pid, ProcessLink::Executable) => process(pid)?.executable.clone(),
        Entry::ProcessLink(pid, ProcessLink::Cwd) => process(pid)?.cwd.path.clone(),
        Entry::ProcessLink(_, ProcessLink::Root) => b"/".to_vec(),
        Entry::Descriptor(pid, number) => {
            process(pid)?.descriptors.file(number.into())?.borrow().path.clone()
        }
        Entry::Root
        | Entry::Global(_)
        | Entry::Process(_)
        | Entry::File(..)
        | Entry::Descriptors(_)
        | Entry::Terminals
        | Entry::Terminal(_) => return Err(Errno::EINVAL),
    })
}
