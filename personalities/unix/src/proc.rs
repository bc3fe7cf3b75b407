//! `/proc`, `/sys` and `/dev/pts`: directories and files that this server makes up, and the tree paths walk.
//!
//! [`View`] is the whole tree as a process sees it: the file server's, with `/proc` and `/sys` laid
//! over it. [`Entry`] names a node of theirs; `text` and `process` write what its files say.

mod entry;
mod file;
mod own;
mod process;
mod processor;
mod text;
mod tree;

use alloc::vec::Vec;

use protocols::file::Attributes;

use crate::Errno;
use crate::linux::terminal::slave_device;
use crate::path::{
    Directory, Found, Last, Node, Target, Tree, VNode, Within, seen_from, walk_below, walk_within,
};
use crate::process::Pid;
use crate::unix::Unix;

pub use entry::{About, Entry, Folder, Global, Link, ProcessLink};
pub use file::{Text, may_look, read};
pub use process::{run_time, write};
pub use text::{TICKS, text};

/// The group `tty` of Debian's /etc/group, whom slaves of pseudo-terminals belong to.
const TTY_GROUP: u32 = 5;

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
            let process = unix.processes.get(&pid).ok_or(Errno::ENOENT)?;
            let who = &process.credentials;
            let is_open = process.settings.is_dumpable || entry == Entry::Process(pid);
            if is_open { (who.user.effective, who.group.effective) } else { (0, 0) }
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
    let mut names =
        alloc::vec![(b".".to_vec(), entry), (b"..".to_vec(), entry.parent().unwrap_or(entry)),];
    let number = |number: u32| alloc::format!("{number}").into_bytes();
    let named = |name: &[u8], entry: Entry| (name.to_vec(), entry);
    match entry {
        Entry::Root => {
            names.extend(unix.processes.keys().map(|&pid| (number(pid.0), Entry::Process(pid))));
            names.extend(Link::ALL.iter().map(|&(one, name)| named(name, Entry::Link(one))));
            names.extend(Global::ALL.iter().map(|&(one, name)| named(name, Entry::Global(one))));
            names.extend(tree::list(None));
        }
        Entry::Fixed(place) => names.extend(tree::list(Some(place))),
        Entry::Process(pid) => {
            names.extend(About::ALL.iter().map(|&(one, name)| named(name, Entry::File(pid, one))));
            let links = ProcessLink::ALL.iter();
            names.extend(links.map(|&(one, name)| named(name, Entry::ProcessLink(pid, one))));
            names.extend(Folder::ALL.iter().map(|&(one, name)| named(name, one.of(pid))));
        }
        Entry::Tasks(pid) => {
            let threads = unix.threads.values().filter(|thread| thread.pid == pid);
            names.extend(threads.map(|one| (number(one.tid.0), Entry::Task(pid, one.tid))));
        }
        Entry::Task(pid, tid) => {
            let files = About::ALL.iter();
            names.extend(files.map(|&(one, name)| named(name, Entry::TaskFile(pid, tid, one))));
        }
        Entry::Descriptors(pid) | Entry::Infos(pid) => {
            let process = unix.processes.get(&pid).ok_or(Errno::ENOENT)?;
            let of = |fd: u32| match entry {
                Entry::Descriptors(_) => Entry::Descriptor(pid, fd),
                _ => Entry::Info(pid, fd),
            };
            let numbers = process.descriptors.iter().map(|(number, _)| number as u32);
            names.extend(numbers.map(|one| (number(one), of(one))));
        }
        Entry::Terminals => {
            let numbers = unix.terminals.ptys.keys();
            names.extend(numbers.map(|&one| (number(one), Entry::Terminal(one))));
        }
        Entry::Global(_)
        | Entry::Link(_)
        | Entry::File(..)
        | Entry::TaskFile(..)
        | Entry::ProcessLink(..)
        | Entry::Descriptor(..)
        | Entry::Info(..)
        | Entry::Terminal(_) => return Err(Errno::ENOTDIR),
    }
    Ok(names)
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
            if let Some(parent) = directory.parent() {
                return self.found(parent);
            }
            let mut attributes = self.unix.files.root()?;
            if directory == Entry::Terminals {
                attributes = self.unix.files.lookup(attributes.node, b"dev")?;
            }
            return Ok(Found { node: VNode::File(attributes.node), attributes });
        }
        let entry = match directory {
            Entry::Root => self.lookup_root(name),
            Entry::Fixed(place) => tree::lookup(Some(place), name),
            Entry::Process(pid) => lookup_process(pid, name),
            Entry::Tasks(pid) => self.lookup_task(pid, name),
            Entry::Task(pid, tid) => {
                About::find(name).map(|about| Entry::TaskFile(pid, tid, about))
            }
            Entry::Descriptors(pid) => {
                self.descriptor(pid, name).map(|number| Entry::Descriptor(pid, number))
            }
            Entry::Infos(pid) => self.descriptor(pid, name).map(|number| Entry::Info(pid, number)),
            Entry::Terminals => parse_number(name).map(Entry::Terminal),
            Entry::Global(_)
            | Entry::Link(_)
            | Entry::File(..)
            | Entry::TaskFile(..)
            | Entry::ProcessLink(..)
            | Entry::Descriptor(..)
            | Entry::Info(..)
            | Entry::Terminal(_) => return Err(Errno::ENOTDIR),
        };
        self.found(entry.ok_or(Errno::ENOENT)?)
    }

    fn lookup_root(&self, name: &[u8]) -> Option<Entry> {
        let global = Global::find(name).map(Entry::Global);
        let link = || Link::find(name).map(Entry::Link);
        let process = || {
            let id = Pid(parse_number(name)?);
            // A thread's number names its process, though no list has it.
            let of_thread = || self.unix.threads.values().find(|one| one.tid == id);
            match self.unix.processes.contains_key(&id) {
                true => Some(Entry::Process(id)),
                false => of_thread().map(|thread| Entry::Process(thread.pid)),
            }
        };
        global.or_else(link).or_else(process).or_else(|| tree::lookup(None, name))
    }

    fn lookup_task(&self, pid: Pid, name: &[u8]) -> Option<Entry> {
        let tid = Pid(parse_number(name)?);
        let is_one = self.unix.threads.values().any(|one| one.pid == pid && one.tid == tid);
        is_one.then_some(Entry::Task(pid, tid))
    }

    fn descriptor(&self, pid: Pid, name: &[u8]) -> Option<u32> {
        let number = parse_number(name)?;
        let process = self.unix.processes.get(&pid)?;
        process.descriptors.slot(number.into()).ok()?;
        Some(number)
    }
}

