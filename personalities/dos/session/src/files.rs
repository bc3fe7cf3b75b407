//! Files: the machine's nodes are the file protocol's, and links are followed here.
//!
//! Opens are registered with the DOS server, for sharing between sessions, and held at the file
//! server, so that a file stays although its name goes. Without a DOS server there is one drive
//! and no sharing.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use crate::marks;
use dos_machine::Start;
use dos_machine::host::{
    Attributes, Drive, Entry, FileTree, HostError, Node, NodeKind, OpenMode, Space,
};
use libipc::{Failure, Kernel, Notification, Transport};
use protocols::dos::{Access, DosClient, DosError, Sharing};
use protocols::file::{self, FileClient, FileError, LIST_HEADER, Ticket, mode, set};

/// Most symbolic links that one name may lead through (Linux: path_resolution(7)).
const LINKS_MAX: usize = 40;
/// Longest target of a symbolic link.
const TARGET_MAX: usize = 4096;
/// Bytes of a directory that one request lists.
const LIST_BYTES: usize = 8192;
/// Most bytes of the list of settings.
const SETTINGS_BYTES: usize = 8192;
/// Permissions of new files and directories.
const FILE_MODE: u32 = mode::FILE | 0o644;
const DIRECTORY_MODE: u32 = mode::DIRECTORY | 0o755;
/// The drives where there is no DOS server.
const DRIVES: &[u8] = b"C /dos\nD /\n";
/// Drive C, where no directory of a drive is there.
const DRIVE_C: u8 = 2;
/// Bytes of a block in [`file::Statistics`].
const BLOCK: u64 = 4096;

/// The file tree.
pub struct Files<T = Kernel> {
    files: FileClient<T>,
    dos: Option<DosClient<T>>,
    /// What tells the DOS server that the session lives.
    alive: Option<Notification>,
    /// What is open, to be told to a DOS server that has begun anew.
    open: Vec<(file::Node, Access, Sharing)>,
}

impl<T: Transport> Files<T> {
    /// Returns the tree of a file server, shared through a DOS server.
    pub fn new(files: FileClient<T>, dos: Option<DosClient<T>>) -> Self {
        Files { files, dos, alive: None, open: Vec::new() }
    }

    /// Makes the session known to the DOS server; without success opens are not shared.
    pub fn attach(&mut self, alive: Option<Notification>) {
        let attached = match (&self.dos, alive) {
            (Some(dos), Some(alive)) => dos.attach(alive).is_ok(),
            _ => false,
        };
        self.alive = alive;
        if !attached {
            self.dos = None;
        }
    }

    /// Asks the DOS server. One that does not know the session or its files has begun anew, and is told
    /// what is open first.
    fn ask(
        &self,
        request: impl Fn(&DosClient<T>) -> Result<(), Failure<DosError>>,
    ) -> Result<(), Failure<DosError>> {
        let Some(dos) = &self.dos else { return Ok(()) };
        let answered = request(dos);
        if let (Err(Failure::Protocol(DosError::NotFound)), Some(alive)) = (answered, self.alive)
            && dos.attach(alive).is_ok()
        {
            for (file, access, sharing) in &self.open {
                // Where somebody else was faster, both have it now.
                let _ = dos.open(*file, *access, *sharing);
            }
            return request(dos);
        }
        answered
    }

