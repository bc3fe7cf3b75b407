//! Numbers of 80 bits: their encoding, and the rounding of exact results to them.
//!
//! ```text
//!   bit 79  78            64  63                                       0
//!   sign    biased exponent   1.fraction, the 1 is stored
//! ```
//! Exponent 0: zero and denormals; 7FFF: infinity and NaNs. What has an exponent but no leading 1 is
//! no number since the 80387.
//!
//! Every operation hands its exact result, 128 bits of which the lowest says that there was more, to
//! [`Context::round`], where precision, rounding, overflow and underflow are.
//!
//! Source: Intel 80387 Programmer's Reference Manual (1987), chapters 2 and 3.

/// Exception flags, as in status and control word (80387 manual 2.1.2).
pub(super) mod exception {
    /// Invalid operation.
    pub const INVALID: u16 = 1 << 0;
    /// A denormal operand.
    pub const DENORMAL: u16 = 1 << 1;
    /// Division by zero.
    pub const ZERO: u16 = 1 << 2;
    /// Overflow.
    pub const OVERFLOW: u16 = 1 << 3;
    /// Underflow.
    pub const UNDERFLOW: u16 = 1 << 4;
    /// An inexact result.
    pub const PRECISION: u16 = 1 << 5;
}

use exception::{DENORMAL, INVALID, OVERFLOW, PRECISION, UNDERFLOW, ZERO};

/// The bias of exponents.
pub(super) const BIAS: i32 = 16383;
/// The biased exponent of infinities and NaNs.
const SPECIAL: u16 = 0x7fff;
/// The leading 1.
pub(super) const LEADING: u64 = 1 << 63;
/// What a NaN has that signals nothing.
const QUIET: u64 = 1 << 62;
/// What unmasked overflow and underflow move an exponent by (80387 manual 3.1.5).
const WRAP: i32 = 24576;

/// A number as a register holds it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Number {
    /// Sign and biased exponent.
    pub(super) head: u16,
    pub(super) significand: u64,
}

/// What a number is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Zero,
    /// 1.fraction, the leading 1 in bit 63, times two to the exponent.
    Finite(i32, u64),
    Infinity,
    Nan,
    /// No number.
    Unsupported,
}

impl Number {
    pub(super) const ZERO: Number = Number { head: 0, significand: 0 };
    pub(super) const ONE: Number = Number { head: BIAS as u16, significand: LEADING };
    /// The NaN that masked invalid operations return.
    pub(super) const INDEFINITE: Number = Number { head: 0xffff, significand: LEADING | QUIET };

    pub(super) fn infinity(sign: bool) -> Number {
        Number { head: SPECIAL, significand: LEADING }.with_sign(sign)
    }

    pub(super) fn zero(sign: bool) -> Number {
        Number::ZERO.with_sign(sign)
    }

    /// Returns the greatest finite number of so many bits of precision.
    fn greatest(sign: bool, bits: u32) -> Number {
        Number { head: SPECIAL - 1, significand: u64::MAX << (64 - bits) }.with_sign(sign)
    }

    pub(super) fn sign(self) -> bool {
        self.head >> 15 != 0
    }

    pub(super) fn with_sign(self, sign: bool) -> Number {
        Number { head: self.head & SPECIAL | (sign as u16) << 15, ..self }
    }

    pub(super) fn negated(self) -> Number {
        Number { head: self.head ^ 0x8000, ..self }
    }

    pub(super) fn kind(self) -> Kind {
        let (exponent, has_leading) = (self.head & SPECIAL, self.significand & LEADING != 0);
        match exponent {
            0 if self.significand == 0 => Kind::Zero,
            0 => {
                let shift = self.significand.leading_zeros();
                Kind::Finite(1 - BIAS - shift as i32, self.significand << shift)
            }
            _ if !has_leading => Kind::Unsupported,
            SPECIAL if self.significand == LEADING => Kind::Infinity,
            SPECIAL => Kind::Nan,
            _ => Kind::Finite(exponent as i32 - BIAS, self.significand),
        }
    }

    pub(super) fn is_denormal(self) -> bool {
        self.head & SPECIAL == 0 && self.significand != 0
    }

    /// Returns a denormal that has its leading 1 nevertheless as the normal number that it is.
    pub(super) fn normal(self) -> Number {
        let is_pseudo = self.head & SPECIAL == 0 && self.significand & LEADING != 0;
        Number { head: self.head | is_pseudo as u16, ..self }
    }

    pub(super) fn is_signaling(self) -> bool {
        self.kind() == Kind::Nan && self.significand & QUIET == 0
    }

    pub(super) fn quieted(self) -> Number {
        Number { significand: self.significand | QUIET, ..self }
    }

    pub(super) fn from_bytes(bytes: [u8; 10]) -> Number {
        let (low, high) =
            bytes.split_first_chunk().map(|(low, high)| (*low, high)).unwrap_or_default();
        Number {
            significand: u64::from_le_bytes(low),
            head: u16::from_le_bytes([high[0], high[1]]),
        }
    }

