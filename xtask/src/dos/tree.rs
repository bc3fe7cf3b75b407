//! The host's files as a file server: what `cargo xtask dos` runs programs on.
//!
//! A node is an inode of the host that was seen by name; its number is an index here. Who holds a
//! node keeps the host's file open, so that it outlives its name.

use libipc::{Caller, Memory, ReadLease, WriteLease};
use protocols::file::{
    Attributes, Extent, File, FileError, Generations, LIST_HEADER, Node, Statistics, Ticket, mode,
    set,
};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, Metadata, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

const NS_PER_SECOND: u64 = 1_000_000_000;

/// The host's file tree, from its root.
#[derive(Debug, Default)]
pub struct Tree {
    known: Vec<Known>,
    numbers: HashMap<(u64, u64), usize>,
}

/// A node that was seen.
#[derive(Debug)]
struct Known {
    path: PathBuf,
    /// The open file while somebody holds the node.
    file: Option<fs::File>,
    holds: u32,
}

impl Tree {
    fn path(&self, node: Node) -> Result<&Path, FileError> {
        let known = self.known.get(node.0 as usize).ok_or(FileError::Stale)?;
        Ok(&known.path)
    }

    fn child(&self, directory: Node, name: &[u8]) -> Result<PathBuf, FileError> {
        if name.is_empty() || name.contains(&b'/') || name.contains(&0) {
            return Err(FileError::InvalidName);
        }
        Ok(self.path(directory)?.join(OsStr::from_bytes(name)))
    }

    /// Returns the attributes of what a path names, which becomes a node.
    fn see(&mut self, path: PathBuf) -> Result<Attributes, FileError> {
        let found = fs::symlink_metadata(&path).map_err(error)?;
        let identity = (found.dev(), found.ino());
        let next = self.known.len();
        let number = *self.numbers.entry(identity).or_insert(next);
        if number == next {
            self.known.push(Known { path, file: None, holds: 0 });
        } else {
            self.known[number].path = path;
        }
        Ok(attributes(Node(number as u64), &found))
    }

    fn metadata(&self, node: Node) -> Result<Metadata, FileError> {
        let known = self.known.get(node.0 as usize).ok_or(FileError::Stale)?;
        match &known.file {
            Some(file) => file.metadata().map_err(error),
            None => fs::symlink_metadata(&known.path).map_err(error),
        }
    }

    /// Does something with a file, open for both where the host allows it.
    fn with_file<T>(
        &self,
        node: Node,
        work: impl FnOnce(&fs::File) -> io::Result<T>,
    ) -> Result<T, FileError> {
        let known = self.known.get(node.0 as usize).ok_or(FileError::Stale)?;
        let done = match &known.file {
            Some(file) => work(file),
            None => work(&open(&known.path)?),
        };
        done.map_err(error)
    }
}

impl File for Tree {
    fn root(&mut self, _: &Caller) -> Result<Attributes, FileError> {
        self.see(PathBuf::from("/"))
    }

    fn lookup(
        &mut self,
        _: &Caller,
        directory: Node,
        name: &[u8],
    ) -> Result<Attributes, FileError> {
        let path = self.child(directory, name)?;
        self.see(path)
    }

    fn attributes(&mut self, _: &Caller, node: Node) -> Result<Attributes, FileError> {
        Ok(attributes(node, &self.metadata(node)?))
    }

    fn read(
        &mut self,
        _: &Caller,
        node: Node,
        offset: u64,
        into: WriteLease<'_>,
    ) -> Result<u64, FileError> {
        let mut bytes = vec![0; into.len() as usize];
        let count = self.with_file(node, |file| file.read_at(&mut bytes, offset))?;
        into.write_at(0, &bytes[..count]).map_err(|_| FileError::Invalid)?;
        Ok(count as u64)
    }

    fn write(
        &mut self,
        _: &Caller,
        node: Node,
        offset: u64,
        data: ReadLease<'_>,
    ) -> Result<u64, FileError> {
        let mut bytes = vec![0; data.len() as usize];
        data.read_at(0, &mut bytes).map_err(|_| FileError::Invalid)?;
        let count = self.with_file(node, |file| file.write_at(&bytes, offset))?;
        Ok(count as u64)
    }

    fn create(
        &mut self,
        _: &Caller,
        _: Ticket,
        directory: Node,
        kind: u32,
        _: u32,
        _: u32,
        _: u32,
        name: &[u8],
    ) -> Result<Attributes, FileError> {
        let path = self.child(directory, name)?;
        match kind & mode::TYPE {
            mode::DIRECTORY => fs::create_dir(&path).map_err(error)?,
            mode::FILE => {
                fs::File::create_new(&path).map_err(error)?;
            }
            _ => return Err(FileError::Invalid),
        }
        self.see(path)
    }

