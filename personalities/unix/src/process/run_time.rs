//! Processor time of threads and processes, in nanoseconds.

use core::iter::Sum;
use core::ops::{Add, AddAssign};

/// How long a processor was used: by the program, and by servers for its calls (decisions/0070).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct RunTime {
    /// The program's own.
    pub user: u64,
    /// For its calls.
    pub system: u64,
}

impl RunTime {
    /// Returns both together.
    pub const fn total(self) -> u64 {
        self.user.saturating_add(self.system)
    }
}

impl Add for RunTime {
    type Output = RunTime;
    fn add(self, other: RunTime) -> RunTime {
        let user = self.user.saturating_add(other.user);
        RunTime { user, system: self.system.saturating_add(other.system) }
    }
}

impl AddAssign for RunTime {
    fn add_assign(&mut self, other: RunTime) {
        *self = *self + other;
    }
}

impl Sum for RunTime {
    fn sum<I: Iterator<Item = RunTime>>(times: I) -> RunTime {
        times.fold(RunTime::default(), Add::add)
    }
}
