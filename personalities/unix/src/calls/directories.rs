//! Listing directories and the working directory.

use alloc::rc::Rc;
use alloc::vec::Vec;

use protocols::file::{LIST_HEADER, mode};

use crate::Errno;
use crate::context::{Context, Stop};
use crate::credentials::{Capability, want};
use crate::linux::flags::{at, open as flags};
use crate::linux::structures::Fields;
use crate::open::{Description, Object};
use crate::path::{Directory, Last, VNode, seen_from};
use crate::proc::{attributes, list};
use crate::process::Process;

/// Bytes of `struct linux_dirent64` before the name (getdents(2)).
const HEADER: usize = 19;

/// An entry to be listed.
struct DirectoryEntry {
    inode: u64,
    /// The position after the entry.
    next: u64,
    mode: u32,
    name: Vec<u8>,
}

impl DirectoryEntry {
    /// Returns the length in both formats: name, NUL and type of the older one need as much.
    fn len(&self) -> usize {
        (HEADER + self.name.len() + 1).next_multiple_of(8)
    }

    fn emit(&self, format: Format) -> Vec<u8> {
        let len = self.len();
        let kind = ((self.mode & mode::TYPE) >> 12) as u8;
        let mut fields = Fields::default().u64(self.inode).u64(self.next).u16(len as u16);
        if format == Format::TypeFirst {
            fields.0.push(kind);
        }
        fields.0.extend_from_slice(&self.name);
        let mut bytes = fields.zeros_to(len).0;
        if format == Format::TypeLast {
            bytes[len - 1] = kind;
        }
        bytes
    }
}

/// Where an entry has its type (getdents(2)).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    /// Before the name (`struct linux_dirent64`).
    TypeFirst,
    /// In the last byte (`struct linux_dirent`).
    TypeLast,
}

/// getdents64(2)
pub fn getdents64(context: &mut Context<'_>) -> Result<u64, Stop> {
    entries(context, Format::TypeFirst)
}

/// getdents(2)
pub fn getdents(context: &mut Context<'_>) -> Result<u64, Stop> {
    entries(context, Format::TypeLast)
}

fn entries(context: &mut Context<'_>, format: Format) -> Result<u64, Stop> {
    let [fd, address, len, ..] = context.words;
    let file = context.file(fd)?;
    let directory = match &file.borrow().object {
        Object::Directory(directory) => directory.clone(),
        Object::File(_)
        | Object::Pipe(_)
        | Object::Pty(_)
        | Object::Device(..)
        | Object::Stream(_)
        | Object::Text(..)
        | Object::Numbered(_) => return Err(Errno::ENOTDIR.into()),
    };
    if file.borrow().flags() & flags::PATH != 0 {
        return Err(Errno::EBADF.into());
    }
    let most = len.min(32_768) as usize;
    let mut bytes = Vec::new();
    while let Some(entries) = more(context, &directory, &file, most - bytes.len())? {
        let before = bytes.len();
        for entry in entries {
            if bytes.len() + entry.len() > most {
                break;
            }
            bytes.extend_from_slice(&entry.emit(format));
            file.borrow_mut().set_offset(entry.next);
        }
        if bytes.len() == before {
            break;
        }
    }
    if bytes.is_empty() && more(context, &directory, &file, 4096)?.is_some() {
        return Err(Errno::EINVAL.into());
    }
    context.copy_out(address, &bytes)?;
    Ok(bytes.len() as u64)
}

/// Returns entries after the position of a directory, nothing at its end.
fn more(
    context: &mut Context<'_>,
    directory: &Directory,
    file: &Description,
    room: usize,
) -> Result<Option<Vec<DirectoryEntry>>, Errno> {
    let position = file.borrow().offset();
    let entries = match directory.node {
        VNode::File(node) => {
            let mut records = alloc::vec![0; room.clamp(512, 16_384)];
            let count = context.unix.files.list(node, position, &mut records)?;
            parse_records(&records[..count])
        }
        VNode::Proc(entry) => {
            let names = list(context.unix, entry)?;
            let rest = (1..).zip(names).skip(position as usize);
            let entry = |(next, (name, entry)): (u64, _)| {
                let attributes = attributes(context.unix, entry).ok()?;
                let inode = attributes.node.0 & 0xffff_ffff;
                Some(DirectoryEntry { inode, next, mode: attributes.mode, name })
            };
            rest.filter_map(entry).collect()
        }
    };
    Ok((!entries.is_empty()).then_some(entries))
}

