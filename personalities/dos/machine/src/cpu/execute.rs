//! The opcode table: what each first byte does.
//!
//! One line each, in the order of the encoding (Intel iAPX 86/88, 186/188 User's Manual 3.4,
//! table 3-11, and the 80186's additions in 3.3). The work is done by the neighbours.

use super::operand::Operand;
use super::register::{AX, BP, BX, CX, DI, DX, SI, SP};
use super::segment::{CS, DS, ES, SS};
use super::{Cpu, Flags, bit};
use crate::{Bus, FarPointer};

impl Cpu {
    /// Executes one instruction whose first byte was fetched.
    #[inline(always)]
    pub(super) fn execute(&mut self, bus: &mut Bus, opcode: u8) {
        match opcode {
            0x00 => self.rm_reg::<u8>(bus, Flags::add),
            0x01 => self.rm_reg::<u16>(bus, Flags::add),
            0x02 => self.reg_rm::<u8>(bus, Flags::add),
            0x03 => self.reg_rm::<u16>(bus, Flags::add),
            0x04 => self.accumulator::<u8>(bus, Flags::add),
            0x05 => self.accumulator::<u16>(bus, Flags::add),
            0x06 => self.push_segment(bus, ES),
            0x07 => self.pop_segment(bus, ES),
            0x08 => self.rm_reg::<u8>(bus, Flags::or),
            0x09 => self.rm_reg::<u16>(bus, Flags::or),
            0x0a => self.reg_rm::<u8>(bus, Flags::or),
            0x0b => self.reg_rm::<u16>(bus, Flags::or),
            0x0c => self.accumulator::<u8>(bus, Flags::or),
            0x0d => self.accumulator::<u16>(bus, Flags::or),
            0x0e => self.push_segment(bus, CS),
            0x0f => self.host_call(bus),
            0x10 => self.rm_reg::<u8>(bus, Flags::adc),
            0x11 => self.rm_reg::<u16>(bus, Flags::adc),
            0x12 => self.reg_rm::<u8>(bus, Flags::adc),
            0x13 => self.reg_rm::<u16>(bus, Flags::adc),
            0x14 => self.accumulator::<u8>(bus, Flags::adc),
            0x15 => self.accumulator::<u16>(bus, Flags::adc),
            0x16 => self.push_segment(bus, SS),
            0x17 => self.pop_segment(bus, SS),
            0x18 => self.rm_reg::<u8>(bus, Flags::sbb),
            0x19 => self.rm_reg::<u16>(bus, Flags::sbb),
            0x1a => self.reg_rm::<u8>(bus, Flags::sbb),
            0x1b => self.reg_rm::<u16>(bus, Flags::sbb),
            0x1c => self.accumulator::<u8>(bus, Flags::sbb),
            0x1d => self.accumulator::<u16>(bus, Flags::sbb),
            0x1e => self.push_segment(bus, DS),
            0x1f => self.pop_segment(bus, DS),
            0x20 => self.rm_reg::<u8>(bus, Flags::and),
            0x21 => self.rm_reg::<u16>(bus, Flags::and),
            0x22 => self.reg_rm::<u8>(bus, Flags::and),
            0x23 => self.reg_rm::<u16>(bus, Flags::and),
            0x24 => self.accumulator::<u8>(bus, Flags::and),
            0x25 => self.accumulator::<u16>(bus, Flags::and),
            0x26 => self.prefixed(bus, opcode),
            0x27 => self.decimal_adjust(u8::wrapping_add),
            0x28 => self.rm_reg::<u8>(bus, Flags::sub),
            0x29 => self.rm_reg::<u16>(bus, Flags::sub),
            0x2a => self.reg_rm::<u8>(bus, Flags::sub),
            0x2b => self.reg_rm::<u16>(bus, Flags::sub),
            0x2c => self.accumulator::<u8>(bus, Flags::sub),
            0x2d => self.accumulator::<u16>(bus, Flags::sub),
            0x2e => self.prefixed(bus, opcode),
            0x2f => self.decimal_adjust(u8::wrapping_sub),
            0x30 => self.rm_reg::<u8>(bus, Flags::xor),
            0x31 => self.rm_reg::<u16>(bus, Flags::xor),
            0x32 => self.reg_rm::<u8>(bus, Flags::xor),
            0x33 => self.reg_rm::<u16>(bus, Flags::xor),
            0x34 => self.accumulator::<u8>(bus, Flags::xor),
            0x35 => self.accumulator::<u16>(bus, Flags::xor),
            0x36 => self.prefixed(bus, opcode),
            0x37 => self.ascii_adjust(u8::wrapping_add),
            0x38 => self.compare_rm_reg::<u8>(bus, Flags::sub),
            0x39 => self.compare_rm_reg::<u16>(bus, Flags::sub),
            0x3a => self.compare_reg_rm::<u8>(bus, Flags::sub),
            0x3b => self.compare_reg_rm::<u16>(bus, Flags::sub),
            0x3c => self.compare_accumulator::<u8>(bus, Flags::sub),
            0x3d => self.compare_accumulator::<u16>(bus, Flags::sub),
            0x3e => self.prefixed(bus, opcode),
            0x3f => self.ascii_adjust(u8::wrapping_sub),
            0x40 => self.increment_register(AX),
            0x41 => self.increment_register(CX),
            0x42 => self.increment_register(DX),
            0x43 => self.increment_register(BX),
            0x44 => self.increment_register(SP),
            0x45 => self.increment_register(BP),
            0x46 => self.increment_register(SI),
            0x47 => self.increment_register(DI),
            0x48 => self.decrement_register(AX),
            0x49 => self.decrement_register(CX),
            0x4a => self.decrement_register(DX),
            0x4b => self.decrement_register(BX),
            0x4c => self.decrement_register(SP),
            0x4d => self.decrement_register(BP),
            0x4e => self.decrement_register(SI),
            0x4f => self.decrement_register(DI),
            0x50 => self.push_register(bus, AX),
            0x51 => self.push_register(bus, CX),
            0x52 => self.push_register(bus, DX),
            0x53 => self.push_register(bus, BX),
            0x54 => self.push_stack_pointer(bus),
            0x55 => self.push_register(bus, BP),
            0x56 => self.push_register(bus, SI),
            0x57 => self.push_register(bus, DI),
            0x58 => self.pop_register(bus, AX),
            0x59 => self.pop_register(bus, CX),
            0x5a => self.pop_register(bus, DX),
            0x5b => self.pop_register(bus, BX),
            0x5c => self.pop_register(bus, SP),
            0x5d => self.pop_register(bus, BP),
            0x5e => self.pop_register(bus, SI),
            0x5f => self.pop_register(bus, DI),
            0x60 => self.push_all(bus),
            0x61 => self.pop_all(bus),
            0x62 => self.bound(bus),
            0x63..=0x67 => self.undefined(bus),
            0x68 => self.push_immediate(bus, Cpu::fetch16),
            0x69 => self.multiply_immediate(bus, Cpu::fetch16),
            0x6a => self.push_immediate(bus, Cpu::fetch_signed),
            0x6b => self.multiply_immediate(bus, Cpu::fetch_signed),
            0x6c => self.input_string::<u8>(bus),
            0x6d => self.input_string::<u16>(bus),
            0x6e => self.output_string::<u8>(bus),
            0x6f => self.output_string::<u16>(bus),
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
            0x81 => self.immediate_group::<u16>(bus, Cpu::fetch16),
            0x83 => self.immediate_group::<u16>(bus, Cpu::fetch_signed),
            0x84 => self.compare_rm_reg::<u8>(bus, Flags::and),
            0x85 => self.compare_rm_reg::<u16>(bus, Flags::and),
            0x86 => self.exchange::<u8>(bus),
            0x87 => self.exchange::<u16>(bus),
            0x88 => self.move_to_rm::<u8>(bus),
            0x89 => self.move_to_rm::<u16>(bus),
            0x8a => self.reg_rm::<u8>(bus, |_, _, value| value),
            0x8b => self.reg_rm::<u16>(bus, |_, _, value| value),
            0x8c => self.store_segment(bus),
            0x8d => self.load_effective_address(bus),
            0x8e => self.load_segment(bus),
            0x8f => self.pop_operand(bus),
            0x90 => {}
            0x91 => self.exchange_accumulator(CX),
            0x92 => self.exchange_accumulator(DX),
            0x93 => self.exchange_accumulator(BX),
            0x94 => self.exchange_accumulator(SP),
            0x95 => self.exchange_accumulator(BP),
            0x96 => self.exchange_accumulator(SI),
            0x97 => self.exchange_accumulator(DI),
            0x98 => self.registers[AX] = self.al() as i8 as u16,
            0x99 => self.registers[DX] = (self.registers[AX] as i16 >> 15) as u16,
            0x9a => self.call_far(bus),
            0x9b => {}
            0x9c => self.push(bus, self.flags.word()),
            0x9d => self.pop_flags(bus),
            0x9e => self.flags.set_low_byte(self.ah()),
            0x9f => self.set_ah(self.flags.word() as u8),
            0xa0 => self.load_direct::<u8>(bus),
            0xa1 => self.load_direct::<u16>(bus),
            0xa2 => self.store_direct::<u8>(bus),
            0xa3 => self.store_direct::<u16>(bus),
            0xa4 => self.move_string::<u8>(bus),
            0xa5 => self.move_string::<u16>(bus),
            0xa6 => self.compare_string::<u8>(bus),
            0xa7 => self.compare_string::<u16>(bus),
            0xa8 => self.compare_accumulator::<u8>(bus, Flags::and),
            0xa9 => self.compare_accumulator::<u16>(bus, Flags::and),
            0xaa => self.store_string::<u8>(bus),
            0xab => self.store_string::<u16>(bus),
            0xac => self.load_string::<u8>(bus),
            0xad => self.load_string::<u16>(bus),
            0xae => self.scan_string::<u8>(bus),
            0xaf => self.scan_string::<u16>(bus),
            0xb0..=0xb7 => self.load_immediate::<u8>(bus, opcode),
            0xb8..=0xbf => self.load_immediate::<u16>(bus, opcode),
            0xc0 => self.shift::<u8>(bus, Cpu::fetch8),
            0xc1 => self.shift::<u16>(bus, Cpu::fetch8),
            0xc2 => self.return_near_dropping(bus),
            0xc3 => self.return_near(bus, 0),
            0xc4 => self.load_far(bus, ES),
            0xc5 => self.load_far(bus, DS),
            0xc6 => self.move_immediate::<u8>(bus),
            0xc7 => self.move_immediate::<u16>(bus),
            0xc8 => self.enter(bus),
            0xc9 => self.leave_frame(bus),
            0xca => self.return_far_dropping(bus),
            0xcb => self.return_far(bus, 0),
            0xcc => self.interrupt(bus, 3),
            0xcd => self.interrupt_immediate(bus),
            0xce => self.interrupt_on_overflow(bus),
            0xcf => self.return_from_interrupt(bus),
            0xd0 => self.shift::<u8>(bus, |_, _| 1),
            0xd1 => self.shift::<u16>(bus, |_, _| 1),
            0xd2 => self.shift::<u8>(bus, |cpu, _| cpu.registers[CX] as u8),
            0xd3 => self.shift::<u16>(bus, |cpu, _| cpu.registers[CX] as u8),
            0xd4 => self.adjust_multiplied(bus),
            0xd5 => self.adjust_divided(bus),
            0xd6 => self.set_al(if self.flags.carry() { 0xff } else { 0 }),
            0xd7 => self.translate(bus),
            0xd8..=0xdf => self.escape(bus),
            0xe0 => self.loop_if(bus, !self.flags.zero()),
            0xe1 => self.loop_if(bus, self.flags.zero()),
            0xe2 => self.loop_if(bus, true),
            0xe3 => self.jump_if(bus, self.registers[CX] == 0),
            0xe4..=0xe7 => self.port_immediate(bus, opcode),
            0xe8 => self.call_near(bus),
            0xe9 => self.jump_near(bus),
            0xea => self.jump_far(bus),
            0xeb => self.jump_if(bus, true),
            0xec => self.port_in::<u8>(bus, self.registers[DX]),
            0xed => self.port_in::<u16>(bus, self.registers[DX]),
            0xee => self.port_out::<u8>(bus, self.registers[DX]),
            0xef => self.port_out::<u16>(bus, self.registers[DX]),
            0xf0..=0xf3 => self.prefixed(bus, opcode),
            0xf4 => self.halt(),
            0xf5 => self.flags.set_carry(!self.flags.carry()),
            0xf6 => self.byte_group(bus),
            0xf7 => self.word_group(bus),
            0xf8 => self.flags.set_carry(false),
            0xf9 => self.flags.set_carry(true),
            0xfa => self.flags.clear_control(bit::INTERRUPT),
            0xfb => self.flags.set_control(bit::INTERRUPT),
            0xfc => self.flags.clear_control(bit::DIRECTION),
            0xfd => self.flags.set_control(bit::DIRECTION),
            0xfe => self.increment_group(bus),
            0xff => self.transfer_group(bus),
        }
    }

