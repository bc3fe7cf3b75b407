//! The flags, kept as the last result and its carries, and the arithmetic that sets them.
//!
//! Most flags are overwritten before anybody reads them, so arithmetic stores only what they
//! follow from, and the readers (conditional jumps, PUSHF) work them out.
//!
//! ```text
//!   result  bits 0-15  the result: ZF is set where they are 0
//!           bit 31     SF (the result is stored sign-extended)
//!           bits 0-7 xor bits 16-23: PF is set where their parity is even
//!   carries bit 15     CF: the carry out of the highest bit
//!           bit 14     the carry into it: OF is bit 15 xor bit 14
//!           bit 3      AF: the carry out of bit 3
//!   control TF, IF and DF where the flags register has them
//! ```
//!
//! Flag positions: Intel iAPX 86,88 User's Manual 2.3. Which instruction sets which flags:
//! the same, 2.7.

use super::Model;

/// Positions in the flags register.
pub mod bit {
    /// Carry.
    pub const CARRY: u16 = 1 << 0;
    /// Even parity of the low byte.
    pub const PARITY: u16 = 1 << 2;
    /// Carry out of bit 3.
    pub const AUXILIARY: u16 = 1 << 4;
    /// The result is zero.
    pub const ZERO: u16 = 1 << 6;
    /// The result is negative.
    pub const SIGN: u16 = 1 << 7;
    /// Single-step.
    pub const TRAP: u16 = 1 << 8;
    /// Interrupts are enabled.
    pub const INTERRUPT: u16 = 1 << 9;
    /// String instructions go downwards.
    pub const DIRECTION: u16 = 1 << 10;
    /// Signed overflow.
    pub const OVERFLOW: u16 = 1 << 11;
    /// I/O privilege level and nested task: without effect in real mode, but kept by the 80386.
    pub const PRIVILEGE: u16 = 0x7000;
    /// Always set up to the 80186: how programs tell it from an 80286.
    pub const FIXED_8086: u16 = 0xf002;
    /// Always set since.
    pub const FIXED: u16 = 0x0002;
}

const CONTROL: u16 = bit::TRAP | bit::INTERRUPT | bit::DIRECTION;
const CARRY_OUT: u32 = 1 << 15;
const CARRY_IN: u32 = 1 << 14;
const CARRY_AUXILIARY: u32 = 1 << 3;

/// An operand's width: `u8`, `u16` or `u32`.
pub(super) trait Width: Copy + PartialEq {
    const BITS: u32;
    const BYTES: u16 = (Self::BITS / 8) as u16;
    fn widen(self) -> u32;
    fn narrow(value: u32) -> Self;
    fn sign_extend(self) -> u32;
    /// Returns what [`Flags`] keeps of a result: bits 0-15 are 0 where it is, 0-7 are its own, and 31
    /// is its highest.
    #[inline(always)]
    fn outcome(self) -> u32 {
        self.sign_extend()
    }
    /// Moves the carries of this width to where [`Flags`] keeps them.
    fn place_carries(carries: u32) -> u32;
}

impl Width for u8 {
    const BITS: u32 = 8;
    #[inline(always)]
    fn widen(self) -> u32 {
        self as u32
    }
    #[inline(always)]
    fn narrow(value: u32) -> u8 {
        value as u8
    }
    #[inline(always)]
    fn sign_extend(self) -> u32 {
        self as i8 as u32
    }
    #[inline(always)]
    fn place_carries(carries: u32) -> u32 {
        carries << 8 | carries & CARRY_AUXILIARY
    }
}

impl Width for u16 {
    const BITS: u32 = 16;
    #[inline(always)]
    fn widen(self) -> u32 {
        self as u32
    }
    #[inline(always)]
    fn narrow(value: u32) -> u16 {
        value as u16
    }
    #[inline(always)]
    fn sign_extend(self) -> u32 {
        self as i16 as u32
    }
    #[inline(always)]
    fn place_carries(carries: u32) -> u32 {
        carries
    }
}

impl Width for u32 {
    const BITS: u32 = 32;
    #[inline(always)]
    fn widen(self) -> u32 {
        self
    }
    #[inline(always)]
    fn narrow(value: u32) -> u32 {
        value
    }
    #[inline(always)]
    fn sign_extend(self) -> u32 {
        self
    }
    #[inline(always)]
    fn outcome(self) -> u32 {
        self & 0x8000_00ff | ((self >> 8 != 0) as u32) << 8
    }
    #[inline(always)]
    fn place_carries(carries: u32) -> u32 {
        carries >> 16 & (CARRY_OUT | CARRY_IN) | carries & CARRY_AUXILIARY
    }
}

