//! Multiplication, division and decimal adjustment.
//!
//! Flags that the manuals leave undefined are not modelled, except where software is known to
//! look (none so far). A division whose quotient does not fit raises interrupt 0.

use super::flags::Width;
use super::operand::{Least, Word};
use super::register::{AX, DX};
use super::{Cpu, Model, Repeat, segment};
use crate::{Bus, FarPointer};

/// The interrupt of a division by zero or with too large a quotient.
const DIVIDE_ERROR: u8 = 0;
/// NOT AX, NOT DX, MOV CX, 55, DIV CX: Borland's way from how often a loop ran in a tick of 55 ms to
/// how often it runs in a millisecond.
const MEASURE: [u8; 9] = [0xf7, 0xd0, 0xf7, 0xd2, 0xb9, 55, 0, 0xf7, 0xf1];
const MEASURE_DIVISION: u16 = 7;

impl Cpu {
    pub(super) fn multiply_byte(&mut self, operand: u8) {
        let product = self.al() as u16 * operand as u16;
        self.registers[AX] = product;
        self.set_product_flags(product as u8, product >> 8 != 0);
    }

    #[inline(always)]
    pub(super) fn multiply_word<W: Word>(&mut self, operand: W) {
        let (high, low) = W::register(self, AX).multiply(operand);
        self.set_wide_accumulator(high, low);
        self.set_product_flags(low, high.widen() != 0);
    }

    pub(super) fn multiply_signed_byte(&mut self, operand: u8) {
        let product = (self.al() as i8 as i16) * (operand as i8 as i16);
        self.registers[AX] = product as u16;
        self.set_product_flags(product as u8, product != product as i8 as i16);
    }

    pub(super) fn multiply_signed_word<W: Word>(&mut self, operand: W) {
        let (high, low) = W::register(self, AX).multiply_signed(operand);
        self.set_wide_accumulator(high, low);
        self.set_product_flags(low, exceeds(high, low));
    }

    /// reg ← r/m × immediate (80186).
    pub(super) fn multiply_immediate<W: Word>(
        &mut self,
        bus: &Bus,
        immediate: impl FnOnce(&mut Cpu, &Bus) -> W,
    ) {
        let modrm = self.fetch_modrm(bus);
        let place = self.place(bus, modrm);
        let operand = self.load::<W>(bus, place);
        let other = immediate(self, bus);
        self.multiply_into(modrm.reg(), operand, other);
    }

    /// reg ← operand × other, signed.
    pub(super) fn multiply_into<W: Word>(&mut self, register: usize, operand: W, other: W) {
        let (high, low) = operand.multiply_signed(other);
        W::set_register(self, register, low);
        self.set_product_flags(low, exceeds(high, low));
    }

    pub(super) fn divide_byte(&mut self, bus: &mut Bus, divisor: u8) {
        if self.quotient_byte(divisor).is_none() {
            self.divide_error(bus);
        }
    }

    #[inline(always)]
    pub(super) fn divide_word<W: Word>(&mut self, bus: &mut Bus, divisor: W) {
        if self.quotient_word(divisor).is_none() {
            self.divide_error(bus);
        }
    }

    /// AL, AH ← quotient and remainder of AX, if the quotient fits.
    #[inline(always)]
    pub(super) fn quotient_byte(&mut self, divisor: u8) -> Option<()> {
        let (dividend, divisor) = (self.registers[AX], divisor as u16);
        let quotient = u8::try_from(dividend.checked_div(divisor)?).ok()?;
        self.set_al(quotient);
        self.set_ah((dividend % divisor) as u8);
        Some(())
    }

    /// AX, DX ← quotient and remainder of DX:AX, if the quotient fits.
    #[inline(always)]
    pub(super) fn quotient_word<W: Word>(&mut self, divisor: W) -> Option<()> {
        let (high, low) = (W::register(self, DX), W::register(self, AX));
        let (quotient, remainder) = W::divide(high, low, divisor)?;
        self.set_wide_accumulator(remainder, quotient);
        Some(())
    }

    pub(super) fn divide_signed_byte(&mut self, bus: &mut Bus, divisor: u8) {
        let dividend = self.registers[AX] as i16 as i64;
        let divisor = divisor as i8 as i64;
        let quotients = self.least_quotient().of(i8::MIN.into())..=i8::MAX.into();
        match dividend.checked_div(divisor) {
            Some(quotient) if quotients.contains(&quotient) => {
                let quotient = if self.negates_quotient() { -quotient } else { quotient };
                self.set_al(quotient as u8);
                self.set_ah((dividend % divisor) as u8);
            }
            _ => self.divide_error(bus),
        }
    }

