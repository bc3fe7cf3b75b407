//! PRN: what programs print is appended to a file of the host.
//!
//! The file is that of `Start::printer`, made when something is printed.

use super::{Call, DosError, Refusal};
use crate::host::{FileTree, Host, NodeKind};
use crate::session::Session;

/// Where the printer's file is, where nothing else is said.
const FILE: &[u8] = b"/tmp/printer.txt";

impl<H: Host> Session<H> {
    /// AH=05: the character in DL.
    pub(super) fn printer_output(&mut self) -> Call {
        self.print_on_paper(&[self.dl()])
    }

    /// Appends to the printer's file.
    pub(crate) fn print_on_paper(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let path = if self.dos.printer.is_empty() { FILE } else { &self.dos.printer };
        let path = self.spelled(path);
        let super::paths::Target::Place(place) = self.target(&path)? else {
            return Err(DosError::WriteFault.into());
        };
        let found = match place.found {
            Some(found) => found,
            None => self.host.files().create(place.directory, &place.name, NodeKind::File)?,
        };
        let written = self.host.files().write(found.node, found.size, bytes)?;
        if written < bytes.len() { Err(DosError::WriteFault.into()) } else { Ok(()) }
    }
}
