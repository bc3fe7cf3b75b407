//! Numbers that look random and follow from a seed, so that a failure can be repeated.

/// A source of numbers: the same seed, the same numbers (SplitMix64, Steele et al. 2014).
///
/// ```
/// use libipc::loopback::Random;
/// let (mut one, mut two) = (Random::new(7), Random::new(7));
/// assert_eq!(one.number(), two.number());
/// assert!(one.below(10) < 10);
/// assert!(["a", "b"].contains(&one.pick(&["a", "b"])));
/// assert!(one.one_in(1), "always");
/// ```
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Returns the source of a seed.
    pub const fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// Returns any number.
    pub const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `bound`; 0 where that is 0.
    pub const fn below(&mut self, bound: usize) -> usize {
        let number = self.number() as usize;
        if bound == 0 { 0 } else { number % bound }
    }

    /// Returns whether something that happens once in `n` times happens; never for 0.
    ///
    /// ```
    /// use libipc::loopback::Random;
    /// let mut random = Random::new(1);
    /// let often = (0..1000).filter(|_| random.one_in(2)).count();
    /// assert!((400..600).contains(&often));
    /// ```
    pub const fn one_in(&mut self, n: usize) -> bool {
        n != 0 && self.below(n) == 0
    }

    /// Returns one of several values.
    ///
    /// # Panics
    /// There are none.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Returns a number of the sort that programs trip over: small, huge, or at a limit.
    ///
    /// ```
    /// use libipc::loopback::Random;
    /// let mut random = Random::new(1);
    /// assert!((0..1000).any(|_| random.awkward() == u64::MAX));
    /// ```
    pub fn awkward(&mut self) -> u64 {
        let small = self.below(70) as u64;
        let any = self.number();
        let limits = [0, 1, 2, small, 255, 256, 4095, 4096, 1 << 31, u32::MAX.into(), 1 << 32];
        let large = [1 << 62, i64::MAX as u64, 1 << 63, u64::MAX - 1, u64::MAX, any, any >> 32];
        if self.one_in(3) { self.pick(&large) } else { self.pick(&limits) }
    }
}
