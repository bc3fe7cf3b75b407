//! The boot archive under construction: a tree of objects, written as cpio.

use anyhow::{Context, Result, bail};
use kamen_kit::cpio::{Device, Entry, Kind, Writer};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// A tree of file system objects by their paths in the guest, without the leading slash.
///
/// Folders on the way to an object come into being with it. What is put later replaces what was
/// put earlier under the same path.
pub struct Archive {
    nodes: BTreeMap<Vec<u8>, Node>,
    now_s: u32,
}

struct Node {
    mode: u32,
    modified_s: u32,
    device: Device,
    data: Vec<u8>,
}

impl Archive {
    /// Returns an empty tree.
    pub fn new() -> Archive {
        Archive { nodes: BTreeMap::new(), now_s: seconds(SystemTime::now()) }
    }

    /// Puts a file with these permissions.
    pub fn file(&mut self, path: &str, permissions: u32, data: Vec<u8>) -> Result<()> {
        self.put(path, Kind::Regular.with_permissions(permissions), Device::default(), data)
    }

    /// Puts a folder with these permissions.
    pub fn folder(&mut self, path: &str, permissions: u32) -> Result<()> {
        self.put(path, Kind::Directory.with_permissions(permissions), Device::default(), vec![])
    }

    /// Puts a symbolic link.
    pub fn link(&mut self, path: &str, target: &[u8]) -> Result<()> {
        self.put(path, Kind::Symlink.with_permissions(0o777), Device::default(), target.to_vec())
    }

    /// Puts a character device with Linux' numbers.
    pub fn device(&mut self, path: &str, permissions: u32, major: u32, minor: u32) -> Result<()> {
        let mode = Kind::CharacterDevice.with_permissions(permissions);
        self.put(path, mode, Device { major, minor }, vec![])
    }

    /// Says when the object at `path` was last changed.
    pub fn date(&mut self, path: &str, modified: SystemTime) {
        if let Some(node) = self.nodes.get_mut(path.as_bytes()) {
            node.modified_s = seconds(modified);
        }
    }

    /// Returns whether something is at `path`.
    pub fn contains(&self, path: &str) -> bool {
        self.nodes.contains_key(path.as_bytes())
    }

    /// Returns the archive's bytes; equal trees give equal bytes.
    pub fn into_bytes(self) -> Result<Vec<u8>> {
        let mut writer = Writer::new();
        // The map's order puts a folder before what is in it.
        for (number, (path, node)) in self.nodes.iter().enumerate() {
            let mut entry = Entry::new(path, node.mode, &node.data);
            entry.inode = u32::try_from(number + 1)?;
            entry.links = if entry.kind() == Some(Kind::Directory) { 2 } else { 1 };
            entry.modified_s = node.modified_s;
            entry.device = node.device;
            let written = writer.append(&entry);
            written.with_context(|| String::from_utf8_lossy(path).into_owned())?;
        }
        Ok(writer.finish())
    }

    fn put(&mut self, path: &str, mode: u32, device: Device, data: Vec<u8>) -> Result<()> {
        let is_proper = |part: &str| !matches!(part, "" | "." | "..");
        if !path.split('/').all(is_proper) {
            bail!("`{path}` is not a proper path of the guest");
        }
        for (slash, _) in path.match_indices('/') {
            let parent = &path[..slash];
            match self.nodes.get(parent.as_bytes()) {
                Some(node) if Kind::of_mode(node.mode) == Some(Kind::Directory) => {}
                Some(_) => bail!("/{path} can't be put into the image: /{parent} is no folder"),
                None => self.insert(parent, Kind::Directory.with_permissions(0o755), vec![]),
            }
        }
        self.insert(path, mode, data);
        if let Some(node) = self.nodes.get_mut(path.as_bytes()) {
            node.device = device;
        }
        Ok(())
    }

    fn insert(&mut self, path: &str, mode: u32, data: Vec<u8>) {
        let node = Node { mode, modified_s: self.now_s, device: Device::default(), data };
        self.nodes.insert(path.as_bytes().to_vec(), node);
    }
}

fn seconds(time: SystemTime) -> u32 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    u32::try_from(since).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::Archive;
    use kamen_kit::cpio::{Archive as Reader, Kind};

    #[test]
    fn folders_on_the_way_come_first() {
        let mut archive = Archive::new();
        archive.file("a/b/c", 0o4755, b"x".to_vec()).unwrap();
        archive.link("a/b.c", b"b").unwrap();
        let bytes = archive.into_bytes().unwrap();
        let paths: Vec<_> =
            Reader::new(&bytes).entries().map(|entry| entry.unwrap().path).collect();
        assert_eq!(paths, [&b"a"[..], b"a/b", b"a/b.c", b"a/b/c"]);
    }

    #[test]
    fn later_replaces_earlier() {
        let mut archive = Archive::new();
        archive.file("etc/x", 0o644, b"1".to_vec()).unwrap();
        archive.file("etc/x", 0o600, b"2".to_vec()).unwrap();
        let bytes = archive.into_bytes().unwrap();
        let entry = Reader::new(&bytes).find(b"etc/x").unwrap().unwrap();
        assert_eq!((entry.data, entry.mode), (&b"2"[..], Kind::Regular.with_permissions(0o600)));
    }

    #[test]
    fn improper_paths_are_refused() {
        for path in ["", "/etc", "a//b", "a/../b", "./a", "a/"] {
            assert!(Archive::new().file(path, 0o644, vec![]).is_err(), "{path}");
        }
    }

    #[test]
    fn a_file_has_nothing_in_it() {
        let mut archive = Archive::new();
        archive.file("a", 0o644, vec![]).unwrap();
        assert!(archive.file("a/b", 0o644, vec![]).is_err());
    }
}
