//! What the personality asks of the file tree: the protocol `file`, with errno for its errors.

use alloc::vec::Vec;

use libipc::{Memory, Transport};
use protocols::file::{Attributes, FileClient, NAME_MAX, Node, Statistics, Ticket};

use crate::Errno;

/// Owner and mode of a node to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewNode {
    /// Type and permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Device number of device nodes.
    pub device: u32,
}

/// Changes of attributes; what is absent stays.
#[derive(Clone, Copy, Default, Debug)]
pub struct Changes {
    /// Permission bits.
    pub mode: Option<u32>,
    /// Owner.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
    /// Time of the last change of contents, ns since 1970.
    pub modified: Option<u64>,
    /// Time of the last reading, ns since 1970.
    pub accessed: Option<u64>,
}

/// What a rename does where the new name exists (`protocols::file::File::rename`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Collision {
    /// What has the name loses it.
    Replace,
    /// The rename fails.
    Keep,
    /// What has the name gets the old one.
    Exchange,
}

/// A name in a directory.
pub type Place<'n> = (Node, &'n [u8]);

/// A file tree by nodes; each operation is one of `protocols::file::File`.
#[expect(missing_docs, reason = "the contract stands at the protocol's operations")]
#[expect(clippy::missing_errors_doc, reason = "the contract stands at the protocol's operations")]
pub trait FileSystem {
    fn root(&mut self) -> Result<Attributes, Errno>;
    fn lookup(&mut self, directory: Node, name: &[u8]) -> Result<Attributes, Errno>;
    fn attributes(&mut self, node: Node) -> Result<Attributes, Errno>;
    fn read(&mut self, node: Node, offset: u64, into: &mut [u8]) -> Result<usize, Errno>;
    fn write(&mut self, node: Node, offset: u64, bytes: &[u8]) -> Result<usize, Errno>;
    fn create(&mut self, directory: Node, name: &[u8], new: NewNode) -> Result<Attributes, Errno>;
    fn symlink(
        &mut self,
        directory: Node,
        name: &[u8],
        owner: (u32, u32),
        target: &[u8],
    ) -> Result<(), Errno>;
    fn read_link(&mut self, node: Node) -> Result<Vec<u8>, Errno>;
    fn link(&mut self, node: Node, directory: Node, name: &[u8]) -> Result<(), Errno>;
    fn unlink(&mut self, directory: Node, name: &[u8]) -> Result<(), Errno>;
    fn remove_directory(&mut self, directory: Node, name: &[u8]) -> Result<(), Errno>;
    fn rename(&mut self, from: Place<'_>, to: Place<'_>, clash: Collision) -> Result<(), Errno>;
    fn resize(&mut self, node: Node, size: u64) -> Result<(), Errno>;
    fn change(&mut self, node: Node, changes: Changes) -> Result<(), Errno>;
    fn list(&mut self, directory: Node, cookie: u64, into: &mut [u8]) -> Result<usize, Errno>;
    fn hold(&mut self, node: Node) -> Result<(), Errno>;
    fn release(&mut self, node: Node);
    /// Gives back what is kept although nothing uses it, so that it need not be asked for again.
    fn tidy(&mut self) {}
    fn statistics(&mut self) -> Result<Statistics, Errno>;
    fn create_unnamed(&mut self, new: NewNode) -> Result<Attributes, Errno>;
    fn accessed(&mut self, node: Node) -> Result<u64, Errno>;

    /// Returns where bytes of a file from an offset on lie in memory that the file server publishes,
    /// none at its end; nothing where they must be read.
    fn pages(&mut self, _: Node, _: u64) -> Result<Option<Pages>, Errno> {
        Ok(None)
    }

    /// Returns the number that is another one once a node has changed, where [`Pages`] are known.
    fn generation(&mut self, _: Node) -> u64 {
        0
    }
}

/// Bytes of a file in published memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pages {
    /// The memory.
    pub memory: Memory,
    /// Byte offset in it.
    pub at: u64,
    /// How many bytes.
    pub len: u64,
    /// The node's generation for which that holds.
    pub generation: u64,
}

/// Returns a name that fits the protocol.
fn name_checked(name: &[u8]) -> Result<&[u8], Errno> {
    if name.len() > NAME_MAX { Err(Errno::ENAMETOOLONG) } else { Ok(name) }
}

impl<T: Transport> FileSystem for FileClient<T> {
    fn root(&mut self) -> Result<Attributes, Errno> {
        Ok(FileClient::root(self)?)
    }

    fn lookup(&mut self, directory: Node, name: &[u8]) -> Result<Attributes, Errno> {
        Ok(FileClient::lookup(self, directory, name_checked(name)?)?)
    }

    fn attributes(&mut self, node: Node) -> Result<Attributes, Errno> {
        Ok(FileClient::attributes(self, node)?)
    }

