//! Multiplication, division and decimal adjustment.
//!
//! Flags that the manuals leave undefined are not modelled, except where software is known to
//! look (none so far). A division whose quotient does not fit raises interrupt 0, with the
//! address of the next instruction as up to the 80186.

use super::Cpu;
use super::flags::Width;
use super::register::{AX, DX};
use crate::Bus;

/// The interrupt of a division by zero or with too large a quotient.
const DIVIDE_ERROR: u8 = 0;

impl Cpu {
    pub(super) fn multiply_byte(&mut self, operand: u8) {
        let product = self.al() as u16 * operand as u16;
        self.registers[AX] = product;
        self.set_product_flags(product as u8, product >> 8 != 0);
    }

    pub(super) fn multiply_word(&mut self, operand: u16) {
        let product = self.registers[AX] as u32 * operand as u32;
        self.set_wide_product(product);
        self.set_product_flags(product as u16, product >> 16 != 0);
    }

    pub(super) fn multiply_signed_byte(&mut self, operand: u8) {
        let product = (self.al() as i8 as i16) * (operand as i8 as i16);
        self.registers[AX] = product as u16;
        self.set_product_flags(product as u8, product != product as i8 as i16);
    }

    pub(super) fn multiply_signed_word(&mut self, operand: u16) {
        let product = (self.registers[AX] as i16 as i32) * (operand as i16 as i32);
        self.set_wide_product(product as u32);
        self.set_product_flags(product as u16, product != product as i16 as i32);
    }

    /// reg ← r/m × immediate (80186).
    pub(super) fn multiply_immediate(
        &mut self,
        bus: &Bus,
        immediate: impl FnOnce(&mut Cpu, &Bus) -> u16,
    ) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let operand = self.load::<u16>(bus, place) as i16 as i32;
        let product = operand * (immediate(self, bus) as i16 as i32);
        self.registers[modrm.reg()] = product as u16;
        self.set_product_flags(product as u16, product != product as i16 as i32);
    }

    pub(super) fn divide_byte(&mut self, bus: &mut Bus, divisor: u8) {
        let dividend = self.registers[AX];
        match (dividend.checked_div(divisor as u16), divisor) {
            (Some(quotient @ 0..=0xff), divisor) => {
                self.set_al(quotient as u8);
                self.set_ah((dividend % divisor as u16) as u8);
            }
            _ => self.interrupt(bus, DIVIDE_ERROR),
        }
    }

    pub(super) fn divide_word(&mut self, bus: &mut Bus, divisor: u16) {
        let dividend = self.wide_accumulator();
        match dividend.checked_div(divisor as u32) {
            Some(quotient @ 0..=0xffff) => {
                self.registers[AX] = quotient as u16;
                self.registers[DX] = (dividend % divisor as u32) as u16;
            }
            _ => self.interrupt(bus, DIVIDE_ERROR),
        }
    }

    pub(super) fn divide_signed_byte(&mut self, bus: &mut Bus, divisor: u8) {
        let dividend = self.registers[AX] as i16 as i32;
        let divisor = divisor as i8 as i32;
        match dividend.checked_div(divisor) {
            Some(quotient @ -0x7f..=0x7f) => {
                self.set_al(quotient as u8);
                self.set_ah((dividend % divisor) as u8);
            }
            _ => self.interrupt(bus, DIVIDE_ERROR),
        }
    }

    pub(super) fn divide_signed_word(&mut self, bus: &mut Bus, divisor: u16) {
        let dividend = self.wide_accumulator() as i32 as i64;
        let divisor = divisor as i16 as i64;
        match dividend.checked_div(divisor) {
            Some(quotient @ -0x7fff..=0x7fff) => {
                self.registers[AX] = quotient as u16;
                self.registers[DX] = (dividend % divisor) as u16;
            }
            _ => self.interrupt(bus, DIVIDE_ERROR),
        }
    }

    /// AAM: splits AL in a base.
    pub(super) fn adjust_after_multiply(&mut self, bus: &mut Bus, base: u8) {
        let al = self.al();
        let Some(quotient) = al.checked_div(base) else {
            self.flags.and(0u8, 0);
            return self.interrupt(bus, DIVIDE_ERROR);
        };
        self.set_ah(quotient);
        let remainder = al % base;
        self.set_al(remainder);
        self.flags.or(remainder, 0);
    }

    /// AAD: joins AH and AL in a base.
    pub(super) fn adjust_before_divide(&mut self, base: u8) {
        let product = self.ah().wrapping_mul(base);
        let joined = self.flags.add(self.al(), product);
        self.registers[AX] = joined as u16;
    }

    /// DAA and DAS: `adjust` adds or subtracts the correction.
    pub(super) fn decimal_adjust(&mut self, adjust: fn(u8, u8) -> u8) {
        let (al, carry, auxiliary) = (self.al(), self.flags.carry(), self.flags.auxiliary());
        // With AF set the 8086 compares with 9F, not 99: the low digit was corrected already.
        let limit = if auxiliary { 0x9f } else { 0x99 };
        let low = al & 0x0f > 9 || auxiliary;
        let high = al > limit || carry;
        let correction = if low { 0x06 } else { 0 } + if high { 0x60 } else { 0 };
        let adjusted = adjust(al, correction);
        self.set_al(adjusted);
        self.flags.set_result(adjusted);
        self.flags.set_auxiliary(low);
        self.flags.set_carry(high);
    }

    /// AAA and AAS: `adjust` adds or subtracts the correction.
    pub(super) fn ascii_adjust(&mut self, adjust: fn(u8, u8) -> u8) {
        let needed = self.al() & 0x0f > 9 || self.flags.auxiliary();
        if needed {
            let (al, ah) = (adjust(self.al(), 6), adjust(self.ah(), 1));
            self.set_al(al);
            self.set_ah(ah);
        }
        self.set_al(self.al() & 0x0f);
        self.flags.set_auxiliary(needed);
        self.flags.set_carry(needed);
    }

    fn wide_accumulator(&self) -> u32 {
        (self.registers[DX] as u32) << 16 | self.registers[AX] as u32
    }

    fn set_wide_product(&mut self, product: u32) {
        self.registers[AX] = product as u16;
        self.registers[DX] = (product >> 16) as u16;
    }

    fn set_product_flags<W: Width>(&mut self, low: W, overflow: bool) {
        self.flags.set_result(low);
        self.flags.set_carry_overflow(overflow, overflow);
    }
}
