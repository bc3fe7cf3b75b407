//! Symbolic links: short targets in the inode, long ones in a block, loaded ones in the archive.

use crate::data::Piece;
use crate::inodes::{Inode, New};
use crate::layout::{BLOCK, Field, INLINE_MAX};
use crate::store::Store;
use crate::tree::Place;
use crate::volume::Volume;
use protocols::file::{Attributes, FileError, Node, mode};

impl<S: Store> Volume<'_, S> {
    /// Creates a symbolic link to `target`; the type in `new.mode` does not count.
    ///
    /// # Errors
    /// Invalid: the target is empty or 4,096 bytes or longer; otherwise as [`Volume::create`].
    pub fn symlink(
        &mut self,
        place: Place<'_>,
        target: &[u8],
        new: New,
    ) -> Result<Attributes, FileError> {
        if target.is_empty() || target.len() >= BLOCK {
            return Err(FileError::Invalid);
        }
        let new = New { mode: mode::SYMLINK | 0o777, ..new };
        self.transaction(|volume| {
            volume.add(place, new, |volume, inode| {
                volume.set_field(inode, Field::Size, target.len() as u64);
                volume.store_target(inode, target)
            })
        })
    }

    fn store_target(&mut self, inode: Inode, target: &[u8]) -> Result<(), FileError> {
        if target.len() > INLINE_MAX {
            let block = self.fill_hole(inode, 0)?.number;
            self.window(block as usize * BLOCK, target.len()).copy_from_slice(target);
            return Ok(());
        }
        for (index, part) in target.chunks(8).enumerate() {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.set(inode.at(Field::Map) + index * 8, u64::from_le_bytes(word));
        }
        Ok(())
    }

    /// Returns whether a symbolic link's target is in a block.
    pub(crate) fn target_has_blocks(&self, inode: Inode) -> bool {
        self.field(inode, Field::Origin) == 0 && self.field(inode, Field::Size) > INLINE_MAX as u64
    }

    /// Returns a symbolic link's target.
    ///
    /// # Errors
    /// Stale; Invalid: the node is no symbolic link.
    pub fn read_link(&self, node: Node) -> Result<&[u8], FileError> {
        let inode = self.inode(node)?;
        if self.kind(inode) != mode::SYMLINK {
            return Err(FileError::Invalid);
        }
        if let Some(target) = self.archived(inode) {
            return Ok(target);
        }
        if !self.target_has_blocks(inode) {
            let len = self.field(inode, Field::Size) as usize;
            return Ok(&self.bytes()[inode.at(Field::Map)..][..len.min(INLINE_MAX)]);
        }
        match self.piece_of(inode, 0, BLOCK) {
            Piece::Bytes(target) => Ok(target),
            Piece::Zeros(_) => Err(FileError::Invalid),
        }
    }
}
