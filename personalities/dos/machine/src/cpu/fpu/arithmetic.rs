//! Sums, products, quotients, roots, remainders, comparisons: exact, then rounded.
//!
//! Source: Intel 80387 Programmer's Reference Manual (1987), chapter 4 and table 3-1.

use core::cmp::Ordering;

use super::number::exception::{DENORMAL, INVALID, ZERO};
use super::number::{BIAS, Context, Format, Kind, Mode, Number, shifted_right};

/// The most that FPREM reduces an exponent's difference by at once is less than this.
const REDUCED: i32 = 64;

/// What FPREM found: the remainder, the quotient's lowest bits, whether it is all of it.
pub(super) struct Remainder {
    pub(super) value: Number,
    pub(super) quotient: u64,
    pub(super) is_complete: bool,
}

/// How the quotient of a remainder is rounded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Quotient {
    /// Towards 0 (FPREM).
    Truncated,
    /// To the nearest (FPREM1).
    Nearest,
}

impl Context {
    pub(super) fn add(&mut self, a: Number, b: Number) -> Number {
        if let Some(nan) = self.nan_of(a, b) {
            return nan;
        }
        self.look_at(a);
        self.look_at(b);
        match (a.kind(), b.kind()) {
            (Kind::Infinity, Kind::Infinity) if a.sign() != b.sign() => self.invalid(),
            (Kind::Infinity, _) => a,
            (_, Kind::Infinity) => b,
            (Kind::Zero, Kind::Zero) if a.sign() == b.sign() => a,
            (Kind::Zero, Kind::Zero) => self.difference_of_equals(),
            (Kind::Finite(exponent, significand), Kind::Zero) => {
                self.round(a.sign(), exponent, (significand as u128) << 64)
            }
            (Kind::Zero, Kind::Finite(exponent, significand)) => {
                self.round(b.sign(), exponent, (significand as u128) << 64)
            }
            (Kind::Finite(exponent_a, of_a), Kind::Finite(exponent_b, of_b)) => {
                self.sum((a.sign(), exponent_a, of_a), (b.sign(), exponent_b, of_b))
            }
            _ => self.invalid(),
        }
    }

    fn sum(&mut self, a: (bool, i32, u64), b: (bool, i32, u64)) -> Number {
        let (a, b) = if (a.1, a.2) >= (b.1, b.2) { (a, b) } else { (b, a) };
        // One bit above is for the carry; what is shifted out stays seen below.
        let (wide_a, wide_b) = ((a.2 as u128) << 63, (b.2 as u128) << 63);
        let wide_b = shifted_right(wide_b, (a.1 - b.1).unsigned_abs());
        let total = if a.0 == b.0 { wide_a + wide_b } else { wide_a - wide_b };
        if total == 0 {
            return self.difference_of_equals();
        }
        let shift = total.leading_zeros();
        self.round(a.0, a.1 + 1 - shift as i32, total << shift)
    }

    /// Returns the zero that x - x is.
    fn difference_of_equals(&self) -> Number {
        Number::zero(self.mode() == Mode::Down)
    }

    /// Returns a - b.
    pub(super) fn subtract(&mut self, a: Number, b: Number) -> Number {
        match self.nan_of(a, b) {
            Some(nan) => nan,
            None => self.add(a, b.negated()),
        }
    }

    pub(super) fn multiply(&mut self, a: Number, b: Number) -> Number {
        if let Some(nan) = self.nan_of(a, b) {
            return nan;
        }
        let sign = a.sign() != b.sign();
        match (a.kind(), b.kind()) {
            (Kind::Infinity, Kind::Zero) | (Kind::Zero, Kind::Infinity) => self.invalid(),
            (Kind::Infinity, _) | (_, Kind::Infinity) => {
                self.look_at(a);
                self.look_at(b);
                Number::infinity(sign)
            }
            (Kind::Finite(exponent_a, of_a), Kind::Finite(exponent_b, of_b)) => {
                self.look_at(a);
                self.look_at(b);
                let product = of_a as u128 * of_b as u128;
                let shift = product.leading_zeros();
                self.round(sign, exponent_a + exponent_b + 1 - shift as i32, product << shift)
            }
            _ => {
                self.look_at(a);
                self.look_at(b);
                Number::zero(sign)
            }
        }
    }