fn lookup_process(pid: Pid, name: &[u8]) -> Option<Entry> {
    let file = About::find(name).map(|about| Entry::File(pid, about));
    let link = || ProcessLink::find(name).map(|link| Entry::ProcessLink(pid, link));
    file.or_else(link).or_else(|| Folder::find(name).map(|folder| folder.of(pid)))
}

/// Returns the number that a name is, written as Linux writes it.
fn parse_number(name: &[u8]) -> Option<u32> {
    let is_plain = name.iter().all(u8::is_ascii_digit) && (name[0] != b'0' || name.len() == 1);
    if is_plain { core::str::from_utf8(name).ok()?.parse().ok() } else { None }
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
            VNode::File(_) if directory.path == b"/" && name == b"sys" => {
                self.found(tree::find("sys").ok_or(Errno::ENOENT)?)
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
            VNode::Proc(Entry::Descriptor(pid, _)) if is_last => {
                may_look(self.unix, self.pid, pid)?;
                Ok(None)
            }
            VNode::Proc(entry) => Ok(Some(link_target(self.unix, self.pid, entry)?)),
        }
    }
}

/// Walks a path as a process does: with its rights, and below its root.
///
/// # Errors
/// What [`walk_within`] says.
#[inline(always)]
pub fn walk_as(
    unix: &mut Unix,
    pid: Pid,
    from: &Directory,
    path: &[u8],
    last: Last,
    within: Within,
) -> Result<Target, Errno> {
    let process = unix.processes.get(&pid).ok_or(Errno::ESRCH)?;
    if process.root.is_some() && !within.has_top() {
        return walk_from_own_root(unix, pid, from, path, last, within);
    }
    let who = process.credentials.clone();
    walk_within(&mut View::new(unix, pid), from, path, last, &who, within)
}

/// As [`walk_as`], for the few processes that have a root of their own.
#[cold]
fn walk_from_own_root(
    unix: &mut Unix,
    pid: Pid,
    from: &Directory,
    path: &[u8],
    last: Last,
    within: Within,
) -> Result<Target, Errno> {
    let process = unix.processes.get(&pid).ok_or(Errno::ESRCH)?;
    let (who, root) = (process.credentials.clone(), process.root.clone());
    let (top, within) = (root.as_deref().unwrap_or(from), within.below_root());
    walk_below(&mut View::new(unix, pid), top, from, path, last, &who, within)
}

/// Returns what a link of `/proc` says to a process.
///
/// # Errors
/// ENOENT: its process or file is gone; EACCES: it may not know; EINVAL: it is no link.
pub fn link_target(unix: &Unix, reader: Pid, entry: Entry) -> Result<Vec<u8>, Errno> {
    if let Entry::ProcessLink(pid, _) | Entry::Descriptor(pid, _) = entry {
        // `proc_fd_access_allowed` (fs/proc/base.c).
        may_look(unix, reader, pid)?;
    }
    let process = |pid: Pid| unix.processes.get(&pid).ok_or(Errno::ENOENT);
    let seen = |path: &[u8]| {
        let root = unix.processes.get(&reader).and_then(|reader| reader.root.as_deref());
        root.and_then(|root| seen_from(&root.path, path)).unwrap_or_else(|| path.to_vec())
    };
    Ok(match entry {
        Entry::Link(Link::Own) => alloc::format!("{}", reader.0).into_bytes(),
        Entry::Link(Link::OwnThread) => {
            let tid = unix.calling_thread(reader);
            alloc::format!("{}/task/{}", reader.0, tid.0).into_bytes()
        }
        Entry::Link(Link::Mounts) => b"self/mounts".to_vec(),
        Entry::ProcessLink(pid, ProcessLink::Executable) => {
            let path = &process(pid)?.executable;
            if path.is_empty() { return Err(Errno::ENOENT) } else { seen(path) }
        }
        Entry::ProcessLink(pid, ProcessLink::Cwd) => seen(&process(pid)?.cwd.path),
        Entry::ProcessLink(pid, ProcessLink::Root) => match &*process(pid)?.root {
            Some(root) => seen(&root.path),
            None => b"/".to_vec(),
        },
        Entry::Descriptor(pid, number) => {
            seen(&process(pid)?.descriptors.file(number.into())?.borrow().path)
        }
        Entry::Root
        | Entry::Global(_)
        | Entry::Fixed(_)
        | Entry::Process(_)
        | Entry::File(..)
        | Entry::Tasks(_)
        | Entry::Task(..)
        | Entry::TaskFile(..)
        | Entry::Descriptors(_)
        | Entry::Infos(_)
        | Entry::Info(..)
        | Entry::Terminals
        | Entry::Terminal(_) => return Err(Errno::EINVAL),
    })
}
