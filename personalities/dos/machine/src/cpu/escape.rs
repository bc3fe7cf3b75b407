//! ESC and WAIT: the coprocessor, its emulation, or nothing.
//!
//! ```text
//!   EM or TS ─► interrupt 7, at the instruction     (80286 and 80386)
//!   an error is pending ─► IRQ 13, interrupt 75h
//!   no coprocessor ─► the operand is read and dropped
//! ```
//! EM is clear after a start, coprocessor or not, as a PC's BIOS leaves it: programs look for one with
//! FNINIT and FNSTSW and have no handler of interrupt 7. An emulator sets EM and has one.
//!
//! Source: Intel 80386 Programmer's Reference Manual (1986), 4.1.3, 9.8.7 and 11.1.

use super::fpu::Format;
use super::operand::{Place, Word};
use super::register::AX;
use super::segment::CS;
use super::{Cpu, Exit, Model};
use crate::{Bus, FarPointer};

/// Coprocessor not available.
const NOT_AVAILABLE: u8 = 7;

/// Bits of the machine status word, the low half of CR0.
mod status {
    /// PE, which asks for protected mode.
    pub const PROTECTION: u32 = 1 << 0;
    /// MP: WAIT looks at TS.
    pub const MONITOR: u16 = 1 << 1;
    /// EM: a program does what ESC asks for.
    pub const EMULATION: u16 = 1 << 2;
    /// TS: the coprocessor's registers are another task's.
    pub const SWITCHED: u16 = 1 << 3;
    /// ET: an 80387; only the 80386 has it.
    pub const EXTENSION: u16 = 1 << 4;
    /// What reads as set on the 80286.
    pub const OF_80286: u16 = 0xfff0;
}

use status::{EMULATION, EXTENSION, MONITOR, OF_80286, PROTECTION, SWITCHED};

impl Cpu {
    /// Returns the machine status word.
    pub(super) fn status(&self) -> u16 {
        match self.model {
            Model::I80386 if self.fpu.is_some() => self.status | EXTENSION,
            Model::I80286 => self.status | OF_80286,
            _ => self.status,
        }
    }

    /// LMSW, MOV CR0.
    pub(super) fn set_status(&mut self, status: u32) {
        if status & PROTECTION != 0 {
            self.ip = self.start;
            return self.leave(Exit::Protected);
        }
        self.status = status as u16 & (MONITOR | EMULATION | SWITCHED);
    }

    /// CLTS.
    pub(super) fn clear_switched(&mut self) {
        self.status &= !SWITCHED;
    }

    /// ESC.
    pub(super) fn escape<W: Word>(&mut self, bus: &mut Bus, opcode: u8) {
        if self.status & (EMULATION | SWITCHED) != 0 {
            return self.not_available(bus);
        }
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let escape = opcode & 7;
        let waits = match place {
            // FENI to FSETPM, FSTSW AX; FSTENV, FSTCW, FSAVE, FSTSW, and the loads of both states.
            Place::Register(_) => !matches!((escape, modrm.reg()), (3, 4) | (7, 4)),
            Place::Memory(_) => !matches!((escape, modrm.reg()), (1, 6 | 7) | (5, 6 | 7)),
        };
        if waits && self.calls_for_coprocessor(bus) {
            return;
        }
        let at = FarPointer::new(self.segments[CS], self.start);
        let Some(fpu) = &mut self.fpu else { return };
        let is_control = !waits || matches!((escape, modrm.reg()), (1, 4 | 5) | (5, 4));
        match place {
            Place::Register(_) => {
                if waits {
                    fpu.note(at, modrm.code(escape), None);
                }
                if let Some(status) = fpu.on_registers(escape, modrm.byte()) {
                    self.registers[AX] = status;
                }
            }
            Place::Memory(operand) => {
                if !is_control {
                    fpu.note(at, modrm.code(escape), Some(operand));
                }
                let format = if W::BITS == 16 { Format::Words } else { Format::Doublewords };
                fpu.on_memory(bus, escape, modrm.reg() as u8, operand, format);
            }
        }
    }

    /// WAIT.
    pub(super) fn wait(&mut self, bus: &mut Bus) {
        const BOTH: u16 = MONITOR | SWITCHED;
        if self.status & BOTH == BOTH {
            return self.not_available(bus);
        }
        self.calls_for_coprocessor(bus);
    }

    #[cold]
    fn not_available(&mut self, bus: &mut Bus) {
        self.ip = self.start;
        self.interrupt(bus, NOT_AVAILABLE);
    }

    /// Asks for the interrupt of an exception that is not masked, before the instruction; returns
    /// whether it did. A PC's board has it as IRQ 13, whose handler in the BIOS calls interrupt 2.
    fn calls_for_coprocessor(&mut self, bus: &mut Bus) -> bool {
        let enabled = self.flags.interrupts_enabled();
        let calls = enabled && self.fpu.as_mut().is_some_and(|fpu| fpu.take_pending());
        if calls {
            self.ip = self.start;
            bus.coprocessor_error();
            self.leave(Exit::Budget);
        }
        calls
    }
}
