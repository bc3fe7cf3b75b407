//! What the loop does outside of itself: in the kernel, or in a test's place of it.

use libipc::{Notification, Time, error, now};

use super::sources::Line;

/// What the loop needs of the kernel besides receiving.
pub(super) trait World {
    /// Returns the time.
    fn now(&self) -> Time;

    /// Unmasks an interrupt line.
    fn acknowledge(&mut self, line: Line);

    /// Tells the supervisor that the loop turns.
    fn answer_ping(&mut self);
}

/// The kernel, and the supervisor's notification where the server was given it.
pub(super) struct Kernel {
    pub(super) alive: Option<Notification>,
}

impl World for Kernel {
    fn now(&self) -> Time {
        now()
    }

    fn acknowledge(&mut self, line: Line) {
        if let Err(error) = line.interrupt.acknowledge(line.number) {
            error!("interrupt line {} stays masked: {error:?}", line.number);
        }
    }

    fn answer_ping(&mut self) {
        if let Some(alive) = self.alive {
            // A supervisor that cannot be told asks again.
            let _ = alive.signal(0);
        }
    }
}