    fn read(&mut self, node: Node, offset: u64, into: &mut [u8]) -> Result<usize, Errno> {
        let len = into.len();
        Ok((FileClient::read(self, node, offset, into)? as usize).min(len))
    }

    fn write(&mut self, node: Node, offset: u64, bytes: &[u8]) -> Result<usize, Errno> {
        Ok((FileClient::write(self, node, offset, bytes)? as usize).min(bytes.len()))
    }

    fn create(&mut self, directory: Node, name: &[u8], new: NewNode) -> Result<Attributes, Errno> {
        let NewNode { mode, uid, gid, device } = new;
        let name = name_checked(name)?;
        Ok(FileClient::create(self, Ticket::next(), directory, mode, uid, gid, device, name)?)
    }

    fn symlink(
        &mut self,
        directory: Node,
        name: &[u8],
        (uid, gid): (u32, u32),
        target: &[u8],
    ) -> Result<(), Errno> {
        FileClient::symlink(
            self,
            Ticket::next(),
            directory,
            uid,
            gid,
            name_checked(name)?,
            target,
        )?;
        Ok(())
    }

    fn read_link(&mut self, node: Node) -> Result<Vec<u8>, Errno> {
        let mut target = alloc::vec![0; crate::path::PATH_MAX];
        let len = FileClient::read_link(self, node, &mut target)? as usize;
        target.truncate(len);
        Ok(target)
    }

    fn link(&mut self, node: Node, directory: Node, name: &[u8]) -> Result<(), Errno> {
        Ok(FileClient::link(self, Ticket::next(), node, directory, name_checked(name)?)?)
    }

    fn unlink(&mut self, directory: Node, name: &[u8]) -> Result<(), Errno> {
        Ok(FileClient::unlink(self, Ticket::next(), directory, name_checked(name)?)?)
    }

    fn remove_directory(&mut self, directory: Node, name: &[u8]) -> Result<(), Errno> {
        Ok(FileClient::remove_directory(self, Ticket::next(), directory, name_checked(name)?)?)
    }

    fn rename(&mut self, from: Place<'_>, to: Place<'_>, clash: Collision) -> Result<(), Errno> {
        let (old, new) = (name_checked(from.1)?, name_checked(to.1)?);
        let keep = match clash {
            Collision::Replace => 0,
            Collision::Keep => 1,
            Collision::Exchange => 2,
        };
        Ok(FileClient::rename(self, Ticket::next(), from.0, to.0, keep, old, new)?)
    }

    fn resize(&mut self, node: Node, size: u64) -> Result<(), Errno> {
        Ok(FileClient::resize(self, node, size)?)
    }

    fn change(&mut self, node: Node, changes: Changes) -> Result<(), Errno> {
        use protocols::file::set;
        let Changes { mode, uid, gid, modified, accessed } = changes;
        if let Some(accessed) = accessed {
            FileClient::set_accessed(self, node, accessed)?;
        }
        let bit = |present: bool, bit: u32| if present { bit } else { 0 };
        let which = bit(mode.is_some(), set::MODE)
            | bit(uid.is_some(), set::UID)
            | bit(gid.is_some(), set::GID)
            | bit(modified.is_some(), set::MODIFIED);
        let (mode, uid, gid) = (mode.unwrap_or(0), uid.unwrap_or(0), gid.unwrap_or(0));
        let modified = modified.unwrap_or(0);
        if which != 0 {
            FileClient::set_attributes(self, node, which, mode, uid, gid, modified)?;
        }
        Ok(())
    }

    fn list(&mut self, directory: Node, cookie: u64, into: &mut [u8]) -> Result<usize, Errno> {
        let len = into.len();
        Ok((FileClient::list(self, directory, cookie, into)? as usize).min(len))
    }

    fn hold(&mut self, node: Node) -> Result<(), Errno> {
        Ok(FileClient::hold(self, Ticket::next(), node)?)
    }

    fn release(&mut self, node: Node) {
        // A file server that died has forgotten the node: nothing is left to be undone.
        let _ = FileClient::release(self, Ticket::next(), node);
    }

    /// Gives back what is kept although nothing uses it, so that it need not be asked for again.
    fn tidy(&mut self) {}
    fn statistics(&mut self) -> Result<Statistics, Errno> {
        Ok(FileClient::statistics(self)?)
    }

    fn create_unnamed(&mut self, new: NewNode) -> Result<Attributes, Errno> {
        let NewNode { mode, uid, gid, .. } = new;
        Ok(FileClient::create_unnamed(self, Ticket::next(), mode, uid, gid)?)
    }

    fn accessed(&mut self, node: Node) -> Result<u64, Errno> {
        Ok(FileClient::accessed(self, node)?)
    }
}