    /// Returns a / b.
    pub(super) fn divide(&mut self, a: Number, b: Number) -> Number {
        if let Some(nan) = self.nan_of(a, b) {
            return nan;
        }
        let sign = a.sign() != b.sign();
        match (a.kind(), b.kind()) {
            (Kind::Infinity, Kind::Infinity) | (Kind::Zero, Kind::Zero) => self.invalid(),
            (Kind::Infinity, _) => {
                self.look_at(b);
                Number::infinity(sign)
            }
            (_, Kind::Infinity) | (Kind::Zero, _) => {
                self.look_at(a);
                self.look_at(b);
                Number::zero(sign)
            }
            (_, Kind::Zero) => {
                self.raise(ZERO);
                Number::infinity(sign)
            }
            (Kind::Finite(exponent_a, of_a), Kind::Finite(exponent_b, of_b)) => {
                self.look_at(a);
                self.look_at(b);
                let (quotient, rest) = long_quotient(of_a, of_b);
                let shift = quotient.leading_zeros();
                let exact = quotient << shift | rest as u128;
                self.round(sign, exponent_a - exponent_b + 1 - shift as i32, exact)
            }
            _ => self.invalid(),
        }
    }

    pub(super) fn square_root(&mut self, a: Number) -> Number {
        if let Some(nan) = self.nan_of(a, Number::ONE) {
            return nan;
        }
        match a.kind() {
            Kind::Zero => a,
            _ if a.sign() => self.invalid(),
            Kind::Finite(exponent, significand) => {
                self.look_at(a);
                let odd = exponent & 1;
                let square = (significand as u128) << (63 + odd);
                let root = square.isqrt();
                let rest = square - root * root;
                // The next bit is set where the rest is more than the root; then more follows.
                let more = ((rest > root) as u128) << 63 | (rest != 0) as u128;
                self.round(false, (exponent - odd) / 2, root << 64 | more)
            }
            _ => a,
        }
    }

    /// Returns how two numbers compare; nothing where they do not. `is_quiet` says that NaNs may.
    pub(super) fn compare(&mut self, a: Number, b: Number, is_quiet: bool) -> Option<Ordering> {
        let is_nan = [a.kind(), b.kind()].contains(&Kind::Nan);
        if self.nan_of(a, b).is_some() {
            if is_nan && !is_quiet {
                self.raise(INVALID);
            }
            return None;
        }
        self.look_at(a);
        self.look_at(b);
        Some(order(a).cmp(&order(b)))
    }

    /// FRNDINT.
    pub(super) fn integral(&mut self, a: Number) -> Number {
        if let Some(nan) = self.nan_of(a, Number::ONE) {
            return nan;
        }
        let Kind::Finite(exponent, _) = a.kind() else { return a };
        self.look_at(a);
        if exponent >= 63 {
            return a;
        }
        let integer = self.integer_of(a);
        let shift = (integer as u64).leading_zeros();
        match integer {
            0 => Number::zero(a.sign()),
            integer => {
                let head = (BIAS + 63 - shift as i32) as u16;
                Number { head, significand: (integer as u64) << shift }.with_sign(a.sign())
            }
        }
    }

    /// Returns the magnitude of a finite number below 2^64, rounded to an integer.
    pub(super) fn integer_of(&mut self, a: Number) -> u128 {
        let Kind::Finite(exponent, significand) = a.kind() else { return 0 };
        let wide =
            shifted_right((significand as u128) << 64, (63 - exponent).unsigned_abs().min(200));
        let (whole, rest) = (wide >> 64, wide << 64);
        let is_up = self.rounds_up(a.sign(), whole & 1 != 0, rest);
        self.note(rest != 0, is_up);
        whole + is_up as u128
    }

    /// FSCALE: a times two to the integer part of b.
    pub(super) fn scale(&mut self, a: Number, b: Number) -> Number {
        if let Some(nan) = self.nan_of(a, b) {
            return nan;
        }
        match (a.kind(), b.kind()) {
            (Kind::Infinity, Kind::Infinity) if b.sign() => self.invalid(),
            (Kind::Zero, Kind::Infinity) if !b.sign() => self.invalid(),
            (_, Kind::Infinity) => {
                self.look_at(a);
                if b.sign() { Number::zero(a.sign()) } else { Number::infinity(a.sign()) }
            }
            (Kind::Finite(exponent, significand), Kind::Finite(..)) => {
                self.look_at(a);
                self.look_at(b);
                let by = truncated(b);
                let format = Format::EXTENDED;
                self.round_to(format, a.sign(), exponent + by, (significand as u128) << 64)
            }
            _ => {
                self.look_at(a);
                self.look_at(b);
                a.normal()
            }
        }
    }

