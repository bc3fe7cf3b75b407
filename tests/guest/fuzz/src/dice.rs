//! Numbers that come the same way from the same seed.

/// Numbers from a seed (SplitMix64: Steele, Lea, Flood, OOPSLA 2014).
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// Returns any number.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    /// Returns a number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.any() % sides.max(1)
    }

    /// Returns whether one of `sides` has fallen.
    pub fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }

    /// Returns one of some values; 0 where there is none.
    pub fn pick(&mut self, from: &[u64]) -> u64 {
        from.get(self.roll(from.len() as u64) as usize).copied().unwrap_or(0)
    }

    /// Returns a number near a boundary, or any.
    pub fn boundary(&mut self) -> u64 {
        let power = 1u64 << self.roll(64);
        match self.roll(5) {
            0 => power.wrapping_sub(self.roll(3)),
            1 => power.wrapping_add(self.roll(3)),
            2 => 0u64.wrapping_sub(self.roll(5)),
            3 => 0x8000_0000_0000u64.wrapping_sub(self.roll(3) * 4096),
            _ => {
                let shift = self.roll(64);
                self.any() >> shift
            }
        }
    }
}
