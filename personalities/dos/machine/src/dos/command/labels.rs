//! LABEL: a drive's label by the functions of INT 21h that have it.

use dos_command::Outcome;
use dos_command::stub::DATA;

use super::{Guest, Registers};
use crate::host::Host;

/// The attribute of labels (RBIL table 01420).
const LABEL: u8 = 8;

impl<H: Host> Guest<'_, H> {
    /// Takes a drive's label away and gives it another one, unless that is empty.
    pub(super) fn change_label(&mut self, drive: u8, label: &[u8]) -> Outcome<()> {
        // An extended FCB of any label (RBIL INT 21/AH=13).
        let block = [&[0xff, 0, 0, 0, 0, 0, LABEL, drive + 1], &[b'?'; 11][..], &[0; 32]].concat();
        let at = self.at(DATA);
        self.session.bus.write(at, &block);
        // AL tells whether there was one, which does not matter.
        self.call(Registers { ax: 0x1300, dx: DATA, ..Registers::default() })?;
        if label.is_empty() {
            return Ok(());
        }
        let (base, ending) = label.split_at(label.len().min(8));
        let path = [&[b'A' + drive], &b":\\"[..], base, b".", ending].concat();
        let handle = self.on_path(0x3c00, LABEL.into(), &path)?.ax;
        self.on_handle(0x3e00, handle).map(drop)
    }
}
