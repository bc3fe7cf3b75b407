//! The opcode table: what each first byte does.
//!
//! One line each, in the order of the encoding (Intel iAPX 86/88, 186/188 User's Manual 3.4,
//! table 3-11, and the 80186's additions in 3.3). `W` is how wide words are: 16 bits, or 32 with an
//! 80386's prefix 66. The work is done by the neighbours.

use super::operand::{Operand, Word};
use super::register::{AX, BP, BX, CX, DI, DX, SI, SP};
use super::segment::{CS, DS, ES, SS};
use super::{Cpu, Flags, Model, bit};
use crate::{Bus, FarPointer};

impl Cpu {
    /// Executes one instruction whose first byte was fetched.
    #[inline(always)]
    pub(super) fn execute<W: Word>(&mut self, bus: &mut Bus, opcode: u8) {
        match opcode {
            0x00 => self.rm_reg::<u8>(bus, Flags::add),
            0x01 => self.rm_reg::<W>(bus, Flags::add),
            0x02 => self.reg_rm::<u8>(bus, Flags::add),
            0x03 => self.reg_rm::<W>(bus, Flags::add),
            0x04 => self.accumulator::<u8>(bus, Flags::add),
            0x05 => self.accumulator::<W>(bus, Flags::add),
            0x06 => self.push_segment::<W>(bus, ES),
            0x07 => self.pop_segment::<W>(bus, ES),
            0x08 => self.rm_reg::<u8>(bus, Flags::or),
            0x09 => self.rm_reg::<W>(bus, Flags::or),
            0x0a => self.reg_rm::<u8>(bus, Flags::or),
            0x0b => self.reg_rm::<W>(bus, Flags::or),
            0x0c => self.accumulator::<u8>(bus, Flags::or),
            0x0d => self.accumulator::<W>(bus, Flags::or),
            0x0e => self.push_segment::<W>(bus, CS),
            0x0f => self.extended::<W>(bus),
            0x10 => self.rm_reg::<u8>(bus, Flags::adc),
            0x11 => self.rm_reg::<W>(bus, Flags::adc),
            0x12 => self.reg_rm::<u8>(bus, Flags::adc),
            0x13 => self.reg_rm::<W>(bus, Flags::adc),
            0x14 => self.accumulator::<u8>(bus, Flags::adc),
            0x15 => self.accumulator::<W>(bus, Flags::adc),
            0x16 => self.push_segment::<W>(bus, SS),
            0x17 => self.pop_segment::<W>(bus, SS),
            0x18 => self.rm_reg::<u8>(bus, Flags::sbb),
            0x19 => self.rm_reg::<W>(bus, Flags::sbb),
            0x1a => self.reg_rm::<u8>(bus, Flags::sbb),
            0x1b => self.reg_rm::<W>(bus, Flags::sbb),
            0x1c => self.accumulator::<u8>(bus, Flags::sbb),
            0x1d => self.accumulator::<W>(bus, Flags::sbb),
            0x1e => self.push_segment::<W>(bus, DS),
            0x1f => self.pop_segment::<W>(bus, DS),
            0x20 => self.rm_reg::<u8>(bus, Flags::and),
            0x21 => self.rm_reg::<W>(bus, Flags::and),
            0x22 => self.reg_rm::<u8>(bus, Flags::and),
            0x23 => self.reg_rm::<W>(bus, Flags::and),
            0x24 => self.accumulator::<u8>(bus, Flags::and),
            0x25 => self.accumulator::<W>(bus, Flags::and),
            0x26 => self.prefixed(bus, opcode),
            0x27 => self.decimal_adjust(u8::overflowing_add),
            0x28 => self.rm_reg::<u8>(bus, Flags::sub),
            0x29 => self.rm_reg::<W>(bus, Flags::sub),
            0x2a => self.reg_rm::<u8>(bus, Flags::sub),
            0x2b => self.reg_rm::<W>(bus, Flags::sub),
            0x2c => self.accumulator::<u8>(bus, Flags::sub),
            0x2d => self.accumulator::<W>(bus, Flags::sub),
            0x2e => self.prefixed(bus, opcode),
            0x2f => self.decimal_adjust(u8::overflowing_sub),
            0x30 => self.rm_reg::<u8>(bus, Flags::xor),
            0x31 => self.rm_reg::<W>(bus, Flags::xor),
            0x32 => self.reg_rm::<u8>(bus, Flags::xor),
            0x33 => self.reg_rm::<W>(bus, Flags::xor),
            0x34 => self.accumulator::<u8>(bus, Flags::xor),
            0x35 => self.accumulator::<W>(bus, Flags::xor),
            0x36 => self.prefixed(bus, opcode),
            0x37 => self.ascii_adjust(u16::wrapping_add),
            0x38 => self.compare_rm_reg::<u8>(bus, Flags::sub),
            0x39 => self.compare_rm_reg::<W>(bus, Flags::sub),
            0x3a => self.compare_reg_rm::<u8>(bus, Flags::sub),
            0x3b => self.compare_reg_rm::<W>(bus, Flags::sub),
            0x3c => self.compare_accumulator::<u8>(bus, Flags::sub),
            0x3d => self.compare_accumulator::<W>(bus, Flags::sub),
            0x3e => self.prefixed(bus, opcode),
            0x3f => self.ascii_adjust(u16::wrapping_sub),
            0x40 => self.increment_register::<W>(AX),
            0x41 => self.increment_register::<W>(CX),
            0x42 => self.increment_register::<W>(DX),
            0x43 => self.increment_register::<W>(BX),
            0x44 => self.increment_register::<W>(SP),
            0x45 => self.increment_register::<W>(BP),
            0x46 => self.increment_register::<W>(SI),
            0x47 => self.increment_register::<W>(DI),
            0x48 => self.decrement_register::<W>(AX),
            0x49 => self.decrement_register::<W>(CX),
            0x4a => self.decrement_register::<W>(DX),
            0x4b => self.decrement_register::<W>(BX),
            0x4c => self.decrement_register::<W>(SP),
            0x4d => self.decrement_register::<W>(BP),
            0x4e => self.decrement_register::<W>(SI),
            0x4f => self.decrement_register::<W>(DI),
            0x50 => self.push_register::<W>(bus, AX),
            0x51 => self.push_register::<W>(bus, CX),
            0x52 => self.push_register::<W>(bus, DX),
            0x53 => self.push_register::<W>(bus, BX),
            0x54 => self.push_stack_pointer::<W>(bus),
            0x55 => self.push_register::<W>(bus, BP),
            0x56 => self.push_register::<W>(bus, SI),
            0x57 => self.push_register::<W>(bus, DI),
            0x58 => self.pop_register::<W>(bus, AX),
            0x59 => self.pop_register::<W>(bus, CX),
            0x5a => self.pop_register::<W>(bus, DX),
            0x5b => self.pop_register::<W>(bus, BX),
            0x5c => self.pop_register::<W>(bus, SP),
            0x5d => self.pop_register::<W>(bus, BP),
            0x5e => self.pop_register::<W>(bus, SI),
            0x5f => self.pop_register::<W>(bus, DI),
            0x60..=0x6f if self.model == Model::I8086 => self.jump_on(bus, opcode),
            0x60 => self.push_all::<W>(bus),
            0x61 => self.pop_all::<W>(bus),
            0x62 => self.bound::<W>(bus),
            0x64..=0x67 if self.model >= Model::I80386 => self.prefixed(bus, opcode),
            0x63..=0x67 => self.undefined(bus),
            0x68 => self.push_immediate(bus, W::fetch),
            0x69 => self.multiply_immediate(bus, W::fetch),
            0x6a => self.push_immediate(bus, Cpu::fetch_signed_as::<W>),
            0x6b => self.multiply_immediate(bus, Cpu::fetch_signed_as::<W>),
            0x6c => self.input_string::<u8>(bus),
            0x6d => self.input_string::<W>(bus),
            0x6e => self.output_string::<u8>(bus),
            0x6f => self.output_string::<W>(bus),
            0x70 => self.jump_if(bus, self.flags.overflow()),
            0x71 => self.jump_if(bus, !self.flags.overflow()),
            0x72 => self.jump_if(bus, self.flags.carry()),
            0x73 => self.jump_if(bus, !self.flags.carry()),
            0x74 => self.jump_if(bus, self.flags.zero()),
            0x75 => self.jump_if(bus, !self.flags.zero()),
            0x76 => self.jump_if(bus, self.flags.carry() || self.flags.zero()),
            0x77 => self.jump_if(bus, !(self.flags.carry() || self.flags.zero())),
            0x78 => self.jump_if(bus, self.flags.sign()),
            0x79 => self.jump_if(bus, !self.flags.sign()),
            0x7a => self.jump_if(bus, self.flags.parity()),
            0x7b => self.jump_if(bus, !self.flags.parity()),
            0x7c => self.jump_if(bus, self.flags.less()),
            0x7d => self.jump_if(bus, !self.flags.less()),
            0x7e => self.jump_if(bus, self.flags.less() || self.flags.zero()),
            0x7f => self.jump_if(bus, !(self.flags.less() || self.flags.zero())),
            0x80 | 0x82 => self.immediate_group::<u8>(bus, Cpu::fetch8),
            0x81 => self.immediate_group::<W>(bus, W::fetch),
            0x83 => self.immediate_group(bus, Cpu::fetch_signed_as::<W>),
            0x84 => self.compare_rm_reg::<u8>(bus, Flags::and),
            0x85 => self.compare_rm_reg::<W>(bus, Flags::and),
            0x86 => self.exchange::<u8>(bus),
            0x87 => self.exchange::<W>(bus),
            0x88 => self.move_to_rm::<u8>(bus),
            0x89 => self.move_to_rm::<W>(bus),
            0x8a => self.reg_rm::<u8>(bus, |_, _, value| value),
            0x8b => self.reg_rm::<W>(bus, |_, _, value| value),
            0x8c => self.store_segment::<W>(bus),
            0x8d => self.load_effective_address::<W>(bus),
            0x8e => self.load_segment(bus),
            0x8f => self.pop_operand::<W>(bus),
            0x90 => {}
            0x91 => self.exchange_accumulator::<W>(CX),
            0x92 => self.exchange_accumulator::<W>(DX),
            0x93 => self.exchange_accumulator::<W>(BX),
            0x94 => self.exchange_accumulator::<W>(SP),
            0x95 => self.exchange_accumulator::<W>(BP),
            0x96 => self.exchange_accumulator::<W>(SI),
            0x97 => self.exchange_accumulator::<W>(DI),
            0x98 => self.widen_accumulator::<W>(),
            0x99 => self.spread_sign::<W>(),
            0x9a => self.call_far::<W>(bus),
            0x9b => self.wait(bus),
            0x9c => self.push_word(bus, W::from_word(self.flags.word())),
            0x9d => self.pop_flags::<W>(bus),
            0x9e => self.flags.set_low_byte(self.ah()),
            0x9f => self.set_ah(self.flags.word() as u8),
            0xa0 => self.load_direct::<u8>(bus),
            0xa1 => self.load_direct::<W>(bus),
            0xa2 => self.store_direct::<u8>(bus),
            0xa3 => self.store_direct::<W>(bus),
            0xa4 => self.move_string::<u8>(bus),
            0xa5 => self.move_string::<W>(bus),
            0xa6 => self.compare_string::<u8>(bus),
            0xa7 => self.compare_string::<W>(bus),
            0xa8 => self.compare_accumulator::<u8>(bus, Flags::and),
            0xa9 => self.compare_accumulator::<W>(bus, Flags::and),
            0xaa => self.store_string::<u8>(bus),
            0xab => self.store_string::<W>(bus),
            0xac => self.load_string::<u8>(bus),
            0xad => self.load_string::<W>(bus),
            0xae => self.scan_string::<u8>(bus),
            0xaf => self.scan_string::<W>(bus),
            0xb0..=0xb7 => self.load_immediate::<u8>(bus, opcode),
            0xb8..=0xbf => self.load_immediate::<W>(bus, opcode),
            0xc0..=0xc1 | 0xc8..=0xc9 if self.model == Model::I8086 => {
                self.execute_apart::<W>(bus, opcode | 2);
            }
            0xc0 => self.shift::<u8>(bus, Cpu::fetch8),
            0xc1 => self.shift::<W>(bus, Cpu::fetch8),
            0xc2 => self.return_near_dropping::<W>(bus),
            0xc3 => self.return_near::<W>(bus, 0),
            0xc4 => self.load_far::<W>(bus, ES),
            0xc5 => self.load_far::<W>(bus, DS),
            0xc6 => self.move_immediate::<u8>(bus),
            0xc7 => self.move_immediate::<W>(bus),
            0xc8 => self.enter::<W>(bus),
            0xc9 => self.leave_frame::<W>(bus),
            0xca => self.return_far_dropping::<W>(bus),
            0xcb => self.return_far::<W>(bus, 0),
            0xcc => self.interrupt(bus, 3),
            0xcd => self.interrupt_immediate(bus),
            0xce => self.interrupt_on_overflow(bus),
            0xcf => self.return_from_interrupt::<W>(bus),
            0xd0 => self.shift::<u8>(bus, |_, _| 1),
            0xd1 => self.shift::<W>(bus, |_, _| 1),
            0xd2 => self.shift::<u8>(bus, |cpu, _| cpu.registers[CX] as u8),
            0xd3 => self.shift::<W>(bus, |cpu, _| cpu.registers[CX] as u8),
            0xd4 => self.adjust_multiplied(bus),
            0xd5 => self.adjust_divided(bus),
            0xd6 => self.set_al(if self.flags.carry() { 0xff } else { 0 }),
            0xd7 => self.translate(bus),
            0xd8..=0xdf => self.escape::<W>(bus, opcode),
            0xe0 => self.loop_if(bus, !self.flags.zero()),
            0xe1 => self.loop_if(bus, self.flags.zero()),
            0xe2 => self.loop_if(bus, true),
            0xe3 => self.jump_if(bus, self.count() == 0),
            0xe4..=0xe7 => self.port_immediate::<W>(bus, opcode),
            0xe8 => self.call_near::<W>(bus),
            0xe9 => self.jump_near::<W>(bus),
            0xea => self.jump_far::<W>(bus),
            0xeb => self.jump_if(bus, true),
            0xec => self.port_in::<u8>(bus, self.registers[DX]),
            0xed => self.port_in::<W>(bus, self.registers[DX]),
            0xee => self.port_out::<u8>(bus, self.registers[DX]),
            0xef => self.port_out::<W>(bus, self.registers[DX]),
            0xf0..=0xf3 => self.prefixed(bus, opcode),
            0xf4 => self.halt(),
            0xf5 => self.flags.set_carry(!self.flags.carry()),
            0xf6 => self.byte_group(bus),
            0xf7 => self.word_group::<W>(bus),
            0xf8 => self.flags.set_carry(false),
            0xf9 => self.flags.set_carry(true),
            0xfa => self.flags.clear_control(bit::INTERRUPT),
            0xfb => self.flags.set_control(bit::INTERRUPT),
            0xfc => self.flags.clear_control(bit::DIRECTION),
            0xfd => self.flags.set_control(bit::DIRECTION),
            0xfe => self.increment_group(bus),
            0xff => self.transfer_group::<W>(bus),
        }
    }

