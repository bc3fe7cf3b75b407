//! Set-ID bits of files, which go when somebody writes who may not give them (inode(7)).
//!
//! A write changes what the file server says of a node, so that its attributes would have to be
//! asked for before the next one: which files have no such bits is kept here instead. Bits that
//! mean rights come by this server's chmod() alone; DOS marks files that nobody can execute.

use protocols::file::Node;

use crate::Errno;
use crate::credentials::Capability;
use crate::filesystem::Changes;
use crate::linux::flags::permission::{SET_GID, SET_UID};
use crate::process::Pid;
use crate::unix::Unix;

/// Most files that are known to have no set-ID bits.
const PLACES: usize = 64;

/// Files without set-ID bits, each in the one place that it can have.
#[derive(Debug)]
pub struct Plain([Option<Node>; PLACES]);

impl Default for Plain {
    fn default() -> Self {
        Plain([None; PLACES])
    }
}

impl Plain {
    fn place(&mut self, node: Node) -> &mut Option<Node> {
        &mut self.0[node.0 as usize % PLACES]
    }

    /// Notes that a file's mode changes.
    pub fn forget(&mut self, node: Node) {
        self.place(node).take_if(|known| *known == node);
    }
}

impl Unix {
    /// Takes the set-ID bits from a file that a process is about to write to or to truncate, unless
    /// it could give them itself (`file_remove_privs`, fs/inode.c).
    ///
    /// # Errors
    /// What the file server says.
    pub(crate) fn clear_set_id(&mut self, pid: Pid, node: Node) -> Result<(), Errno> {
        let Some(process) = self.processes.get(&pid) else { return Ok(()) };
        let who = &process.credentials;
        if who.can(Capability::FileSetId) || *self.plain.place(node) == Some(node) {
            return Ok(());
        }
        let attributes = self.files.attributes(node)?;
        let cleared = who.set_id_cleared(&attributes);
        if cleared != 0 {
            let mode = Some(attributes.mode & 0o7777 & !cleared);
            self.files.change(node, Changes { mode, ..Changes::default() })?;
        }
        if attributes.mode & (SET_UID | SET_GID) == cleared {
            *self.plain.place(node) = Some(node);
        }
        Ok(())
    }
}
