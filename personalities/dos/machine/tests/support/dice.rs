//! Numbers that look random, the same for the same seed (Marsaglia, Xorshift RNGs, 2003).
#![allow(dead_code, reason = "each test program has its own copy and uses a part of it")]

/// Dice; never of 0, which stays 0.
pub struct Dice(pub u64);

impl Dice {
    /// Returns dice of a seed, near ones being far apart.
    pub fn new(seed: u64) -> Dice {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        (0..8).for_each(|_| _ = dice.roll());
        dice
    }

    /// Returns any number but 0.
    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Returns a number below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    /// Returns one of some values.
    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}