    #[inline(always)]
    fn increment_register<W: Word>(&mut self, number: usize) {
        let value = self.flags.increment(W::register(self, number));
        W::set_register(self, number, value);
    }

    #[inline(always)]
    fn decrement_register<W: Word>(&mut self, number: usize) {
        let value = self.flags.decrement(W::register(self, number));
        W::set_register(self, number, value);
    }

    #[inline(always)]
    fn load_immediate<W: Operand>(&mut self, bus: &Bus, opcode: u8) {
        let value = W::fetch(self, bus);
        W::set_register(self, (opcode & 7) as usize, value);
    }

    #[inline(always)]
    fn move_to_rm<W: Operand>(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        self.store(bus, place, W::register(self, modrm.reg()));
    }

    fn exchange<W: Operand>(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let value = self.load::<W>(bus, place);
        self.store(bus, place, W::register(self, modrm.reg()));
        W::set_register(self, modrm.reg(), value);
    }

    fn load_direct<W: Operand>(&mut self, bus: &Bus) {
        let at = self.direct_address(bus);
        W::set_register(self, 0, W::load(bus, at));
    }

    fn store_direct<W: Operand>(&mut self, bus: &mut Bus) {
        let at = self.direct_address(bus);
        W::store(bus, at, W::register(self, 0));
    }

