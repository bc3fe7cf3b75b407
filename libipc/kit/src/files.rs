//! Whole paths over the file protocol: walking, following links, reading files.
//!
//! The protocol knows single names only; this is the walk that native programs and init share.
//! The personalities have their own, with their permission checks, caches and drive letters.

use alloc::vec;
use alloc::vec::Vec;
use libipc::{Failure, Kernel, Transport};
use protocols::file::{Attributes, FileClient, FileError, mode};

use crate::path;

/// Most symbolic links that one walk follows (Linux: path_resolution(7)).
pub const MAX_LINKS: usize = 40;
/// Longest target of a symbolic link in bytes (Linux: PATH_MAX).
const MAX_TARGET: usize = 4096;
/// Bytes that one request reads.
const CHUNK: usize = 64 * 1024;

/// A file tree behind a file server.
#[derive(Clone, Copy, Debug)]
pub struct Tree<T = Kernel> {
    files: FileClient<T>,
}

impl<T: Transport> Tree<T> {
    /// Returns the tree of a file server.
    pub const fn new(files: FileClient<T>) -> Self {
        Tree { files }
    }

    /// Returns the attributes of what is at `path` from the working directory `cwd`, the last
    /// component's links followed as well.
    ///
    /// # Errors
    /// Whatever the server says of a component; Invalid: more than [`MAX_LINKS`] links.
    pub fn find(&self, cwd: &[u8], path: &[u8]) -> Result<Attributes, Failure<FileError>> {
        let mut path = path::absolute(cwd, path);
        for _ in 0..=MAX_LINKS {
            match self.walk(&path)? {
                Walk::Found(attributes) => return Ok(attributes),
                Walk::Link(next) => path = next,
            }
        }
        Err(Failure::Protocol(FileError::Invalid))
    }

    /// Reads from a file at `offset` until `into` is full or the file ends; returns how many bytes.
    ///
    /// # Errors
    /// Whatever the server says.
    pub fn read(
        &self,
        file: &Attributes,
        offset: u64,
        into: &mut [u8],
    ) -> Result<usize, Failure<FileError>> {
        let mut done = 0;
        while done < into.len() {
            let end = into.len().min(done + CHUNK);
            let count = self.files.read(file.node, offset + done as u64, &mut into[done..end])?;
            // A server that claims more than was asked for is not believed.
            let count = usize::try_from(count).unwrap_or(usize::MAX).min(end - done);
            if count == 0 {
                break;
            }
            done += count;
        }
        Ok(done)
    }

    /// Returns the contents of a file of at most `max` bytes.
    ///
    /// # Errors
    /// TooLarge: it is longer; IsDirectory: it is no file; whatever the server says.
    pub fn read_all(&self, file: &Attributes, max: usize) -> Result<Vec<u8>, Failure<FileError>> {
        if file.mode & mode::TYPE != mode::FILE {
            return Err(Failure::Protocol(FileError::IsDirectory));
        }
        let size = usize::try_from(file.size).ok().filter(|&size| size <= max);
        let mut bytes = vec![0; size.ok_or(Failure::Protocol(FileError::TooLarge))?];
        let count = self.read(file, 0, &mut bytes)?;
        bytes.truncate(count);
        Ok(bytes)
    }

    /// Walks an absolute path to its end, or to the first symbolic link.
    fn walk(&self, path: &[u8]) -> Result<Walk, Failure<FileError>> {
        let mut at = self.files.root()?;
        let mut parent = Vec::new();
        let mut rest = path.strip_prefix(b"/").unwrap_or(path);
        while !rest.is_empty() {
            let end = rest.iter().position(|&byte| byte == b'/').unwrap_or(rest.len());
            let (name, after) = (&rest[..end], rest.get(end + 1..).unwrap_or(b""));
            at = self.files.lookup(at.node, name)?;
            if at.mode & mode::TYPE == mode::SYMLINK {
                let mut next = path::absolute(&parent, &self.target(&at)?);
                next.push(b'/');
                next.extend_from_slice(after);
                return Ok(Walk::Link(path::absolute(b"/", &next)));
            }
            parent.push(b'/');
            parent.extend_from_slice(name);
            rest = after;
        }
        Ok(Walk::Found(at))
    }

    fn target(&self, link: &Attributes) -> Result<Vec<u8>, Failure<FileError>> {
        let mut target = vec![0; MAX_TARGET];
        let len = self.files.read_link(link.node, &mut target)?;
        target.truncate(usize::try_from(len).unwrap_or(MAX_TARGET));
        Ok(target)
    }
}

/// Where a walk stopped.
enum Walk {
    /// At the end of the path.
    Found(Attributes),
    /// At a symbolic link; this path is what remains to be walked.
    Link(Vec<u8>),
}

#[cfg(test)]
mod tests;
