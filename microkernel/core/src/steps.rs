//! Steps: how much an entry into the kernel may still do before user space gets its turn.
//!
//! An operation whose length user space decides is made of steps, each paid for before it is
//! made. Where nothing is left, [`Steps::spend`] refuses, and the operation returns that error
//! all the way up. [`Kernel::native_system_call`](crate::Kernel) then makes the thread execute its
//! `syscall` again: rip goes back, `rax` and the arguments are what they were. On the way through
//! user space pending interrupts and threads above get in. A page fault that runs out of steps
//! just returns, and the instruction faults again.
//!
//! ```text
//!   system_call ─> renew ─> perform ─> spend, step, spend, step, … ─> Ok, or an error
//!        ▲                                      │ nothing left
//!        └──── user space <── rip -= 2 <────────┘
//! ```
//!
//! So what is done must not be found again: progress lives in the objects (a page that is unmapped
//! is not there any more) or in the argument registers, which are changed before the step that may
//! be refused, never on the stack. The first step of an entry is always granted, so that each entry gets somewhere.

use kamen_abi::Error;

/// Instructions that the steps of one entry may take together, by estimate; the last of them may
/// go beyond by its own cost.
const PER_ENTRY: u32 = 3000;

/// Estimated instructions of filling or copying a frame: 512 words and a few.
pub const FRAME: u32 = 530;
/// Estimated instructions of finding and changing one page's entry in an object or a page table.
pub const PAGE: u32 = 80;
/// Estimated instructions of linking or unlinking a mapping.
pub const MAPPING: u32 = 400;
/// Estimated instructions of taking a thread out of a queue and waking it.
pub const THREAD: u32 = 300;

/// Returns the estimated instructions of passing over that many pages that are not there: at most
/// one table of them is looked into.
pub fn passed(pages: usize) -> u32 {
    3 * pages.min(512) as u32
}

/// What is left for the entry that is under way.
pub struct Steps {
    left: u32,
    per_entry: u32,
    paused: bool,
}

impl Steps {
    /// Returns a full measure of steps.
    pub fn new() -> Self {
        Steps { left: PER_ENTRY, per_entry: PER_ENTRY, paused: false }
    }

    /// Begins an entry.
    #[inline]
    pub fn renew(&mut self) {
        self.left = self.per_entry;
        self.paused = false;
    }

    /// Pays for a step of about `cost` instructions, before it is made.
    ///
    /// # Errors
    /// Any error where nothing is left; user space never sees it, as the operation is repeated.
    #[inline]
    pub fn spend(&mut self, cost: u32) -> Result<(), Error> {
        if self.left == 0 {
            self.paused = true;
            return Err(Error::WouldBlock);
        }
        self.note(cost);
        Ok(())
    }

    /// Counts work that cannot be put off.
    #[inline]
    pub fn note(&mut self, cost: u32) {
        self.left = self.left.saturating_sub(cost);
    }

    /// Returns whether nothing is left.
    pub fn are_spent(&self) -> bool {
        self.left == 0
    }

    /// Returns whether a step was refused in this entry, so that an operation's error means that
    /// it is to be repeated.
    #[inline]
    pub fn are_refused(&self) -> bool {
        self.paused
    }
}

#[cfg(test)]
impl Steps {
    /// Has each entry take about that many instructions.
    pub fn limit(&mut self, per_entry: u32) {
        self.per_entry = per_entry;
        self.renew();
    }
}

#[cfg(test)]
mod tests {
    use super::Steps;

    #[test]
    fn each_entry_is_granted_one_step_at_least() {
        let mut steps = Steps::new();
        steps.limit(1);
        for _ in 0..3 {
            assert!(steps.spend(1000).is_ok() && !steps.are_refused());
            assert!(steps.spend(1).is_err() && steps.are_refused());
            steps.renew();
        }
    }
}