    pub(super) fn to_bytes(self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.significand.to_le_bytes());
        bytes[8..].copy_from_slice(&self.head.to_le_bytes());
        bytes
    }
}

/// Which way a result goes that does not fit (control word, bits 10 and 11).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mode {
    Nearest,
    Down,
    Up,
    Truncate,
}

/// What a result is rounded to: bits of precision, least and greatest exponent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
    pub(super) bits: u32,
    pub(super) least: i32,
    pub(super) greatest: i32,
}

impl Format {
    pub(super) const EXTENDED: Format = Format::of_bits(64);
    pub(super) const DOUBLE: Format = Format { bits: 53, least: -1022, greatest: 1023 };
    pub(super) const SINGLE: Format = Format { bits: 24, least: -126, greatest: 127 };

    /// Returns a register's format, of fewer bits where the control word says so.
    const fn of_bits(bits: u32) -> Format {
        Format { bits, least: 1 - BIAS, greatest: BIAS }
    }
}

/// What an operation works under, and what it has raised.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context {
    control: u16,
    /// Exceptions raised.
    pub(super) raised: u16,
    /// Whether the result's magnitude was rounded up (C1).
    pub(super) is_up: bool,
    /// Whether an operand in memory was denormal there, which is raised if nothing worse is.
    pub(super) was_denormal: bool,
}

impl Context {
    pub(super) fn new(control: u16) -> Context {
        Context { control, raised: 0, is_up: false, was_denormal: false }
    }

    pub(super) fn raise(&mut self, exceptions: u16) {
        self.raised |= exceptions;
    }

    pub(super) fn is_masked(&self, exception: u16) -> bool {
        self.control & exception != 0
    }

    pub(super) fn mode(&self) -> Mode {
        match self.control >> 10 & 3 {
            0 => Mode::Nearest,
            1 => Mode::Down,
            2 => Mode::Up,
            _ => Mode::Truncate,
        }
    }

    /// Returns a register's format, by the precision control (bits 8 and 9).
    pub(super) fn format(&self) -> Format {
        Format::of_bits(match self.control >> 8 & 3 {
            0 => 24,
            2 => 53,
            _ => 64,
        })
    }

    /// Works with all 64 bits, whatever the control word says.
    pub(super) fn in_full(&mut self, operation: impl FnOnce(&mut Context) -> Number) -> Number {
        const PRECISION_CONTROL: u16 = 3 << 8;
        let control = self.control;
        self.control |= PRECISION_CONTROL;
        let value = operation(self);
        self.control = control;
        value
    }

    /// Raises an invalid operation.
    pub(super) fn invalid(&mut self) -> Number {
        self.raise(INVALID);
        Number::INDEFINITE
    }

    /// Looks at an operand before an operation.
    pub(super) fn look_at(&mut self, operand: Number) {
        if operand.is_denormal() {
            self.raise(DENORMAL);
        }
    }

    /// Raises that an operand in memory was denormal, if nothing worse was raised.
    pub(super) fn settle(&mut self) {
        if self.was_denormal && self.raised & (INVALID | ZERO) == 0 {
            self.raise(DENORMAL);
        }
    }

    /// Returns the NaN that an operation on a NaN returns, if it has one operand or more that are none
    /// or no number.
    pub(super) fn nan_of(&mut self, a: Number, b: Number) -> Option<Number> {
        let kinds = [a.kind(), b.kind()];
        let is_one = |kind: Kind| kinds.contains(&kind);
        self.was_denormal &= !is_one(Kind::Nan) && !is_one(Kind::Unsupported);
        if is_one(Kind::Unsupported) {
            return Some(self.invalid());
        }
        if a.is_signaling() || b.is_signaling() {
            self.raise(INVALID);
        }
        match kinds.map(|kind| kind == Kind::Nan) {
            [false, false] => None,
            [true, false] => Some(a.quieted()),
            [false, true] => Some(b.quieted()),
            [true, true] => Some(chosen(a, b).quieted()),
        }
    }

    /// Returns what loading a number makes of it: a NaN that signals does so, and no more.
    pub(super) fn quieted(&mut self, number: Number) -> Number {
        if !number.is_signaling() {
            return number;
        }
        self.raise(INVALID);
        number.quieted()
    }

    /// Returns whether a magnitude is rounded up, of which `rest` was cut: its highest bit is half.
    pub(super) fn rounds_up(&self, sign: bool, is_odd: bool, rest: u128) -> bool {
        const HALF: u128 = 1 << 127;
        match self.mode() {
            Mode::Nearest => rest > HALF || rest == HALF && is_odd,
            Mode::Down => rest != 0 && sign,
            Mode::Up => rest != 0 && !sign,
            Mode::Truncate => false,
        }
    }

