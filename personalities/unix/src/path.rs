//! Path walking: from a path to a node, its directory and its last name.
//!
//! ```text
//!   walk("/", "etc/../bin/sh") = directory /bin, name "sh", found: node and attributes
//! ```
//!
//! Names come from a [`Tree`], so that the walk is tested without a file server. Canonical paths
//! are kept beside nodes, because the file protocol cannot name a node's path.

use alloc::vec::Vec;
use core::mem::take;

use protocols::file::{Attributes, mode};

use crate::Errno;
use crate::credentials::{Capability, Credentials, want};
use crate::proc::Entry;

#[cfg(test)]
mod tests;
mod within;

pub use protocols::file::{NAME_MAX, Node};
pub use within::Within;

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
    walk_within(tree, from, path, last, who, Within::default())
}

/// Walks a path within bounds.
///
/// # Errors
/// As [`walk`]; ELOOP, EXDEV: what the bounds say.
pub fn walk_within(
    tree: &mut dyn Tree,
    from: &Directory,
    path: &[u8],
    last: Last,
    who: &Credentials,
    within: Within,
) -> Result<Target, Errno> {
    walk_below(tree, from, from, path, last, who, within)
}

/// Walks a path within bounds below a directory, which may be another than where it begins.
///
/// # Errors
/// As [`walk_within`].
#[inline(always)]
pub fn walk_below(
    tree: &mut dyn Tree,
    top: &Directory,
    from: &Directory,
    path: &[u8],
    last: Last,
    who: &Credentials,
    within: Within,
) -> Result<Target, Errno> {
    if path.is_empty() {
        return Err(Errno::ENOENT);
    }
    let (here, rest) = (from.clone(), path.to_vec());
    let mut walk = Walk { tree, who, within, top, here, rest, at: 0, links: 0 };
    walk.run(last)
}

struct Walk<'a> {
    tree: &'a mut dyn Tree,
    who: &'a Credentials,
    within: Within,
    /// Where the walk began, or the root of the process that walks.
    top: &'a Directory,
    here: Directory,
    /// The path, or what a link was replaced by and what came after it.
    rest: Vec<u8>,
    /// Where in it the next name begins, or slashes before it.
    at: usize,
    links: usize,
}

/// A name within `Walk::rest`.
#[derive(Clone, Copy)]
struct Step {
    start: usize,
    end: usize,
    /// Whether a slash follows it.
    slash: bool,
    /// Whether no other name does.
    is_last: bool,
}

