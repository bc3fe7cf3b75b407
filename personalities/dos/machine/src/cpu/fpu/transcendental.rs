//! Logarithms, powers and angles, at double precision.
//!
//! An 80387 is within one unit of its 64 bits; these are computed with libm's 53 bits, and results are
//! always inexact. Arguments are reduced exactly before: an angle by whole turns of the 80387's π, a
//! logarithm's by its exponent and by 1, so that none loses more than on the 80387.

use super::convert::DOUBLE;
use super::number::exception::{PRECISION, ZERO};
use super::number::{BIAS, Context, Kind, Number};

/// π, rounded to nearest.
pub(super) const PI: Number = Number { head: 0x4000, significand: 0xc90f_daa2_2168_c235 };
/// Two π in units of 2^-63, of the 66 bits of π that angles are reduced by (Intel SDM 1, 8.3.8).
const TURN: u128 = 0x3_243f_6a88_85a3_08d3;
/// Angles must be below two to this (80387 manual, FSIN).
const GREATEST_ANGLE: i32 = 63;

impl Context {
    /// Returns a number as the nearest double; exceptions of that are nobody's.
    fn double(number: Number) -> f64 {
        const NEAREST: u16 = 0x037f;
        f64::from_bits(Context::new(NEAREST).encode(DOUBLE, number))
    }

    /// Returns a double as a number that is not exact.
    fn of_double(&mut self, value: f64) -> Number {
        self.raise(PRECISION);
        Context::new(0x037f).decode(DOUBLE, value.to_bits())
    }

    /// F2XM1: 2^x - 1, for x between -1 and 1.
    pub(super) fn power_less_one(&mut self, x: Number) -> Number {
        if let Some(nan) = self.nan_of(x, Number::ONE) {
            return nan;
        }
        self.look_at(x);
        match x.kind() {
            Kind::Zero => x,
            Kind::Infinity if x.sign() => Number::ONE.negated(),
            Kind::Infinity => x,
            _ => {
                let value = libm::expm1(Context::double(x) * core::f64::consts::LN_2);
                if value == 0.0 { x } else { self.of_double(value) }
            }
        }
    }

    /// FYL2X: y times the logarithm of x to base 2.
    pub(super) fn logarithm(&mut self, x: Number, y: Number) -> Number {
        if let Some(nan) = self.nan_of(x, y) {
            return nan;
        }
        match (x.kind(), y.kind()) {
            (Kind::Zero, Kind::Zero) => self.invalid(),
            (Kind::Zero, _) => {
                if y.kind() != Kind::Infinity {
                    self.raise(ZERO);
                }
                Number::infinity(!y.sign())
            }
            _ if x.sign() => self.invalid(),
            (Kind::Infinity, _) => self.in_full(|full| full.multiply(y, x)),
            (Kind::Finite(exponent, significand), _) => {
                self.look_at(x);
                // Around 1, so that numbers near 1 keep their precision.
                let is_above = significand > 0xb504_f333_f9de_6484;
                let fraction = Number { head: BIAS as u16 - is_above as u16, significand };
                let (whole, mut exact) = (exponent + is_above as i32, Context::new(0x037f));
                let above = exact.subtract(fraction, Number::ONE);
                let log = match above.kind() {
                    Kind::Zero => Number::ZERO,
                    _ => {
                        let natural = libm::log1p(Context::double(above));
                        self.of_double(natural * core::f64::consts::LOG2_E)
                    }
                };
                let sum = exact.add(Number::from_integer(whole.into()), log);
                self.in_full(|full| full.multiply(y, sum))
            }
            _ => self.invalid(),
        }
    }

