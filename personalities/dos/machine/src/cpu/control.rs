//! Prefixes, transfers of control, segment registers, and the groups of opcodes FE, FF, F6, F7,
//! 80-83.

use super::operand::{ModRm, Operand, Place, Word};
use super::register::CX;
use super::segment::{CS, DS, GS, SS};
use super::{Cpu, Exit, Flags, MAX_PREFIXES, Model, Repeat};
use crate::{Bus, FarPointer};

/// The interrupt of an undefined opcode (80186).
const UNDEFINED_OPCODE: u8 = 6;
/// The interrupt of BOUND.
const BOUND_RANGE: u8 = 5;
/// The interrupt of INTO.
const OVERFLOW: u8 = 4;

impl Cpu {
    /// Executes an instruction that begins with a prefix.
    #[cold]
    #[inline(never)]
    pub(super) fn prefixed(&mut self, bus: &mut Bus, first: u8) {
        let (mut opcode, mut is_wide) = (first, false);
        for _ in 0..MAX_PREFIXES {
            match opcode {
                0x26 | 0x2e | 0x36 | 0x3e => self.override_segment = Some(opcode >> 3 & 3),
                0x64 | 0x65 if self.model >= Model::I80386 => {
                    self.override_segment = Some(opcode - 0x60);
                }
                0x66 if self.model >= Model::I80386 => is_wide = true,
                0x67 if self.model >= Model::I80386 => self.is_wide_address = true,
                0xf2 => self.repeat = Repeat::WhileNotEqual,
                0xf3 => self.repeat = Repeat::WhileEqual,
                // LOCK and its alias: one processor, nothing to lock.
                0xf0 | 0xf1 => {}
                _ => {
                    match is_wide {
                        false => self.execute_apart::<u16>(bus, opcode),
                        true => self.execute_apart::<u32>(bus, opcode),
                    }
                    return self.forget_prefixes();
                }
            }
            opcode = self.fetch8(bus);
        }
        self.forget_prefixes();
        self.undefined(bus);
    }

    fn forget_prefixes(&mut self) {
        self.override_segment = None;
        self.is_wide_address = false;
        self.repeat = Repeat::Once;
    }

    /// Further copies of the opcode table, for what follows prefixes.
    #[inline(never)]
    pub(super) fn execute_apart<W: Word>(&mut self, bus: &mut Bus, opcode: u8) {
        self.execute::<W>(bus, opcode);
    }

    /// Raises interrupt 6 at the instruction's beginning; the 8086 goes on.
    #[cold]
    pub(super) fn undefined(&mut self, bus: &mut Bus) {
        if self.model != Model::I8086 {
            self.ip = self.start;
            self.interrupt(bus, UNDEFINED_OPCODE);
        }
    }

    #[cold]
    pub(super) fn halt(&mut self) {
        self.leave(Exit::Halt);
    }

    #[inline(always)]
    pub(super) fn jump_if(&mut self, bus: &Bus, condition: bool) {
        let distance = self.fetch_signed(bus);
        if condition {
            self.ip = self.ip.wrapping_add(distance);
        }
    }

    /// Jumps on the condition that an opcode's low four bits name (User's Manual table 3-11).
    pub(super) fn jump_on(&mut self, bus: &Bus, opcode: u8) {
        let condition = self.condition(opcode);
        self.jump_if(bus, condition);
    }

    /// Returns whether the condition holds that an opcode's low four bits name.
    #[inline(always)]
    pub(super) fn condition(&self, opcode: u8) -> bool {
        let flags = &self.flags;
        let holds = match opcode >> 1 & 7 {
            0 => flags.overflow(),
            1 => flags.carry(),
            2 => flags.zero(),
            3 => flags.carry() || flags.zero(),
            4 => flags.sign(),
            5 => flags.parity(),
            6 => flags.less(),
            _ => flags.less() || flags.zero(),
        };
        holds != (opcode & 1 != 0)
    }

    /// LOOP and its relatives: counts CX, or ECX where addresses are of 32 bits, down.
    #[inline(always)]
    pub(super) fn loop_if(&mut self, bus: &Bus, condition: bool) {
        let count = if self.is_wide_address {
            let count = self.count().wrapping_sub(1);
            u32::set_register(self, CX, count);
            count
        } else {
            self.registers[CX] = self.registers[CX].wrapping_sub(1);
            self.registers[CX].into()
        };
        self.jump_if(bus, condition && count != 0);
    }

    /// Returns CX, or ECX where addresses are of 32 bits.
    #[inline(always)]
    pub(super) fn count(&self) -> u32 {
        if self.is_wide_address { u32::register(self, CX) } else { self.registers[CX].into() }
    }

    /// Goes to an offset in the code segment.
    #[inline(always)]
    pub(super) fn go_to<W: Word>(&mut self, offset: W) {
        self.ip = if W::BITS == 16 { offset.widen() as u16 } else { self.limited(offset.widen()) };
    }

