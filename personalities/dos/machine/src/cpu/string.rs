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
            cpu.flags.sub(value, W::load(bus, cpu.destination()));
            cpu.advance::<W>(DI);
        });
    }

    pub(super) fn input_string<W: Operand>(&mut self, bus: &mut Bus) {
        self.repeated(|cpu| {
            let value = W::port_in(bus, cpu.registers[DX]);
            W::store(bus, cpu.destination(), value);
            cpu.advance::<W>(DI);
        });
    }

    pub(super) fn output_string<W: Operand>(&mut self, bus: &mut Bus) {
        self.repeated(|cpu| {
            let value = W::load(bus, cpu.source());
            W::port_out(bus, cpu.registers[DX], value);
            cpu.advance::<W>(SI);
        });
    }

    fn source(&self) -> FarPointer {
        FarPointer::new(self.data_segment(DS), self.registers[SI])
    }

    fn destination(&self) -> FarPointer {
        FarPointer::new(self.segments[ES], self.registers[DI])
    }

    #[inline(always)]
    fn advance<W: Operand>(&mut self, register: usize) {
        let bytes = (W::BITS / 8) as u16;
        let step = if self.flags.downwards() { bytes.wrapping_neg() } else { bytes };
        self.registers[register] = self.registers[register].wrapping_add(step);
    }

    fn repeated(&mut self, mut once: impl FnMut(&mut Cpu)) {
        if self.repeat == Repeat::Once {
            return once(self);
        }
        while self.registers[CX] != 0 {
            once(self);
            self.registers[CX] -= 1;
        }
    }

    fn repeated_while(&mut self, mut once: impl FnMut(&mut Cpu)) {
        if self.repeat == Repeat::Once {
            return once(self);
        }
        let equal = self.repeat == Repeat::WhileEqual;
        while self.registers[CX] != 0 {
            once(self);
            self.registers[CX] -= 1;
            if self.flags.zero() != equal {
                break;
            }
        }
    }

    /// Moves all repetitions at once, if the result is the same.
    fn move_block<W: Operand>(&mut self, bus: &mut Bus) -> bool {
        let bytes = self.registers[CX] as usize * (W::BITS / 8) as usize;
        if self.flags.downwards() || !bus.copy_up(self.source(), self.destination(), bytes) {
            return false;
        }
        self.registers[SI] = self.registers[SI].wrapping_add(bytes as u16);
        self.registers[DI] = self.registers[DI].wrapping_add(bytes as u16);
        self.registers[CX] = 0;
        true
    }

    /// Stores all repetitions at once, if nothing wraps.
    fn fill_block<W: Operand>(&mut self, bus: &mut Bus, value: W) -> bool {
        let width = (W::BITS / 8) as usize;
        let bytes = self.registers[CX] as usize * width;
        if self.flags.downwards() {
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
