//! What DOS keeps in the swappable data area, where resident programs save and change it.
//!
//! The current program, the transfer area and the drive are read from there when a call begins, and
//! written when it ends (RBIL INT 21/AX=5D06, table 01690).

use super::layout::{LAST_DRIVE, SWAPPABLE, SWAPPABLE_LIST, SWAPPED_ALWAYS, SWAPPED_IN_DOS};
use super::psp::Psp;
use super::{Call, Dos, DosError, Refusal};
use crate::FarPointer;
use crate::bus::Bus;
use crate::cpu::register::{AX, BX, CX, DI, DX, SI};
use crate::host::Host;
use crate::session::Session;

const LOCUS: FarPointer = SWAPPABLE.add(3);
const ERROR: FarPointer = SWAPPABLE.add(4);
const ACTION: FarPointer = SWAPPABLE.add(6);
const CLASS: FarPointer = SWAPPABLE.add(7);
const ERROR_POINTER: FarPointer = SWAPPABLE.add(8);
const TRANSFER: FarPointer = SWAPPABLE.add(0x0c);
const PROGRAM: FarPointer = SWAPPABLE.add(0x10);
const EXIT: FarPointer = SWAPPABLE.add(0x14);
const DRIVE: FarPointer = SWAPPABLE.add(0x16);
const BREAK_CHECK: FarPointer = SWAPPABLE.add(0x17);

impl Dos {
    /// Takes up what programs may have changed.
    pub(super) fn take_up(&mut self, bus: &Bus) {
        self.psp = Psp(bus.read16(PROGRAM));
        self.transfer = bus.read_far(TRANSFER);
        self.exit = bus.read16(EXIT);
        self.drive = bus.read8(DRIVE).min(LAST_DRIVE - 1);
        self.break_check = bus.read8(BREAK_CHECK) != 0;
    }

    /// Lays down what a call changed.
    pub(super) fn lay_down(&self, bus: &mut Bus) {
        bus.write16(PROGRAM, self.psp.0);
        bus.write_far(TRANSFER, self.transfer);
        bus.write16(EXIT, self.exit);
        bus.write8(DRIVE, self.drive);
        bus.write8(BREAK_CHECK, self.break_check as u8);
    }
}

impl<H: Host> Session<H> {
    /// Returns the code of the last error.
    pub(super) fn last_error(&self) -> u16 {
        self.bus.read16(ERROR)
    }

    /// Notes an error for AH=59.
    pub(super) fn note_error(&mut self, error: DosError) {
        let (class, action, locus) = error.details();
        self.bus.write16(ERROR, error as u16);
        for (at, value) in [(CLASS, class), (ACTION, action), (LOCUS, locus)] {
            self.bus.write8(at, value);
        }
    }

    /// AH=59: the last error, with class, action and locus; ES:DI where it has a pointer.
    pub(super) fn extended_error(&mut self) -> Call {
        let byte = |session: &Self, at| session.bus.read8(at);
        let (class, action) = (byte(self, CLASS), byte(self, ACTION));
        let locus = byte(self, LOCUS);
        let error = self.bus.read16(ERROR);
        self.set_ax(error);
        self.set_bx(u16::from_le_bytes([action, class]));
        self.set_cx((locus as u16) << 8 | self.cl() as u16);
        let pointer = self.bus.read_far(ERROR_POINTER);
        if pointer != FarPointer::default() {
            self.set_es(pointer.segment);
            self.cpu.set_register(crate::cpu::register::DI, pointer.offset);
        }
        Ok(())
    }

    /// AH=5D: what is of use without a network: a call with other registers, commit, the swappable
    /// data area, set the error.
    pub(super) fn server_function(&mut self) -> Call {
        match self.al() {
            0x00 => self.server_call(),
            // Files are written through.
            0x01 => Ok(()),
            0x06 => {
                self.set_ds(SWAPPABLE.segment);
                self.set_si(SWAPPABLE.offset);
                self.set_cx(SWAPPED_IN_DOS);
                self.set_dx(SWAPPED_ALWAYS);
                Ok(())
            }
            0x0a => self.set_extended_error(),
            0x0b => {
                self.set_ds(SWAPPABLE_LIST.segment);
                self.set_si(SWAPPABLE_LIST.offset);
                Ok(())
            }
            _ => Err(DosError::InvalidFunction.into()),
        }
    }

    /// AX=5D00: the function that the registers in the list at DS:DX ask for, performed with them as
    /// the caller's; whose behalf it is on means nothing here (RBIL INT 21/AX=5D00, table 01686).
    fn server_call(&mut self) -> Call {
        let from = self.ds_dx();
        let word = |session: &Self, offset| session.bus.read16(from.add(offset));
        for (offset, register) in [(0, AX), (2, BX), (4, CX), (6, DX), (8, SI), (0x0a, DI)] {
            let value = word(self, offset);
            self.cpu.set_register(register, value);
        }
        let (ds, es) = (word(self, 0x0c), word(self, 0x0e));
        self.set_ds(ds);
        self.set_es(es);
        if self.ah() == 0x5d && self.al() == 0 {
            return Err(DosError::InvalidFunction.into());
        }
        self.function_call();
        // It has told its success itself.
        Err(Refusal::Switched)
    }

    /// AX=5D0A: DS:DX at AX, BX, CX, DX, SI, DI, DS, ES as AH=59 shall return them.
    fn set_extended_error(&mut self) -> Call {
        let from = self.ds_dx();
        let word = |session: &Self, offset| session.bus.read16(from.add(offset));
        let [action, class] = word(self, 2).to_le_bytes();
        let (error, locus) = (word(self, 0), (word(self, 4) >> 8) as u8);
        let pointer = FarPointer::new(word(self, 0x0e), word(self, 0x0a));
        self.bus.write16(ERROR, error);
        for (at, value) in [(CLASS, class), (ACTION, action), (LOCUS, locus)] {
            self.bus.write8(at, value);
        }
        self.bus.write_far(ERROR_POINTER, pointer);
        Ok(())
    }
}
