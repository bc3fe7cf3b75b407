//! INT 10h AH=1C: the display's state, saved in a program's memory and restored.
//!
//! ```text
//!   ES:BX ─► registers | data area | colours     those that CX asks for, in blocks of 64 bytes
//! ```
//! What is in the blocks is the BIOS's own affair.
//!
//! Source: RBIL INT 10/AH=1C.

use crate::FarPointer;
use crate::bios::data;
use crate::host::Host;
use crate::session::Session;
use alloc::vec::Vec;

/// Bytes of a block.
const BLOCK: usize = 64;

/// A part of the state, by its bit in CX.
#[derive(Clone, Copy)]
enum Part {
    Registers,
    Data,
    Colours,
}

const PARTS: [Part; 3] = [Part::Registers, Part::Data, Part::Colours];

/// Which way a state goes.
#[derive(Clone, Copy)]
enum Way {
    Save,
    Restore,
}

impl<H: Host> Session<H> {
    /// AH=1C: AL=00 tells how many blocks the parts of CX take, 01 saves them, 02 restores them.
    pub(super) fn saved_state(&mut self) {
        let (wanted, way) = match (self.cx() & 7, self.al()) {
            (0, _) | (_, 3..) => return,
            (wanted, 0) => (wanted, None),
            (wanted, 1) => (wanted, Some(Way::Save)),
            (wanted, 2) => (wanted, Some(Way::Restore)),
        };
        let start = FarPointer::new(self.es(), self.bx());
        let mut blocks = 0;
        for (bit, part) in PARTS.into_iter().enumerate() {
            if wanted & 1 << bit != 0 {
                let at = start.add((blocks * BLOCK) as u16);
                blocks += self.pass_part(part, at, way).div_ceil(BLOCK);
            }
        }
        match way {
            None => self.set_bx(blocks as u16),
            Some(Way::Save) => {}
            Some(Way::Restore) => self.go_full(),
        }
        self.set_al(0x1c);
    }

    /// Copies a part to or from memory, or neither; returns its bytes.
    fn pass_part(&mut self, part: Part, at: FarPointer, way: Option<Way>) -> usize {
        let mut state: Vec<u8> = match part {
            Part::Registers => {
                self.bus.devices.display.saved_registers().map(|&mut byte| byte).collect()
            }
            Part::Data => data::video_places().map(|place| self.bus.read8(place)).collect(),
            Part::Colours => {
                self.bus.devices.display.saved_colours().map(|&mut byte| byte).collect()
            }
        };
        match way {
            None => {}
            Some(Way::Save) => self.bus.write(at, &state),
            Some(Way::Restore) => {
                self.bus.read(at, &mut state);
                self.set_part(part, &state);
            }
        }
        state.len()
    }

    fn set_part(&mut self, part: Part, state: &[u8]) {
        let display = &mut self.bus.devices.display;
        match part {
            Part::Registers => {
                display.saved_registers().zip(state).for_each(|(to, &from)| *to = from)
            }
            Part::Colours => display.saved_colours().zip(state).for_each(|(to, &from)| *to = from),
            Part::Data => {
                for (place, &byte) in data::video_places().zip(state) {
                    self.bus.write8(place, byte);
                }
            }
        }
    }
}
