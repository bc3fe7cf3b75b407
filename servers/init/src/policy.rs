//! When a server that ended starts again: at once, later, or no more.
//!
//! ```text
//!               ended: at once the first time, and by request
//!              ┌─────────────┐
//!   started ──> Running ─────┴─ ended ──┬──> Waiting ── due, or by request ──> Running
//!                                       └──> Down ── by request ─────────────> Running
//!                                           (5th end within 10 s, or never to be restarted)
//! ```
//!
//! The delay doubles from one end to the next, and begins anew after ten seconds without one. A
//! server that somebody kills by request starts again at once and nothing is counted: whoever may
//! do that knows why. Time is an argument, so that all of this is tested without a machine.

use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::String;
use libipc::Time;

use crate::manifest::Restart;

/// A server that ends so often within [`WINDOW_MS`] is given up.
pub const MAX_ENDS: usize = 5;
/// The time in which ends are counted, in ms; so long without one, and the delay begins anew.
pub const WINDOW_MS: u64 = 10_000;
/// The delay after the second end in a row, in ms; each further one doubles it.
pub const FIRST_DELAY_MS: u64 = 10;
/// The longest delay, in ms.
pub const LONGEST_DELAY_MS: u64 = 1_000;

/// How a life of a server ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// Somebody who may do that asked for it.
    Requested,
    /// By itself: it crashed, ended, hung or could not even start, for this reason.
    Own(String),
}

/// What becomes of a server whose life ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// It is to be started now.
    Start,
    /// It is to be started when it is due.
    Wait,
    /// It stays down.
    GiveUp,
}

/// Where a server stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It runs, or is about to.
    Running,
    /// It is to be started at this time.
    Waiting(Time),
    /// It stays down, for this reason.
    Down(String),
}

/// The lives of one server.
#[derive(Clone, Debug)]
pub struct Lives {
    restart: Restart,
    standing: Standing,
    /// When it ended by itself, the last few times.
    ends: VecDeque<Time>,
    /// How often in a row it ended by itself, each time within the window after the time before.
    row: u32,
    restarts: u64,
}

impl Lives {
    /// Returns a server's first life; `restart` is what its manifest entry says.
    pub fn new(restart: Restart) -> Self {
        let ends = VecDeque::with_capacity(MAX_ENDS);
        Lives { restart, standing: Standing::Running, ends, row: 0, restarts: 0 }
    }

    /// Returns where the server stands.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Returns how often it was started again.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// Returns when it is to be started; never where it need not be.
    pub fn due(&self) -> Time {
        match self.standing {
            Standing::Waiting(due) => due,
            Standing::Running | Standing::Down(_) => Time::FOREVER,
        }
    }

    /// Takes the end of a life into account; returns what is to be done.
    pub fn ended(&mut self, end: &End, now: Time) -> Next {
        match (self.restart, end) {
            (Restart::Never, End::Requested) => self.give_up("it was killed".into()),
            (Restart::Never, End::Own(cause)) => self.give_up(cause.clone()),
            (Restart::Always, End::Requested) => self.start(),
            (Restart::Always, End::Own(cause)) => self.ended_itself(cause, now),
        }
    }

    /// Has a server that waits or stays down started now, by request; what it did before is
    /// forgotten.
    pub fn revive(&mut self) {
        self.ends.clear();
        self.row = 0;
        self.start();
    }

    /// Has a server that waited started now.
    pub fn start(&mut self) -> Next {
        self.restarts += 1;
        self.standing = Standing::Running;
        Next::Start
    }

    fn ended_itself(&mut self, cause: &str, now: Time) -> Next {
        let is_recent = |end: &Time| now <= end.after_ms(WINDOW_MS);
        if !self.ends.back().is_some_and(is_recent) {
            self.row = 0;
        }
        self.row = self.row.saturating_add(1);
        if self.ends.len() == MAX_ENDS {
            self.ends.pop_front();
        }
        self.ends.push_back(now);
        if self.ends.len() == MAX_ENDS && self.ends.front().is_some_and(is_recent) {
            let seconds = WINDOW_MS / 1_000;
            let reason = format!("gave up: {MAX_ENDS} ends within {seconds} s, the last: {cause}");
            return self.give_up(reason);
        }
        match delay_ms(self.row) {
            0 => self.start(),
            delay => {
                self.standing = Standing::Waiting(now.after_ms(delay));
                Next::Wait
            }
        }
    }

    fn give_up(&mut self, reason: String) -> Next {
        self.standing = Standing::Down(reason);
        Next::GiveUp
    }
}

/// Returns how long a server waits after so many ends in a row, in ms.
fn delay_ms(row: u32) -> u64 {
    match row {
        0 | 1 => 0,
        row => {
            let factor = 1u64.checked_shl(row - 2).unwrap_or(u64::MAX);
            FIRST_DELAY_MS.saturating_mul(factor).min(LONGEST_DELAY_MS)
        }
    }
}

#[cfg(test)]
mod tests;
