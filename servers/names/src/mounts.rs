//! File servers by the path that they cover.

use alloc::vec::Vec;

use protocols::names::{NamesError, PATH_MAX};

use crate::keeper::Entry;

/// Most mounts.
pub const MOUNTS_MAX: usize = 32;

struct Mounted<E> {
    /// Absolute, without a slash at the end: the root is empty.
    path: Vec<u8>,
    owner: u64,
    /// Nothing, where it is gone: the place is another's when all others are used.
    server: Option<E>,
}

/// The mount table; `E` is what names a file server, an endpoint outside tests.
pub struct Mounts<E> {
    entries: Vec<Mounted<E>>,
}

/// A path's file server, and how much of the path leads to its root.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Covered<E> {
    /// The file server.
    pub server: E,
    /// Bytes of the path up to and including the mount point; 1 for "/".
    pub len: usize,
}

impl<E> Default for Mounts<E> {
    fn default() -> Self {
        Mounts { entries: Vec::new() }
    }
}

impl<E: Copy> Mounts<E> {
    /// Mounts a file server at an absolute path. The owner of the mount (a client's badge) may do
    /// so again; returns the server that was mounted there until then.
    ///
    /// # Errors
    /// Exists: mounted by another owner; InvalidName: not absolute, longer than [`PATH_MAX`], or
    /// with empty or dot components; Full: of file servers that are there.
    pub fn mount(&mut self, path: &[u8], owner: u64, server: E) -> Result<Option<E>, NamesError> {
        let path = mount_point(path).ok_or(NamesError::InvalidName)?;
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.path == path) {
            if entry.owner != owner && entry.server.is_some() {
                return Err(NamesError::Exists);
            }
            entry.owner = owner;
            return Ok(entry.server.replace(server));
        }
        let mounted = Mounted { path: path.into(), owner, server: Some(server) };
        if self.entries.len() < MOUNTS_MAX {
            self.entries.push(mounted);
            return Ok(None);
        }
        let gone = self.entries.iter_mut().find(|entry| entry.server.is_none());
        *gone.ok_or(NamesError::Full)? = mounted;
        Ok(None)
    }

    /// Returns the file server with the longest mount point that covers an absolute path. The
    /// path is compared as it is: the client has removed "." and "..", and symbolic links.
    ///
    /// # Errors
    /// NotFound: nothing covers it; InvalidName: it is not absolute.
    pub fn resolve(&self, path: &[u8]) -> Result<Covered<E>, NamesError> {
        if !path.starts_with(b"/") {
            return Err(NamesError::InvalidName);
        }
        let covering = self.entries.iter().filter(|entry| covers(&entry.path, path));
        let longest = covering.max_by_key(|entry| entry.path.len()).ok_or(NamesError::NotFound)?;
        let server = longest.server.ok_or(NamesError::NotFound)?;
        Ok(Covered { server, len: longest.path.len().max(1) })
    }

    /// Gives up the file servers that `is_gone` says are, and returns them: anybody can mount in
    /// their place. Until somebody does, what they cover is not found, rather than found elsewhere.
    pub fn forget(&mut self, is_gone: impl Fn(E) -> bool) -> Vec<E> {
        let gone = |entry: &mut Mounted<E>| entry.server.take_if(|&mut server| is_gone(server));
        self.entries.iter_mut().filter_map(gone).collect()
    }

    /// Returns the place of a mount in the table.
    pub fn place(&self, path: &[u8]) -> Option<usize> {
        let path = mount_point(path)?;
        self.entries.iter().position(|entry| entry.path == path)
    }

    /// Returns all mount points in the order of their places.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        self.entries.iter().map(|entry| Entry {
            name: &entry.path,
            owner: entry.owner,
            is_there: entry.server.is_some(),
        })
    }

    /// Takes up a mount of an earlier life, at the next place.
    pub fn restore(&mut self, path: &[u8], owner: u64, server: Option<E>) {
        self.entries.push(Mounted { path: path.into(), owner, server });
    }
}

