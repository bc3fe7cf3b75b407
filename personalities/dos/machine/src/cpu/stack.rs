//! The stack: pushes and pops of words of either width, frames, flags, returns.

use super::operand::{ModRm, Place, Word};
use super::register::{BP, SP};
use super::segment::{CS, SS};
use super::{Cpu, Model};
use crate::{Bus, FarPointer};

impl Cpu {
    /// Pushes a word of the instruction's width.
    #[inline(always)]
    pub(super) fn push_word<W: Word>(&mut self, bus: &mut Bus, value: W) {
        self.registers[SP] = self.registers[SP].wrapping_sub(W::BYTES);
        W::store(bus, self.stack(), value);
    }

    /// Pops a word of the instruction's width.
    #[inline(always)]
    pub(super) fn pop_word<W: Word>(&mut self, bus: &Bus) -> W {
        let value = W::load(bus, self.stack());
        self.registers[SP] = self.registers[SP].wrapping_add(W::BYTES);
        value
    }

    #[inline(always)]
    pub(super) fn push_register<W: Word>(&mut self, bus: &mut Bus, number: usize) {
        self.push_word(bus, W::register(self, number));
    }

    #[inline(always)]
    pub(super) fn pop_register<W: Word>(&mut self, bus: &Bus, number: usize) {
        let value = self.pop_word::<W>(bus);
        W::set_register(self, number, value);
    }

    pub(super) fn push_immediate<W: Word>(
        &mut self,
        bus: &mut Bus,
        immediate: impl FnOnce(&mut Cpu, &Bus) -> W,
    ) {
        let value = immediate(self, bus);
        self.push_word(bus, value);
    }

    /// PUSH SP: before the 80286 the value that SP has afterwards.
    pub(super) fn push_stack_pointer<W: Word>(&mut self, bus: &mut Bus) {
        match self.model {
            Model::I8086 | Model::I80186 => {
                self.push(bus, self.registers[SP].wrapping_sub(2));
            }
            Model::I80286 | Model::I80386 => self.push_register::<W>(bus, SP),
        }
    }

    pub(super) fn push_operand<W: Word>(&mut self, bus: &mut Bus, modrm: ModRm) {
        match self.place(bus, modrm) {
            Place::Register(SP) => self.push_stack_pointer::<W>(bus),
            place => {
                let value = self.load::<W>(bus, place);
                self.push_word(bus, value);
            }
        }
    }

    /// POP r/m: an address that ESP is part of has the value that it has afterwards.
    pub(super) fn pop_operand<W: Word>(&mut self, bus: &mut Bus) {
        let modrm = self.fetch_modrm(bus);
        let value = self.pop_word::<W>(bus);
        let place = self.place(bus, modrm);
        self.store(bus, place, value);
    }

    pub(super) fn push_segment<W: Word>(&mut self, bus: &mut Bus, number: usize) {
        self.push_word(bus, W::from_word(self.segments[number]));
    }

    pub(super) fn pop_segment<W: Word>(&mut self, bus: &Bus, number: usize) {
        self.segments[number] = self.pop_word::<W>(bus).widen() as u16;
        if number == SS {
            self.hold_interrupts();
        }
    }

    pub(super) fn pop_flags<W: Word>(&mut self, bus: &Bus) {
        let word = self.pop_word::<W>(bus).widen() as u16;
        self.flags.set_word(word);
    }

    #[inline(always)]
    pub(super) fn return_near<W: Word>(&mut self, bus: &Bus, dropped: u16) {
        let offset = self.pop_word::<W>(bus);
        self.go_to(offset);
        self.registers[SP] = self.registers[SP].wrapping_add(dropped);
    }

    pub(super) fn return_near_dropping<W: Word>(&mut self, bus: &Bus) {
        let dropped = self.fetch16(bus);
        self.return_near::<W>(bus, dropped);
    }

    pub(super) fn return_far<W: Word>(&mut self, bus: &Bus, dropped: u16) {
        let (offset, segment) = (self.pop_word::<W>(bus), self.pop_word::<W>(bus));
        self.go_far(offset, segment.widen() as u16);
        self.registers[SP] = self.registers[SP].wrapping_add(dropped);
    }

    pub(super) fn return_far_dropping<W: Word>(&mut self, bus: &Bus) {
        let dropped = self.fetch16(bus);
        self.return_far::<W>(bus, dropped);
    }

    pub(super) fn return_from_interrupt<W: Word>(&mut self, bus: &Bus) {
        self.return_far::<W>(bus, 0);
        self.pop_flags::<W>(bus);
    }

    /// PUSHA (80186).
    pub(super) fn push_all<W: Word>(&mut self, bus: &mut Bus) {
        let before: [W; 8] = core::array::from_fn(|number| W::register(self, number));
        for value in before {
            self.push_word(bus, value);
        }
    }

    /// POPA (80186): SP is dropped.
    pub(super) fn pop_all<W: Word>(&mut self, bus: &Bus) {
        for number in (0..8).rev() {
            let value = self.pop_word::<W>(bus);
            if number != SP {
                W::set_register(self, number, value);
            }
        }
    }

    /// ENTER (80186).
    pub(super) fn enter<W: Word>(&mut self, bus: &mut Bus) {
        let bytes = self.fetch16(bus);
        let level = self.fetch8(bus) & 31;
        self.push_register::<W>(bus, BP);
        let frame = W::register(self, SP);
        for nesting in 1..=level {
            let pointer = if nesting == level {
                frame
            } else {
                self.registers[BP] = self.registers[BP].wrapping_sub(W::BYTES);
                W::load(bus, FarPointer::new(self.segments[SS], self.registers[BP]))
            };
            self.push_word(bus, pointer);
        }
        W::set_register(self, BP, frame);
        self.registers[SP] = self.registers[SP].wrapping_sub(bytes);
    }

    /// LEAVE (80186).
    pub(super) fn leave_frame<W: Word>(&mut self, bus: &Bus) {
        self.registers[SP] = self.registers[BP];
        self.pop_register::<W>(bus, BP);
    }

    /// POP CS: the 8086 alone has it.
    #[cold]
    pub(super) fn pop_code_segment(&mut self, bus: &Bus) {
        self.pop_segment::<u16>(bus, CS);
    }
}