    /// Goes on by a distance; the sum is as wide as the distance.
    #[inline(always)]
    pub(super) fn go_by<W: Word>(&mut self, distance: W) {
        let sum = (self.ip as u32).wrapping_add(distance.widen());
        self.go_to(W::narrow(sum));
    }

    #[inline(always)]
    pub(super) fn jump_near<W: Word>(&mut self, bus: &Bus) {
        let distance = W::fetch(self, bus);
        self.go_by(distance);
    }

    #[inline(always)]
    pub(super) fn call_near<W: Word>(&mut self, bus: &mut Bus) {
        let distance = W::fetch(self, bus);
        self.push_word(bus, W::from_word(self.ip));
        self.go_by(distance);
    }

    pub(super) fn jump_far<W: Word>(&mut self, bus: &Bus) {
        let (offset, segment) = (W::fetch(self, bus), self.fetch16(bus));
        self.go_far(offset, segment);
    }

    pub(super) fn call_far<W: Word>(&mut self, bus: &mut Bus) {
        let (offset, segment) = (W::fetch(self, bus), self.fetch16(bus));
        self.call_far_to(bus, offset, segment);
    }

    pub(super) fn go_far<W: Word>(&mut self, offset: W, segment: u16) {
        self.segments[CS] = segment;
        self.go_to(offset);
    }

    /// Returns the far pointer at a place in memory.
    fn far_at<W: Word>(bus: &Bus, at: FarPointer) -> (W, u16) {
        (W::load(bus, at), bus.read16(at.add(W::BYTES)))
    }

    pub(super) fn interrupt_immediate(&mut self, bus: &mut Bus) {
        let vector = self.fetch8(bus);
        self.interrupt(bus, vector);
    }

    pub(super) fn interrupt_on_overflow(&mut self, bus: &mut Bus) {
        if self.flags.overflow() {
            self.interrupt(bus, OVERFLOW);
        }
    }

    /// MOV r/m, segment register: 16 bits in memory, zero-extended in a register.
    pub(super) fn store_segment<W: Word>(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let Some(number) = self.segment_number(modrm) else { return self.undefined(bus) };
        let value = self.segments[number];
        match place {
            Place::Register(register) => W::set_register(self, register, W::from_word(value)),
            Place::Memory(at) => bus.write16(at, value),
        }
    }

    /// MOV segment register, r/m.
    pub(super) fn load_segment(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let number = self.segment_number(modrm);
        let Some(number) = number.filter(|&number| number != CS || self.model == Model::I8086)
        else {
            return self.undefined(bus);
        };
        self.segments[number] = self.load(bus, place);
        if number == SS {
            self.hold_interrupts();
        }
    }

    /// Returns the segment register that a ModRM byte names, if the processor has it.
    fn segment_number(&self, modrm: ModRm) -> Option<usize> {
        let number = modrm.reg();
        match self.model {
            Model::I8086 | Model::I80186 => Some(number & 3),
            Model::I80286 => (number <= DS).then_some(number),
            Model::I80386 => (number <= GS).then_some(number),
        }
    }

    /// LES, LDS and their relatives: a far pointer from memory.
    pub(super) fn load_far<W: Word>(&mut self, bus: &mut Bus, segment: usize) {
        let modrm = self.fetch_modrm(bus);
        let Place::Memory(at) = self.place(bus, modrm) else {
            return self.undefined(bus);
        };
        let (offset, value) = Self::far_at::<W>(bus, at);
        W::set_register(self, modrm.reg(), offset);
        self.segments[segment] = value;
    }

    pub(super) fn load_effective_address<W: Word>(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        if modrm.is_register() {
            return self.undefined(bus);
        }
        let (offset, _) = self.whole_address(bus, modrm);
        W::set_register(self, modrm.reg(), W::narrow(offset));
    }

    pub(super) fn move_immediate<W: Operand>(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let value = W::fetch(self, bus);
        self.store(bus, place, value);
    }

