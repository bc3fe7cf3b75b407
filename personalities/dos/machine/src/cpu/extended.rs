//! Instructions that begin with 0F: host calls, the 80286's for the machine, the 80386's.
//!
//! Source: Intel 80386 Programmer's Reference Manual (1986), 17.2.2 and appendix A.

use super::operand::{ModRm, Operand, Place, Word};
use super::segment::{CS, FS, GS, SS};
use super::shift::{COUNT_MASK, top};
use super::{Cpu, Exit, HOST_SEGMENT, Model};
use crate::{Bus, FarPointer};

impl Cpu {
    /// Executes an instruction whose first byte, 0F, was fetched.
    #[cold]
    #[inline(never)]
    pub(super) fn extended<W: Word>(&mut self, bus: &mut Bus) {
        if self.segments[CS] == HOST_SEGMENT {
            let number = self.fetch8(bus);
            return self.leave(Exit::HostCall(number));
        }
        match self.model {
            Model::I8086 => self.pop_code_segment(bus),
            Model::I80186 => self.undefined(bus),
            Model::I80286 => match self.fetch8(bus) {
                0x01 => self.system_group::<W>(bus),
                0x06 => self.clear_switched(),
                _ => self.undefined(bus),
            },
            Model::I80386 => self.extended_80386::<W>(bus),
        }
    }

    fn extended_80386<W: Word>(&mut self, bus: &mut Bus) {
        let opcode = self.fetch8(bus);
        match opcode {
            0x01 => self.system_group::<W>(bus),
            0x06 => self.clear_switched(),
            0x20..=0x24 | 0x26 => self.move_control(bus, opcode),
            0x80..=0x8f => {
                let distance = W::fetch(self, bus);
                if self.condition(opcode) {
                    self.go_by(distance);
                }
            }
            0x90..=0x9f => {
                let modrm = self.fetch_modrm(bus);
                let place = self.place(bus, modrm);
                self.store(bus, place, u8::from(self.condition(opcode)));
            }
            0xa0 => self.push_segment::<W>(bus, FS),
            0xa1 => self.pop_segment::<W>(bus, FS),
            0xa8 => self.push_segment::<W>(bus, GS),
            0xa9 => self.pop_segment::<W>(bus, GS),
            0xa3 | 0xab | 0xb3 | 0xbb => self.bit_of_register::<W>(bus, opcode >> 3 & 3),
            0xba => self.bit_of_immediate::<W>(bus),
            0xa4 => self.shift_double::<W>(bus, Direction::Left, Cpu::fetch8),
            0xa5 => self.shift_double::<W>(bus, Direction::Left, |cpu, _| u8::register(cpu, 1)),
            0xac => self.shift_double::<W>(bus, Direction::Right, Cpu::fetch8),
            0xad => self.shift_double::<W>(bus, Direction::Right, |cpu, _| u8::register(cpu, 1)),
            0xaf => {
                let modrm = self.fetch_modrm(bus);
                let other = self.operand::<W>(bus, modrm);
                self.multiply_into(modrm.reg(), W::register(self, modrm.reg()), other);
            }
            0xb2 => {
                self.load_far::<W>(bus, SS);
                self.hold_interrupts();
            }
            0xb4 => self.load_far::<W>(bus, FS),
            0xb5 => self.load_far::<W>(bus, GS),
            0xb6 => self.extend::<W, u8>(bus, |byte| W::from_word(byte.into())),
            0xb7 => self.extend::<W, u16>(bus, W::from_word),
            0xbe => self.extend::<W, u8>(bus, |byte| W::from_signed(byte as i8 as u16)),
            0xbf => self.extend::<W, u16>(bus, W::from_signed),
            0xbc => self.scan_bits::<W>(bus, |value| value.trailing_zeros()),
            0xbd => self.scan_bits::<W>(bus, |value| 31 - value.leading_zeros()),
            _ => self.undefined(bus),
        }
    }