    fn symlink(
        &mut self,
        _: &Caller,
        _: Ticket,
        _: Node,
        _: u32,
        _: u32,
        _: &[u8],
        _: &[u8],
    ) -> Result<Attributes, FileError> {
        Err(FileError::Invalid)
    }

    fn read_link(
        &mut self,
        _: &Caller,
        node: Node,
        into: WriteLease<'_>,
    ) -> Result<u64, FileError> {
        let target = fs::read_link(self.path(node)?).map_err(error)?;
        let bytes = target.as_os_str().as_bytes();
        let len = bytes.len().min(into.len() as usize);
        into.write_at(0, &bytes[..len]).map_err(|_| FileError::Invalid)?;
        Ok(len as u64)
    }

    fn link(&mut self, _: &Caller, _: Ticket, _: Node, _: Node, _: &[u8]) -> Result<(), FileError> {
        Err(FileError::Invalid)
    }

    fn unlink(
        &mut self,
        _: &Caller,
        _: Ticket,
        directory: Node,
        name: &[u8],
    ) -> Result<(), FileError> {
        fs::remove_file(self.child(directory, name)?).map_err(error)
    }

    fn remove_directory(
        &mut self,
        _: &Caller,
        _: Ticket,
        directory: Node,
        name: &[u8],
    ) -> Result<(), FileError> {
        fs::remove_dir(self.child(directory, name)?).map_err(error)
    }

    fn rename(
        &mut self,
        _: &Caller,
        _: Ticket,
        from: Node,
        to: Node,
        keep: u32,
        from_name: &[u8],
        to_name: &[u8],
    ) -> Result<(), FileError> {
        let (from, to) = (self.child(from, from_name)?, self.child(to, to_name)?);
        // Nobody else changes these names at the same moment, or has to blame himself.
        if keep == 1 && fs::symlink_metadata(&to).is_ok() {
            return Err(FileError::Exists);
        }
        fs::rename(&from, &to).map_err(error)?;
        self.see(to).map(drop)
    }

    fn resize(&mut self, _: &Caller, node: Node, size: u64) -> Result<(), FileError> {
        self.with_file(node, |file| file.set_len(size))
    }

    fn set_attributes(
        &mut self,
        caller: &Caller,
        node: Node,
        which: u32,
        mode: u32,
        _: u32,
        _: u32,
        modified: u64,
    ) -> Result<Attributes, FileError> {
        if which & set::MODE != 0 {
            let permissions = Permissions::from_mode(mode);
            fs::set_permissions(self.path(node)?, permissions).map_err(error)?;
        }
        if which & set::MODIFIED != 0 {
            let time = UNIX_EPOCH + Duration::from_nanos(modified);
            self.with_file(node, |file| file.set_modified(time))?;
        }
        self.attributes(caller, node)
    }

    fn list(
        &mut self,
        _: &Caller,
        directory: Node,
        cookie: u64,
        into: WriteLease<'_>,
    ) -> Result<u64, FileError> {
        let entries = fs::read_dir(self.path(directory)?).map_err(error)?;
        let mut names: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        names.sort();
        let mut records = Vec::new();
        for (index, path) in names.into_iter().enumerate().skip(cookie as usize) {
            let name = path.file_name().unwrap_or_default().as_bytes().to_vec();
            // What vanished meanwhile is not there.
            let Ok(found) = self.see(path) else { continue };
            let record = record(&found, index as u64 + 1, &name);
            if (records.len() + record.len()) as u64 > into.len() {
                break;
            }
            records.extend(record);
        }
        into.write_at(0, &records).map_err(|_| FileError::Invalid)?;
        Ok(records.len() as u64)
    }

    fn hold(&mut self, _: &Caller, _: Ticket, node: Node) -> Result<(), FileError> {
        let known = self.known.get_mut(node.0 as usize).ok_or(FileError::Stale)?;
        if known.file.is_none() {
            known.file = Some(open(&known.path)?);
        }
        known.holds += 1;
        Ok(())
    }

    fn release(&mut self, _: &Caller, _: Ticket, node: Node) -> Result<(), FileError> {
        let known = self.known.get_mut(node.0 as usize).ok_or(FileError::Stale)?;
        known.holds = known.holds.saturating_sub(1);
        if known.holds == 0 {
            known.file = None;
        }
        Ok(())
    }

    fn statistics(&mut self, _: &Caller) -> Result<Statistics, FileError> {
        let found = rustix::fs::statvfs("/").map_err(|failure| error(failure.into()))?;
        let scale = |blocks: u64| blocks.saturating_mul(found.f_frsize) / 4096;
        Ok(Statistics {
            blocks: scale(found.f_blocks),
            free_blocks: scale(found.f_bavail),
            inodes: found.f_files,
            free_inodes: found.f_ffree,
        })
    }

