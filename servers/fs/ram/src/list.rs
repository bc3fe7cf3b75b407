//! Listing of directories, in the records of the file protocol.

use crate::inodes::Inode;
use crate::layout::BLOCK;
use crate::store::Store;
use crate::volume::Volume;
use protocols::file::{FileError, LIST_HEADER, Node};

/// Cookies of "." and ".."; those of other entries are the offset in the directory at which the
/// entry ends, which is larger.
const DOT: u64 = 1;
const DOT_DOT: u64 = 2;

/// An entry as listed.
struct Entry<'a> {
    inode: Inode,
    cookie: u64,
    name: &'a [u8],
}

impl<S: Store> Volume<'_, S> {
    /// Writes the entries after `cookie` (0: all) to `into`, as many as fit; returns the bytes.
    ///
    /// # Errors
    /// Invalid: not even the first one fits; NotDirectory; Stale.
    pub fn list(&self, node: Node, cookie: u64, into: &mut [u8]) -> Result<usize, FileError> {
        let directory = self.directory(node)?;
        let mut written = 0;
        let all_fit = self.walk(directory, cookie, |entry| {
            let Some(rest) = into.get_mut(written..) else { return false };
            match self.put_entry(&entry, rest) {
                Some(len) => written += len,
                None => return false,
            }
            true
        });
        if written == 0 && !all_fit { Err(FileError::Invalid) } else { Ok(written) }
    }

    /// Visits the entries after `cookie` until `visit` returns false; returns whether it never did.
    fn walk(
        &self,
        directory: Inode,
        cookie: u64,
        mut visit: impl FnMut(Entry<'_>) -> bool,
    ) -> bool {
        let parent = self.parent(directory);
        let dots: [(Inode, u64, &[u8]); 2] = [(directory, DOT, b"."), (parent, DOT_DOT, b"..")];
        for (inode, own, name) in dots {
            if cookie < own && !visit(Entry { inode, cookie: own, name }) {
                return false;
            }
        }
        for index in cookie / BLOCK as u64..self.directory_blocks(directory) {
            for record in self.records(directory, index) {
                let start = record.end - record.len as u64;
                if record.inode == 0 || (cookie > DOT_DOT && start < cookie) {
                    continue;
                }
                let name = record.name(self.bytes());
                if !visit(Entry { inode: Inode(record.inode), cookie: record.end, name }) {
                    return false;
                }
            }
        }
        true
    }

    /// Writes one record; returns its length, or nothing where it does not fit.
    fn put_entry(&self, entry: &Entry<'_>, into: &mut [u8]) -> Option<usize> {
        let len = (LIST_HEADER + entry.name.len()).next_multiple_of(8);
        let record = into.get_mut(..len)?;
        record[0..8].copy_from_slice(&self.node(entry.inode).0.to_le_bytes());
        record[8..16].copy_from_slice(&entry.cookie.to_le_bytes());
        record[16..20].copy_from_slice(&self.mode(entry.inode).to_le_bytes());
        record[20..22].copy_from_slice(&(entry.name.len() as u16).to_le_bytes());
        record[22..24].copy_from_slice(&(len as u16).to_le_bytes());
        let (name, padding) = record[LIST_HEADER..].split_at_mut(entry.name.len());
        name.copy_from_slice(entry.name);
        padding.fill(0);
        Some(len)
    }
}