    fn register(&self, open: (file::Node, Access, Sharing)) -> Result<(), HostError> {
        match self.ask(|dos| dos.open(open.0, open.1, open.2)) {
            Err(Failure::Protocol(DosError::Sharing)) => Err(HostError::Sharing),
            Err(Failure::Protocol(DosError::NoResources)) => Err(HostError::Device),
            // Without a server, files go on.
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Finds what an absolute path names, following links.
    ///
    /// # Errors
    /// As [`FileTree::lookup`].
    pub fn find(&self, path: &[u8]) -> Result<Node, HostError> {
        let root = self.files.root().map_err(host_error)?;
        self.walk(root.node, path).map(|found| Node(found.node.0))
    }

    /// Sets what the DOS server says of a session's start.
    pub fn configure(&self, start: &mut Start) {
        let mut text = vec![0; SETTINGS_BYTES];
        let len = self.dos.as_ref().and_then(|dos| dos.settings(&mut text).ok()).unwrap_or(0);
        crate::environment::configure(start, &text[..text.len().min(len as usize)]);
    }

    fn unregister(&mut self, open: (file::Node, Access, Sharing)) {
        if let Some(place) = self.open.iter().rposition(|known| *known == open) {
            self.open.swap_remove(place);
        }
        if let Some(dos) = &self.dos {
            // A server that has begun anew does not know it.
            let _ = dos.close(open.0, open.1, open.2);
        }
    }

    /// Returns the drive of a line "C /path".
    fn drive(&self, line: &[u8]) -> Option<Drive> {
        let [letter @ b'A'..=b'Z', b' ', path @ ..] = line else { return None };
        let root = self.files.root().ok()?;
        let found = self.walk(root.node, path).ok()?;
        Some(Drive { number: letter - b'A', root: Node(found.node.0), path: path.to_vec() })
    }

    /// Walks a path from a directory, following links; the root where the path is "/".
    fn walk(&self, directory: file::Node, path: &[u8]) -> Result<file::Attributes, HostError> {
        let root = || self.files.root().map_err(host_error);
        let mut here = match path.starts_with(b"/") {
            true => root()?,
            false => self.files.attributes(directory).map_err(host_error)?,
        };
        let mut rest: VecDeque<Vec<u8>> = components(path).collect();
        let mut links = 0;
        while let Some(name) = rest.pop_front() {
            let found = self.files.lookup(here.node, &name).map_err(host_error)?;
            if found.mode & mode::TYPE != mode::SYMLINK {
                here = found;
                continue;
            }
            links += 1;
            if links > LINKS_MAX {
                return Err(HostError::NotFound);
            }
            let target = self.target(found.node)?;
            if target.starts_with(b"/") {
                here = root()?;
            }
            for component in components(&target).collect::<Vec<_>>().into_iter().rev() {
                rest.push_front(component);
            }
        }
        Ok(here)
    }

    fn target(&self, link: file::Node) -> Result<Vec<u8>, HostError> {
        let mut target = vec![0; TARGET_MAX];
        let len = self.files.read_link(link, &mut target).map_err(host_error)? as usize;
        target.truncate(len);
        Ok(target)
    }
}

impl<T: Transport> FileTree for Files<T> {
    fn drives(&mut self) -> Vec<Drive> {
        let mut text = [0; 1024];
        let listed = self.dos.as_ref().and_then(|dos| dos.drives(&mut text).ok());
        let text = match listed {
            Some(len) => &text[..text.len().min(len as usize)],
            None => DRIVES,
        };
        let lines = text.split(|byte| *byte == b'\n').filter_map(|line| self.drive(line));
        let drives: Vec<Drive> = lines.collect();
        if drives.is_empty() {
            vec![Drive { number: DRIVE_C, root: Node(0), path: b"/".to_vec() }]
        } else {
            drives
        }
    }

    fn space(&mut self) -> Space {
        let found = self.files.statistics();
        found.map_or(Space::default(), |found| Space {
            total: found.blocks * BLOCK,
            free: found.free_blocks * BLOCK,
        })
    }

    fn lookup(&mut self, directory: Node, name: &[u8]) -> Result<Attributes, HostError> {
        self.walk(file::Node(directory.0), name).map(|found| attributes(&found))
    }

    fn attributes(&mut self, node: Node) -> Result<Attributes, HostError> {
        let found = self.files.attributes(file::Node(node.0)).map_err(host_error)?;
        Ok(attributes(&found))
    }

    fn list(&mut self, directory: Node) -> Result<Vec<Entry>, HostError> {
        let mut entries = Vec::new();
        let mut bytes = vec![0; LIST_BYTES];
        let mut cookie = 0;
        loop {
            let len = self.files.list(file::Node(directory.0), cookie, &mut bytes);
            let len = (len.map_err(host_error)? as usize).min(bytes.len());
            let Some(last) = read_entries(&bytes[..len], &mut entries) else {
                return Ok(entries);
            };
            // A server that does not move on is not asked again.
            if last == cookie {
                return Err(HostError::Device);
            }
            cookie = last;
        }
    }

    fn read(&mut self, node: Node, offset: u64, into: &mut [u8]) -> Result<usize, HostError> {
        let mut done = 0;
        while done < into.len() {
            let rest = &mut into[done..];
            let most = rest.len();
            let count = self.files.read(file::Node(node.0), offset + done as u64, rest);
            let count = (count.map_err(host_error)? as usize).min(most);
            if count == 0 {
                break;
            }
            done += count;
        }
        Ok(done)
    }

    fn write(&mut self, node: Node, offset: u64, bytes: &[u8]) -> Result<usize, HostError> {
        let mut done = 0;
        while done < bytes.len() {
            let rest = &bytes[done..];
            let count = self.files.write(file::Node(node.0), offset + done as u64, rest);
            let count = match count.map_err(host_error) {
                Err(HostError::NoSpace) if done > 0 => 0,
                count => (count? as usize).min(rest.len()),
            };
            if count == 0 {
                break;
            }
            done += count;
        }
        Ok(done)
    }

    fn resize(&mut self, node: Node, size: u64) -> Result<(), HostError> {
        self.files.resize(file::Node(node.0), size).map_err(host_error)
    }

    fn create(
        &mut self,
        directory: Node,
        name: &[u8],
        kind: NodeKind,
    ) -> Result<Attributes, HostError> {
        let mode = match kind {
            NodeKind::Directory => DIRECTORY_MODE,
            NodeKind::File | NodeKind::Other => FILE_MODE,
        };
        let created =
            self.files.create(Ticket::next(), file::Node(directory.0), mode, 0, 0, 0, name);
        created.map(|created| attributes(&created)).map_err(host_error)
    }

    fn unlink(&mut self, directory: Node, name: &[u8]) -> Result<(), HostError> {
        self.files.unlink(Ticket::next(), file::Node(directory.0), name).map_err(host_error)
    }

    fn remove_directory(&mut self, directory: Node, name: &[u8]) -> Result<(), HostError> {
        self.files
            .remove_directory(Ticket::next(), file::Node(directory.0), name)
            .map_err(host_error)
    }

    fn rename(
        &mut self,
        from: Node,
        from_name: &[u8],
        to: Node,
        to_name: &[u8],
    ) -> Result<(), HostError> {
        const KEEP: u32 = 1;
        let (from, to) = (file::Node(from.0), file::Node(to.0));
        self.files.rename(Ticket::next(), from, to, KEEP, from_name, to_name).map_err(host_error)
    }

    fn set_modified(&mut self, node: Node, time: u64) -> Result<(), HostError> {
        let node = file::Node(node.0);
        let changed = self.files.set_attributes(node, set::MODIFIED, 0, 0, 0, time);
        changed.map(drop).map_err(host_error)
    }

    fn set_flags(&mut self, node: Node, flags: u8) -> Result<(), HostError> {
        let node = file::Node(node.0);
        let old = self.files.attributes(node).map_err(host_error)?.mode & !mode::TYPE;
        let changed = self.files.set_attributes(node, set::MODE, marks::set(old, flags), 0, 0, 0);
        changed.map(drop).map_err(host_error)
    }

    fn lock(&mut self, node: Node, bytes: Range<u64>) -> Result<(), HostError> {
        let len = bytes.end - bytes.start;
        self.ask(|dos| dos.lock(file::Node(node.0), bytes.start, len)).map_err(lock_error)
    }

    fn unlock(&mut self, node: Node, bytes: Range<u64>) -> Result<(), HostError> {
        let Some(dos) = &self.dos else { return Ok(()) };
        dos.unlock(file::Node(node.0), bytes.start, bytes.end - bytes.start).map_err(lock_error)
    }

    fn check_locks(&mut self, node: Node, bytes: Range<u64>) -> Result<(), HostError> {
        let Some(dos) = &self.dos else { return Ok(()) };
        match dos.check(file::Node(node.0), bytes.start, bytes.end - bytes.start) {
            Err(Failure::Protocol(DosError::Locked)) => Err(HostError::Locked),
            // A server that died has forgotten all locks.
            _ => Ok(()),
        }
    }

    fn opened(&mut self, node: Node, mode: OpenMode) -> Result<(), HostError> {
        let (access, sharing) = modes(mode)?;
        let open = (file::Node(node.0), access, sharing);
        // Held before it is registered, and released after: who is killed in between leaves a hold too
        // many, as the DOS server releases what is registered.
        self.files.hold(Ticket::next(), open.0).map_err(host_error)?;
        match self.register(open) {
            Ok(()) => self.open.push(open),
            refused => {
                let _ = self.files.release(Ticket::next(), open.0);
                return refused;
            }
        }
        Ok(())
    }

    fn closed(&mut self, node: Node, mode: OpenMode) {
        let Ok((access, sharing)) = modes(mode) else { return };
        let file = file::Node(node.0);
        self.unregister((file, access, sharing));
        // A file that is gone is not held.
        let _ = self.files.release(Ticket::next(), file);
    }
}

fn components(path: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    path.split(|byte| *byte == b'/').filter(|part| !part.is_empty()).map(<[u8]>::to_vec)
}

/// Appends the entries of a listing; returns the last one's cookie, none where there is none.
fn read_entries(bytes: &[u8], into: &mut Vec<Entry>) -> Option<u64> {
    let mut rest = bytes;
    let mut cookie = None;
    while let Some((header, _)) = rest.split_at_checked(LIST_HEADER) {
        let word = |at: usize| u64::from_le_bytes(core::array::from_fn(|byte| header[at + byte]));
        let half = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]) as usize;
        let (name_len, record_len) = (half(20), half(22));
        let name = rest.get(LIST_HEADER..LIST_HEADER + name_len)?;
        if !matches!(name, b"." | b"..") {
            into.push(Entry { name: name.to_vec(), node: Node(word(0)) });
        }
        cookie = Some(word(8));
        rest = rest.get(record_len.max(LIST_HEADER)..)?;
    }
    cookie
}

