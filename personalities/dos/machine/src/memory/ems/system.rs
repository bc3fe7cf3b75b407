//! EMS: functions for operating systems: sets of registers, and who may use these functions.
//!
//! There is one set of registers, number 0, whose map lies where the system says. Source: EMS 4.0,
//! functions 28 and 30; RBIL INT 67/AH=5B, 5D.

use super::state::MAP_BYTES;
use super::{Answer, EmsError};
use crate::FarPointer;
use crate::cpu::register::DI;
use crate::host::Host;
use crate::session::Session;

/// What a system has set.
#[derive(Default)]
pub(super) struct System {
    /// Where the map of register set 0 is kept; 0:0: nowhere.
    area: FarPointer,
    /// Who has it may switch these functions; nothing: whoever asks first.
    key: Option<u32>,
    is_disabled: bool,
}

impl<H: Host> Session<H> {
    /// Returns an error where a system keeps these functions for itself.
    pub(super) fn check_system_functions(&self) -> Answer {
        if self.extended.ems.system.is_disabled { Err(EmsError::Denied) } else { Ok(()) }
    }

    /// AH=5B: sets of registers for maps and for DMA.
    pub(super) fn register_sets(&mut self) -> Answer {
        self.check_system_functions()?;
        match self.al() {
            0 => {
                let area = self.extended.ems.system.area;
                self.set_bl(0);
                self.set_es(area.segment);
                self.cpu.set_register(DI, area.offset);
            }
            1 => return self.use_registers(),
            2 => self.set_dx(MAP_BYTES as u16),
            // What is allocated is set 0: there are no others.
            3 | 5 => self.set_bl(0),
            4 | 6..=8 if self.bl() != 0 => return Err(EmsError::RegisterSet),
            4 | 6..=8 => {}
            _ => return Err(EmsError::NoSubfunction),
        }
        Ok(())
    }

    fn use_registers(&mut self) -> Answer {
        if self.bl() != 0 {
            return Err(EmsError::RegisterSet);
        }
        let area = self.es_di();
        if area != FarPointer::default() {
            let map = self.read_map(area)?;
            self.load_map(map);
        }
        self.extended.ems.system.area = area;
        Ok(())
    }

    /// AH=5D: lets everybody use these functions, nobody, or gives the key back. The first call gets
    /// the key in BX and CX, the others need it.
    pub(super) fn system_functions(&mut self) -> Answer {
        let function = self.al();
        if function > 2 {
            return Err(EmsError::NoSubfunction);
        }
        let given = u32::from(self.bx()) << 16 | u32::from(self.cx());
        match self.extended.ems.system.key {
            Some(key) if key == given => {}
            None if function < 2 => self.give_key(),
            Some(_) | None => return Err(EmsError::Denied),
        }
        let system = &mut self.extended.ems.system;
        system.is_disabled = function == 1;
        if function == 2 {
            system.key = None;
        }
        Ok(())
    }

    fn give_key(&mut self) {
        // Nobody who has not been told finds it by chance.
        let key = (self.host.monotonic() as u32).wrapping_mul(0x9e37_79b9);
        self.extended.ems.system.key = Some(key);
        self.set_bx((key >> 16) as u16);
        self.set_cx(key as u16);
    }
}
