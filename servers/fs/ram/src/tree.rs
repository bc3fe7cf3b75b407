//! Operations on the tree of names: each checks everything, then changes it in one transaction.

use crate::directory::{Found, check_name};
use crate::inodes::{BLOCK_DEVICE, Counts, Inode, New, ROOT};
use crate::layout::{Field, superblock};
use crate::store::Store;
use crate::volume::Volume;
use protocols::file::{Attributes, FileError, Node, mode, set};

/// Where a name is, or shall be.
#[derive(Clone, Copy, Debug)]
pub struct Place<'n> {
    /// The directory.
    pub directory: Node,
    /// The name in it.
    pub name: &'n [u8],
}

/// What a rename does where the new name exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Collision {
    /// What has the name loses it.
    Replace,
    /// The rename is refused.
    Keep,
    /// What has the new name gets the old one; something must have it.
    Exchange,
}

/// New values of attributes; `which` tells which of them count (bits of [`set`]).
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "as in the protocol's Attributes")]
pub struct Change {
    pub which: u32,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub modified: u64,
}

const PERMISSIONS: u32 = 0o7777;

impl<S: Store> Volume<'_, S> {
    /// Makes the root directory, in a blank file system.
    pub(crate) fn make_root(&mut self) {
        let new = New { mode: mode::DIRECTORY | 0o755, uid: 0, gid: 0, device: 0, now: 0 };
        let made = self.transaction(|volume| {
            volume.set(superblock::FRESH_INODE, ROOT.0.into());
            let root = volume.take_inode(new)?;
            volume.set_counts(root, Counts { links: 2, holds: 0 });
            volume.set_field(root, Field::Origin, root.0.into());
            Ok(())
        });
        debug_assert_eq!(made, Ok(()));
    }

    /// Returns the root directory's attributes.
    pub fn root(&self) -> Attributes {
        self.attributes_of(ROOT)
    }

    /// Returns a node's attributes.
    ///
    /// # Errors
    /// Stale.
    pub fn attributes(&self, node: Node) -> Result<Attributes, FileError> {
        Ok(self.attributes_of(self.inode(node)?))
    }

    /// Finds a name in a directory, "." and ".." included.
    ///
    /// # Errors
    /// NotFound, NotDirectory, InvalidName, Stale.
    pub fn lookup(&self, place: Place<'_>) -> Result<Attributes, FileError> {
        let directory = self.directory(place.directory)?;
        check_name(place.name)?;
        let inode = match place.name {
            b"." => directory,
            b".." => self.parent(directory),
            name => self.find(directory, name).ok_or(FileError::NotFound)?.inode(),
        };
        Ok(self.attributes_of(inode))
    }

    pub(crate) fn parent(&self, directory: Inode) -> Inode {
        Inode(self.field(directory, Field::Origin) as u32)
    }

    /// Creates a node of the type in `new.mode`, which is not a symbolic link's.
    ///
    /// # Errors
    /// Exists, InvalidName, NoSpace; Invalid: the type; NotFound: the directory was removed;
    /// NotDirectory, Stale.
    pub fn create(&mut self, place: Place<'_>, new: New) -> Result<Attributes, FileError> {
        match new.mode & mode::TYPE {
            mode::FILE | mode::DIRECTORY | mode::FIFO | mode::SOCKET => {}
            mode::CHARACTER | BLOCK_DEVICE => {}
            _ => return Err(FileError::Invalid),
        }
        let mode = new.mode & (mode::TYPE | PERMISSIONS);
        self.transaction(|volume| volume.add(place, New { mode, ..new }, |_, _| Ok(())))
    }

    /// Adds a new inode under a new name, within a transaction; `fill` gives it its contents.
    pub(crate) fn add(
        &mut self,
        place: Place<'_>,
        new: New,
        fill: impl FnOnce(&mut Self, Inode) -> Result<(), FileError>,
    ) -> Result<Attributes, FileError> {
        let directory = self.vacant(place)?;
        let inode = self.take_inode(new)?;
        fill(self, inode)?;
        let is_directory = self.kind(inode) == mode::DIRECTORY;
        self.set_counts(inode, Counts { links: if is_directory { 2 } else { 1 }, holds: 0 });
        if is_directory {
            self.set_field(inode, Field::Origin, directory.0.into());
            self.count_links(directory, 1);
        }
        self.insert(directory, place.name, inode)?;
        self.touch(directory, new.now);
        let made = self.attributes_of(inode);
        if let Some(claim) = &mut self.claims.current {
            claim.node = made.node;
        }
        Ok(made)
    }

    /// Creates a regular file without a name, held once: it is gone when it is released, unless it
    /// was given a name.
    ///
    /// # Errors
    /// NoSpace.
    pub fn create_unnamed(&mut self, new: New) -> Result<Attributes, FileError> {
        let mode = mode::FILE | new.mode & PERMISSIONS;
        self.transaction(|volume| {
            let inode = volume.take_inode(New { mode, ..new })?;
            volume.set_counts(inode, Counts { links: 0, holds: 1 });
            let made = volume.attributes_of(inode);
            if let Some(claim) = &mut volume.claims.current {
                claim.node = made.node;
            }
            Ok(made)
        })
    }

    /// Returns the directory of a place where something can be created.
    fn vacant(&self, place: Place<'_>) -> Result<Inode, FileError> {
        let directory = self.directory(place.directory)?;
        check_name(place.name)?;
        if self.counts(directory).links == 0 {
            return Err(FileError::NotFound);
        }
        if is_dots(place.name) || self.find(directory, place.name).is_some() {
            return Err(FileError::Exists);
        }
        Ok(directory)
    }

    /// Returns the directory and the entry of a place where something is.
    fn occupied(&self, place: Place<'_>) -> Result<(Inode, Found), FileError> {
        let directory = self.directory(place.directory)?;
        check_name(place.name)?;
        if is_dots(place.name) {
            return Err(FileError::Invalid);
        }
        let found = self.find(directory, place.name).ok_or(FileError::NotFound)?;
        Ok((directory, found))
    }

    /// Gives a node that is not a directory another name, or its first one.
    ///
    /// # Errors
    /// IsDirectory: the node; NotFound: the directory was removed; Exists, InvalidName, NoSpace,
    /// NotDirectory, Stale.
    pub fn link(&mut self, node: Node, place: Place<'_>, now: u64) -> Result<(), FileError> {
        self.transaction(|volume| {
            let inode = volume.inode(node)?;
            if volume.kind(inode) == mode::DIRECTORY {
                return Err(FileError::IsDirectory);
            }
            let directory = volume.vacant(place)?;
            volume.count_links(inode, 1);
            volume.set_field(inode, Field::Changed, now);
            volume.insert(directory, place.name, inode)?;
            volume.touch(directory, now);
            Ok(())
        })
    }

    /// Removes a name of what is not a directory.
    ///
    /// # Errors
    /// NotFound, IsDirectory, InvalidName, Stale; NotDirectory: where the name was sought;
    /// Invalid: "." and "..".
    pub fn unlink(&mut self, place: Place<'_>, now: u64) -> Result<(), FileError> {
        self.transaction(|volume| {
            let (directory, found) = volume.occupied(place)?;
            let inode = found.inode();
            if volume.kind(inode) == mode::DIRECTORY {
                return Err(FileError::IsDirectory);
            }
            volume.remove(found);
            volume.touch(directory, now);
            volume.drop_name(directory, inode, now);
            Ok(())
        })?;
        self.settle();
        Ok(())
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// NotEmpty, NotFound, NotDirectory, InvalidName, Stale; Invalid: "." and "..".
    pub fn remove_directory(&mut self, place: Place<'_>, now: u64) -> Result<(), FileError> {
        self.transaction(|volume| {
            let (directory, found) = volume.occupied(place)?;
            let inode = found.inode();
            if volume.kind(inode) != mode::DIRECTORY {
                return Err(FileError::NotDirectory);
            }
            if !volume.is_empty(inode) {
                return Err(FileError::NotEmpty);
            }
            volume.remove(found);
            volume.touch(directory, now);
            volume.drop_name(directory, inode, now);
            Ok(())
        })?;
        self.settle();
        Ok(())
    }

    /// Renames, as rename() of POSIX.
    ///
    /// # Errors
    /// NotFound: the old name, or the new directory was removed; Invalid: a directory would become
    /// its own ancestor, or a name is "." or ".."; Exists: the new name, with
    /// [`Collision::Keep`]; IsDirectory, NotDirectory, NotEmpty: what would be replaced does not
    /// fit; InvalidName, NoSpace, Stale. With [`Collision::Exchange`], NotFound: either name.
    pub fn rename(
        &mut self,
        from: Place<'_>,
        to: Place<'_>,
        collision: Collision,
        now: u64,
    ) -> Result<(), FileError> {
        self.transaction(|volume| match collision {
            Collision::Exchange => volume.exchange_within(from, to, now),
            Collision::Replace | Collision::Keep => volume.rename_within(from, to, collision, now),
        })?;
        self.settle();
        Ok(())
    }

    fn rename_within(
        &mut self,
        from: Place<'_>,
        to: Place<'_>,
        collision: Collision,
        now: u64,
    ) -> Result<(), FileError> {
        let (source, found) = self.occupied(from)?;
        let inode = found.inode();
        let is_directory = self.kind(inode) == mode::DIRECTORY;
        let target = self.directory(to.directory)?;
        if is_directory && self.is_below(target, inode) {
            return Err(FileError::Invalid);
        }
        match self.occupied(to) {
            Ok(_) if collision == Collision::Keep => return Err(FileError::Exists),
            Ok((_, replaced)) if replaced.inode() == inode => return Ok(()),
            Ok((_, replaced)) => {
                self.check_replaceable(replaced.inode(), is_directory)?;
                self.replace(replaced, inode);
                self.drop_name(target, replaced.inode(), now);
            }
            Err(FileError::NotFound) => {
                let target = self.vacant(to)?;
                self.insert(target, to.name, inode)?;
            }
            Err(error) => return Err(error),
        }
        // The insertion may have shortened the record before the old name's: find it again.
        let found = self.find(source, from.name).ok_or(FileError::NotFound)?;
        self.remove(found);
        self.touch(source, now);
        self.touch(target, now);
        self.set_field(inode, Field::Changed, now);
        if is_directory && source != target {
            self.set_field(inode, Field::Origin, target.0.into());
            self.count_links(source, -1);
            self.count_links(target, 1);
        }
        Ok(())
    }

    fn exchange_within(
        &mut self,
        from: Place<'_>,
        to: Place<'_>,
        now: u64,
    ) -> Result<(), FileError> {
        let (source, first) = self.occupied(from)?;
        let (target, second) = self.occupied(to)?;
        let (inode, other) = (first.inode(), second.inode());
        let moves = [(inode, source, target), (other, target, source)];
        for (moved, _, into) in moves {
            if self.kind(moved) == mode::DIRECTORY && self.is_below(into, moved) {
                return Err(FileError::Invalid);
            }
        }
        self.replace(first, other);
        self.replace(second, inode);
        for (moved, out_of, into) in moves {
            self.touch(into, now);
            self.set_field(moved, Field::Changed, now);
            if self.kind(moved) == mode::DIRECTORY && out_of != into {
                self.set_field(moved, Field::Origin, into.0.into());
                self.count_links(out_of, -1);
                self.count_links(into, 1);
            }
        }
        Ok(())
    }

    fn check_replaceable(&self, replaced: Inode, by_directory: bool) -> Result<(), FileError> {
        match (self.kind(replaced) == mode::DIRECTORY, by_directory) {
            (true, true) if !self.is_empty(replaced) => Err(FileError::NotEmpty),
            (true, true) | (false, false) => Ok(()),
            (true, false) => Err(FileError::IsDirectory),
            (false, true) => Err(FileError::NotDirectory),
        }
    }

    /// Returns whether a directory is another one or lies below it.
    fn is_below(&self, mut directory: Inode, ancestor: Inode) -> bool {
        while directory != ancestor {
            let parent = self.parent(directory);
            if parent == directory {
                return false;
            }
            directory = parent;
        }
        true
    }

    /// Takes a name from what had it in `directory`: a directory has no other.
    fn drop_name(&mut self, directory: Inode, inode: Inode, now: u64) {
        let counts = self.counts(inode);
        let is_directory = self.kind(inode) == mode::DIRECTORY;
        if is_directory {
            self.count_links(directory, -1);
            // It may outlive its parent while it is held.
            self.set_field(inode, Field::Origin, inode.0.into());
        }
        let links = if is_directory { 0 } else { counts.links.saturating_sub(1) };
        self.set_field(inode, Field::Changed, now);
        self.set_counts(inode, Counts { links, ..counts });
    }

    fn count_links(&mut self, inode: Inode, difference: i32) {
        let counts = self.counts(inode);
        let links = counts.links.saturating_add_signed(difference);
        self.set_counts(inode, Counts { links, ..counts });
    }

    /// Keeps a node alive until it is released as often as it was held.
    ///
    /// # Errors
    /// Stale; Invalid: held too often.
    pub fn hold(&mut self, node: Node) -> Result<(), FileError> {
        self.count_holds(node, |holds| holds.checked_add(1))
    }

    /// Undoes one hold.
    ///
    /// # Errors
    /// Stale; Invalid: it is not held.
    pub fn release_hold(&mut self, node: Node) -> Result<(), FileError> {
        self.count_holds(node, |holds| holds.checked_sub(1))?;
        self.settle();
        Ok(())
    }

    fn count_holds(
        &mut self,
        node: Node,
        change: impl FnOnce(u32) -> Option<u32>,
    ) -> Result<(), FileError> {
        self.transaction(|volume| {
            let inode = volume.inode(node)?;
            let counts = volume.counts(inode);
            let holds = change(counts.holds).ok_or(FileError::Invalid)?;
            volume.set_counts(inode, Counts { holds, ..counts });
            Ok(())
        })
    }

    /// Sets attributes.
    ///
    /// # Errors
    /// Stale.
    pub fn set_attributes(
        &mut self,
        node: Node,
        change: Change,
        now: u64,
    ) -> Result<Attributes, FileError> {
        self.transaction(|volume| {
            let inode = volume.inode(node)?;
            let old = volume.attributes_of(inode);
            let pick = |bit, new, old| if change.which & bit != 0 { new } else { old };
            let permissions = pick(set::MODE, change.mode, old.mode) & PERMISSIONS;
            volume.set_mode(inode, old.mode & mode::TYPE | permissions);
            let uid = pick(set::UID, change.uid, old.uid);
            let gid = pick(set::GID, change.gid, old.gid);
            volume.set_field(inode, Field::Owner, crate::inodes::joined(uid, gid));
            if change.which & set::MODIFIED != 0 {
                volume.set_field(inode, Field::Modified, change.modified);
            }
            volume.set_field(inode, Field::Changed, now);
            Ok(volume.attributes_of(inode))
        })
    }

    /// Returns when a node was last read ([`Volume::touch_accessed`]), ns since 1970.
    ///
    /// # Errors
    /// Stale.
    pub fn accessed(&self, node: Node) -> Result<u64, FileError> {
        Ok(self.field(self.inode(node)?, Field::Accessed))
    }

    /// Sets when a node was last read, ns since 1970.
    ///
    /// # Errors
    /// Stale.
    pub fn set_accessed(&mut self, node: Node, accessed: u64, now: u64) -> Result<(), FileError> {
        self.transaction(|volume| {
            let inode = volume.inode(node)?;
            volume.set_field(inode, Field::Accessed, accessed);
            volume.set_field(inode, Field::Changed, now);
            Ok(())
        })
    }

    /// Notes that a node is read, if the last time is older than its last change or a day: who
    /// asks whether a file was read since it was written is answered right, and reading again
    /// costs nothing (mount(8), relatime).
    ///
    /// # Errors
    /// Stale.
    pub fn touch_accessed(&mut self, node: Node, now: u64) -> Result<(), FileError> {
        /// A day in ns.
        const DAY: u64 = 86_400_000_000_000;
        let inode = self.inode(node)?;
        let [accessed, modified, changed] = [Field::Accessed, Field::Modified, Field::Changed]
            .map(|field| self.field(inode, field));
        let is_old = accessed <= modified.max(changed) || now >= accessed.saturating_add(DAY);
        if now <= accessed || !is_old {
            return Ok(());
        }
        self.transaction(|volume| {
            volume.set_field(inode, Field::Accessed, now);
            Ok(())
        })
    }

    /// Notes that a directory's contents changed.
    fn touch(&mut self, directory: Inode, now: u64) {
        self.set_field(directory, Field::Modified, now);
        self.set_field(directory, Field::Changed, now);
    }
}

fn is_dots(name: &[u8]) -> bool {
    name == b"." || name == b".."
}
