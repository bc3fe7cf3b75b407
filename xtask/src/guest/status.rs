//! How a guest ended, and the exit status that tells it.

/// Status where the guest failed: kernel panic, triple fault, no verdict.
pub const FAILURE: u8 = 125;
/// Status where the time limit was reached, as timeout(1) has it.
pub const TIMEOUT: u8 = 124;
/// What a signal's number is added to, as shells have it.
const SIGNALLED: u8 = 128;
/// SIGPIPE.
const BROKEN_PIPE: u8 = 13;

/// How a guest ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It powered off with an exit status.
    Exit(u8),
    /// The kernel panicked.
    Panic,
    /// QEMU ended without the guest's exit status: a triple fault, or QEMU failed.
    NoVerdict,
    /// It was ended from outside.
    Cut(Cut),
}

/// Why a guest was ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The time limit was reached.
    Timeout,
    /// The kernel did not begin to run.
    NotStarted,
    /// It had said its last word but went on.
    Grace,
    /// Nobody reads the output any more.
    OutputClosed,
    /// The person at the terminal left.
    Left,
    /// A signal to end has come.
    Signal(i32),
}

impl Ending {
    /// Returns how a guest ended, from what it said and what was done to it.
    pub fn of(verdict: Option<u8>, panicked: bool, cut: Option<Cut>) -> Ending {
        match (verdict, cut) {
            (Some(status), _) => Ending::Exit(status),
            (None, _) if panicked => Ending::Panic,
            (None, Some(cut)) => Ending::Cut(cut),
            (None, None) => Ending::NoVerdict,
        }
    }

    /// Returns this program's own exit status.
    pub fn status(self) -> u8 {
        match self {
            Ending::Exit(status) => status,
            Ending::Panic | Ending::NoVerdict | Ending::Cut(Cut::Grace | Cut::NotStarted) => {
                FAILURE
            }
            Ending::Cut(Cut::Timeout) => TIMEOUT,
            Ending::Cut(Cut::OutputClosed) => SIGNALLED + BROKEN_PIPE,
            Ending::Cut(Cut::Left) => 0,
            Ending::Cut(Cut::Signal(number)) => SIGNALLED.wrapping_add(number as u8),
        }
    }

    /// Returns what went wrong, for a person to read; nothing where the guest ended in order.
    pub fn complaint(self) -> Option<&'static str> {
        match self {
            Ending::Exit(_) => None,
            Ending::Panic => Some("the kernel panicked"),
            Ending::NoVerdict => {
                Some("QEMU ended without an exit status of the guest (triple fault?)")
            }
            Ending::Cut(Cut::Timeout) => Some("the time limit was reached"),
            Ending::Cut(Cut::NotStarted) => Some("the kernel does not begin to run"),
            Ending::Cut(Cut::Grace) => Some("the guest did not power off"),
            Ending::Cut(Cut::OutputClosed | Cut::Left | Cut::Signal(_)) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cut, Ending};

    #[test]
    fn the_guests_verdict_counts_most() {
        assert_eq!(Ending::of(Some(7), true, Some(Cut::Grace)), Ending::Exit(7));
        assert_eq!(Ending::of(None, true, Some(Cut::Grace)), Ending::Panic);
        assert_eq!(Ending::of(None, false, Some(Cut::Timeout)).status(), 124);
        assert_eq!(Ending::of(None, false, None).status(), 125);
    }

    #[test]
    fn a_signal_is_told_as_shells_do() {
        assert_eq!(Ending::Cut(Cut::Signal(15)).status(), 143);
        assert_eq!(Ending::Cut(Cut::OutputClosed).status(), 141);
    }
}
