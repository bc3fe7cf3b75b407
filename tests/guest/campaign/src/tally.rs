//! What a client counts, and the sums of all clients.

use core::fmt;

/// What a client, or all of a kind together, did and saw.
#[derive(libipc::Words, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// The kind of client: a number of [`crate::Kind`].
    pub kind: u32,
    /// Calls of idempotent operations.
    pub idempotent: u32,
    /// Calls of other operations.
    pub others: u32,
    /// Requests that a death met, and that were repeated because they could be.
    pub repeated: u32,
    /// Calls of other operations that a death met: their callers saw `Restarted`.
    pub restarted: u32,
    /// Calls of idempotent operations that came back without an answer.
    pub lost: u32,
    /// `Restarted` that no kill explains.
    pub unearned: u32,
    /// Answers that are not what the model says.
    pub wrong: u32,
    /// Calls that were not answered in time.
    pub hangs: u32,
    /// Registrations that were gone after a kill.
    pub forgotten: u32,
    /// The longest that a call took, in microseconds.
    pub longest_us: u32,
}

impl Tally {
    /// Returns the sum of two, of the kind of the first; the longest time is the longer one.
    pub fn and(self, other: Tally) -> Tally {
        Tally {
            kind: self.kind,
            idempotent: self.idempotent + other.idempotent,
            others: self.others + other.others,
            repeated: self.repeated + other.repeated,
            restarted: self.restarted + other.restarted,
            lost: self.lost + other.lost,
            unearned: self.unearned + other.unearned,
            wrong: self.wrong + other.wrong,
            hangs: self.hangs + other.hangs,
            forgotten: self.forgotten + other.forgotten,
            longest_us: self.longest_us.max(other.longest_us),
        }
    }

    /// Returns whether everything is as it must be.
    pub fn is_good(&self) -> bool {
        [self.lost, self.unearned, self.wrong, self.hangs, self.forgotten] == [0; 5]
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { idempotent, others, repeated, restarted, forgotten, longest_us, .. } = self;
        write!(f, "{idempotent} idempotent calls ({repeated} repeated), {others} others ")?;
        write!(f, "({restarted} Restarted), {forgotten} forgotten, longest {longest_us} us")
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn sums_keep_kind_and_longest_time() {
        let one = Tally { kind: 2, lost: 1, longest_us: 7, ..Tally::default() };
        let sum = one.and(Tally { kind: 9, lost: 2, longest_us: 5, ..Tally::default() });
        assert_eq!(sum, Tally { kind: 2, lost: 3, longest_us: 7, ..Tally::default() });
        assert!(!sum.is_good());
        assert!(Tally { restarted: 4, repeated: 1, ..Tally::default() }.is_good());
    }
}