    pub(super) fn divide_signed_word<W: Word>(&mut self, bus: &mut Bus, divisor: W) {
        let (high, low) = (W::register(self, DX), W::register(self, AX));
        match W::divide_signed(high, low, divisor, self.least_quotient()) {
            Some((quotient, remainder)) if self.negates_quotient() => {
                let negated = W::narrow(quotient.widen().wrapping_neg());
                self.set_wide_accumulator(remainder, negated);
            }
            Some((quotient, remainder)) => self.set_wide_accumulator(remainder, quotient),
            None => self.divide_error(bus),
        }
    }

    fn least_quotient(&self) -> Least {
        if self.model < Model::I80286 { Least::Symmetric } else { Least::Whole }
    }

    /// A repeat prefix makes the 8086's microcode negate IDIV's quotient.
    fn negates_quotient(&self) -> bool {
        self.model == Model::I8086 && self.repeat != Repeat::Once
    }

    /// Raises interrupt 0. Since the 80286 the handler returns to the division itself.
    ///
    /// Programs of Turbo Pascal 7 with the unit CRT measure the processor when they start, and would
    /// fail on one as fast as this: for them the quotient is as large as it can be (decisions/0087).
    pub(super) fn divide_error(&mut self, bus: &mut Bus) {
        let measure =
            FarPointer::new(self.segment(segment::CS), self.start.wrapping_sub(MEASURE_DIVISION));
        let mut bytes = [0; MEASURE.len()];
        bus.read(measure, &mut bytes);
        if bytes == MEASURE {
            (self.registers[AX], self.registers[DX]) = (0xffff, 0);
            return;
        }
        if self.model >= Model::I80286 {
            self.ip = self.start;
        }
        self.interrupt(bus, DIVIDE_ERROR);
    }

    /// AAM: splits AL in a base.
    pub(super) fn adjust_after_multiply(&mut self, bus: &mut Bus, base: u8) {
        let al = self.al();
        let Some(quotient) = al.checked_div(base) else {
            self.flags.and(0u8, 0);
            return self.divide_error(bus);
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
    pub(super) fn decimal_adjust(&mut self, adjust: fn(u8, u8) -> (u8, bool)) {
        let (al, carry, auxiliary) = (self.al(), self.flags.carry(), self.flags.auxiliary());
        let is_old = self.model < Model::I80286;
        // With AF set the 8086 compares with 9F, not 99: the low digit was corrected already.
        let limit = if auxiliary && is_old { 0x9f } else { 0x99 };
        let low = al & 0x0f > 9 || auxiliary;
        let high = al > limit || carry;
        let correction = if low { 0x06 } else { 0 } + if high { 0x60 } else { 0 };
        let (adjusted, _) = adjust(al, correction);
        self.set_al(adjusted);
        self.flags.set_result(adjusted);
        self.flags.set_auxiliary(low);
        // Since the 80286 the low digit's borrow is seen, also where the high one needs nothing.
        self.flags.set_carry(high || (low && !is_old && adjust(al, 0x06).1));
    }

    /// AAA and AAS: `adjust` adds or subtracts the correction. The 8086 corrects AL and AH apart, its
    /// successors since the 80286 AX.
    pub(super) fn ascii_adjust(&mut self, adjust: fn(u16, u16) -> u16) {
        let needed = self.al() & 0x0f > 9 || self.flags.auxiliary();
        let ax = self.registers[AX];
        let adjusted = match needed {
            false => ax,
            true if self.model < Model::I80286 => {
                adjust(ax, 0x100) & 0xff00 | adjust(ax, 0x006) & 0x00ff
            }
            true => adjust(ax, 0x106),
        };
        self.registers[AX] = adjusted & 0xff0f;
        self.flags.set_auxiliary(needed);
        self.flags.set_carry(needed);
    }

    /// Sets DX and AX.
    #[inline(always)]
    fn set_wide_accumulator<W: Word>(&mut self, high: W, low: W) {
        W::set_register(self, AX, low);
        W::set_register(self, DX, high);
    }

    fn set_product_flags<W: Width>(&mut self, low: W, overflow: bool) {
        self.flags.set_result(low);
        self.flags.set_carry_overflow(overflow, overflow);
    }
}

/// Returns whether a signed product has more than its low half.
fn exceeds<W: Word>(high: W, low: W) -> bool {
    let sign = if low.sign_extend() >> 31 != 0 { u32::MAX } else { 0 };
    high != W::narrow(sign)
}
