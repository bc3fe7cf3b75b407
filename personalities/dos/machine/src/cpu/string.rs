//! String instructions, with their repeat prefixes.
//!
//! A repeated instruction runs to its end within one step, since 65,535 repetitions take well
//! under a millisecond. MOVS and STOS upwards work on whole slices where nothing wraps.

use super::operand::Operand;
use super::register::{CX, DI, DX, SI};
use super::segment::{DS, ES};
use super::{Cpu, Repeat};
use crate::{Bus, FarPointer};

impl Cpu {
    pub(super) fn move_string<W: Operand>(&mut self, bus: &mut Bus) {
        if self.repeat != Repeat::Once && self.move_block::<W>(bus) {
            return;
        }
        self.repeated(|cpu| {
            let value = W::load(bus, cpu.source());
            W::store(bus, cpu.destination(), value);
            cpu.advance::<W>(SI);
            cpu.advance::<W>(DI);
        });
    }

    pub(super) fn store_string<W: Operand>(&mut self, bus: &mut Bus) {
        let value = W::register(self, 0);
        if self.repeat != Repeat::Once && self.fill_block(bus, value) {
            return;
        }
        self.repeated(|cpu| {
            W::store(bus, cpu.destination(), value);
            cpu.advance::<W>(DI);
        });
    }

    pub(super) fn load_string<W: Operand>(&mut self, bus: &mut Bus) {
        self.repeated(|cpu| {
            let value = W::load(bus, cpu.source());
            W::set_register(cpu, 0, value);
            cpu.advance::<W>(SI);
        });
    }

    pub(super) fn compare_string<W: Operand>(&mut self, bus: &mut Bus) {
        self.repeated_while(|cpu| {
            let (a, b) = (W::load(bus, cpu.source()), W::load(bus, cpu.destination()));
            cpu.flags.sub(a, b);
            cpu.advance::<W>(SI);
            cpu.advance::<W>(DI);
        });
    }

    pub(super) fn scan_string<W: Operand>(&mut self, bus: &mut Bus) {
        let value = W::register(self, 0);
        self.repeated_while(|cpu| {
            let other = W::load(bus, cpu.destination());
            cpu.flags.sub(value, other);
            cpu.advance::<W>(DI);
        });
    }

    pub(super) fn input_string<W: Operand>(&mut self, bus: &mut Bus) {
        self.repeated(|cpu| {
            let value = W::port_in(bus, cpu.registers[DX]);
            cpu.attend(bus);
            W::store(bus, cpu.destination(), value);
            cpu.advance::<W>(DI);
        });
    }

    pub(super) fn output_string<W: Operand>(&mut self, bus: &mut Bus) {
        self.repeated(|cpu| {
            let value = W::load(bus, cpu.source());
            W::port_out(bus, cpu.registers[DX], value);
            cpu.attend(bus);
            cpu.advance::<W>(SI);
        });
    }

    fn source(&mut self) -> FarPointer {
        FarPointer::new(self.data_segment(DS), self.offset_in(SI))
    }

    fn destination(&mut self) -> FarPointer {
        FarPointer::new(self.segments[ES], self.offset_in(DI))
    }

    #[inline(always)]
    fn advance<W: Operand>(&mut self, register: usize) {
        let step = if self.flags.downwards() { W::BYTES.wrapping_neg() } else { W::BYTES };
        self.step_register(register, step);
    }

    /// Adds a step, sign-extended, to a register as wide as addresses are.
    fn step_register(&mut self, register: usize, step: u16) {
        if self.is_wide_address {
            let value = u32::register(self, register).wrapping_add(step as i16 as u32);
            u32::set_register(self, register, value);
        } else {
            self.registers[register] = self.registers[register].wrapping_add(step);
        }
    }

    /// Returns whether a repetition is left; none is where the session is to end.
    fn has_more(&self) -> bool {
        let wide = self.is_wide_address && self.upper[CX] != 0;
        (self.registers[CX] != 0 || wide) && self.exit.is_none()
    }

    fn repeated(&mut self, mut once: impl FnMut(&mut Cpu)) {
        if self.repeat == Repeat::Once {
            return once(self);
        }
        while self.has_more() {
            once(self);
            self.step_register(CX, u16::MAX);
        }
    }

    fn repeated_while(&mut self, mut once: impl FnMut(&mut Cpu)) {
        if self.repeat == Repeat::Once {
            return once(self);
        }
        let equal = self.repeat == Repeat::WhileEqual;
        while self.has_more() {
            once(self);
            self.step_register(CX, u16::MAX);
            if self.flags.zero() != equal {
                break;
            }
        }
    }

    /// Moves all repetitions at once, if the result is the same.
    fn move_block<W: Operand>(&mut self, bus: &mut Bus) -> bool {
        let bytes = self.registers[CX] as usize * W::BYTES as usize;
        let is_simple = !self.flags.downwards() && !self.is_wide_address;
        if !is_simple || !bus.copy_up(self.source(), self.destination(), bytes) {
            return false;
        }
        self.registers[SI] = self.registers[SI].wrapping_add(bytes as u16);
        self.registers[DI] = self.registers[DI].wrapping_add(bytes as u16);
        self.registers[CX] = 0;
        true
    }

    /// Stores all repetitions at once, if nothing wraps.
    fn fill_block<W: Operand>(&mut self, bus: &mut Bus, value: W) -> bool {
        let width = W::BYTES as usize;
        let bytes = self.registers[CX] as usize * width;
        if self.flags.downwards() || self.is_wide_address {
            return false;
        }
        let Some(block) = bus.slice_mut(self.destination(), bytes) else {
            return false;
        };
        let pattern = value.widen().to_le_bytes();
        for place in block.chunks_exact_mut(width) {
            place.copy_from_slice(&pattern[..width]);
        }
        self.registers[DI] = self.registers[DI].wrapping_add(bytes as u16);
        self.registers[CX] = 0;
        true
    }
}