/// Returns a mount point without the slash at its end, if it is a clean absolute path.
fn mount_point(path: &[u8]) -> Option<&[u8]> {
    if path.len() > PATH_MAX || path.contains(&0) {
        return None;
    }
    let inner = path.strip_prefix(b"/")?;
    if inner.is_empty() {
        return Some(inner);
    }
    let inner = inner.strip_suffix(b"/").unwrap_or(inner);
    let is_clean = |part: &[u8]| !part.is_empty() && part != b"." && part != b"..";
    let mut parts = inner.split(|&byte| byte == b'/');
    parts.all(is_clean).then(|| &path[..inner.len() + 1])
}

/// Returns whether a path is a mount point or below it.
fn covers(mount_point: &[u8], path: &[u8]) -> bool {
    match path.strip_prefix(mount_point) {
        Some(rest) => rest.is_empty() || rest[0] == b'/',
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    fn table() -> Mounts<char> {
        let mut mounts = Mounts::default();
        for (path, server) in [("/", 'r'), ("/mnt", 'm'), ("/mnt/cd/", 'c')] {
            assert_eq!(mounts.mount(path.as_bytes(), 1, server), Ok(None));
        }
        mounts
    }

    #[test]
    fn longest_mount_point_covers() {
        let mounts = table();
        let cases = [
            ("/", 'r', 1),
            ("/bin/shell", 'r', 1),
            ("/mnt", 'm', 4),
            ("/mnt/file", 'm', 4),
            ("/mntx", 'r', 1),
            ("/mnt/cd", 'c', 7),
            ("/mnt/cd/a/b", 'c', 7),
            ("//", 'r', 1),
        ];
        for (path, server, len) in cases {
            assert_eq!(mounts.resolve(path.as_bytes()), Ok(Covered { server, len }), "{path}");
        }
    }

    #[test]
    fn path_outside_every_mount_is_not_found() {
        let mut mounts = Mounts::default();
        mounts.mount(b"/mnt", 1, 'm').unwrap();
        assert_eq!(mounts.resolve(b"/bin"), Err(NamesError::NotFound));
        assert_eq!(mounts.resolve(b"mnt"), Err(NamesError::InvalidName));
        assert_eq!(mounts.resolve(b""), Err(NamesError::InvalidName));
    }

    #[test]
    fn only_its_owner_mounts_over_a_mount() {
        let mut mounts = table();
        assert_eq!(mounts.mount(b"/mnt/", 2, 'x'), Err(NamesError::Exists));
        assert_eq!(mounts.mount(b"/mnt/", 1, 'x'), Ok(Some('m')));
        assert_eq!(mounts.mount(b"/", 1, 'y'), Ok(Some('r')));
    }

    #[test]
    fn unclean_mount_points_are_refused() {
        let long = format!("/{}", "x".repeat(PATH_MAX));
        for path in ["", "mnt", "//", "/a//b", "/a/./b", "/..", "/a\0", &long] {
            let refused = Mounts::default().mount(path.as_bytes(), 1, 'x');
            assert_eq!(refused, Err(NamesError::InvalidName), "{path:?}");
        }
    }

    #[test]
    fn table_is_bounded() {
        let mut mounts = Mounts::default();
        for number in 0..MOUNTS_MAX {
            mounts.mount(format!("/{number}").as_bytes(), 1, number).unwrap();
        }
        assert_eq!(mounts.mount(b"/more", 1, 0), Err(NamesError::Full));
        assert_eq!(mounts.forget(|server| server == 9), [9]);
        assert_eq!(mounts.resolve(b"/9/x"), Err(NamesError::NotFound));
        assert_eq!(mounts.mount(b"/more", 1, 100), Ok(None));
        assert_eq!((mounts.place(b"/more"), mounts.place(b"/9")), (Some(9), None));
        assert_eq!(mounts.resolve(b"/more").map(|covered| covered.server), Ok(100));
        assert_eq!(mounts.mount(b"/9", 1, 0), Err(NamesError::Full));
    }
}