    /// Returns the number nearest to an exact one, as the control word says: `significand`, with its
    /// leading 1 in bit 127, times two to the exponent.
    pub(super) fn round(&mut self, sign: bool, exponent: i32, significand: u128) -> Number {
        self.round_to(self.format(), sign, exponent, significand)
    }

    pub(super) fn round_to(
        &mut self,
        format: Format,
        sign: bool,
        exponent: i32,
        significand: u128,
    ) -> Number {
        let (rounded, carried, is_inexact, is_up) = self.cut(format.bits, sign, significand);
        let after = exponent + carried;
        if after < format.least {
            if !self.is_masked(UNDERFLOW) {
                self.raise(UNDERFLOW);
                if after + WRAP < format.least {
                    self.note(true, false);
                    return Number::zero(sign);
                }
                self.note(is_inexact, is_up);
                return packed(sign, after + WRAP, rounded);
            }
            return self.denormal(format, sign, exponent, significand);
        }
        if after > format.greatest {
            return self.too_great(format, sign, (after, rounded), (is_inexact, is_up));
        }
        self.note(is_inexact, is_up);
        packed(sign, after, rounded)
    }

    /// Cuts a significand to so many bits; returns it with its leading 1 in bit 63, what that added to
    /// the exponent, whether something was lost, and whether it was rounded up.
    fn cut(&self, bits: u32, sign: bool, significand: u128) -> (u64, i32, bool, bool) {
        let kept = (significand >> (128 - bits)) as u64;
        let rest = significand << bits;
        let is_up = self.rounds_up(sign, kept & 1 != 0, rest);
        let sum = kept as u128 + is_up as u128;
        let carried = (sum >> bits) as i32;
        (((sum >> carried) as u64) << (64 - bits), carried, rest != 0, is_up)
    }

    /// Masked underflow: fewer bits are left.
    fn denormal(&mut self, format: Format, sign: bool, exponent: i32, significand: u128) -> Number {
        let shift = (format.least - exponent).unsigned_abs();
        let shifted = shifted_right(significand, shift);
        let kept = (shifted >> (128 - format.bits)) as u64;
        let rest = shifted << format.bits;
        let is_up = self.rounds_up(sign, kept & 1 != 0, rest);
        if rest != 0 {
            self.raise(UNDERFLOW);
        }
        self.note(rest != 0, is_up);
        let kept = kept + is_up as u64;
        denormal_packed(sign, format, kept)
    }

    fn too_great(
        &mut self,
        format: Format,
        sign: bool,
        (exponent, rounded): (i32, u64),
        (is_inexact, is_up): (bool, bool),
    ) -> Number {
        self.raise(OVERFLOW);
        if !self.is_masked(OVERFLOW) {
            if exponent - WRAP > format.greatest {
                self.note(true, true);
                return Number::infinity(sign);
            }
            self.note(is_inexact, is_up);
            return packed(sign, exponent - WRAP, rounded);
        }
        let to_infinity = match self.mode() {
            Mode::Nearest => true,
            Mode::Down => sign,
            Mode::Up => !sign,
            Mode::Truncate => false,
        };
        self.note(true, to_infinity);
        if to_infinity {
            return Number::infinity(sign);
        }
        match format.greatest {
            BIAS => Number::greatest(sign, format.bits),
            greatest => packed(sign, greatest, u64::MAX << (64 - format.bits)),
        }
    }

    /// Notes that a result is inexact, and which way it went.
    pub(super) fn note(&mut self, is_inexact: bool, is_up: bool) {
        if is_inexact {
            self.raise(PRECISION);
            self.is_up = is_up;
        }
    }
}

/// Returns the greater of two NaNs' significands; of equal ones the positive (80387 manual 3.1.3.3).
fn chosen(a: Number, b: Number) -> Number {
    use core::cmp::Ordering::{Equal, Greater, Less};
    match a.significand.cmp(&b.significand) {
        Greater => a,
        Less => b,
        Equal if a.sign() => b,
        Equal => a,
    }
}

/// Shifts right; what falls out is seen in the lowest bit.
pub(super) fn shifted_right(significand: u128, shift: u32) -> u128 {
    match shift {
        0 => significand,
        1..=127 => significand >> shift | (significand << (128 - shift) != 0) as u128,
        _ => (significand != 0) as u128,
    }
}

fn packed(sign: bool, exponent: i32, significand: u64) -> Number {
    Number { head: (exponent + BIAS) as u16 & SPECIAL, significand }.with_sign(sign)
}

/// Returns a number of the least exponent whose highest bits are `kept`.
fn denormal_packed(sign: bool, format: Format, kept: u64) -> Number {
    if kept == 0 {
        return Number::zero(sign);
    }
    let significand = kept << (64 - format.bits);
    if format.least == 1 - BIAS {
        let exponent = (significand & LEADING != 0) as u16;
        return Number { head: exponent, significand }.with_sign(sign);
    }
    // A memory format's denormal is a normal number in a register.
    let shift = significand.leading_zeros();
    packed(sign, format.least - shift as i32, significand << shift)
}