    #[inline(always)]
    fn increment_register(&mut self, number: usize) {
        self.registers[number] = self.flags.increment(self.registers[number]);
    }

    #[inline(always)]
    fn decrement_register(&mut self, number: usize) {
        self.registers[number] = self.flags.decrement(self.registers[number]);
    }

    #[inline(always)]
    fn push_register(&mut self, bus: &mut Bus, number: usize) {
        self.push(bus, self.registers[number]);
    }

    #[inline(always)]
    fn pop_register(&mut self, bus: &Bus, number: usize) {
        self.registers[number] = self.pop(bus);
    }

    fn push_immediate(&mut self, bus: &mut Bus, immediate: fn(&mut Cpu, &Bus) -> u16) {
        let value = immediate(self, bus);
        self.push(bus, value);
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
        let offset = self.fetch16(bus);
        FarPointer::new(self.data_segment(DS), offset)
    }

    fn return_near_dropping(&mut self, bus: &Bus) {
        let dropped = self.fetch16(bus);
        self.return_near(bus, dropped);
    }

    fn return_far_dropping(&mut self, bus: &Bus) {
        let dropped = self.fetch16(bus);
        self.return_far(bus, dropped);
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
        let offset = self.registers[BX].wrapping_add(self.al() as u16);
        self.set_al(bus.read8(FarPointer::new(self.data_segment(DS), offset)));
    }

    fn port_immediate(&mut self, bus: &mut Bus, opcode: u8) {
        let port = self.fetch8(bus) as u16;
        match opcode & 3 {
            0 => self.port_in::<u8>(bus, port),
            1 => self.port_in::<u16>(bus, port),
            2 => self.port_out::<u8>(bus, port),
            _ => self.port_out::<u16>(bus, port),
        }
    }
}