    fn direct_address(&mut self, bus: &Bus) -> FarPointer {
        let offset = match self.is_wide_address {
            false => self.fetch16(bus),
            true => {
                let offset = u32::fetch(self, bus);
                self.limited(offset)
            }
        };
        FarPointer::new(self.data_segment(DS), offset)
    }

    fn exchange_accumulator<W: Word>(&mut self, number: usize) {
        let (accumulator, other) = (W::register(self, AX), W::register(self, number));
        W::set_register(self, AX, other);
        W::set_register(self, number, accumulator);
    }

    /// CBW, CWDE: AL into AX, AX into EAX.
    fn widen_accumulator<W: Word>(&mut self) {
        let narrow = if W::BITS == 16 { self.al() as i8 as u16 } else { self.registers[AX] };
        W::set_register(self, AX, W::from_signed(narrow));
    }

    /// CWD, CDQ: the accumulator's sign into all of the data register.
    fn spread_sign<W: Word>(&mut self) {
        let sign = W::register(self, AX).sign_extend() as i32 >> 31;
        W::set_register(self, DX, W::narrow(sign as u32));
    }

    fn adjust_multiplied(&mut self, bus: &mut Bus) {
        let base = self.fetch8(bus);
        self.adjust_after_multiply(bus, base);
    }

    fn adjust_divided(&mut self, bus: &Bus) {
        let base = self.fetch8(bus);
        self.adjust_before_divide(base);
    }

    fn translate(&mut self, bus: &Bus) {
        let offset = match self.is_wide_address {
            false => self.registers[BX].wrapping_add(self.al() as u16),
            true => {
                let sum = u32::register(self, BX).wrapping_add(self.al() as u32);
                self.limited(sum)
            }
        };
        self.set_al(bus.read8(FarPointer::new(self.data_segment(DS), offset)));
    }

    fn port_immediate<W: Word>(&mut self, bus: &mut Bus, opcode: u8) {
        let port = self.fetch8(bus) as u16;
        match opcode & 3 {
            0 => self.port_in::<u8>(bus, port),
            1 => self.port_in::<W>(bus, port),
            2 => self.port_out::<u8>(bus, port),
            _ => self.port_out::<W>(bus, port),
        }
    }
}