/// The flags register.
#[derive(Clone, Copy, Debug)]
pub struct Flags {
    result: u32,
    carries: u32,
    control: u16,
    /// Bits that are always set.
    fixed: u16,
    /// Bits without meaning here that keep what was put there.
    kept: u16,
}

impl Flags {
    /// Returns the register of a processor, with all flags clear.
    pub fn new(model: Model) -> Flags {
        let fixed = if model < Model::I80286 { bit::FIXED_8086 } else { bit::FIXED };
        let kept = if model < Model::I80386 { 0 } else { bit::PRIVILEGE };
        let mut flags = Flags { result: 0, carries: 0, control: 0, fixed, kept };
        flags.set_word(0);
        flags
    }

    /// Returns the register as PUSHF stores it.
    pub fn word(&self) -> u16 {
        let set = |flag: bool, bit: u16| if flag { bit } else { 0 };
        self.fixed
            | self.control
            | set(self.carry(), bit::CARRY)
            | set(self.parity(), bit::PARITY)
            | set(self.auxiliary(), bit::AUXILIARY)
            | set(self.zero(), bit::ZERO)
            | set(self.sign(), bit::SIGN)
            | set(self.overflow(), bit::OVERFLOW)
    }

    /// Sets the register as POPF does.
    pub fn set_word(&mut self, word: u16) {
        self.control = word & (CONTROL | self.kept);
        self.set_low_byte(word as u8);
        self.set_overflow(word & bit::OVERFLOW != 0);
    }

    /// Sets SF, ZF, AF, PF and CF from a byte, as SAHF does.
    pub(super) fn set_low_byte(&mut self, byte: u8) {
        let is_set = |bit: u16| byte as u16 & bit != 0;
        let overflow = self.overflow();
        let nonzero = if is_set(bit::ZERO) { 0 } else { 1 << 8 };
        let sign = if is_set(bit::SIGN) { 1 << 31 } else { 0 };
        let odd = if is_set(bit::PARITY) { 0 } else { 1 << 16 };
        self.result = nonzero | sign | odd;
        self.carries = if is_set(bit::AUXILIARY) { CARRY_AUXILIARY } else { 0 };
        self.set_carry_overflow(is_set(bit::CARRY), overflow);
    }

    #[inline(always)]
    pub(super) fn carry(&self) -> bool {
        self.carries & CARRY_OUT != 0
    }

    #[inline(always)]
    pub(super) fn parity(&self) -> bool {
        ((self.result ^ self.result >> 16) as u8).count_ones() & 1 == 0
    }

    #[inline(always)]
    pub(super) fn auxiliary(&self) -> bool {
        self.carries & CARRY_AUXILIARY != 0
    }

    #[inline(always)]
    pub(super) fn zero(&self) -> bool {
        self.result as u16 == 0
    }

    #[inline(always)]
    pub(super) fn sign(&self) -> bool {
        self.result >> 31 != 0
    }

    #[inline(always)]
    pub(super) fn overflow(&self) -> bool {
        (self.carries ^ self.carries << 1) & CARRY_OUT != 0
    }

    /// Sets ZF alone (BSF, BSR).
    pub(super) fn set_zero(&mut self, zero: bool) {
        let word = self.word();
        self.set_word(if zero { word | bit::ZERO } else { word & !bit::ZERO });
    }

    /// Returns whether SF and OF differ: the last comparison was "less", signed.
    #[inline(always)]
    pub(super) fn less(&self) -> bool {
        self.sign() != self.overflow()
    }

    #[inline(always)]
    pub(super) fn trap(&self) -> bool {
        self.control & bit::TRAP != 0
    }

    /// Returns whether interrupts are enabled.
    pub fn interrupts_enabled(&self) -> bool {
        self.control & bit::INTERRUPT != 0
    }

    #[inline(always)]
    pub(super) fn downwards(&self) -> bool {
        self.control & bit::DIRECTION != 0
    }

    #[inline(always)]
    pub(super) fn set_control(&mut self, bits: u16) {
        self.control |= bits & CONTROL;
    }

    #[inline(always)]
    pub(super) fn clear_control(&mut self, bits: u16) {
        self.control &= !bits;
    }

    #[inline(always)]
    pub(super) fn set_carry(&mut self, carry: bool) {
        self.set_carry_overflow(carry, self.overflow());
    }

    #[inline(always)]
    pub(super) fn set_overflow(&mut self, overflow: bool) {
        self.set_carry_overflow(self.carry(), overflow);
    }

    #[inline(always)]
    pub(super) fn set_carry_overflow(&mut self, carry: bool, overflow: bool) {
        let placed = (carry as u32) << 15 | ((carry != overflow) as u32) << 14;
        self.carries = self.carries & CARRY_AUXILIARY | placed;
    }