impl Walk<'_> {
    fn run(&mut self, last: Last) -> Result<Target, Errno> {
        loop {
            if self.rest.len() >= PATH_MAX {
                return Err(Errno::ENAMETOOLONG);
            }
            // A slash at the beginning of the path, or of a link's target.
            if self.at == 0 && self.rest.starts_with(b"/") {
                self.go_to_root()?;
            }
            let Some(step) = next_step(&self.rest, self.at) else { return self.arrived() };
            self.may_search()?;
            match &self.rest[step.start..step.end] {
                b"." => self.at = step.end,
                b".." => {
                    self.go_up()?;
                    self.at = step.end;
                }
                _ => {
                    if let Some(target) = self.step(step, last)? {
                        return Ok(target);
                    }
                }
            }
        }
    }

    /// Goes to where "/" leads.
    fn go_to_root(&mut self) -> Result<(), Errno> {
        self.within.may_leave()?;
        if self.within.is_rooted() {
            self.here.clone_from(self.top);
            return Ok(());
        }
        let root = self.tree.root()?;
        self.within.may_step(self.here.node, root)?;
        self.here.node = root;
        self.here.path.clear();
        self.here.path.push(b'/');
        Ok(())
    }

    /// Goes to the directory above.
    fn go_up(&mut self) -> Result<(), Errno> {
        if self.here.node == self.top.node {
            self.within.may_leave()?;
            if self.within.is_rooted() {
                return Ok(());
            }
        }
        let found = self.tree.lookup(&self.here, b"..")?;
        self.within.may_step(self.here.node, found.node)?;
        self.here.node = found.node;
        go_up(&mut self.here.path);
        Ok(())
    }

    /// Goes one name further; returns the target where it was the last one.
    fn step(&mut self, step: Step, last: Last) -> Result<Option<Target>, Errno> {
        let Step { start, end, slash, is_last } = step;
        let name = &self.rest[start..end];
        let found = match self.tree.lookup(&self.here, name) {
            Ok(found) => Some(found),
            Err(Errno::ENOENT) if is_last => None,
            Err(error) => return Err(error),
        };
        if let Some(found) = &found {
            self.within.may_step(self.here.node, found.node)?;
        }
        let follow = !is_last || slash || last == Last::Follow;
        if let Some(link) = found.as_ref().filter(|found| follow && found.kind() == mode::SYMLINK) {
            self.within.may_follow(link.node)?;
            if let Some(target) = self.tree.read_link(link.node, is_last)? {
                self.follow(target, end)?;
                return Ok(None);
            }
        }
        if is_last {
            if slash && found.as_ref().is_some_and(|found| !found.is_directory()) {
                return Err(Errno::ENOTDIR);
            }
            let name = name.to_vec();
            let directory = Directory { node: self.here.node, path: take(&mut self.here.path) };
            return Ok(Some(Target { directory, name, found, slash }));
        }
        let found = found.ok_or(Errno::ENOENT)?;
        if !found.is_directory() {
            return Err(Errno::ENOTDIR);
        }
        self.here.node = found.node;
        push_name(&mut self.here.path, name);
        self.at = end;
        Ok(None)
    }

    /// Replaces what is left by a link's target and what came after the link, which ended at `end`.
    fn follow(&mut self, mut target: Vec<u8>, end: usize) -> Result<(), Errno> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Errno::ELOOP);
        }
        if target.is_empty() {
            return Err(Errno::ENOENT);
        }
        target.extend_from_slice(&self.rest[end..]);
        self.rest = target;
        self.at = 0;
        Ok(())
    }

    /// Returns the directory that the walk has come to as its target, which need not be searched.
    fn arrived(&mut self) -> Result<Target, Errno> {
        let found = self.tree.lookup(&self.here, b".")?;
        let directory = Directory { node: self.here.node, path: take(&mut self.here.path) };
        Ok(Target { directory, name: Vec::new(), found: Some(found), slash: false })
    }

    fn may_search(&mut self) -> Result<(), Errno> {
        if self.who.can(Capability::DacOverride) {
            return Ok(());
        }
        let here = self.tree.lookup(&self.here, b".")?;
        let may = self.who.allows(&here.attributes, want::EXECUTE);
        if may { Ok(()) } else { Err(Errno::EACCES) }
    }
}

/// Returns the first name of a path from `at` on.
fn next_step(path: &[u8], at: usize) -> Option<Step> {
    let rest = path.get(at..)?;
    let start = at + rest.iter().position(|&byte| byte != b'/')?;
    let len = path[start..].iter().position(|&byte| byte == b'/');
    let end = len.map_or(path.len(), |len| start + len);
    let is_last = path[end..].iter().all(|&byte| byte == b'/');
    Some(Step { start, end, slash: end < path.len(), is_last })
}

/// Adds a name to the path of its directory.
fn push_name(path: &mut Vec<u8>, name: &[u8]) {
    if path != b"/" {
        path.push(b'/');
    }
    path.extend_from_slice(name);
}

/// Cuts the path of a directory to that of its parent.
fn go_up(path: &mut Vec<u8>) {
    let at = path.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
    path.truncate(at.max(1));
}

/// Returns the path of what lies below a directory as seen from there.
pub fn seen_from(root: &[u8], path: &[u8]) -> Option<Vec<u8>> {
    let rest = path.strip_prefix(root)?;
    match rest.first() {
        None => Some(b"/".to_vec()),
        Some(b'/') => Some(rest.to_vec()),
        Some(_) => None,
    }
}

/// Returns the path of a name in a directory.
pub fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(directory.len() + name.len() + 1);
    path.extend_from_slice(directory);
    push_name(&mut path, name);
    path
}
