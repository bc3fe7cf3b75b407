//! What XCOPY copies: the files of a tree, and where each goes.

use alloc::vec::Vec;

use super::Copying;
use crate::files::is_directory;
use crate::system::{Found, Outcome, Refused, System, attribute, code};
use crate::walk::{self, DEPTH_MAX};
use crate::wildcard;

/// A directory, and the names in it that are meant or made.
pub(super) struct Place {
    pub(super) directory: Vec<u8>,
    pub(super) pattern: Vec<u8>,
    /// Whether the directory may be a file's path, if none of that name is there.
    pub(super) is_open: bool,
}

impl Place {
    pub(super) fn source(system: &mut impl System, path: &[u8]) -> Place {
        let (directory, pattern) = walk::place(system, path);
        Place { directory, pattern, is_open: false }
    }

    pub(super) fn target(system: &mut impl System, path: &[u8]) -> Place {
        let (directory, name) = wildcard::split(path);
        let is_drive = path.ends_with(b":");
        if wildcard::is_pattern(name) {
            let (directory, pattern) = (directory.to_vec(), name.to_vec());
            return Place { directory, pattern, is_open: false };
        }
        let is_open = !name.is_empty() && !is_drive && !is_directory(system, path);
        Place { directory: path.to_vec(), pattern: b"*.*".to_vec(), is_open }
    }

    /// The path is a file's.
    pub(super) fn take_name(&mut self) {
        let (directory, name) = wildcard::split(&self.directory);
        (self.directory, self.pattern) = (directory.to_vec(), name.to_vec());
    }
}

/// Something to be made.
pub(super) enum Item {
    /// A directory (/E).
    Directory(Vec<u8>),
    /// A file.
    File {
        source: Vec<u8>,
        target: Vec<u8>,
        /// Its path as it is shown.
        shown: Vec<u8>,
        attributes: u8,
    },
}

/// Returns what is to be made, the first at the end.
pub(super) fn items(system: &mut impl System, copying: &Copying) -> Outcome<Vec<Item>> {
    let mut items = Vec::new();
    let (from, to) = (copying.source.directory.clone(), copying.target.directory.clone());
    let mut places = alloc::vec![(from, to, 0)];
    while let Some((from, to, depth)) = places.pop() {
        if copying.keeps_empty && depth > 0 {
            items.push(Item::Directory(to.clone()));
        }
        let pattern = &copying.source.pattern;
        let found = walk::files(system, &from, pattern, attribute::READ_ONLY)?;
        items.extend(found.into_iter().filter(|entry| is_meant(copying, entry)).map(|entry| {
            let name = wildcard::apply(&copying.target.pattern, &entry.name);
            let source = wildcard::join(&from, &entry.name);
            let (target, shown) = (wildcard::join(&to, &name), source.to_ascii_uppercase());
            Item::File { source, target, shown, attributes: entry.attributes }
        }));
        if copying.is_deep && depth < DEPTH_MAX {
            let below = walk::subdirectories(system, &from, 0)?.into_iter().rev();
            places.extend(below.map(|entry| {
                let path = |directory: &[u8]| wildcard::join(directory, &entry.name);
                (path(&from), path(&to), depth + 1)
            }));
        }
    }
    items.reverse();
    Ok(items)
}

fn is_meant(copying: &Copying, entry: &Found) -> bool {
    let has_changed = entry.attributes & attribute::ARCHIVE != 0;
    (has_changed || !copying.only_changed) && entry.stamp.date >= copying.since
}

/// Makes a directory and those above it that are not there.
pub(super) fn make_directories(system: &mut impl System, path: &[u8]) -> Outcome<()> {
    let path = match path {
        [rest @ .., b'\\' | b'/'] => rest,
        path => path,
    };
    if path.is_empty() || is_directory(system, path) {
        return Ok(());
    }
    match system.make_directory(path) {
        Err(Refused::Error(code::PATH_NOT_FOUND)) => {
            make_directories(system, wildcard::split(path).0)?;
            system.make_directory(path)
        }
        made => made,
    }
}