    /// FPREM and FPREM1: a - b times the quotient, in full or, of great quotients, in part.
    pub(super) fn remainder(&mut self, a: Number, b: Number, to: Quotient) -> Remainder {
        let whole = |value| Remainder { value, quotient: 0, is_complete: true };
        if let Some(nan) = self.nan_of(a, b) {
            return whole(nan);
        }
        match (a.kind(), b.kind()) {
            (Kind::Infinity, _) | (_, Kind::Zero) => whole(self.invalid()),
            (Kind::Finite(exponent_a, of_a), Kind::Finite(exponent_b, of_b)) => {
                self.look_at(a);
                self.look_at(b);
                self.reduce((a, exponent_a, of_a), (exponent_b, of_b), to)
            }
            _ => {
                self.look_at(a);
                self.look_at(b);
                whole(a.normal())
            }
        }
    }

    fn reduce(
        &mut self,
        (a, exponent_a, of_a): (Number, i32, u64),
        (exponent_b, of_b): (i32, u64),
        to: Quotient,
    ) -> Remainder {
        let difference = exponent_a - exponent_b;
        if difference < -1 {
            let format = Format::EXTENDED;
            let value = self.round_to(format, a.sign(), exponent_a, (of_a as u128) << 64);
            return Remainder { value, quotient: 0, is_complete: true };
        }
        let is_complete = difference < REDUCED;
        let steps = if is_complete { difference } else { 32 + difference % 32 };
        let (mut rest, mut quotient) = (of_a as u128, 0u64);
        let divisor = of_b as u128;
        for step in 0..=steps {
            let fits = rest >= divisor;
            quotient = quotient << 1 | fits as u64;
            rest = (rest - if fits { divisor } else { 0 }) << (step < steps) as u32;
        }
        // Of a rest above, its last bit is 2^(exponent_a - steps - 63).
        let mut exponent = exponent_a - steps;
        let mut sign = a.sign();
        if difference < 0 {
            (rest, exponent) = (of_a as u128, exponent_a);
        }
        if to == Quotient::Nearest && is_complete {
            let unit = if difference < 0 { divisor << 1 } else { divisor };
            let twice = rest << 1;
            if twice > unit || twice == unit && quotient & 1 != 0 {
                (rest, sign, quotient) = (unit - rest, !sign, quotient.wrapping_add(1));
            }
        }
        if rest == 0 {
            return Remainder { value: Number::zero(a.sign()), quotient, is_complete };
        }
        let shift = rest.leading_zeros();
        let format = Format::EXTENDED;
        let value = self.round_to(format, sign, exponent + 64 - shift as i32, rest << shift);
        Remainder { value, quotient, is_complete }
    }

    /// FXTRACT: exponent and significand.
    pub(super) fn extract(&mut self, a: Number) -> (Number, Number) {
        if let Some(nan) = self.nan_of(a, Number::ONE) {
            return (nan, nan);
        }
        match a.kind() {
            Kind::Zero => {
                self.raise(ZERO);
                (Number::infinity(true), a)
            }
            Kind::Infinity => (Number::infinity(false), a),
            Kind::Finite(exponent, significand) => {
                self.look_at(a);
                let fraction = Number { significand, ..Number::ONE }.with_sign(a.sign());
                (Number::from_integer(exponent.into()), fraction)
            }
            Kind::Nan | Kind::Unsupported => (a, a),
        }
    }

    /// Returns whether an exception was raised that keeps the result from being stored.
    pub(super) fn is_stopped(&self) -> bool {
        let faults = self.raised & (INVALID | DENORMAL | ZERO);
        [INVALID, DENORMAL, ZERO].iter().any(|&one| faults & one != 0 && !self.is_masked(one))
    }
}

/// Returns 2^126 (1 ≤ quotient < 2^127) times a / b, and whether there is more.
fn long_quotient(a: u64, b: u64) -> (u128, bool) {
    let (wide, b) = ((a as u128) << 63, b as u128);
    let (high, rest) = (wide / b, wide % b);
    let wide = rest << 63;
    ((high << 63) | (wide / b), !wide.is_multiple_of(b))
}

/// Returns a number's place among those that compare.
fn order(number: Number) -> (i32, i128) {
    let (rank, magnitude) = match number.kind() {
        Kind::Finite(exponent, significand) => {
            (1, (exponent as i128 + (1 << 20)) << 64 | significand as i128)
        }
        Kind::Infinity => (2, 0),
        Kind::Zero | Kind::Nan | Kind::Unsupported => (0, 0),
    };
    if number.sign() { (-rank, -magnitude) } else { (rank, magnitude) }
}

/// Returns the integer part, or a number beyond all exponents.
fn truncated(number: Number) -> i32 {
    const BEYOND: i32 = 1 << 17;
    let magnitude = match number.kind() {
        Kind::Finite(exponent @ 0..=16, significand) => (significand >> (63 - exponent)) as i32,
        Kind::Finite(17.., _) => BEYOND,
        _ => 0,
    };
    if number.sign() { -magnitude } else { magnitude }
}
