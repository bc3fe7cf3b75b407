//! AH=5C: locks on parts of files, against other sessions.

use super::files::FileKind;
use super::{Call, DosError};
use crate::cpu::register::{DI, SI};
use crate::host::{FileTree, Host};
use crate::session::Session;

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
        match self.al() {
            _ if bytes.is_empty() => Err(DosError::InvalidFunction.into()),
            0 => Ok(self.host.files().lock(node, bytes)?),
            1 => Ok(self.host.files().unlock(node, bytes)?),
            _ => Err(DosError::InvalidFunction.into()),
        }
    }
}
