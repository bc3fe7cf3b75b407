//! Path walking: from a path to a node, its directory and its last name.
//!
//! ```text
//!   walk("/", "etc/../bin/sh") = directory /bin, name "sh", found: node and attributes
//! ```
//!
//! Names come from a [`Tree`], so that the walk is tested without a file server. Canonical paths
//! are kept beside nodes, because the file protocol cannot name a node's path.

use alloc::vec::Vec;

use protocols::file::{Attributes, mode};

use crate::Errno;
use crate::credentials::{Credentials, want};
use crate::proc::Entry;

#[cfg(test)]
mod tests;

pub use protocols::file::{NAME_MAX, Node};

/// Bytes of the longest path, with its NUL (Linux `PATH_MAX`).
pub const PATH_MAX: usize = 4096;
/// Symbolic links followed in one walk (Linux `MAXSYMLINKS`).
const MAX_LINKS: usize = 40;

/// A node of the whole tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VNode {
    /// The file server's.
    File(Node),
    /// Made up by this server (`/proc`).
    Proc(Entry),
}

/// A directory and its canonical path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Directory {
    /// The node.
    pub node: VNode,
    /// Its path from the root, "/" or without a slash at its end.
    pub path: Vec<u8>,
}

/// A node that a walk found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The node.
    pub node: VNode,
    /// Its attributes.
    pub attributes: Attributes,
}

impl Found {
    /// Returns the type bits.
    pub fn kind(&self) -> u32 {
        self.attributes.mode & mode::TYPE
    }

    /// Returns whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.kind() == mode::DIRECTORY
    }
}

/// Where a path leads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// The directory of the last name; what was found itself where there is no last name.
    pub directory: Directory,
    /// The last name; empty after "/", "." and "..".
    pub name: Vec<u8>,
    /// What has the name, if anything has.
    pub found: Option<Found>,
    /// Whether the path ended with a slash.
    pub slash: bool,
}

impl Target {
    /// Returns what was found.
    ///
    /// # Errors
    /// ENOENT.
    pub fn existing(&self) -> Result<&Found, Errno> {
        self.found.as_ref().ok_or(Errno::ENOENT)
    }

    /// Returns the canonical path.
    pub fn path(&self) -> Vec<u8> {
        if self.name.is_empty() {
            return self.directory.path.clone();
        }
        join(&self.directory.path, &self.name)
    }

    /// Returns the target as a directory.
    ///
    /// # Errors
    /// ENOENT, ENOTDIR.
    pub fn to_directory(&self) -> Result<Directory, Errno> {
        let found = self.existing()?;
        if !found.is_directory() {
            return Err(Errno::ENOTDIR);
        }
        Ok(Directory { node: found.node, path: self.path() })
    }
}

/// What a walk does with a symbolic link in the last place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Last {
    /// It follows it.
    Follow,
    /// It returns it.
    Keep,
}

/// Where names come from.
pub trait Tree {
    /// Returns the root directory's node.
    ///
    /// # Errors
    /// EIO.
    fn root(&mut self) -> Result<VNode, Errno>;
    /// Finds a name, ".." included, in a directory.
    ///
    /// # Errors
    /// ENOENT, ENAMETOOLONG.
    fn lookup(&mut self, directory: &Directory, name: &[u8]) -> Result<Found, Errno>;
    /// Returns the target of a symbolic link, or nothing for one that must not be followed by its
    /// text (`/proc/PID/fd/N`) if it is in the last place.
    ///
    /// # Errors
    /// EIO, EACCES.
    fn read_link(&mut self, node: VNode, is_last: bool) -> Result<Option<Vec<u8>>, Errno>;
}

/// Walks a path.
///
/// # Errors
/// ENOENT: empty, or a directory in it is missing; ENOTDIR; EACCES; ELOOP; ENAMETOOLONG.
pub fn walk(
    tree: &mut dyn Tree,
    from: &Directory,
    path: &[u8],
    last: Last,
    who: &Credentials,
) -> Result<Target, Errno> {
    if path.is_empty() {
        return Err(Errno::ENOENT);
    }
    let mut walk = Walk { tree, who, here: from.clone(), rest: path.to_vec(), links: 0 };
    walk.run(last)
}