    /// Opcodes 80 to 83: r/m ← operation(r/m, immediate).
    #[inline(always)]
    pub(super) fn immediate_group<W: Operand>(
        &mut self,
        bus: &mut Bus,
        immediate: impl FnOnce(&mut Cpu, &Bus) -> W,
    ) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let operand = immediate(self, bus);
        let value = self.load::<W>(bus, place);
        let flags = &mut self.flags;
        let result = match modrm.reg() {
            0 => flags.add(value, operand),
            1 => flags.or(value, operand),
            2 => flags.adc(value, operand),
            3 => flags.sbb(value, operand),
            4 => flags.and(value, operand),
            5 => flags.sub(value, operand),
            6 => flags.xor(value, operand),
            _ => {
                flags.sub(value, operand);
                return;
            }
        };
        self.store(bus, place, result);
    }

    /// Opcode F6.
    pub(super) fn byte_group(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let value = self.load::<u8>(bus, place);
        match modrm.reg() {
            0 | 1 => self.test_immediate(bus, value),
            2 => self.store(bus, place, !value),
            3 => self.negate(bus, place, value),
            4 => self.multiply_byte(value),
            5 => self.multiply_signed_byte(value),
            6 => self.divide_byte(bus, value),
            _ => self.divide_signed_byte(bus, value),
        }
    }

    /// Opcode F7.
    pub(super) fn word_group<W: Word>(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let value = self.load::<W>(bus, place);
        match modrm.reg() {
            0 | 1 => self.test_immediate(bus, value),
            2 => self.store(bus, place, W::narrow(!value.widen())),
            3 => self.negate(bus, place, value),
            4 => self.multiply_word(value),
            5 => self.multiply_signed_word(value),
            6 => self.divide_word(bus, value),
            _ => self.divide_signed_word(bus, value),
        }
    }

    /// Opcode FE: INC and DEC of a byte.
    pub(super) fn increment_group(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        match modrm.reg() {
            0 => self.change::<u8>(bus, modrm, Flags::increment),
            1 => self.change::<u8>(bus, modrm, Flags::decrement),
            _ => self.undefined(bus),
        }
    }

    /// Opcode FF: INC, DEC, CALL, JMP and PUSH of a word.
    pub(super) fn transfer_group<W: Word>(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        match modrm.reg() {
            0 => self.change::<W>(bus, modrm, Flags::increment),
            1 => self.change::<W>(bus, modrm, Flags::decrement),
            2 => {
                let target = self.operand::<W>(bus, modrm);
                self.push_word(bus, W::from_word(self.ip));
                self.go_to(target);
            }
            4 => {
                let target = self.operand::<W>(bus, modrm);
                self.go_to(target);
            }
            3 | 5 => {
                let Place::Memory(at) = self.place(bus, modrm) else {
                    return self.undefined(bus);
                };
                let (offset, segment) = Self::far_at::<W>(bus, at);
                match modrm.reg() {
                    3 => self.call_far_to(bus, offset, segment),
                    _ => self.go_far(offset, segment),
                }
            }
            7 if self.model != Model::I8086 => self.undefined(bus),
            _ => self.push_operand::<W>(bus, modrm),
        }
    }

    /// BOUND (80186).
    pub(super) fn bound<W: Word>(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        let Place::Memory(at) = self.place(bus, modrm) else {
            return self.undefined(bus);
        };
        let signed = |value: W| value.sign_extend() as i32;
        let index = signed(W::register(self, modrm.reg()));
        let bounds = [at, at.add(W::BYTES)].map(|at| signed(W::load(bus, at)));
        if index < bounds[0] || index > bounds[1] {
            self.ip = self.start;
            self.interrupt(bus, BOUND_RANGE);
        }
    }

    pub(super) fn port_in<W: Operand>(&mut self, bus: &mut Bus, port: u16) {
        let value = W::port_in(bus, port);
        W::set_register(self, 0, value);
        self.attend(bus);
    }

    pub(super) fn port_out<W: Operand>(&mut self, bus: &mut Bus, port: u16) {
        W::port_out(bus, port, W::register(self, 0));
        self.attend(bus);
    }

    /// Stops after this instruction where a device's state has to be looked at.
    pub(super) fn attend(&mut self, bus: &mut Bus) {
        if bus.wants_attention() {
            self.leave(Exit::Budget);
        }
    }

    fn test_immediate<W: Operand>(&mut self, bus: &Bus, value: W) {
        let operand = W::fetch(self, bus);
        self.flags.and(value, operand);
    }

    fn negate<W: Operand>(&mut self, bus: &mut Bus, place: Place, value: W) {
        let result = self.flags.sub(W::narrow(0), value);
        self.store(bus, place, result);
    }

    fn change<W: Operand>(
        &mut self,
        bus: &mut Bus,
        modrm: ModRm,
        operation: impl FnOnce(&mut Flags, W) -> W,
    ) {
        let place = self.place(bus, modrm);
        let value = self.load(bus, place);
        let result = operation(&mut self.flags, value);
        self.store(bus, place, result);
    }

    /// Returns the r/m operand.
    pub(super) fn operand<W: Word>(&mut self, bus: &Bus, modrm: ModRm) -> W {
        let place = self.place(bus, modrm);
        self.load(bus, place)
    }

    fn call_far_to<W: Word>(&mut self, bus: &mut Bus, offset: W, segment: u16) {
        self.push_word(bus, W::from_word(self.segments[CS]));
        self.push_word(bus, W::from_word(self.ip));
        self.go_far(offset, segment);
    }
}