/// Reads the records that the file server writes (`protocols::file::LIST_HEADER`).
fn parse_records(records: &[u8]) -> Vec<DirectoryEntry> {
    let mut entries = Vec::new();
    let mut rest = records;
    while rest.len() >= LIST_HEADER {
        let number = |at: usize, len: usize| {
            rest[at..at + len].iter().rev().fold(0u64, |word, &byte| word << 8 | u64::from(byte))
        };
        let (name_len, record_len) = (number(20, 2) as usize, number(22, 2) as usize);
        let Some(name) = rest.get(LIST_HEADER..LIST_HEADER + name_len) else { break };
        entries.push(DirectoryEntry {
            inode: number(0, 8) & 0xffff_ffff,
            next: number(8, 8),
            mode: number(16, 4) as u32,
            name: name.to_vec(),
        });
        match rest.get(record_len..) {
            Some(after) if record_len >= LIST_HEADER => rest = after,
            _ => break,
        }
    }
    entries
}

/// getcwd(2)
pub fn getcwd(context: &mut Context<'_>) -> Result<u64, Stop> {
    let [address, len, ..] = context.words;
    let mut path = seen_from_root(context.own());
    path.push(0);
    if path.len() as u64 > len {
        return Err(Errno::ERANGE.into());
    }
    context.copy_out(address, &path)?;
    Ok(path.len() as u64)
}

/// Returns a process's working directory as it sees it (getcwd(2), "(unreachable)").
fn seen_from_root(process: &Process) -> Vec<u8> {
    let path = &process.cwd.path;
    match &*process.root {
        Some(root) => {
            seen_from(&root.path, path).unwrap_or_else(|| [b"(unreachable)", &path[..]].concat())
        }
        None => path.clone(),
    }
}

/// chroot(2)
pub fn chroot(context: &mut Context<'_>) -> Result<u64, Stop> {
    let path = context.words[0];
    let target = context.walk_at(at::WORKING_DIRECTORY, path, Last::Follow)?;
    let directory = target.to_directory()?;
    let who = &context.own().credentials;
    if !who.allows(&target.existing()?.attributes, want::EXECUTE) {
        return Err(Errno::EACCES.into());
    }
    if !who.can(Capability::Chroot) {
        return Err(Errno::EPERM.into());
    }
    // What this server makes up is no root: its nodes are not kept.
    Context::real(directory.node)?;
    let is_tree_s = directory.path == b"/";
    *context.process().root = (!is_tree_s).then(|| Rc::new(directory));
    Ok(0)
}

/// chdir(2)
pub fn chdir(context: &mut Context<'_>) -> Result<u64, Stop> {
    let path = context.words[0];
    let target = context.walk_at(at::WORKING_DIRECTORY, path, Last::Follow)?;
    let directory = target.to_directory()?;
    let attributes = target.existing()?.attributes;
    if !context.own().credentials.allows(&attributes, want::EXECUTE) {
        return Err(Errno::EACCES.into());
    }
    *context.process().cwd = directory;
    Ok(0)
}

/// fchdir(2)
pub fn fchdir(context: &mut Context<'_>) -> Result<u64, Stop> {
    let file = context.file(context.words[0])?;
    let Object::Directory(directory) = file.borrow().object.clone() else {
        return Err(Errno::ENOTDIR.into());
    };
    if let VNode::File(node) = directory.node {
        let attributes = context.unix.files.attributes(node)?;
        if !context.own().credentials.allows(&attributes, want::EXECUTE) {
            return Err(Errno::EACCES.into());
        }
    }
    *context.process().cwd = directory;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_records_end_the_list() {
        assert!(parse_records(&[0; LIST_HEADER - 1]).is_empty());
        let mut record = [0; LIST_HEADER + 8];
        record[20] = 200;
        record[22] = LIST_HEADER as u8 + 8;
        assert!(parse_records(&record).is_empty());
        record[20] = 1;
        record[22] = 0;
        assert_eq!(parse_records(&record).len(), 1);
    }

    #[test]
    fn entries_are_padded_to_eight_bytes() {
        let entry =
            DirectoryEntry { inode: 5, next: 9, mode: mode::DIRECTORY, name: b"abc".to_vec() };
        let bytes = entry.emit(Format::TypeLast);
        assert_eq!((bytes.len(), bytes[16], bytes[23]), (24, 24, 4));
        assert_eq!(&bytes[18..22], b"abc\0");
        let bytes = entry.emit(Format::TypeFirst);
        assert_eq!((bytes.len(), bytes[16], bytes[18]), (24, 24, 4));
        assert_eq!(&bytes[19..23], b"abc\0");
    }
}