    /// MOVZX, MOVSX.
    fn extend<W: Word, N: Operand>(&mut self, bus: &Bus, extended: impl FnOnce(N) -> W) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let value = self.load::<N>(bus, place);
        W::set_register(self, modrm.reg(), extended(value));
    }

    /// BSF, BSR: of 0 only ZF is set.
    fn scan_bits<W: Word>(&mut self, bus: &Bus, found: impl FnOnce(u32) -> u32) {
        let modrm = self.fetch_modrm(bus);
        let value = self.operand::<W>(bus, modrm).widen();
        self.flags.set_zero(value == 0);
        if value != 0 {
            W::set_register(self, modrm.reg(), W::narrow(found(value)));
        }
    }

    /// BT, BTS, BTR, BTC with the bit's number in a register: in memory it may lie outside the word.
    fn bit_of_register<W: Word>(&mut self, bus: &mut Bus, operation: u8) {
        let modrm = self.fetch_modrm(bus);
        let number = W::register(self, modrm.reg());
        let place = if modrm.is_register() {
            Place::Register(modrm.rm())
        } else {
            let words = number.sign_extend() as i32 >> W::BITS.trailing_zeros();
            let bytes = words.wrapping_mul(i32::from(W::BYTES)) as u32;
            let (offset, default) = self.whole_address(bus, modrm);
            let sum = offset.wrapping_add(bytes);
            let offset = if self.is_wide_address { self.limited(sum) } else { sum as u16 };
            Place::Memory(FarPointer::new(self.data_segment(default), offset))
        };
        self.bit_in::<W>(bus, place, operation, number.widen());
    }

    /// The same with the number behind the instruction (group 8).
    fn bit_of_immediate<W: Word>(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let number = self.fetch8(bus);
        match modrm.reg() {
            4..=7 => self.bit_in::<W>(bus, place, modrm.reg() as u8 & 3, number.into()),
            _ => self.undefined(bus),
        }
    }

    fn bit_in<W: Word>(&mut self, bus: &mut Bus, place: Place, operation: u8, number: u32) {
        let bit = 1 << (number % W::BITS);
        let value = self.load::<W>(bus, place).widen();
        self.flags.set_carry(value & bit != 0);
        let changed = match operation {
            0 => return,
            1 => value | bit,
            2 => value & !bit,
            _ => value ^ bit,
        };
        self.store(bus, place, W::narrow(changed));
    }

    /// SHLD, SHRD: bits of the register come after those of the operand. By more than a word's bits
    /// the manual leaves the result open; here they come round again.
    fn shift_double<W: Word>(
        &mut self,
        bus: &mut Bus,
        direction: Direction,
        count: impl FnOnce(&mut Cpu, &Bus) -> u8,
    ) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let count = (count(self, bus) & COUNT_MASK) as u32;
        if count == 0 {
            return;
        }
        let value = self.load::<W>(bus, place);
        let other = W::register(self, modrm.reg());
        let (count, bits) = ((count - 1) % W::BITS + 1, W::BITS);
        let (wide, from) = (value.widen() as u64, other.widen() as u64);
        let (result, carry) = match direction {
            Direction::Left => {
                let both = (wide << bits | from) as u128;
                ((both << count >> bits) as u32, wide >> (bits - count) & 1 != 0)
            }
            Direction::Right => {
                let both = (from << bits | wide) as u128;
                ((both >> count) as u32, wide >> (count - 1) & 1 != 0)
            }
        };
        let result = W::narrow(result);
        self.flags.logic_result(result, carry, top(result) != top(value));
        self.store(bus, place, result);
    }

    /// SGDT, SIDT, LGDT, LIDT, SMSW, LMSW. The tables are of no use without protected mode; what is
    /// loaded is dropped, and what is stored is the state after a reset.
    fn system_group<W: Word>(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        match (modrm.reg(), place) {
            (0, Place::Memory(at)) => self.store_table(bus, at, u16::MAX),
            (1, Place::Memory(at)) => self.store_table(bus, at, 0x3ff),
            (2 | 3, Place::Memory(_)) => {}
            (4, Place::Register(register)) => {
                let status = self.status();
                W::set_register(self, register, W::from_word(status));
            }
            (4, Place::Memory(at)) => bus.write16(at, self.status()),
            (6, place) => {
                let status = self.load::<u16>(bus, place);
                self.set_status(status.into());
            }
            _ => self.undefined(bus),
        }
    }

    fn store_table(&self, bus: &mut Bus, at: FarPointer, limit: u16) {
        bus.write16(at, limit);
        bus.write32(at.add(2), 0);
    }

    /// MOV from and to control, debug and test registers: all read as after a reset.
    fn move_control(&mut self, bus: &mut Bus, opcode: u8) {
        let modrm: ModRm = self.fetch_modrm(bus);
        let is_status = opcode & !2 == 0x20 && modrm.reg() == 0;
        match opcode & 2 == 0 {
            true => {
                let value = if is_status { self.status().into() } else { 0 };
                u32::set_register(self, modrm.rm(), value);
            }
            false if is_status => self.set_status(u32::register(self, modrm.rm())),
            false => {}
        }
    }
}

/// Which way bits go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Left,
    Right,
}