struct Walk<'a> {
    tree: &'a mut dyn Tree,
    who: &'a Credentials,
    here: Directory,
    rest: Vec<u8>,
    links: usize,
}

impl Walk<'_> {
    fn run(&mut self, last: Last) -> Result<Target, Errno> {
        loop {
            if self.rest.len() >= PATH_MAX {
                return Err(Errno::ENAMETOOLONG);
            }
            // A leading slash is left only at the beginning of the path or of a link's target.
            if self.rest.starts_with(b"/") {
                self.here = Directory { node: self.tree.root()?, path: b"/".to_vec() };
            }
            let Some((name, after)) = next_name(&self.rest) else { return self.arrived() };
            let (name, after) = (name.to_vec(), after.to_vec());
            self.may_search()?;
            match name.as_slice() {
                b"." => self.rest = trimmed(&after),
                b".." => {
                    let found = self.tree.lookup(&self.here, b"..")?;
                    self.here = Directory { node: found.node, path: parent(&self.here.path) };
                    self.rest = trimmed(&after);
                }
                _ => {
                    if let Some(target) = self.step(name, after, last)? {
                        return Ok(target);
                    }
                }
            }
        }
    }

    /// Goes one name further; returns the target where it was the last one.
    fn step(&mut self, name: Vec<u8>, after: Vec<u8>, last: Last) -> Result<Option<Target>, Errno> {
        let slash = !after.is_empty();
        let is_last = after.iter().all(|&byte| byte == b'/');
        let found = match self.tree.lookup(&self.here, &name) {
            Ok(found) => Some(found),
            Err(Errno::ENOENT) if is_last => None,
            Err(error) => return Err(error),
        };
        let follow = !is_last || slash || last == Last::Follow;
        if let Some(link) = found.as_ref().filter(|found| follow && found.kind() == mode::SYMLINK)
            && let Some(target) = self.tree.read_link(link.node, is_last)?
        {
            self.follow(target, &after)?;
            return Ok(None);
        }
        if is_last {
            if slash && found.as_ref().is_some_and(|found| !found.is_directory()) {
                return Err(Errno::ENOTDIR);
            }
            let directory = self.here.clone();
            return Ok(Some(Target { directory, name, found, slash }));
        }
        let found = found.ok_or(Errno::ENOENT)?;
        if !found.is_directory() {
            return Err(Errno::ENOTDIR);
        }
        self.here = Directory { node: found.node, path: join(&self.here.path, &name) };
        self.rest = trimmed(&after);
        Ok(None)
    }

    /// Replaces what is left by a link's target and what came after the link.
    fn follow(&mut self, target: Vec<u8>, after: &[u8]) -> Result<(), Errno> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Errno::ELOOP);
        }
        if target.is_empty() {
            return Err(Errno::ENOENT);
        }
        self.rest = target;
        self.rest.extend_from_slice(after);
        Ok(())
    }

    /// Returns the directory that the walk has come to as its target.
    fn arrived(&mut self) -> Result<Target, Errno> {
        self.may_search()?;
        let found = self.tree.lookup(&self.here, b".")?;
        let directory = self.here.clone();
        Ok(Target { directory, name: Vec::new(), found: Some(found), slash: false })
    }

    fn may_search(&mut self) -> Result<(), Errno> {
        if self.who.is_root() {
            return Ok(());
        }
        let here = self.tree.lookup(&self.here, b".")?;
        let may = self.who.allows(&here.attributes, want::EXECUTE);
        if may { Ok(()) } else { Err(Errno::EACCES) }
    }
}

/// Splits a path into its first name and the rest, which begins with a slash or is empty.
fn next_name(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = path.iter().position(|&byte| byte != b'/')?;
    let path = &path[start..];
    let end = path.iter().position(|&byte| byte == b'/').unwrap_or(path.len());
    Some(path.split_at(end))
}

/// Returns a path without its leading slashes.
fn trimmed(path: &[u8]) -> Vec<u8> {
    let start = path.iter().position(|&byte| byte != b'/').unwrap_or(path.len());
    path[start..].to_vec()
}

/// Returns the path of a name in a directory.
pub fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = directory.to_vec();
    if path != b"/" {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

/// Returns the path of a directory's parent.
fn parent(path: &[u8]) -> Vec<u8> {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(0) | None => b"/".to_vec(),
        Some(at) => path[..at].to_vec(),
    }
}