    fn create_unnamed(
        &mut self,
        _: &Caller,
        _: Ticket,
        _: u32,
        _: u32,
        _: u32,
    ) -> Result<Attributes, FileError> {
        Err(FileError::Invalid)
    }

    fn accessed(&mut self, _: &Caller, node: Node) -> Result<u64, FileError> {
        let found = self.metadata(node)?;
        Ok(nanoseconds(found.atime(), found.atime_nsec()))
    }

    fn set_accessed(&mut self, _: &Caller, _: Node, _: u64) -> Result<(), FileError> {
        Err(FileError::Invalid)
    }

    fn publish(&mut self, _: &Caller) -> Result<(Generations, Memory), FileError> {
        Err(FileError::Invalid)
    }

    fn publish_archive(&mut self, _: &Caller) -> Result<Memory, FileError> {
        Err(FileError::Invalid)
    }

    fn extent(&mut self, _: &Caller, _: Node, _: u64) -> Result<Extent, FileError> {
        Err(FileError::Invalid)
    }
}

fn open(path: &Path) -> Result<fs::File, FileError> {
    let both = OpenOptions::new().read(true).write(true).open(path);
    both.or_else(|_| fs::File::open(path)).map_err(error)
}

fn attributes(node: Node, found: &Metadata) -> Attributes {
    Attributes {
        node,
        mode: found.mode(),
        uid: found.uid(),
        gid: found.gid(),
        links: found.nlink() as u32,
        size: found.len(),
        modified: nanoseconds(found.mtime(), found.mtime_nsec()),
        changed: nanoseconds(found.ctime(), found.ctime_nsec()),
    }
}

fn nanoseconds(seconds: i64, rest: i64) -> u64 {
    seconds.max(0) as u64 * NS_PER_SECOND + rest.max(0) as u64
}

/// Returns an entry of a listing ([`LIST_HEADER`]).
fn record(found: &Attributes, cookie: u64, name: &[u8]) -> Vec<u8> {
    let len = (LIST_HEADER + name.len()).next_multiple_of(8);
    let mut record = Vec::with_capacity(len);
    record.extend(found.node.0.to_le_bytes());
    record.extend(cookie.to_le_bytes());
    record.extend(found.mode.to_le_bytes());
    record.extend((name.len() as u16).to_le_bytes());
    record.extend((len as u16).to_le_bytes());
    record.extend(name);
    record.resize(len, 0);
    record
}

fn error(failure: io::Error) -> FileError {
    match failure.kind() {
        ErrorKind::NotFound => FileError::NotFound,
        ErrorKind::AlreadyExists => FileError::Exists,
        ErrorKind::NotADirectory => FileError::NotDirectory,
        ErrorKind::IsADirectory => FileError::IsDirectory,
        ErrorKind::DirectoryNotEmpty => FileError::NotEmpty,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => FileError::NoSpace,
        ErrorKind::FileTooLarge => FileError::TooLarge,
        ErrorKind::InvalidFilename => FileError::InvalidName,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => FileError::ReadOnly,
        _ => FileError::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::Tree;
    use dos_machine::host::{FileTree, HostError, NodeKind, OpenMode};
    use dos_session::Files;
    use libipc::loopback::Loopback;
    use libipc::{Endpoint, Handle};
    use protocols::file::{FileClient, serve_file};
    use std::fs;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn a_files_life_is_the_hosts() {
        let scratch = tempfile::tempdir().unwrap();
        fs::write(scratch.path().join("there"), b"text").unwrap();
        let mut tree = Tree::default();
        let loopback = Loopback::new(1, |request| serve_file(&mut tree, request));
        let client = FileClient::with(Endpoint(Handle(1)), loopback);
        let root = dos_machine::host::Node(client.root().unwrap().node.0);
        let mut files = Files::new(client, None);
        let here = files.lookup(root, scratch.path().as_os_str().as_bytes()).unwrap().node;
        let made = files.create(here, b"made", NodeKind::File).unwrap();
        assert_eq!(files.create(here, b"made", NodeKind::File), Err(HostError::Exists));
        assert_eq!(files.write(made.node, 2, b"xyz"), Ok(3));
        assert_eq!(fs::read(scratch.path().join("made")).unwrap(), b"\0\0xyz");
        let names: Vec<_> = files.list(here).unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, [&b"made"[..], b"there"]);
        // What is open outlives its name.
        let mode = OpenMode { access: 2, sharing: 0 };
        files.opened(made.node, mode).unwrap();
        files.unlink(here, b"made").unwrap();
        let mut bytes = [0; 8];
        assert_eq!(files.read(made.node, 3, &mut bytes), Ok(2));
        files.closed(made.node, mode);
        assert_eq!(files.read(made.node, 0, &mut bytes), Err(HostError::NotFound));
        files.rename(here, b"there", here, b"here").unwrap();
        assert_eq!(fs::read(scratch.path().join("here")).unwrap(), b"text");
    }
}
