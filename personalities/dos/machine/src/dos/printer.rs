//! PRN and AUX: what programs print or send is appended to files of the host.
//!
//! The files are those of `Start::printer` and `Start::auxiliary`, made when something is written;
//! without the latter AUX is connected to nothing. A file that can't be written is a device that
//! fails: INT 24h is asked.

use super::{Call, DosError, Refusal};
use crate::host::{FileTree, Host, HostError, NodeKind};
use crate::session::Session;

/// Where the printer's file is, where nothing else is said.
const FILE: &[u8] = b"/tmp/printer.txt";

impl<H: Host> Session<H> {
    /// AH=04: the character in DL.
    pub(super) fn auxiliary_output(&mut self) -> Call {
        self.send_to_auxiliary(&[self.dl()])
    }

    /// AH=05: the character in DL.
    pub(super) fn printer_output(&mut self) -> Call {
        self.print_on_paper(&[self.dl()])
    }

    /// Appends to the printer's file.
    pub(crate) fn print_on_paper(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let named = &self.dos.printer;
        let path = if named.is_empty() { FILE.to_vec() } else { named.clone() };
        self.append(&path, bytes)
    }

    /// Appends to AUX's file.
    pub(super) fn send_to_auxiliary(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let path = self.dos.auxiliary.clone();
        if path.is_empty() { Ok(()) } else { self.append(&path, bytes) }
    }

    fn append(&mut self, path: &[u8], bytes: &[u8]) -> Result<(), Refusal> {
        let path = self.spelled(path);
        let Ok(super::paths::Target::Place(place)) = self.target(&path) else {
            return Err(DosError::WriteFault.into());
        };
        let mut write = || {
            let found = match place.found {
                Some(found) => found,
                None => self.tree().create(place.directory, &place.name, NodeKind::File)?,
            };
            self.host.files().write(found.node, found.size, bytes)
        };
        match write() {
            Ok(written) if written == bytes.len() => Ok(()),
            Err(HostError::Interrupted) => Err(Refusal::Break),
            _ => Err(DosError::WriteFault.into()),
        }
    }
}