    /// FYL2XP1: y times the logarithm of x + 1.
    pub(super) fn logarithm_above_one(&mut self, x: Number, y: Number) -> Number {
        if let Some(nan) = self.nan_of(x, y) {
            return nan;
        }
        self.look_at(x);
        let log = match x.kind() {
            Kind::Zero => x,
            Kind::Infinity if x.sign() => return self.invalid(),
            Kind::Infinity => x,
            _ => {
                let value = libm::log1p(Context::double(x)) * core::f64::consts::LOG2_E;
                if value.is_nan() {
                    return self.invalid();
                }
                self.of_double(value)
            }
        };
        self.in_full(|full| full.multiply(y, log))
    }

    /// FPATAN: the angle of the point (x, y).
    pub(super) fn angle(&mut self, y: Number, x: Number) -> Number {
        if let Some(nan) = self.nan_of(x, y) {
            return nan;
        }
        self.look_at(x);
        self.look_at(y);
        if let (Kind::Finite(of_y, _), Kind::Finite(of_x, _)) = (y.kind(), x.kind())
            && !x.sign()
            && of_y < of_x - 64
        {
            // An angle this small is its tangent.
            self.raise(PRECISION);
            return self.in_full(|full| full.divide(y, x));
        }
        let (y, x) = level(y, x);
        let value = libm::atan2(Context::double(y), Context::double(x));
        if value == 0.0 { Number::zero(y.sign()) } else { self.of_double(value) }
    }

    /// Returns sine and cosine; nothing where the angle is too great to be reduced.
    pub(super) fn sine_cosine(&mut self, angle: Number) -> Option<(Number, Number)> {
        if let Some(nan) = self.nan_of(angle, Number::ONE) {
            return Some((nan, nan));
        }
        let exponent = match angle.kind() {
            Kind::Zero => return Some((angle, Number::ONE)),
            Kind::Infinity => {
                let indefinite = self.invalid();
                return Some((indefinite, indefinite));
            }
            Kind::Finite(exponent, _) => exponent,
            Kind::Nan | Kind::Unsupported => return None,
        };
        self.look_at(angle);
        if exponent >= GREATEST_ANGLE {
            return None;
        }
        let value = match angle.kind() {
            Kind::Finite(exponent @ 1.., significand) => {
                let rest = reduced(exponent, significand);
                if angle.sign() { -rest } else { rest }
            }
            _ => Context::double(angle),
        };
        let sine = libm::sin(value);
        let sine = if sine == 0.0 { angle } else { self.of_double(sine) };
        Some((sine, self.of_double(libm::cos(value))))
    }

    /// FPTAN: the tangent; nothing where the angle is too great.
    pub(super) fn tangent(&mut self, angle: Number) -> Option<Number> {
        let (sine, cosine) = self.sine_cosine(angle)?;
        match angle.kind() {
            Kind::Finite(..) => {
                let mut exact = Context::new(0x037f);
                Some(exact.divide(sine, cosine))
            }
            _ => Some(sine),
        }
    }
}

/// Returns what whole turns leave of an angle from two on, the nearest to 0.
fn reduced(exponent: i32, significand: u64) -> f64 {
    const UNIT: f64 = 1.0 / (1u64 << 63) as f64;
    let rest = (0..exponent).fold(significand as u128, |rest, _| (rest << 1) % TURN);
    let is_below = rest > TURN / 2;
    let magnitude = if is_below { TURN - rest } else { rest } as f64 * UNIT;
    if is_below { -magnitude } else { magnitude }
}

/// Returns two numbers scaled alike, so that both are doubles; beside an infinity size is nothing.
fn level(y: Number, x: Number) -> (Number, Number) {
    let (Kind::Finite(of_y, _), Kind::Finite(of_x, _)) = (y.kind(), x.kind()) else {
        let unit = |number: Number| match number.kind() {
            Kind::Finite(..) => Number::ONE.with_sign(number.sign()),
            _ => number,
        };
        return (unit(y), unit(x));
    };
    let most = of_y.max(of_x);
    let mut exact = Context::new(0x037f);
    let by = Number::from_integer((-most).into());
    (exact.scale(y, by), exact.scale(x, by))
}
