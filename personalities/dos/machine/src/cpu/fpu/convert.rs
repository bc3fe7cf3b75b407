//! Numbers from and to what memory holds: integers, floating point of 32 and 64 bits, packed decimals.
//!
//! Source: Intel 80387 Programmer's Reference Manual (1987), 2.2.

use super::number::exception::DENORMAL;
use super::number::{BIAS, Context, Format, Kind, LEADING, Number};

/// Digits of a packed decimal.
const DIGITS: usize = 18;

/// A floating-point format of memory.
#[derive(Clone, Copy)]
pub(super) struct Encoding {
    format: Format,
    /// Bits of the fraction; the leading 1 is not stored.
    fraction: u32,
    /// Bits of the exponent.
    exponent: u32,
}

/// Short real.
pub(super) const SINGLE: Encoding = Encoding { format: Format::SINGLE, fraction: 23, exponent: 8 };
/// Long real.
pub(super) const DOUBLE: Encoding = Encoding { format: Format::DOUBLE, fraction: 52, exponent: 11 };

impl Number {
    /// Returns an integer as a number, which holds each exactly.
    pub(super) fn from_integer(value: i64) -> Number {
        let magnitude = value.unsigned_abs();
        if magnitude == 0 {
            return Number::ZERO;
        }
        let shift = magnitude.leading_zeros();
        let head = (BIAS + 63 - shift as i32) as u16;
        Number { head, significand: magnitude << shift }.with_sign(value < 0)
    }

    /// Returns a packed decimal as a number; digits above 9 count what they are.
    pub(super) fn from_decimal(bytes: [u8; 10]) -> Number {
        let value = bytes[..DIGITS / 2].iter().rev().fold(0i64, |value, byte| {
            value * 100 + i64::from(byte >> 4) * 10 + i64::from(byte & 15)
        });
        Number::from_integer(value).with_sign(bytes[9] & 0x80 != 0)
    }
}

impl Context {
    /// Returns the number that a memory format holds; of denormals it raises that they are.
    pub(super) fn decode(&mut self, encoding: Encoding, bits: u64) -> Number {
        let Encoding { fraction, exponent, .. } = encoding;
        let special = (1 << exponent) - 1;
        let sign = bits >> (fraction + exponent) & 1 != 0;
        let biased = (bits >> fraction) as i32 & special;
        let low = (bits & ((1 << fraction) - 1)) << (63 - fraction);
        let number = match biased {
            0 if low == 0 => Number::ZERO,
            0 => {
                self.raise(DENORMAL);
                let shift = low.leading_zeros();
                let head = encoding.format.least + BIAS - shift as i32;
                Number { head: head as u16, significand: low << shift }
            }
            biased if biased == special => Number { head: 0x7fff, significand: LEADING | low },
            biased => {
                let head = (biased - encoding.format.greatest + BIAS) as u16;
                Number { head, significand: LEADING | low }
            }
        };
        number.with_sign(sign)
    }

    /// Returns a number in a memory format.
    pub(super) fn encode(&mut self, encoding: Encoding, number: Number) -> u64 {
        let Encoding { format, fraction, exponent } = encoding;
        let number = match self.nan_of(number, Number::ONE) {
            Some(nan) => nan,
            None => match number.kind() {
                Kind::Finite(at, significand) => {
                    self.round_to(format, number.sign(), at, (significand as u128) << 64)
                }
                _ => number,
            },
        };
        let special = (1u64 << exponent) - 1;
        let low = (number.significand & !LEADING) >> (63 - fraction);
        let sign = (number.sign() as u64) << (fraction + exponent);
        let magnitude = match number.kind() {
            Kind::Zero | Kind::Unsupported => 0,
            Kind::Infinity | Kind::Nan => special << fraction | low,
            Kind::Finite(at, significand) if at < format.least => {
                // What is far below is not stored: its underflow is not masked.
                let shift = (format.least - at).unsigned_abs();
                (significand >> (63 - fraction)).checked_shr(shift).unwrap_or(0)
            }
            Kind::Finite(at, _) => ((at + format.greatest) as u64 & special) << fraction | low,
        };
        sign | magnitude
    }

    /// Returns a number as an integer of so many bits; what does not fit is the least one.
    pub(super) fn integer(&mut self, number: Number, bits: u32) -> i64 {
        let least = i64::MIN >> (64 - bits);
        let fits = match number.kind() {
            Kind::Zero => return 0,
            Kind::Finite(exponent, _) => exponent <= 63,
            _ => false,
        };
        let mut tried = *self;
        let magnitude = if fits { tried.integer_of(number) } else { u128::MAX };
        let most = least.unsigned_abs() as u128 - !number.sign() as u128;
        if magnitude > most {
            self.invalid();
            return least;
        }
        *self = tried;
        if number.sign() { (magnitude as i64).wrapping_neg() } else { magnitude as i64 }
    }

    /// Returns a number as a packed decimal.
    pub(super) fn decimal(&mut self, number: Number) -> [u8; 10] {
        /// What does not fit (80387 manual, table 2-6).
        const INDEFINITE: [u8; 10] = [0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xff];
        let fits = match number.kind() {
            Kind::Zero => true,
            Kind::Finite(exponent, _) => exponent <= 63,
            _ => false,
        };
        let mut tried = *self;
        let magnitude = if fits { tried.integer_of(number) } else { u128::MAX };
        if magnitude >= 10u128.pow(DIGITS as u32) {
            self.invalid();
            return INDEFINITE;
        }
        *self = tried;
        let (mut bytes, mut left) = ([0; 10], magnitude as u64);
        for byte in &mut bytes[..DIGITS / 2] {
            *byte = ((left % 10) | ((left / 10 % 10) << 4)) as u8;
            left /= 100;
        }
        bytes[9] = (number.sign() as u8) << 7;
        bytes
    }
}
