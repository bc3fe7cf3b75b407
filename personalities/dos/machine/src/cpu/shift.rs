//! Shifts and rotates: opcodes C0, C1, D0 to D3.
//!
//! Counts are taken modulo 32 since the 80186. A count of 0 changes nothing, flags included.
//! OF after a shift by more than one is undefined in the manuals; here it follows the last step,
//! as the processor's microcode does.

use super::flags::Width;
use super::operand::Operand;
use super::{Cpu, Flags, Model};
use crate::Bus;

/// Counts are taken modulo this (User's Manual 3.2, 80186).
pub(super) const COUNT_MASK: u8 = 31;
/// What nothing of an operand outlasts, and 64 bits do.
const SHIFT_MAX: u8 = 33;

impl Cpu {
    /// r/m ← r/m shifted by a count, as the ModRM byte's `reg` says.
    pub(super) fn shift<W: Operand>(
        &mut self,
        bus: &mut Bus,
        count: impl FnOnce(&mut Cpu, &Bus) -> u8,
    ) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let count = count(self, bus);
        let count = self.shift_count(count);
        if count == 0 {
            return;
        }
        let value = self.load::<W>(bus, place);
        let result = self.shifted(value, modrm.reg(), count);
        self.store(bus, place, result);
    }

    /// Returns a value shifted by a count that is not 0, in the way that `reg` says.
    #[inline(always)]
    pub(super) fn shifted<W: Operand>(&mut self, value: W, reg: usize, count: u8) -> W {
        let flags = &mut self.flags;
        match reg {
            0 => flags.rotate_left(value, count),
            1 => flags.rotate_right(value, count),
            2 => flags.rotate_left_through_carry(value, count),
            3 => flags.rotate_right_through_carry(value, count),
            5 => flags.shift_right(value, count),
            7 => flags.shift_right_signed(value, count),
            6 if self.model == Model::I8086 => flags.or(value, W::narrow(u32::MAX)),
            // 6 is an alias of 4 since the 80186.
            _ => flags.shift_left(value, count),
        }
    }

    /// Returns a shift's count as the processor takes it.
    #[inline(always)]
    pub(super) fn shift_count(&self, count: u8) -> u8 {
        if self.model == Model::I8086 { count } else { count & COUNT_MASK }
    }
}

pub(super) fn top<W: Width>(value: W) -> bool {
    value.widen() >> (W::BITS - 1) & 1 != 0
}

fn second<W: Width>(value: W) -> bool {
    value.widen() >> (W::BITS - 2) & 1 != 0
}

impl Flags {
    fn rotate_left<W: Width>(&mut self, value: W, count: u8) -> W {
        let count = count as u32 % W::BITS;
        let wide = value.widen();
        let result = W::narrow(wide << count | wide >> ((W::BITS - count) % W::BITS));
        let carry = result.widen() & 1 != 0;
        self.set_carry_overflow(carry, carry != top(result));
        result
    }

    fn rotate_right<W: Width>(&mut self, value: W, count: u8) -> W {
        let count = count as u32 % W::BITS;
        let wide = value.widen();
        let result = W::narrow(wide >> count | wide << ((W::BITS - count) % W::BITS));
        self.set_carry_overflow(top(result), top(result) != second(result));
        result
    }

    fn rotate_left_through_carry<W: Width>(&mut self, value: W, count: u8) -> W {
        let ring = W::BITS + 1;
        let count = count as u32 % ring;
        let wide = (value.widen() as u64) | (self.carry() as u64) << W::BITS;
        let rotated = wide << count | wide >> (ring - count);
        let result = W::narrow(rotated as u32);
        let carry = rotated >> W::BITS & 1 != 0;
        self.set_carry_overflow(carry, carry != top(result));
        result
    }

    fn rotate_right_through_carry<W: Width>(&mut self, value: W, count: u8) -> W {
        let ring = W::BITS + 1;
        let count = count as u32 % ring;
        let wide = (value.widen() as u64) | (self.carry() as u64) << W::BITS;
        let rotated = wide >> count | wide << (ring - count);
        let result = W::narrow(rotated as u32);
        let carry = rotated >> W::BITS & 1 != 0;
        self.set_carry_overflow(carry, top(result) != second(result));
        result
    }

    fn shift_left<W: Width>(&mut self, value: W, count: u8) -> W {
        let shifted = (value.widen() as u64) << count.min(SHIFT_MAX);
        let result = W::narrow(shifted as u32);
        let carry = shifted >> W::BITS & 1 != 0;
        self.logic_result(result, carry, carry != top(result));
        // As for an addition of the value to itself.
        self.set_auxiliary(shifted >> 4 & 1 != 0);
        result
    }

    fn shift_right<W: Width>(&mut self, value: W, count: u8) -> W {
        let before = value.widen() as u64 >> (count - 1).min(SHIFT_MAX);
        let result = W::narrow((before >> 1) as u32);
        self.logic_result(result, before & 1 != 0, top(W::narrow(before as u32)));
        result
    }

    fn shift_right_signed<W: Width>(&mut self, value: W, count: u8) -> W {
        let before = value.sign_extend() as i32 >> (count - 1).min(31);
        let result = W::narrow((before >> 1) as u32);
        self.logic_result(result, before & 1 != 0, false);
        result
    }

    pub(super) fn logic_result<W: Width>(&mut self, result: W, carry: bool, overflow: bool) {
        self.set_result(result);
        self.set_auxiliary(false);
        self.set_carry_overflow(carry, overflow);
    }
}
