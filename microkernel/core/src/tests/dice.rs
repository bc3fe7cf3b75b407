//! Dice that fall the same way for the same seed, and how long tests with dice are.
//!
//! ```text
//!   KAMEN_OPERATIONS   operations of the model's and the decoder's tests
//!   KAMEN_SEED         the first seed of theirs
//!   KAMEN_CASES        cases of each property
//! ```
//! `cargo xtask test --nightly` sets them to many.

use std::env;

/// Returns a number from the environment, or the one that counts without it.
pub fn setting(name: &str, otherwise: u64) -> u64 {
    let number = env::var(name).ok().and_then(|text| text.replace('_', "").parse().ok());
    number.unwrap_or(otherwise)
}

/// Returns how many cases a property is tested with.
pub fn cases(otherwise: u32) -> u32 {
    u32::try_from(setting("KAMEN_CASES", otherwise.into())).unwrap_or(u32::MAX)
}

/// A source of numbers for tests.
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// Returns any number (SplitMix64: Steele, Lea, Flood, OOPSLA 2014).
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    /// Returns a number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.any() % sides
    }

    /// Returns whether one of `sides` has fallen.
    pub fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }

    /// Returns one of some values.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize]
    }

    /// Returns a number near a boundary, or any.
    pub fn boundary(&mut self) -> u64 {
        let power = 1u64 << self.roll(64);
        match self.roll(6) {
            0 => power.wrapping_sub(self.roll(3)),
            1 => power.wrapping_add(self.roll(3)),
            2 => 0u64.wrapping_sub(self.roll(5)),
            3 => self.roll(70),
            4 => kamen_abi::USER_END as u64 - 4096 + 4096 * self.roll(3),
            _ => self.any() >> self.roll(64),
        }
    }
}
