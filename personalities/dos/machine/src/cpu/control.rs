//! Prefixes, transfers of control, stack frames, and the groups of opcodes FE, FF, F6, F7, 80-83.

use super::operand::{ModRm, Operand, Place};
use super::register::{AX, BP, CX, SP};
use super::segment::{CS, SS};
use super::{Cpu, Exit, Flags, HOST_SEGMENT, MAX_PREFIXES, Repeat};
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
        let mut opcode = first;
        for _ in 0..MAX_PREFIXES {
            match opcode {
                0x26 | 0x2e | 0x36 | 0x3e => self.override_segment = Some(opcode >> 3 & 3),
                0xf2 => self.repeat = Repeat::WhileNotEqual,
                0xf3 => self.repeat = Repeat::WhileEqual,
                // LOCK and its alias: one processor, nothing to lock.
                0xf0 | 0xf1 => {}
                _ => {
                    self.execute_apart(bus, opcode);
                    self.override_segment = None;
                    self.repeat = Repeat::Once;
                    return;
                }
            }
            opcode = self.fetch8(bus);
        }
        self.override_segment = None;
        self.repeat = Repeat::Once;
        self.undefined(bus);
    }

    /// A second copy of the opcode table, for what follows prefixes.
    #[inline(never)]
    fn execute_apart(&mut self, bus: &mut Bus, opcode: u8) {
        self.execute(bus, opcode);
    }

    /// Raises interrupt 6 at the instruction's beginning.
    #[cold]
    pub(super) fn undefined(&mut self, bus: &mut Bus) {
        self.ip = self.start;
        self.interrupt(bus, UNDEFINED_OPCODE);
    }

    /// 0F: a host call in the BIOS segment, undefined elsewhere.
    #[cold]
    pub(super) fn host_call(&mut self, bus: &mut Bus) {
        if self.segments[CS] != HOST_SEGMENT {
            return self.undefined(bus);
        }
        let number = self.fetch8(bus);
        self.leave(Exit::HostCall(number));
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

    /// LOOP and its relatives: counts CX down.
    #[inline(always)]
    pub(super) fn loop_if(&mut self, bus: &Bus, condition: bool) {
        self.registers[CX] = self.registers[CX].wrapping_sub(1);
        self.jump_if(bus, condition && self.registers[CX] != 0);
    }

    pub(super) fn jump_near(&mut self, bus: &Bus) {
        let distance = self.fetch16(bus);
        self.ip = self.ip.wrapping_add(distance);
    }

    pub(super) fn call_near(&mut self, bus: &mut Bus) {
        let distance = self.fetch16(bus);
        let target = self.ip.wrapping_add(distance);
        self.call_to(bus, target);
    }

    pub(super) fn jump_far(&mut self, bus: &Bus) {
        let offset = self.fetch16(bus);
        let segment = self.fetch16(bus);
        self.jump(FarPointer { segment, offset });
    }

    pub(super) fn call_far(&mut self, bus: &mut Bus) {
        let offset = self.fetch16(bus);
        let segment = self.fetch16(bus);
        self.call_far_to(bus, FarPointer { segment, offset });
    }

    pub(super) fn return_near(&mut self, bus: &Bus, dropped: u16) {
        self.ip = self.pop(bus);
        self.registers[SP] = self.registers[SP].wrapping_add(dropped);
    }

    pub(super) fn return_far(&mut self, bus: &Bus, dropped: u16) {
        self.ip = self.pop(bus);
        self.segments[CS] = self.pop(bus);
        self.registers[SP] = self.registers[SP].wrapping_add(dropped);
    }

    pub(super) fn return_from_interrupt(&mut self, bus: &Bus) {
        self.return_far(bus, 0);
        self.pop_flags(bus);
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

    pub(super) fn pop_flags(&mut self, bus: &Bus) {
        let word = self.pop(bus);
        self.flags.set_word(word);
        if self.flags.trap() {
            // The next instruction is the first to be traced.
            self.leave_loop();
        }
    }

    pub(super) fn push_segment(&mut self, bus: &mut Bus, number: usize) {
        self.push(bus, self.segments[number]);
    }

    pub(super) fn pop_segment(&mut self, bus: &Bus, number: usize) {
        self.segments[number] = self.pop(bus);
        if number == SS {
            self.hold_interrupts();
        }
    }

    /// MOV r/m, segment register.
    pub(super) fn store_segment(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        self.store(bus, place, self.segments[modrm.reg() & 3]);
    }

    /// MOV segment register, r/m.
    pub(super) fn load_segment(&mut self, bus: &Bus) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        self.segments[modrm.reg() & 3] = self.load(bus, place);
        if modrm.reg() & 3 == SS {
            self.hold_interrupts();
        }
    }

    /// LES, LDS: a far pointer from memory.
    pub(super) fn load_far(&mut self, bus: &mut Bus, segment: usize) {
        let modrm = self.fetch_modrm(bus);
        let Place::Memory(at) = self.place(bus, modrm) else {
            return self.undefined(bus);
        };
        self.registers[modrm.reg()] = bus.read16(at);
        self.segments[segment] = bus.read16(at.add(2));
    }

    pub(super) fn load_effective_address(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        if modrm.is_register() {
            return self.undefined(bus);
        }
        self.registers[modrm.reg()] = self.address_offset(bus, modrm);
    }

    /// ESC: no coprocessor, so the operand is decoded and dropped.
    pub(super) fn escape(&mut self, bus: &Bus) {
        let modrm = self.fetch_modrm(bus);
        self.place(bus, modrm);
    }

    pub(super) fn move_immediate<W: Operand>(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let value = W::fetch(self, bus);
        self.store(bus, place, value);
    }

    pub(super) fn pop_operand(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let value = self.pop(bus);
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
    pub(super) fn word_group(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let value = self.load::<u16>(bus, place);
        match modrm.reg() {
            0 | 1 => self.test_immediate(bus, value),
            2 => self.store(bus, place, !value),
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
    pub(super) fn transfer_group(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        match modrm.reg() {
            0 => self.change::<u16>(bus, modrm, Flags::increment),
            1 => self.change::<u16>(bus, modrm, Flags::decrement),
            2 => {
                let target = self.transfer_target(bus, modrm);
                self.call_to(bus, target);
            }
            3 => match self.place(bus, modrm) {
                Place::Memory(at) => self.call_far_to(bus, bus.read_far(at)),
                Place::Register(_) => self.undefined(bus),
            },
            4 => self.ip = self.transfer_target(bus, modrm),
            5 => match self.place(bus, modrm) {
                Place::Memory(at) => self.jump(bus.read_far(at)),
                Place::Register(_) => self.undefined(bus),
            },
            _ => self.push_operand(bus, modrm),
        }
    }

    /// PUSHA (80186).
    pub(super) fn push_all(&mut self, bus: &mut Bus) {
        let sp = self.registers[SP];
        for number in 0..8 {
            let value = if number == SP { sp } else { self.registers[number] };
            self.push(bus, value);
        }
    }

    /// POPA (80186): SP is dropped.
    pub(super) fn pop_all(&mut self, bus: &Bus) {
        for number in (0..8).rev() {
            let value = self.pop(bus);
            if number != SP {
                self.registers[number] = value;
            }
        }
    }

    /// BOUND (80186).
    pub(super) fn bound(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        let Place::Memory(at) = self.place(bus, modrm) else {
            return self.undefined(bus);
        };
        let index = self.registers[modrm.reg()] as i16;
        if index < bus.read16(at) as i16 || index > bus.read16(at.add(2)) as i16 {
            self.ip = self.start;
            self.interrupt(bus, BOUND_RANGE);
        }
    }

    /// ENTER (80186).
    pub(super) fn enter(&mut self, bus: &mut Bus) {
        let bytes = self.fetch16(bus);
        let level = self.fetch8(bus) & 31;
        self.push(bus, self.registers[BP]);
        let frame = self.registers[SP];
        for nesting in 1..=level {
            let pointer = if nesting == level {
                frame
            } else {
                self.registers[BP] = self.registers[BP].wrapping_sub(2);
                bus.read16(FarPointer::new(self.segments[SS], self.registers[BP]))
            };
            self.push(bus, pointer);
        }
        self.registers[BP] = frame;
        self.registers[SP] = self.registers[SP].wrapping_sub(bytes);
    }

    /// LEAVE (80186).
    pub(super) fn leave_frame(&mut self, bus: &Bus) {
        self.registers[SP] = self.registers[BP];
        self.registers[BP] = self.pop(bus);
    }

    pub(super) fn port_in<W: Operand>(&mut self, bus: &mut Bus, port: u16) {
        let value = W::port_in(bus, port);
        W::set_register(self, 0, value);
    }

    pub(super) fn port_out<W: Operand>(&mut self, bus: &mut Bus, port: u16) {
        W::port_out(bus, port, W::register(self, 0));
    }

    pub(super) fn exchange_accumulator(&mut self, number: usize) {
        self.registers.swap(AX, number);
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

    fn transfer_target(&mut self, bus: &Bus, modrm: ModRm) -> u16 {
        let place = self.place(bus, modrm);
        self.load(bus, place)
    }

    /// PUSH r/m: of SP itself, the decremented value, as before the 80286.
    fn push_operand(&mut self, bus: &mut Bus, modrm: ModRm) {
        let place = self.place(bus, modrm);
        match place {
            Place::Register(SP) => self.push_stack_pointer(bus),
            place => {
                let value = self.load(bus, place);
                self.push(bus, value);
            }
        }
    }

    pub(super) fn push_stack_pointer(&mut self, bus: &mut Bus) {
        self.push(bus, self.registers[SP].wrapping_sub(2));
    }

    fn call_to(&mut self, bus: &mut Bus, target: u16) {
        self.push(bus, self.ip);
        self.ip = target;
    }

    fn call_far_to(&mut self, bus: &mut Bus, target: FarPointer) {
        self.push(bus, self.segments[CS]);
        self.push(bus, self.ip);
        self.jump(target);
    }
}
