//! AH=5C: locks on parts of files, against other programs of this session and other sessions.
//!
//! A host knows sessions only. Which program made a lock is kept here, so that a child cannot move
//! what its parent locked, and what a program leaves locked ends with it, also where it locked by
//! a handle that others have as well.

use core::ops::Range;

use super::files::{FileKind, OpenFile};
use super::{Call, DosError};
use crate::cpu::register::{DI, SI};
use crate::host::{FileTree, Host, HostError, Node};
use crate::session::Session;

/// Most locks of a session.
pub const LOCKS_MAX: usize = 1024;

/// Locked bytes of an open file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct ProgramLock {
    /// The program's PSP.
    program: u16,
    /// The entry of the file by which it locked.
    entry: u8,
    node: Node,
    bytes: Range<u64>,
}

impl ProgramLock {
    fn meets(&self, node: Node, bytes: &Range<u64>) -> bool {
        self.node == node && self.bytes.start < bytes.end && bytes.start < self.bytes.end
    }
}

impl<H: Host> Session<H> {
    /// AH=5C: AL=00 locks, AL=01 unlocks SI:DI bytes from CX:DX on.
    pub(super) fn lock_file(&mut self) -> Call {
        let entry = self.entry(self.bx())?;
        let FileKind::File(node) = self.dos.files.get(entry)?.kind else {
            return Err(DosError::InvalidFunction.into());
        };
        let start = self.cx_dx() as u64;
        let len = (self.cpu.register(SI) as u64) << 16 | self.cpu.register(DI) as u64;
        let bytes = start..start + len;
        let lock = ProgramLock { program: self.dos.psp.0, entry, node, bytes };
        match self.al() {
            _ if lock.bytes.is_empty() => Err(DosError::InvalidFunction.into()),
            0 => self.add_lock(lock),
            1 => self.remove_lock(&lock),
            _ => Err(DosError::InvalidFunction.into()),
        }
    }

    fn add_lock(&mut self, lock: ProgramLock) -> Call {
        if self.dos.locks.iter().any(|known| known.meets(lock.node, &lock.bytes)) {
            return Err(DosError::LockViolation.into());
        }
        if self.dos.locks.len() >= LOCKS_MAX {
            return Err(DosError::SharingBuffer.into());
        }
        match self.host.files().lock(lock.node, lock.bytes.clone()) {
            Err(HostError::NoSpace) => return Err(DosError::SharingBuffer.into()),
            locked => locked?,
        }
        self.dos.locks.push(lock);
        Ok(())
    }

    /// Undoes a lock of this program; any handle of the file will do.
    fn remove_lock(&mut self, lock: &ProgramLock) -> Call {
        let is_it = |known: &ProgramLock| {
            (known.program, known.node) == (lock.program, lock.node) && known.bytes == lock.bytes
        };
        let known = self.dos.locks.iter().position(is_it).ok_or(DosError::LockViolation)?;
        self.dos.locks.swap_remove(known);
        Ok(self.host.files().unlock(lock.node, lock.bytes.clone())?)
    }

    /// Undoes the locks that a program has left at its end.
    pub(super) fn forget_locks_of_program(&mut self, program: u16) {
        self.forget_locks(|lock| lock.program == program);
    }

    /// Undoes the locks made by an open file that is closed.
    pub(super) fn forget_locks_of_entry(&mut self, entry: u8) {
        self.forget_locks(|lock| lock.entry == entry);
    }

    fn forget_locks(&mut self, is_meant: impl Fn(&ProgramLock) -> bool) {
        let files = self.host.files();
        self.dos.locks.retain(|lock| {
            let ends = is_meant(lock);
            if ends {
                // A server that died in between has forgotten the lock as well.
                let _ = files.unlock(lock.node, lock.bytes.clone());
            }
            !ends
        });
    }

    /// Returns an error where another program or session has locked what is about to be moved.
    pub(super) fn check_locks(&mut self, file: &OpenFile, len: u16) -> Call {
        let FileKind::File(node) = file.kind else { return Ok(()) };
        if file.mode.sharing == 0 {
            return Ok(());
        }
        let start = file.position as u64;
        let bytes = start..start + len as u64;
        let mut others = self.dos.locks.iter().filter(|lock| lock.program != self.dos.psp.0);
        if others.any(|lock| lock.meets(node, &bytes)) {
            return Err(DosError::LockViolation.into());
        }
        Ok(self.host.files().check_locks(node, bytes)?)
    }
}