fn attributes(found: &file::Attributes) -> Attributes {
    let kind = match found.mode & mode::TYPE {
        mode::FILE => NodeKind::File,
        mode::DIRECTORY => NodeKind::Directory,
        _ => NodeKind::Other,
    };
    Attributes {
        node: Node(found.node.0),
        kind,
        size: found.size,
        modified: found.modified,
        flags: marks::of(found.mode),
    }
}

fn modes(mode: OpenMode) -> Result<(Access, Sharing), HostError> {
    let access = match mode.access {
        0 => Access::Read,
        1 => Access::Write,
        2 => Access::Both,
        _ => return Err(HostError::Denied),
    };
    let sharing = match mode.sharing {
        0 => Sharing::Compatible,
        1 => Sharing::DenyAll,
        2 => Sharing::DenyWrite,
        3 => Sharing::DenyRead,
        4 => Sharing::DenyNone,
        _ => return Err(HostError::Denied),
    };
    Ok((access, sharing))
}

fn host_error(failure: Failure<FileError>) -> HostError {
    let Failure::Protocol(error) = failure else { return HostError::Device };
    match error {
        FileError::NotFound | FileError::Stale => HostError::NotFound,
        FileError::Exists => HostError::Exists,
        FileError::NotDirectory => HostError::NotDirectory,
        FileError::IsDirectory => HostError::IsDirectory,
        FileError::NotEmpty => HostError::NotEmpty,
        FileError::InvalidName | FileError::Invalid => HostError::InvalidName,
        FileError::NoSpace | FileError::TooLarge => HostError::NoSpace,
        FileError::ReadOnly => HostError::Denied,
    }
}

fn lock_error(failure: Failure<DosError>) -> HostError {
    match failure {
        Failure::Protocol(DosError::Locked) => HostError::Locked,
        Failure::Protocol(DosError::NoResources) => HostError::NoSpace,
        _ => HostError::Device,
    }
}