    pub(super) fn set_auxiliary(&mut self, auxiliary: bool) {
        let placed = if auxiliary { CARRY_AUXILIARY } else { 0 };
        self.carries = self.carries & (CARRY_OUT | CARRY_IN) | placed;
    }

    /// Sets SF, ZF and PF from a result and leaves the rest.
    #[inline(always)]
    pub(super) fn set_result<W: Width>(&mut self, result: W) {
        self.result = result.outcome();
    }

    #[inline(always)]
    pub(super) fn add<W: Width>(&mut self, a: W, b: W) -> W {
        self.add_carry(a, b, 0)
    }

    #[inline(always)]
    pub(super) fn adc<W: Width>(&mut self, a: W, b: W) -> W {
        self.add_carry(a, b, self.carry() as u32)
    }

    #[inline(always)]
    pub(super) fn sub<W: Width>(&mut self, a: W, b: W) -> W {
        self.sub_borrow(a, b, 0)
    }

    #[inline(always)]
    pub(super) fn sbb<W: Width>(&mut self, a: W, b: W) -> W {
        self.sub_borrow(a, b, self.carry() as u32)
    }

    #[inline(always)]
    pub(super) fn or<W: Width>(&mut self, a: W, b: W) -> W {
        self.logic(a.widen() | b.widen())
    }

    #[inline(always)]
    pub(super) fn and<W: Width>(&mut self, a: W, b: W) -> W {
        self.logic(a.widen() & b.widen())
    }

    #[inline(always)]
    pub(super) fn xor<W: Width>(&mut self, a: W, b: W) -> W {
        self.logic(a.widen() ^ b.widen())
    }

    #[inline(always)]
    pub(super) fn increment<W: Width>(&mut self, a: W) -> W {
        let carry = self.carry();
        let result = self.add(a, W::narrow(1));
        self.set_carry(carry);
        result
    }

    #[inline(always)]
    pub(super) fn decrement<W: Width>(&mut self, a: W) -> W {
        let carry = self.carry();
        let result = self.sub(a, W::narrow(1));
        self.set_carry(carry);
        result
    }

    #[inline(always)]
    fn logic<W: Width>(&mut self, result: u32) -> W {
        let result = W::narrow(result);
        self.carries = 0;
        self.set_result(result);
        result
    }

    /// The carry out of each bit is set where both operands have the bit, or one has it and the
    /// sum has not.
    #[inline(always)]
    fn add_carry<W: Width>(&mut self, a: W, b: W, carry: u32) -> W {
        let (a, b) = (a.widen(), b.widen());
        let sum = a.wrapping_add(b).wrapping_add(carry);
        self.carries = W::place_carries((a & b) | ((a | b) & !sum));
        let result = W::narrow(sum);
        self.set_result(result);
        result
    }

    #[inline(always)]
    fn sub_borrow<W: Width>(&mut self, a: W, b: W, borrow: u32) -> W {
        let (a, b) = (a.widen(), b.widen());
        let difference = a.wrapping_sub(b).wrapping_sub(borrow);
        self.carries = W::place_carries((!a & b) | ((!a | b) & difference));
        let result = W::narrow(difference);
        self.set_result(result);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::super::Model;
    use super::{Flags, Width, bit};

    #[test]
    fn every_flags_word_survives_store_and_load() {
        let known = bit::CARRY
            | bit::PARITY
            | bit::AUXILIARY
            | bit::ZERO
            | bit::SIGN
            | bit::TRAP
            | bit::INTERRUPT
            | bit::DIRECTION
            | bit::OVERFLOW;
        let models = [
            (Model::I8086, bit::FIXED_8086, 0),
            (Model::I80286, bit::FIXED, 0),
            (Model::I80386, bit::FIXED, bit::PRIVILEGE),
        ];
        for (model, fixed, kept) in models {
            let mut flags = Flags::new(model);
            for word in 0..=u16::MAX {
                flags.set_word(word);
                assert_eq!(flags.word(), word & (known | kept) | fixed, "{model:?}");
            }
        }
    }

    #[test]
    fn results_of_32_bits_have_their_flags() {
        let flags_of = |a: u32, b: u32| {
            let mut flags = Flags::new(Model::I80386);
            assert_eq!(flags.add(a, b), a.wrapping_add(b));
            (flags.carry(), flags.zero(), flags.sign(), flags.overflow(), flags.parity())
        };
        assert_eq!(flags_of(0xffff_ffff, 1), (true, true, false, false, true));
        assert_eq!(flags_of(0x7fff_ffff, 1), (false, false, true, true, true));
        assert_eq!(flags_of(0x0001_0000, 0), (false, false, false, false, true));
        assert_eq!(flags_of(0x00ff_fffe, 3), (false, false, false, false, false));
        assert_eq!(0x0100_0000u32.outcome(), 0x100);
    }
}
